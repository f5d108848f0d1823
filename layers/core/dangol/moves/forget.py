"""Forget: everything that is kept of some people is erased, and they do not come back with an old file (promise 11).

First a tombstone, and a mark in the place of their profiles: from then on nobody sends to them, ingests them or writes
them anew. Then each shard in which they lie is refreshed without them, by the queue that all refreshes go through; then
files and tables; then everything is read back. What still names them, because it was under way, is gone through again.
Each step may be done again, so after a crash the same request goes on where it stopped.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dangol.channels.audiences.export import AUDIENCES
from dangol.erasure.person import Person, request_id
from dangol.erasure.plan import FORGETTING, Plan, is_plan, plan_key
from dangol.erasure.tombstones import ERASED_KEY, load_tombstones
from dangol.ledger import erasing, layout
from dangol.ledger.persons import identify
from dangol.measurement import erasing as measured_of
from dangol.measurement.layout import ANALYTICS
from dangol.measurement.plan import RECIPIENTS
from dangol.moves.forget_doors import Clock, Outside
from dangol.moves.forget_files import INCOMING, KEPT_PARTS, REJECTS, Files
from dangol.moves.messages import FORGET, RefreshRequest

FORGET_RUN = "forget"
ROUNDS = 3
"""What is under way when an erasure begins is over before the second."""
PATIENCE = timedelta(minutes=16)
"""Longer than a function lives that was reading a file when the erasure began."""
_POLL = 1.0
"""Seconds."""


class Forgetter:
    """Erases people. To be called with the same accounts until it is done."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        outside: Outside,
        clock: Clock,
        key: bytes,
        folder: Path,
        password: str | None = None,
    ) -> None:
        """`key` is the secret of dangol.identity, `password` opens workbooks."""
        self._connection = connection
        self._outside = outside
        self._store = outside.store
        self._clock = clock
        self._key = key
        self._folder = folder
        self._password = password

    def look(self, asked: Sequence[str]) -> dict[str, Any]:
        """Who would be erased, and how many rows of the ledger and the tables are about them. Writes nothing."""
        person = self._identify(asked)
        rows = sum(self._rows(person, shard) for shard in self._shards(person))
        found = {"ledger_rows": rows, **self._outside.tables.left(person.ids)}
        return {"customers": list(person.ids), "found": found, "shared": _shared(person)}

    def forget(self, asked: Sequence[str], until: datetime) -> dict[str, Any]:
        """Erase; the proof when it is done, or what it waits for when time is up before. Then call again."""
        plan = self._shut_out(self._plan(asked))
        while plan.round <= ROUNDS:
            if waiting := self._wait(plan, until):
                return {"done": False, "waiting_for": waiting}
            plan = self._clean(self._read(plan.request) or plan)
            left = self._left(plan)
            if not left:
                return self._finish(plan, {})
            if plan.round == ROUNDS:
                return self._finish(plan, left)
            plan = self._keep(plan.next_round())
        raise AssertionError("not reached")

    # ---- the plan -----------------------------------------------------------------------------------------

    def _plan(self, asked: Sequence[str]) -> Plan:
        request = request_id(asked)
        if found := self._read(request):
            return found
        person = self._identify(asked)
        return self._keep(Plan(request, self._clock.now(), person, tuple(self._shards(person))))

    def _read(self, request: str) -> Plan | None:
        try:
            return Plan.from_json(self._store.read(plan_key(request)))
        except FileNotFoundError:
            return None

    def _keep(self, plan: Plan) -> Plan:
        self._store.write(plan.key, plan.to_json())
        return plan

    def _identify(self, asked: Sequence[str]) -> Person:
        folder = self._folder / "identify"
        folder.mkdir(exist_ok=True)
        return identify(self._connection, self._store, asked, self._key, folder)

    def _shards(self, person: Person) -> list[int]:
        if layout.LAYOUT_KEY not in self._store.keys(layout.LAYOUT_KEY):
            return []
        shards = layout.number_of_shards(self._store)
        return sorted({layout.shard_of(one, shards) for one in person.ids})

    def _rows(self, person: Person, shard: int) -> int:
        return erasing.rows_of(self._connection, self._store, person, shard, self._folder)

    # ---- the steps ----------------------------------------------------------------------------------------

    def _shut_out(self, plan: Plan) -> Plan:
        """Let nobody ingest them, send to them or write them anew from now on."""
        self._bury(plan)
        blocked = self._outside.tables.block(plan.person.ids)
        return self._keep(plan.plus(profiles=blocked)) if blocked else plan

    def _widened(self, plan: Plan) -> Plan:
        """With the accounts that became theirs by files that were being read when it began."""
        person = self._identify(plan.person.ids)
        if plan.person.covers(person):
            return plan
        person = plan.person.with_more(person)
        return self._shut_out(self._keep(replace(plan, person=person, shards=tuple(self._shards(person)))))

    def _bury(self, plan: Plan) -> None:
        """Add tombstones, whoever else does so at the same time."""
        while True:
            found, tag = load_tombstones(self._store, self._key)
            buried = found.also(plan.person.subjects(), plan.at)
            if buried == found or self._store.replace(ERASED_KEY, buried.to_json(), tag):
                return

    def _wait(self, plan: Plan, until: datetime) -> str:
        """Let what is under way end, and the shards be refreshed; what is still to be waited for when time is up."""
        while self._outside.is_busy() and self._clock.now() < plan.at + PATIENCE:
            if self._clock.now() >= until:
                return "files that are being read"
            self._clock.sleep(_POLL)
        if not plan.asked:
            plan = self._widened(plan) if plan.round == 1 else plan
            today = self._clock.today()
            self._outside.queue.ask([RefreshRequest(shard, today, FORGET, plan.run_id) for shard in plan.shards])
            self._keep(replace(plan, asked=True))
        while missing := [shard for shard in plan.shards if not self._store.keys(plan.done_key(shard))]:
            if self._clock.now() >= until:
                return f"{len(missing)} shards that are being refreshed"
            self._clock.sleep(_POLL)
        return ""

    def _clean(self, plan: Plan) -> Plan:
        """Remove what the refreshes did not, and count all of it."""
        person = plan.person
        done = [] if plan.counted else [json.loads(self._store.read(plan.done_key(shard))) for shard in plan.shards]
        files, tables = self._files(person), self._outside.tables.remove(person.ids)
        self._outside.export()
        tokens = sum(self._outside.forget_token(*token) for token in person.tokens)
        lists = files.clean_lists()
        counts = {**tables, **files.clean(), "push_endpoints": tokens, "list_rows": lists}
        measured = len(measured_of.erase(self._connection, self._store, person.ids, self._folder))
        rows = sum(int(shard["rows"]) for shard in done)
        plan = plan.plus(ledger_rows=rows, measured_objects=measured, **counts)
        versions = sum(self._store.purge(prefix) for prefix in self._kept_versions(plan))
        return self._keep(replace(plan.plus(replaced_versions=versions), counted=True))

    def _kept_versions(self, plan: Plan) -> Iterable[str]:
        """Where a version that was replaced or deleted may name them."""
        prefixes = {prefix for shard in plan.shards for prefix in erasing.prefixes_of(shard)}
        return sorted(prefixes | {INCOMING, REJECTS, KEPT_PARTS, AUDIENCES, RECIPIENTS, ANALYTICS})

    def _left(self, plan: Plan) -> dict[str, Any]:
        """What still names them, by place: everything that may is read."""
        left: dict[str, Any] = dict(self._outside.tables.left(plan.person.ids))
        keys = [*self._files(plan.person).left(plan.shards), *self._measured(plan.person)]
        return {name: count for name, count in left.items() if count} | ({"objects": keys} if keys else {})

    def _measured(self, person: Person) -> Iterable[str]:
        return measured_of.naming(self._connection, self._store, person.ids, self._folder)

    def _files(self, person: Person) -> Files:
        folder = self._folder / "files"
        folder.mkdir(exist_ok=True)
        return Files(self._connection, self._store, person, folder, self._outside.is_taken, self._password)

    def _finish(self, plan: Plan, left: Mapping[str, Any]) -> dict[str, Any]:
        """Remove what the erasure itself kept; the proof."""
        self._outside.tables.unblock(plan.person.ids)
        others = self._of_the_same(plan)
        unfinished = [other for other in others if not plan.person.covers(other.person)]
        if unfinished:
            left = {**left, "unfinished_erasures": [" ".join(other.person.ids) for other in unfinished]}
        counts = {"removed": dict(plan.removed), "clean": not left}
        facts = {"began_at": plan.at.isoformat(timespec="seconds"), "accounts": len(plan.person.ids), **counts}
        self._outside.runs.note(FORGET_RUN, plan.request, facts)
        for one in (plan, *(other for other in others if other not in unfinished)):
            self._store.delete(self._store.keys(one.folder))
            self._store.purge(one.folder)
        about = {"request": plan.request, "customers": list(plan.person.ids), "shared": _shared(plan.person)}
        return {"done": True, **about, **facts, "left": dict(left)}

    def _of_the_same(self, plan: Plan) -> list[Plan]:
        """Other erasures of any of them that were begun and not finished: their plans name people."""
        keys = (key for key in self._store.keys(FORGETTING) if is_plan(key) and key != plan.key)
        others = (Plan.from_json(self._store.read(key)) for key in keys)
        return [other for other in others if not set(plan.person.ids).isdisjoint(other.person.ids)]


def _shared(person: Person) -> list[str]:
    """Customers who have a contact in common with them."""
    return sorted({one for ids in person.shared.values() for one in ids})
