"""Promise 3: a crash at any point, then a retry, ends in the state of no crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from tests.expected import Expected, differences, members_told, newest_orders
from tests.fakes import Crash, Crashed, Meanwhile
from tests.world import FIRST_DAY, Row, World, compacting_at, csv_of

MORNING = [Row("o1", "c1", 0, 300), Row("o2", "c1", 1, 300), Row("o3", "c3", 1, 50), Row("o9", "c5", 1, 70)]
NOON = [Row("o4", "c1", 2, 300), Row("o3", "c1", 2, 60), Row("o5", "c4", 2, 10), Row("o9", "c5", 1, 70, "cancelled")]
"""o3 turns out to be c1's, so c3 is no more; c1 becomes a VIP; o9 is cancelled; c4 is new."""
EVENING = [Row("o6", "c5", 3, 500), Row("o4", "c5", 2, 300), Row("o1", "c1", 0, 300, "refunded")]
BAD_ROW = "o7,c1,not a date,100,paid\n"


@dataclass(frozen=True)
class Trace:
    """What can be seen of a world from outside."""

    customers: Any
    memberships: Any
    runs: Any
    events: set[str]


def trace(world: World) -> Trace:
    told = {repr(event) for event in world.bus.events}
    return Trace(world.tables.customers, world.tables.memberships, world.runs.noted, told)


def _morning(world: World) -> World:
    """A file is taken and served, twice, so that there are objects to merge."""
    world.today = FIRST_DAY + timedelta(days=1)
    with compacting_at(orders=9, owners=9):
        for second in (1, 2):
            world.drop_and_ingest(MORNING, second)
            world.work_off()
    return world


@pytest.fixture(scope="module")
def morning() -> Iterator[World]:
    """Of the three shards c1 lies in one, c3 and c4 in another, c5 in the third."""
    with World(shards=3) as world:
        yield _morning(world)


@pytest.fixture(scope="module")
def asked() -> Iterator[World]:
    """A second file is taken on the next day; its refresh waits."""
    with World(shards=1) as world:
        _morning(world).today += timedelta(days=1)
        world.drop_and_ingest(NOON, second=3)
        yield world


@pytest.fixture(autouse=True)
def _merging() -> Iterator[None]:
    with compacting_at(orders=3, owners=2):
        yield


def crashes(world: World, step: Callable[[World], None], halfway: bool) -> Iterator[tuple[str, World]]:
    """For each call that `step` makes, its name and a world in which it died there."""
    with world.copy() as twin:
        crash = twin.crash = Crash()
        step(twin)
        calls = crash.calls
    for number, (name, has_items) in enumerate(calls):
        if has_items or not halfway:
            with world.copy() as twin:
                crash = twin.crash = Crash(number, halfway)
                step(twin)
                assert crash.struck == name
                yield name, twin


def _outcome(world: World, step: Callable[[World], None]) -> Trace:
    with world.copy() as undisturbed:
        step(undisturbed)
        undisturbed.work_off()
        return trace(undisturbed)


def take_a_file(world: World) -> None:
    world.today = FIRST_DAY + timedelta(days=2)
    world.deliver(world.drop(csv_of(NOON) + BAD_ROW, second=3))


@pytest.mark.parametrize("halfway", [False, True], ids=["before", "halfway"])
def test_a_crash_while_a_file_is_taken_leaves_no_trace_after_the_retry(morning: World, halfway: bool) -> None:
    expected, struck = _outcome(morning, take_a_file), set()
    for call, world in crashes(morning, take_a_file, halfway):
        world.crash = None
        world.work_off()
        assert trace(world) == expected, call
        struck.add(call)
    assert struck >= IN_HALF_OF_A_FILE | (set() if halfway else IN_A_FILE)


IN_HALF_OF_A_FILE = {"FolderStore.upload", "FakeQueue.ask", "FakeBus.publish"}
IN_A_FILE = {"FakeIncoming.fetch", "FolderStore.keys", "FolderStore.write", "FakeRuns.find", "FakeRuns.note"}


@pytest.mark.parametrize("halfway", [False, True], ids=["before", "halfway"])
def test_a_crash_while_a_shard_is_refreshed_leaves_no_trace_after_the_retry(asked: World, halfway: bool) -> None:
    expected, struck = _outcome(asked, World.work_off), set()
    for call, world in crashes(asked, World.work_off, halfway):
        assert trace(world) == expected, call
        struck.add(call)
    assert struck >= IN_HALF_OF_A_REFRESH | (set() if halfway else IN_A_REFRESH)


IN_HALF_OF_A_REFRESH = {
    "FolderStore.upload",
    "FolderStore.delete",
    "FakeTables.put_customers",
    "FakeTables.put_memberships",
    "FakeTables.delete_memberships",
    "FakeTables.delete_customers",
    "FakeBus.publish",
}
IN_A_REFRESH = {"FolderStore.keys", "FolderStore.read", "FolderStore.write", "FolderStore.download", "FakeRuns.note"}


def another_file(world: World) -> list[list[Row]]:
    world.drop_and_ingest(EVENING, second=4)
    return [MORNING, NOON, EVENING]


def another_day(world: World) -> list[list[Row]]:
    world.today += timedelta(days=31)
    return [MORNING, NOON]


def refresh_in_vain(world: World) -> None:
    with suppress(Crashed):
        world.refresh(world.queue.waiting[0])
    world.crash = None


@pytest.mark.parametrize("meanwhile", [another_file, another_day])
def test_what_comes_between_a_crash_and_the_retry_is_not_lost(
    asked: World, meanwhile: Callable[[World], list[list[Row]]]
) -> None:
    """The tables are those of a clean computation, and no event is without its effect in them."""
    for call, world in crashes(asked, refresh_in_vain, halfway=False):
        uploads = meanwhile(world)
        world.queue.waiting[0] = replace(world.queue.waiting[0], as_of=world.today)
        world.work_off()
        expected = Expected()
        expected.advance(newest_orders(uploads).values(), world.today)
        assert differences(world.tables, expected, history=False) == [], call
        assert members_told(world.bus.of("Segment Changed")) == world.tables.memberships.keys(), call


def test_a_file_that_comes_at_any_moment_of_a_refresh_is_not_lost(asked: World) -> None:
    with asked.copy() as rehearsal:
        rehearsal.crash = crash = Crash()
        rehearsal.refresh(rehearsal.queue.waiting[0])
        calls = crash.calls
    expected = Expected()
    expected.advance(newest_orders([MORNING, NOON, EVENING]).values(), asked.today)
    for number, (name, _) in enumerate(calls):
        with asked.copy() as world:
            world.crash = Meanwhile(number, lambda world=world: world.drop_and_ingest(EVENING, second=4))  # type: ignore[misc]
            world.work_off()
            assert differences(world.tables, expected, history=False) == [], name


def test_of_a_refresh_that_is_given_up_no_changes_are_kept_but_those_of_the_one_in_its_place(asked: World) -> None:
    def kept(world: World) -> int:
        pattern = f"{world.bucket}/ledger/changes/*/*.parquet"
        return duckdb.execute(f"SELECT count(*) FROM read_parquet('{pattern}')").fetchall()[0][0]  # type: ignore[no-any-return]

    for call, world in crashes(asked, refresh_in_vain, halfway=False):
        world.queue.waiting.clear()
        world.refresh_all(world.today + timedelta(days=1))
        assert kept(world) == len({event["id"] for event in world.bus.of("Segment Changed")}), call
