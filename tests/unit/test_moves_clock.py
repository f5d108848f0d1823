"""Promises 5 and 6: time alone moves customers; what changed is written and published, once, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from dangol.moves.messages import DAILY, FILE, REBUILD, REPLAY, RefreshRequest

from tests.expected import Change, Expected, differences, members_told
from tests.world import FIRST_DAY, Row, World

RANDOM = random.Random(7)
ORDERS = [
    Row(
        f"o{number}",
        f"c{RANDOM.randrange(14)}",
        RANDOM.randrange(45),
        RANDOM.choice([50, 100, 250, 1000]),
        RANDOM.choice(["paid", "paid", "paid", "cancelled"]),
    )
    for number in range(40)
]
"""Ordered within 45 days; what follows is silence."""


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def changes(events: list[Mapping[str, Any]]) -> set[Change]:
    return {
        (e["customer_id"], e["segment"], e["change"], e["from"], e["to"], date.fromisoformat(e["as_of"]))
        for e in events
    }


def writes(expected: Expected, changed: set[str], moved: set[Change]) -> list[str]:
    """What a refresh writes, sorted."""
    customers = [f"{'put' if name in expected.customers else 'delete'} customer {name}" for name in changed]
    members = [f"{'put' if how == 'entered' else 'delete'} membership {s} {name}" for name, s, how, *_ in moved]
    return sorted(customers + members)


def test_each_of_110_days_writes_and_publishes_exactly_what_changed_on_it() -> None:
    expected, ids = Expected(), list[str]()
    with World(shards=1) as world:
        world.drop_and_ingest(ORDERS, second=1)
        for number in range(110):
            world.bus.events.clear()
            world.tables.written.clear()
            world.refresh_all(day(number))

            changed, moved = expected.advance(ORDERS, day(number))
            events = world.bus.of("Segment Changed")
            assert changes(events) == moved
            assert len(events) == len(moved)
            assert sorted(world.tables.written) == writes(expected, changed, moved)
            ids += [event["id"] for event in events]
        assert differences(world.tables, expected) == []
    assert len(ids) == len(set(ids)) > 100
    late = {(standing.segment, standing.features[0]) for standing in expected.customers.values()}
    assert late > {("unclassified", 0)}  # the silent ones have no orders of 90 days left


def test_days_that_were_skipped_yield_the_net_changes() -> None:
    expected = Expected()
    with World(shards=2) as world:
        world.drop_and_ingest(ORDERS, second=1)
        for number in (5, 44, 81):
            world.bus.events.clear()
            world.refresh_all(day(number))
            _, moved = expected.advance(ORDERS, day(number))
            assert changes(world.bus.of("Segment Changed")) == moved
        assert differences(world.tables, expected) == []


def test_a_second_refresh_of_the_day_writes_and_publishes_nothing() -> None:
    with World(shards=2) as world:
        world.drop_and_ingest(ORDERS, second=1)
        first = world.refresh_all(day(44))
        told, written = len(world.bus.events), len(world.tables.written)
        bucket = {path: path.stat().st_mtime_ns for path in world.bucket.rglob("*.*")}
        again = world.refresh_all(day(44), reason=REPLAY)
        assert (len(world.bus.events), len(world.tables.written)) == (told, written)
        assert {path: path.stat().st_mtime_ns for path in world.bucket.rglob("*.*")} == bucket
        assert [facts["customers"] for facts in again] == [facts["customers"] for facts in first]
        assert [facts["customers_written"] for facts in again] == [0, 0]


def test_a_request_that_comes_again_keeps_what_was_noted_of_it() -> None:
    with World(shards=1) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(day(44))
        noted = dict(world.runs.noted)
        world.refresh_all(day(44))
        assert world.runs.noted == noted


def test_joining_moving_and_leaving_are_told_apart() -> None:
    with World(shards=3) as world:
        world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
        world.refresh_all(day(0))
        joined = changes(world.bus.of("Segment Changed"))
        assert joined == {
            ("c1", "new", "entered", None, "new", day(0)),
            ("c1", "one_time", "entered", None, "one_time", day(0)),
        }

        world.bus.events.clear()
        world.refresh_all(day(6))
        assert changes(world.bus.of("Segment Changed")) == {
            ("c1", "new", "exited", "new", "unclassified", day(6)),
            ("c1", "unclassified", "entered", "new", "unclassified", day(6)),
        }

        world.bus.events.clear()
        world.drop_and_ingest([Row("o1", "c3", 0, 100)], second=2)  # it was another's order all the time
        world.refresh_all(day(6))
        assert changes(world.bus.of("Segment Changed")) == {
            ("c1", "unclassified", "exited", "unclassified", None, day(6)),
            ("c1", "one_time", "exited", "one_time", None, day(6)),
            ("c3", "unclassified", "entered", None, "unclassified", day(6)),
            ("c3", "one_time", "entered", None, "one_time", day(6)),
        }


def test_going_to_and_fro_on_one_day_is_published_with_an_id_for_each_time() -> None:
    with World(shards=1) as world:
        world.today = day(1)
        for second, status in enumerate(["paid", "cancelled", "paid", "cancelled"], start=1):
            world.drop_and_ingest([Row("o1", "c1", 1, 100, status)], second)
            world.work_off()
        events = [event for event in world.bus.of("Segment Changed") if event["segment"] == "one_time"]
        assert [event["change"] for event in events] == ["entered", "exited", "entered", "exited"]
        assert len({event["id"] for event in events}) == 4


def test_only_a_replay_goes_back_in_time() -> None:
    with World(shards=1) as world:
        world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
        world.refresh_all(day(40))
        for reason in (DAILY, FILE, REBUILD):
            (done,) = world.refresh_all(day(2), reason)
            assert done["as_of"] == day(40).isoformat()
            assert world.tables.customers["c1"].segment == "fading"
        (done,) = world.refresh_all(day(2), REPLAY)
        assert done["as_of"] == day(2).isoformat()
        assert world.tables.customers["c1"].segment == "new"
        world.refresh_all(day(41))
        assert world.tables.customers["c1"].segment == "fading"


def test_a_replay_from_before_the_first_order_empties_the_tables_and_fills_them_again() -> None:
    with World(shards=1) as world:
        world.drop_and_ingest([Row("o1", "c1", 10, 100)], second=1)
        world.refresh_all(day(10))
        world.refresh_all(day(9), REPLAY)
        assert (world.tables.customers, world.tables.memberships) == ({}, {})
        world.refresh_all(day(11))
        assert world.tables.customers["c1"].segment_since == day(11)


def test_a_file_that_was_asked_for_yesterday_does_not_turn_the_clock_back() -> None:
    with World(shards=1) as world:
        world.today = day(1)
        world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
        late = world.queue.waiting.pop()
        world.refresh_all(day(6))
        assert world.refresh(late)["as_of"] == day(6).isoformat()


def test_a_rebuild_fills_lost_tables_as_they_were_and_publishes_nothing() -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        for number in (10, 30, 44):
            world.refresh_all(day(number))
        customers, memberships = dict(world.tables.customers), dict(world.tables.memberships)
        events = list(world.bus.of("Segment Changed"))
        world.tables.customers.clear()
        world.tables.memberships.clear()
        done = world.refresh_all(day(44), REBUILD)
        assert (world.tables.customers, world.tables.memberships) == (customers, memberships)
        assert world.bus.of("Segment Changed") == events
        assert sum(facts["customers_written"] for facts in done) == len(customers)


def test_a_rebuild_on_a_later_day_is_a_rebuild_and_a_daily_refresh() -> None:
    with World(shards=2) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(day(30))
        world.tables.customers.clear()
        world.tables.memberships.clear()
        world.refresh_all(day(44), REBUILD)
        expected = Expected()
        for number in (30, 44):
            expected.advance(ORDERS, day(number))
        assert differences(world.tables, expected) == []
        assert members_told(world.bus.of("Segment Changed")) == world.tables.memberships.keys()


def test_a_rebuild_passes_over_shards_that_hold_nothing() -> None:
    with World(shards=3) as world:
        world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
        world.refresh_all(day(0))
        done = world.refresh_all(day(0), REBUILD)
        assert [facts["customers"] for facts in done] == [0, 1, 0]


def test_a_shard_whose_orders_are_all_yet_to_come_has_no_customers() -> None:
    with World(shards=1) as world:
        world.drop_and_ingest([Row("o1", "c1", 5, 100)], second=1)
        world.refresh_all(day(4))
        assert world.tables.customers == {}
        world.refresh_all(day(5))
        assert world.tables.customers.keys() == {"c1"}


def test_a_request_for_a_shard_without_orders_does_nothing() -> None:
    with World(shards=1) as world:
        done = world.refresh(RefreshRequest(0, day(0), DAILY, "run"))
        assert (done["customers"], done["as_of"], world.tables.written) == (0, day(0).isoformat(), [])
        assert world.bus.events == []
