"""How customers moved since an earlier day, by the changes that the ledger keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from dangol.engine import connect
from dangol.ledger.changes import ChangeLog
from dangol.moves.report import load_states
from dangol.reports.flows import Flow, changed_sql, days_of, flow

from tests.world import FIRST_DAY, SHOP, Row, World

Cells = dict[tuple[str | None, str | None], int]
FlowSince = Callable[[World, date, date], Flow]


def day(number: int) -> date:
    return FIRST_DAY + timedelta(number)


@pytest.fixture
def flow_since(tmp_path: Path) -> Iterator[FlowSince]:
    """The flow of a world from an earlier day to its last state."""
    with connect(SHOP, tmp_path) as connection:

        def found(world: World, since: date, as_of: date) -> Flow:
            load_states(connection, world.store, as_of, tmp_path)
            moved = ChangeLog(world.store, tmp_path).moved(since, world.policy.rfm_ids)
            return flow(connection, "day", since, moved)

        yield found


ORDERS = [Row("o1", "a", 0, 100), Row("o2", "b", 3, 100), Row("o3", "c", 7, 100), Row("o4", "d", 0, 100)]


def live(world: World, *days: int) -> None:
    world.drop_and_ingest(ORDERS, second=1)
    world.queue.waiting.clear()
    for number in days:
        world.refresh_all(day(number))


def test_who_moved_who_came_and_who_stayed_are_counted_once(flow_since: FlowSince) -> None:
    with World() as world:
        live(world, 0, 4, 7)
        found = flow_since(world, day(4), day(7))
        assert found.cells == {("new", "unclassified"): 2, ("new", "new"): 1, (None, "new"): 1}
        assert (found.movers, found.newcomers, found.stayed) == (2, 1, 1)
        assert found.moved == [("new", "unclassified", 2), (None, "new", 1)]


def test_a_day_without_refresh_is_as_the_one_before(flow_since: FlowSince) -> None:
    with World() as world:
        live(world, 0, 4, 7)
        assert flow_since(world, day(6), day(7)).cells == flow_since(world, day(4), day(7)).cells
        assert flow_since(world, day(7), day(7)).cells == {("new", "new"): 2, ("unclassified", "unclassified"): 2}


def test_of_several_moves_the_first_and_the_last_segment_count(flow_since: FlowSince) -> None:
    with World() as world:
        live(world, 0, 7, 8, 35)
        assert flow_since(world, day(0), day(35)).cells == {
            ("new", "fading"): 2,
            (None, "fading"): 1,
            (None, "unclassified"): 1,
        }
        world.drop_and_ingest([Row("o5", "a", 36, 100)], second=2, key="incoming/orders/b.csv")
        world.refresh_all(day(36))
        assert flow_since(world, day(8), day(36)).cells[("unclassified", "unclassified")] == 1  # there and back again


def test_a_replay_of_the_past_in_between_changes_nothing(flow_since: FlowSince) -> None:
    with World() as world:
        live(world, 0, 4, 7)
        before = flow_since(world, day(4), day(7)).cells
        world.refresh_all(day(1), reason="replay")
        world.refresh_all(day(7))
        assert flow_since(world, day(4), day(7)).cells == before


def test_flows_by_changes_are_those_of_segmenting_both_days(flow_since: FlowSince, tmp_path: Path) -> None:
    rows = [Row(f"o{n}", f"c{n % 17}", (n * 7) % 60, 50 + n * 10) for n in range(80)]
    for since in (20, 45, 59):
        with World(shards=2) as world, World(shards=2) as earlier, connect(SHOP, tmp_path) as connection:
            for one in (world, earlier):
                one.drop_and_ingest(rows, second=1)
            for number in (0, since, 50, 60):
                world.refresh_all(day(number))
            earlier.refresh_all(day(since))
            load_states(connection, earlier.store, day(since), tmp_path)
            connection.execute("CREATE TEMP TABLE before AS SELECT customer_id, segment FROM customers")
            load_states(connection, world.store, day(60), tmp_path)
            both = flow(connection, "day", day(since), changed_sql("before"))
            assert flow_since(world, day(since), day(60)).cells == both.cells
            assert sum((both.cells or {}).values()) == 17


def test_other_segments_than_those_of_rfm_are_no_moves(flow_since: FlowSince) -> None:
    """A second order makes `repeat` of `one_time`; the RFM segment follows the days alone."""
    with World() as world:
        world.drop_and_ingest([Row("o1", "a", 0, 100), Row("o2", "a", 8, 100)], second=1)
        for number in (7, 8):
            world.refresh_all(day(number))
        assert flow_since(world, day(7), day(8)).cells == {("unclassified", "unclassified"): 1}


def test_nothing_is_known_before_the_first_change(tmp_path: Path) -> None:
    with World() as world:
        assert ChangeLog(world.store, tmp_path).first_day is None
        live(world, 4)
        assert ChangeLog(world.store, tmp_path).first_day == day(4)


def test_a_shop_without_customers_has_no_flow(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TEMP TABLE customers (customer_id VARCHAR, segment VARCHAR)")
    connection.execute("CREATE TEMP TABLE before AS FROM customers")
    found = flow(connection, "day", FIRST_DAY, changed_sql("before"))
    assert (found.cells, found.moved, found.stayed) == ({}, [], 0)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_periods_look_back_a_day_a_week_and_thirty_days() -> None:
    found = days_of(date(2026, 3, 1))
    assert found == {"day": date(2026, 2, 28), "week": date(2026, 2, 22), "month": date(2026, 1, 30)}
