"""Which shard holds an order: an order that changes its customer counts only once, whatever else happens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from dangol.ledger import layout, owners
from dangol.ledger.store import FolderStore
from dangol.moves.ingest import DroppedFile

from tests.fakes import Crash, Crashed, Meanwhile
from tests.world import FIRST_DAY, Row, World, compacting_at

OLD, NEW = Row("o6", "c1", 1, 100), Row("o6", "c3", 1, 100)
"""Of five shards c1 lies in one, c3 in another; the owners of o6 lie in that of c1, whose refresh merges them."""
DAY = FIRST_DAY + timedelta(days=2)


def customers(world: World) -> set[str]:
    world.refresh_all(DAY)
    return set(world.tables.customers)


@pytest.mark.parametrize("slower", [OLD, NEW], ids=["the older is slower", "the newer is slower"])
def test_of_two_files_at_once_one_learns_of_the_other(slower: Row) -> None:
    """Each writes its owners before it asks, so wherever one is when the other comes and goes, an order counts once."""
    with World(shards=5) as world:
        files = {
            row: world.drop_rows([row], second, f"incoming/orders/{second}.csv")
            for second, row in enumerate([OLD, NEW], start=1)
        }
        faster = files[NEW if slower is OLD else OLD]
        for number in range(len(calls_of(world, files[slower]))):
            with world.copy() as twin:
                twin.crash = Meanwhile(number, lambda twin=twin: twin.ingest(faster))  # type: ignore[misc]
                twin.ingest(files[slower])
                assert customers(twin) == {"c3"}, number


def calls_of(world: World, file: DroppedFile) -> list[str]:
    """What ingest calls for a file."""
    with world.copy() as rehearsal:
        rehearsal.crash = crash = Crash()
        rehearsal.ingest(file)
        return [name for name, _ in crash.calls]


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late"])
def test_owners_merged_between_two_tries_of_a_file_are_not_forgotten(late: bool) -> None:
    """A file that died after it had written its owners must still learn who had the order before."""
    first, second = (NEW, OLD) if late else (OLD, NEW)
    with World(shards=5) as world:
        files = {OLD: world.drop_rows([OLD], 1, "incoming/orders/a.csv")}
        files[NEW] = world.drop_rows([NEW], 2, "incoming/orders/b.csv")
        world.ingest(files[first])
        world.crash = Crash(at=calls_of(world, files[second]).index("FolderStore.upload") + 1)
        with pytest.raises(Crashed):
            world.ingest(files[second])
        world.crash = None
        with compacting_at(orders=1, owners=0):
            world.refresh_all(DAY)
        world.ingest(files[second])
        world.refresh_all(DAY)
        assert customers(world) == {"c3"}


def test_owners_are_merged_when_they_are_many() -> None:
    with World(shards=1) as world, compacting_at(orders=99, owners=2):
        for number in range(3):
            world.drop_and_ingest([Row("o1", "c1", 1, 100), Row(f"o2-{number}", "c1", 1, 100)], second=number)
            world.refresh_all(DAY)
            merged = world.store.keys("ledger/order_owners/")
            assert len(merged) == (number + 1 if number < 2 else 1)
        rows = duckdb.sql(f"SELECT count(*), max(version) FROM '{world.bucket / merged[0]}'").fetchall()
        assert rows == [(4, max(run for kind, run in world.runs.noted if kind == "file"))]


def test_owners_that_come_while_others_are_merged_stay(tmp_path: Path) -> None:
    newcomer = layout.part_key(layout.OWNERS, 0, "v9")

    class Coming(FolderStore):
        def upload(self, files: Iterable[tuple[Path, str]]) -> None:
            super().upload(files)
            self.write(newcomer, b"")

    store = Coming(tmp_path)
    with duckdb.connect() as connection, compacting_at(orders=99, owners=1):
        for version in ("v1", "v2"):
            path = tmp_path / layout.part_key(layout.OWNERS, 0, version)
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = f"SELECT 7::UBIGINT AS key, 1::USMALLINT AS shard, '{version}' AS version"
            connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
        assert owners.compact_owners(connection, store, 0, tmp_path)
        base, other = store.keys(layout.shard_prefix(layout.OWNERS, 0))
        assert (layout.is_base(base), other) == (True, newcomer)


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
        connection.execute("CREATE TEMP TABLE orders AS SELECT 'o1' AS order_id, 'c3' AS customer_id, 'v2' AS version")
        key = tmp_path / layout.part_key(layout.OWNERS, layout.shard_of("o1", 5), "v1")
        key.parent.mkdir(parents=True)
        connection.execute(
            f"COPY (SELECT md5_number_lower('o1') AS key, 1::USMALLINT AS shard, 'v1' AS version) TO '{key}' "
            "(FORMAT parquet)"
        )
        owners.find_moved(connection, store, "orders", 5, tmp_path)
        assert connection.execute("FROM moved").fetchall() == [("o1", "v2", 1)]
        store.merges = 99
        with pytest.raises(FileNotFoundError):
            owners.find_moved(connection, store, "orders", 5, tmp_path)
