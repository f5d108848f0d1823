"""Promises 1 to 6 and 12 in any order of things: files and refreshes side by side, of which some die, call by call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import duckdb
from dangol.engine import literal
from dangol.moves.ingest import DroppedFile
from dangol.moves.messages import DAILY, REBUILD, REPLAY, RefreshRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.busy import Busy
from tests.expected import features, newest_orders, segments
from tests.interleaving import ENDS, LONG_TURNS, Turn, Turns
from tests.world import FIRST_DAY, Row, World, compacting_at, csv_of

SHARDS = 2
PEOPLE = [f"c{number}" for number in range(5)]
LAST_DAY = FIRST_DAY + timedelta(days=20)
TRIES = 3
"""Of a request, after which the queue gives it up."""


@dataclass(frozen=True)
class Merge:
    """An account becomes part of another."""

    old: str
    new: str


Upload = list[Row] | Merge


@dataclass(frozen=True)
class Scene:
    """What goes on at once."""

    files: tuple[int, ...]
    """Events of uploads that are delivered."""
    shards: tuple[int, ...]
    """Whose next request is worked on."""
    daily: bool
    replay: bool
    turns: list[Turn]
    end: str
    days: int
    """Until the next scene."""


@dataclass(frozen=True)
class Play:
    """Files in the order of their uploads, and what happens with them."""

    uploads: list[Upload]
    scenes: list[Scene]


ROWS = st.builds(
    Row,
    st.sampled_from(["o1", "o2", "o3"]),
    st.sampled_from(PEOPLE),
    st.integers(0, 12),
    st.sampled_from([100, 250]),
    st.sampled_from(["paid", "paid", "paid", "cancelled"]),
)
ORDERS = st.lists(ROWS, min_size=1, max_size=3, unique_by=lambda row: row.order_id)
MERGES = st.sampled_from([Merge(old, new) for n, old in enumerate(PEOPLE[:3]) for new in PEOPLE[n + 1 : 4]])
UPLOADS = st.lists(
    st.one_of(ORDERS, ORDERS, MERGES),
    min_size=2,
    max_size=4,
    unique_by=lambda one: one.old if isinstance(one, Merge) else id(one),
)
SCENES = st.builds(
    Scene,
    files=st.lists(st.integers(0, 3), max_size=2).map(tuple),
    shards=st.lists(st.integers(0, SHARDS - 1), max_size=2, unique=True).map(tuple),
    daily=st.booleans(),
    replay=st.sampled_from([False, False, True]),
    turns=LONG_TURNS,
    end=ENDS,
    days=st.sampled_from([0, 0, 1, 4]),
)
PLAYS = st.builds(Play, UPLOADS, st.lists(SCENES, min_size=1, max_size=3))


class Stage:
    """A shop in which a play is performed."""

    def __init__(self, world: World, play: Play) -> None:
        self.world, self.play, self.turns = world, play, Turns()
        self.tries = Counter[int]()
        self.working: set[int] = set()
        """Shards of which a request is worked on: the queue hands out no other."""
        self.files = [self._drop(second, upload) for second, upload in enumerate(play.uploads)]
        world.crash = self.turns

    def _drop(self, second: int, upload: Upload) -> DroppedFile:
        if isinstance(upload, Merge):
            text, kind = f"customer_id,merged_into\n{upload.old},{upload.new}\n", "customers"
        else:
            text, kind = csv_of(upload), "orders"
        return self.world.drop(text, second, f"incoming/{kind}/{second}.csv")

    def perform(self) -> None:
        for scene in self.play.scenes:
            for number in scene.files:
                if number < len(self.files):
                    self.turns.start(lambda file=self.files[number]: self.world.ingest(file))
            if scene.daily:
                self.world.queue.ask(self._all(DAILY, self.world.today))
            if scene.replay:
                self.world.queue.ask(self._all(REPLAY, FIRST_DAY))
            for shard in scene.shards:
                self.turns.start(self._worker(shard))
            self.turns.run(scene.turns, scene.end)
            self.world.today += timedelta(days=scene.days)
        self.turns.finish()

    def _all(self, reason: str, as_of: date) -> list[RefreshRequest]:
        return [RefreshRequest(shard, as_of, reason, f"{reason}-{as_of}") for shard in range(SHARDS)]

    def _worker(self, shard: int) -> Callable[[], object]:
        def work() -> None:
            waiting = [one for one in self.world.queue.waiting if one.shard == shard]
            if not waiting or shard in self.working:
                return
            request = waiting[0]
            self.tries[id(request)] += 1
            self.working.add(shard)
            try:
                self.world.refresh(request)
                self._remove(request)
            finally:
                self.working.discard(shard)
                if self.tries[id(request)] >= TRIES:
                    self._remove(request)

        return work

    def _remove(self, request: RefreshRequest) -> None:
        self.world.queue.waiting = [one for one in self.world.queue.waiting if one is not request]

    def wind_up(self) -> None:
        """Nothing happens any more but what the queues still hold, and the last day's refresh."""
        self.world.crash = None
        self.world.today = LAST_DAY
        for file in self.files:
            self.world.ingest(file)
        self.world.queue.ask(self._all(DAILY, self.world.today))
        self.world.work_off()


