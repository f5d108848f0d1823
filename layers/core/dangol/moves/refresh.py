"""Refresh: one shard of the ledger, the policy and a date become the state of its customers."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dangol.ledger import layout, owners
from dangol.ledger.orders import COMPACT_AT, PURCHASES, compact_orders, load_orders
from dangol.ledger.state import Head, StateLog
from dangol.ledger.store import ObjectStore
from dangol.moves.messages import (
    REBUILD,
    REFRESH_COMPLETED,
    REPLAY,
    EventBus,
    RefreshRequest,
    Runs,
    ServingTables,
)
from dangol.moves.serve import Served, Stamp, rewrite, serve
from dangol.segments.classify import classify
from dangol.segments.policy import Policy
from dangol.segments.state import STORED_FEATURES, State, advance


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did."""

    shard: int
    as_of: date
    """The date the shard is at now."""
    customers: int
    served: Served
    generation: int


NOTHING = Served(0, 0, 0)
REFRESH_RUN = "refresh"


class Refresher:
    """Refreshes shards. Never to run twice at once for one shard: the queue sees to it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: ObjectStore,
        tables: ServingTables,
        bus: EventBus,
        folder: Path,
    ) -> None:
        self._connection = connection
        self._store = store
        self._tables = tables
        self._bus = bus
        self._folder = folder

    def refresh(self, request: RefreshRequest, policy: Policy) -> Refreshed:
        """Bring a shard's state, and the tables with it, to the request's date and the policy.

        Finishes first what an interrupted refresh left. Doing it again on the same day, with no new files
        and the same policy, reads and writes nothing.
        """
        log = StateLog(self._store, self._connection, request.shard, self._folder)
        head = self._finish(log, log.head(), request.shard)
        as_of = request.as_of if request.reason == REPLAY else max(request.as_of, head.date)
        keys = self._store.keys(layout.shard_prefix(layout.ORDERS, request.shard))
        current = Head(head.generation, head.served, as_of.isoformat(), policy.version, tuple(keys))
        if request.reason == REBUILD:
            self._refresh(log, head, current, request.shard, policy)
            state = log.load(log.head().generation)
            return self._result(request.shard, log.head(), state, rewrite(state, self._tables))
        if head == current or (not keys and head.generation == 0):
            return Refreshed(request.shard, as_of, 0, NOTHING, head.generation)
        state, served = self._refresh(log, head, current, request.shard, policy)
        return self._result(request.shard, log.head(), state, served)

    def _refresh(self, log: StateLog, head: Head, current: Head, shard: int, policy: Policy) -> tuple[State, Served]:
        before = log.load(head.generation)
        objects = self._load_orders(shard, list(current.objects))
        after = self._state(before, current, policy)
        if _same(before, after):
            log.point(replace(current, objects=objects))
            return after, NOTHING
        generation = head.generation + 1
        log.save(generation, after)
        log.point(replace(current, generation=generation, objects=objects))
        served = serve(before, after, self._tables, self._bus, _stamp(shard, log.head()))
        self._mark_served(log)
        return after, served

    def _finish(self, log: StateLog, head: Head, shard: int) -> Head:
        """Serve a generation again that may not have been served whole."""
        if head.served == head.generation:
            return head
        before, after = log.load(head.served), log.load(head.generation)
        serve(before, after, self._tables, self._bus, _stamp(shard, head))
        return self._mark_served(log)

    def _mark_served(self, log: StateLog) -> Head:
        head = log.head()
        head = replace(head, served=head.generation)
        log.point(head)
        log.forget_before(head.generation)
        return head

    def _load_orders(self, shard: int, keys: list[str]) -> tuple[str, ...]:
        """Make `shard_orders`; merge the objects when they are many. The keys that hold them now."""
        files = self._store.download(keys, self._folder)
        load_orders(self._connection, files, unique=len(keys) == 1 and layout.is_base(keys[0]))
        owners.compact_owners(self._connection, self._store, shard, self._folder)
        if len(keys) < COMPACT_AT:
            return tuple(keys)
        return (compact_orders(self._connection, self._store, shard, keys, self._folder),)

    def _state(self, before: State, current: Head, policy: Policy) -> State:
        classify(self._connection, PURCHASES, policy, current.date)
        columns = ", ".join(("customer_id", "segment", "segments", *STORED_FEATURES))
        classified = self._connection.execute(f"SELECT {columns} FROM customers ORDER BY customer_id").df()
        return advance(before, classified, current.date, policy.version)

    def _result(self, shard: int, head: Head, state: State, served: Served) -> Refreshed:
        return Refreshed(shard, head.date, len(state.customers), served, head.generation)


def _same(before: State, after: State) -> bool:
    return before.customers.equals(after.customers) and before.memberships.equals(after.memberships)


def _stamp(shard: int, head: Head) -> Stamp:
    return Stamp(shard, head.generation, head.date, head.policy_version)


def refresh_and_tell(
    refresher: Refresher, request: RefreshRequest, policy: Policy, runs: Runs, bus: EventBus
) -> dict[str, Any]:
    """Refresh, note the run, and publish `Refresh Completed` when something was written; the facts of it."""
    done = refresher.refresh(request, policy)
    facts = {
        "shard": done.shard,
        "as_of": done.as_of.isoformat(),
        "reason": request.reason,
        "run_id": request.run_id,
        "policy_version": policy.version,
        "customers": done.customers,
        "customers_written": done.served.customers,
        "memberships_written": done.served.memberships,
        "changes": done.served.changes,
    }
    runs.note(REFRESH_RUN, f"{request.run_id}#shard-{done.shard:04d}", facts)
    if done.served != NOTHING:
        bus.publish(REFRESH_COMPLETED, [{"scope": "shard", **facts}])
    return facts
