"""Which shard holds an order: an order that changes its customer counts only once, whatever else happens."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from dangol.ledger import layout, owners
from dangol.ledger.store import FolderStore

from tests.fakes import Crash, Crashed
from tests.world import FIRST_DAY, Row, World, compacting_at

OLD, NEW = Row("o1", "c1", 1, 100), Row("o1", "c3", 1, 100)
"""Of five shards c1 lies in one, c3 in another."""
DAY = FIRST_DAY + timedelta(days=2)


def customers(world: World) -> set[str]:
    world.refresh_all(DAY)
    return set(world.tables.customers)


def test_two_files_at_once_do_not_both_keep_an_order() -> None:
    """Each writes its owners before it asks: whoever asks last sees the other."""
    with World(shards=5) as world:
        old, new = (
            world.drop_rows([OLD], 1, "incoming/orders/a.csv"),
            world.drop_rows([NEW], 2, "incoming/orders/b.csv"),
        )
        both = _InBetween(world, lambda: world.ingest(new))
        world.crash = both
        world.ingest(old)
        assert both.happened
        assert customers(world) == {"c3"}


class _InBetween(Crash):
    """Lets something happen right after the owners of a file were written, instead of a crash."""

    def __init__(self, world: World, event: object) -> None:
        super().__init__()
        self._world, self._event, self.happened = world, event, False

    def passes(self, name: str, method: object, arguments: tuple[object, ...]) -> object:
        answer = method(*arguments)  # type: ignore[operator]
        if name == "FolderStore.upload" and not self.happened:
            self.happened, self._world.crash = True, None
            self._event()  # type: ignore[operator]
        return answer


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late"])
def test_owners_merged_between_two_tries_of_a_file_are_not_forgotten(late: bool) -> None:
    """A file that died after it had written its owners must still learn who had the order before."""
    first, second = (NEW, OLD) if late else (OLD, NEW)
    with World(shards=5) as world:
        files = {OLD: world.drop_rows([OLD], 1, "incoming/orders/a.csv")}
        files[NEW] = world.drop_rows([NEW], 2, "incoming/orders/b.csv")
        world.ingest(files[first])
        world.crash = Crash(at=_after_first_upload(world, files[second]))
        with pytest.raises(Crashed):
            world.ingest(files[second])
        world.crash = None
        with compacting_at(orders=1, owners=0):
            world.refresh_all(DAY)
        world.ingest(files[second])
        world.refresh_all(DAY)
        assert customers(world) == {"c3"}


def _after_first_upload(world: World, file: object) -> int:
    with world.copy() as rehearsal:
        rehearsal.crash = crash = Crash()
        rehearsal.ingest(file)  # type: ignore[arg-type]
        return [name for name, _ in crash.calls].index("FolderStore.upload") + 1


def test_owners_are_merged_when_they_are_many() -> None:
    with World(shards=1) as world:
        for number in range(owners.COMPACT_AT + 1):
            world.drop_and_ingest([Row("o1", "c1", 1, 100)], second=number)
        assert len(world.store.keys("ledger/order_owners/")) == owners.COMPACT_AT + 1
        world.refresh_all(DAY)
        (merged,) = world.store.keys("ledger/order_owners/")
        rows = duckdb.sql(f"SELECT version FROM '{world.bucket / merged}'").fetchall()
        assert rows == [(max(run for kind, run in world.runs.noted if kind == "file"),)]


def test_a_merge_beside_us_is_no_error(tmp_path: Path) -> None:
    """Between the list and the copy the objects may be gone; the merged one is there then."""

    class Merging(FolderStore):
        merges = 2

        def keys(self, prefix: str) -> list[str]:
            found = super().keys(prefix)
            if self.merges:
                self.merges -= 1
                (old,) = found
                (tmp_path / old).rename(tmp_path / f"{old}.merged.parquet")
            return found

    store = Merging(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("CREATE TEMP TABLE orders AS SELECT 'o1' AS order_id, 'c3' AS customer_id")
        key = tmp_path / layout.part_key(layout.OWNERS, layout.shard_of("o1", 5), "v1")
        key.parent.mkdir(parents=True)
        connection.execute(
            f"COPY (SELECT md5_number_lower('o1') AS key, 1::USMALLINT AS shard, 'v1' AS version) TO '{key}' "
            "(FORMAT parquet)"
        )
        owners.find_moved(connection, store, "v2", 5, tmp_path)
        assert connection.execute("FROM moved").fetchall() == [("o1", "v2", 1)]
        store.merges = 99
        with pytest.raises(FileNotFoundError):
            owners.find_moved(connection, store, "v2", 5, tmp_path)
