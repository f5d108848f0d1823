"""The state of a shard as it is kept between refreshes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.ledger.state import FIRST_HEAD, Head, StateLog, last_states_sql
from dangol.ledger.store import FolderStore
from dangol.segments.state import EMPTY_STATE, STATE_COLUMNS, Stamp, everyone

from tests.world import FIRST_DAY, Row, World

STATE = f"""(
    FROM ({EMPTY_STATE}) UNION ALL BY NAME
    SELECT 'c1' AS customer_id, 'new' AS segment, 'vip' AS previous_segment, ['new', 'one_time'] AS segments,
        [DATE '2026-01-01', DATE '2026-01-03'] AS since, 3 AS orders_90d, 0.1::DOUBLE + 0.2::DOUBLE AS aov_90d,
        3 AS orders_lifetime, 123456789.1234::DOUBLE AS revenue_lifetime, DATE '2026-01-01' AS first_order_on,
        DATE '2026-01-02' AS last_order_on, DATE '2026-01-03' AS as_of, 'abc' AS policy_version, true AS changed,
        ['vip'] AS was, false AS gone, '코트' AS last_product,
        [{{segment: 'vip', day: DATE '2026-01-03'}}] AS exited
    UNION ALL BY NAME
    SELECT '고객 2' AS customer_id, 'unclassified' AS segment, ['unclassified'] AS segments,
        [DATE '2026-01-03'] AS since, 0 AS orders_90d, 0 AS orders_lifetime, 0 AS revenue_lifetime,
        DATE '2026-01-03' AS as_of, 'abc' AS policy_version, false AS changed, ['unclassified'] AS was, false AS gone
)"""

STAMP = Stamp(7, 3, date(2026, 1, 3), "abc")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def log(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> StateLog:
    return StateLog(FolderStore(tmp_path / "bucket"), connection, 7, tmp_path)


@pytest.mark.parametrize("state", [STATE, f"({EMPTY_STATE})"], ids=["some", "nobody"])
def test_a_state_is_read_back_to_the_last_bit(log: StateLog, connection: duckdb.DuckDBPyConnection, state: str) -> None:
    log.save(3, state)
    columns = ", ".join(STATE_COLUMNS)
    saved, read = (connection.execute(f"SELECT {columns} FROM {rows}").fetchall() for rows in (state, log.load(3)))
    assert read == saved


def test_before_the_first_refresh_there_is_nobody(log: StateLog, connection: duckdb.DuckDBPyConnection) -> None:
    assert log.head() == FIRST_HEAD
    assert everyone(connection, log.load(0)) == []


def test_the_head_is_read_back_as_it_was_written(log: StateLog) -> None:
    head = Head(4, 3, "2026-11-22", "abc", ("ledger/a", "ledger/b"), 17)
    log.point(head)
    assert log.head() == head


def test_only_older_states_are_forgotten(log: StateLog, tmp_path: Path) -> None:
    for generation in (9, 10, 11):
        log.save(generation, f"({EMPTY_STATE})")
    log.point(FIRST_HEAD)
    log.forget_before(10)
    left = [key.rpartition("/")[2] for key in FolderStore(tmp_path / "bucket").keys("ledger/state/")]
    assert left == ["customers-000000010.parquet", "customers-000000011.parquet", "head.json"]


def test_a_refresh_leaves_one_state_behind() -> None:
    with World(shards=1) as world:
        world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
        for number in range(0, 40, 10):
            world.refresh_all(FIRST_DAY + timedelta(days=number))
        assert len(world.store.keys("ledger/state/")) == 2


def last_states(world: World, tmp_path: Path) -> list[Any]:
    with duckdb.connect() as connection:
        query = f"SELECT customer_id, segment FROM {last_states_sql(world.store, tmp_path)} ORDER BY 1"
        return connection.execute(query).fetchall()


def test_the_last_states_of_all_shards_are_those_that_the_heads_point_at(tmp_path: Path) -> None:
    with World(shards=3) as world:
        assert last_states(world, tmp_path) == []
        world.drop_and_ingest([Row("o1", "c1", 0, 100), Row("o3", "c3", 0, 100)], second=1)
        world.refresh_all(FIRST_DAY)
        assert last_states(world, tmp_path) == [("c1", "new"), ("c3", "new")]

        # A refresh that died before it moved the head has left the next state.
        (orphan,) = world.bucket.glob("ledger/state/shard=0001/customers-*.parquet")
        duckdb.sql(f"COPY (FROM '{orphan}' LIMIT 0) TO '{orphan.with_name('customers-000000099.parquet')}'")
        assert last_states(world, tmp_path) == [("c1", "new"), ("c3", "new")]


def test_a_refresh_beside_the_report_is_no_error(tmp_path: Path) -> None:
    with World(shards=1) as world:
        world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
        world.refresh_all(FIRST_DAY)
        folder = world.bucket / "ledger/state/shard=0000"

        class Refreshing(FolderStore):
            times = 1

            def download(self, keys: Any, folder_: Path) -> list[Path]:
                if self.times and "customers-" in keys[0]:
                    self.times -= 1
                    (folder / "customers-000000001.parquet").rename(folder / "customers-000000002.parquet")
                    head = Head(2, 2, "2026-01-02", "abc", (), 1)
                    (folder / "head.json").write_text(json.dumps(asdict(head)))
                return super().download(keys, folder_)

        assert "customers-000000002" in last_states_sql(Refreshing(world.bucket), tmp_path)
        forever = Refreshing(world.bucket)
        forever.times = 0
        for path in folder.glob("customers-*"):
            path.unlink()
        with pytest.raises(FileNotFoundError):
            last_states_sql(forever, tmp_path)


def test_changes_are_kept_for_ever_by_day(log: StateLog, connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    log.keep_changes(STATE, STAMP)
    log.forget_before(99)
    (key,) = FolderStore(tmp_path / "bucket").keys("ledger/changes/as_of=2026-01-03/")
    kept = f"read_parquet('{tmp_path}/bucket/{key}', hive_partitioning = false)"
    found = connection.execute(f"SELECT segment, change, from_segment, to_segment, as_of FROM {kept}").fetchall()
    day = date(2026, 1, 3)
    assert found == [
        ("new", "entered", "vip", "new", day),
        ("one_time", "entered", None, "one_time", day),
        ("vip", "exited", "vip", "new", day),
    ]


def test_a_state_of_an_earlier_version_lacks_columns_and_is_read(
    log: StateLog, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    log.save(3, STATE)
    (path,) = (tmp_path / "bucket/ledger/state").rglob("customers-*.parquet")
    old = tmp_path / "old.parquet"
    connection.execute(f"COPY (SELECT * EXCLUDE (exited, last_product) FROM '{path}') TO '{old}' (FORMAT parquet)")
    old.replace(path)
    one, two = everyone(connection, log.load(3))
    assert (one.customer_id, one.last_product, one.orders_90d) == ("c1", None, 3)
    assert two.customer_id == "고객 2"
