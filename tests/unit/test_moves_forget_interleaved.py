"""Promise 11 in any order of things: an erasure beside files and refreshes, of which some die, call by call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
from dangol.engine import literal
from dangol.ledger.layout import shard_of
from dangol.moves.ingest import DroppedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.busy import Busy
from tests.erasing import HEADER, ORDERS, PEOPLE, Eraser, words
from tests.interleaving import ENDS, LONG_TURNS, Turn, Turns
from tests.senders import FakeProfiles

SHARDS = 2
OLD = next(one for one in map("d{}".format, range(40)) if shard_of(one, SHARDS) != shard_of("c1", SHARDS))
"""Becomes part of c1, who is erased."""
MERGE = ("customers", f"customer_id,merged_into\n{OLD},c1\n")
BEFORE = (
    ("orders", ORDERS),
    ("customers", PEOPLE),
    ("orders", HEADER + f"o7,{OLD},2026-01-01,100,old@example.com,,\n"),
)
FILES = (MERGE, ("orders", ORDERS), ("orders", HEADER + "o1,c10,2026-01-01,100,,,\n"))
"""What comes meanwhile: an account becomes theirs, the same once more, and one of their orders is somebody else's."""


@dataclass(frozen=True)
class Scene:
    """What goes on at once."""

    files: tuple[int, ...]
    shards: tuple[int, ...]
    forget: bool
    turns: list[Turn]
    end: str


SCENES = st.builds(
    Scene,
    files=st.lists(st.integers(0, len(FILES) - 1), max_size=2).map(tuple),
    shards=st.lists(st.integers(0, SHARDS - 1), max_size=2, unique=True).map(tuple),
    forget=st.sampled_from([True, True, False]),
    turns=LONG_TURNS,
    end=ENDS,
)


class Shop(Eraser):
    """A shop in which somebody is erased while functions take turns."""

    def __init__(self, world: Busy) -> None:
        super().__init__(world)
        self.turns, self.ingesting = Turns(), 0
        self.is_busy = lambda: self.ingesting > 0
        self.is_taken = lambda key: any(facts.get("key") == key for facts in world.runs.noted.values())
        self.working: set[int] = set()
        world.profiles, world.today = FakeProfiles(), date(2026, 1, 3)
        for second, (kind, text) in enumerate(BEFORE, 1):
            world.ingest(world.drop(text, second, f"incoming/{kind}/{second}.csv"))
        world.work_off()
        self.files = [world.drop(text, 10 + n, f"incoming/{kind}/{10 + n}.csv") for n, (kind, text) in enumerate(FILES)]
        world.crash = self.turns

    def perform(self, scenes: list[Scene]) -> None:
        for scene in scenes:
            for number in scene.files:
                self.turns.start(self._ingest(self.files[number]))
            if scene.forget:
                self.turns.start(self.erase)
            for shard in scene.shards:
                self.turns.start(self._worker(shard))
            self.turns.run(scene.turns, scene.end)
        self.turns.finish()

    def sleep(self, _: float) -> None:
        self.now += timedelta(seconds=1)

    def erase(self) -> dict[str, Any]:
        return self.call(lambda forgetter: forgetter.forget(["c1"], self.now + timedelta(seconds=9)))

    def wind_up(self) -> dict[str, Any]:
        """Whatever died is tried again, until nothing is left to do."""
        self.world.crash = None
        for file in self.files:
            self.world.ingest(file)
        while not (proof := self.erase())["done"]:
            self.world.work_off()
        self.world.work_off()
        return proof

    def _ingest(self, file: DroppedFile) -> Callable[[], object]:
        def work() -> None:
            self.ingesting += 1
            try:
                self.world.ingest(file)
            finally:
                self.ingesting -= 1

        return work

    def _worker(self, shard: int) -> Callable[[], object]:
        def work() -> None:
            waiting = [one for one in self.world.queue.waiting if one.shard == shard]
            if not waiting or shard in self.working:
                return
            self.working.add(shard)
            try:
                self.world.refresh(waiting[0])
                self.world.queue.waiting = [one for one in self.world.queue.waiting if one is not waiting[0]]
            finally:
                self.working.discard(shard)

        return work


def kept(world: Busy) -> str:
    """All that is served, and the ledger."""
    texts = [repr([world.tables.customers, world.tables.memberships, world.profiles.rows])]
    with duckdb.connect() as connection:
        for path in sorted(world.bucket.glob("ledger/**/*.parquet")):
            rows = connection.execute(f"FROM read_parquet({literal(str(path))}, hive_partitioning = false)")
            texts.append(repr(rows.fetchall()))
    texts += [path.read_text("utf-8") for path in world.bucket.glob("rejects/**/*.csv")]
    return "\n".join(texts)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SCENES, min_size=1, max_size=3))
def test_an_erased_person_is_nowhere_whatever_is_at_work_meanwhile_and_dies(scenes: list[Scene]) -> None:
    with Busy(SHARDS) as world:
        shop = Shop(world)
        shop.perform(scenes)
        proof = shop.wind_up()
        assert shop.turns.errors == []
        assert proof["clean"]
        text, old = kept(world), set() if OLD in proof["customers"] else {OLD}
        assert words(text) == set()
        assert {word for word in (OLD, "old@example.com") if repr(word) in text} == (old and {OLD, "old@example.com"})
        assert world.tables.customers.keys() == world.profiles.rows.keys() == {"c10"} | old
        assert world.tables.customers["c10"].revenue_lifetime == 200