def people(uploads: list[Upload]) -> dict[str, tuple[int, float, str, frozenset[str]]]:
    """Of each customer the orders, what they are worth, and the segments, on the last day."""
    merged: dict[str, str] = {one.old: one.new for one in uploads if isinstance(one, Merge)}

    def now(account: str) -> str:
        while account in merged:
            account = merged[account]
        return account

    orders = newest_orders(rows for rows in uploads if isinstance(rows, list)).values()
    found = features([replace(row, customer_id=now(row.customer_id)) for row in orders], LAST_DAY)
    found = {now(one): features([], LAST_DAY).get(one, (0, None, 0, 0.0, None, None)) for one in merged} | found
    return {
        one: (values[2], values[3], segments(values, LAST_DAY)[0], frozenset(segments(values, LAST_DAY)[1]))
        for one, values in found.items()
    }


def served(world: World) -> dict[str, tuple[int, float, str, frozenset[str]]]:
    return {
        one: (row.orders_lifetime, row.revenue_lifetime, row.segment, frozenset(row.segments[1:]))
        for one, row in world.tables.customers.items()
    }


def memberships_told(events: list[dict[str, Any]]) -> tuple[set[tuple[str, str]], list[str]]:
    """Who is in what, for someone who only listens, and the ids of what was told."""
    told: dict[str, dict[str, Any]] = {}
    members: set[tuple[str, str]] = set()
    for event in events:
        if event["id"] in told:
            assert told[event["id"]] == event, "two events of one id"
            continue
        told[event["id"]] = event
        member, entered = (event["segment"], event["customer_id"]), event["change"] == "entered"
        assert (member in members) != entered, "a contradictory pair"
        (members.add if entered else members.discard)(member)
    return members, sorted(told)


def check(stage: Stage) -> None:
    world = stage.world
    assert stage.turns.errors == []
    assert served(world) == people(stage.play.uploads)
    members, ids = memberships_told(world.bus.of("Segment Changed"))
    assert members == world.tables.memberships.keys()
    assert kept_changes(world) == ids, "changes that nobody was told, or of which nothing was kept"
    for file, upload in zip(stage.files, stage.play.uploads, strict=True):
        receipt = world.runs.noted["file", file.version]
        assert receipt["rows_read"] == receipt["rows_accepted"] == (1 if isinstance(upload, Merge) else len(upload))
    rows = (dict(world.tables.customers), dict(world.tables.memberships))
    written = len(world.tables.written)
    world.refresh_all(LAST_DAY)
    world.work_off()
    assert len(world.tables.written) == written, "a second refresh of the day"
    world.refresh_all(LAST_DAY, REBUILD)
    assert (world.tables.customers, world.tables.memberships) == rows, "a rebuild"


def kept_changes(world: World) -> list[str]:
    paths = ", ".join(literal(str(path)) for path in world.bucket.glob("ledger/changes/*/*.parquet"))
    if not paths:
        return []
    rows = duckdb.execute(f"SELECT id FROM read_parquet([{paths}], hive_partitioning = false) ORDER BY id").fetchall()
    return [one for (one,) in rows]


def perform(play: Play) -> None:
    with Busy(SHARDS) as world, compacting_at(orders=3, owners=2):
        stage = Stage(world, play)
        stage.perform()
        stage.wind_up()
        check(stage)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(PLAYS)
def test_whatever_is_at_work_at_once_and_dies_ends_as_if_one_had_come_after_the_other(play: Play) -> None:
    perform(play)
