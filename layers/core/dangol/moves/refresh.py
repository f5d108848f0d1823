"""Refresh: one shard of the ledger, the policy and a date become the state of its customers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dangol.engine import scalar
from dangol.ledger.borders import borders_key, is_borders, load_borders
from dangol.ledger.catalogue import has_catalogue
from dangol.ledger.contacts import ContactLog
from dangol.ledger.facts import SHARD_OF_PRODUCTS
from dangol.ledger.merges import hand_over
from dangol.ledger.notices import NoticeLog
from dangol.ledger.own_products import make_own_products
from dangol.ledger.sales import sales_of
from dangol.ledger.shard import ShardLedger
from dangol.ledger.shelves import keep_shelves
from dangol.ledger.shelving import shelves_of
from dangol.ledger.state import Head, StateLog
from dangol.ledger.store import ObjectStore
from dangol.moves.contacts import ProfileTable, copy_contacts
from dangol.moves.daily import needs_borders
from dangol.moves.forget_shard import erasing_of
from dangol.moves.messages import (
    MERGE,
    REBUILD,
    REFRESH_COMPLETED,
    REPLAY,
    EventBus,
    RefreshQueue,
    RefreshRequest,
    Runs,
    ServingTables,
)
from dangol.moves.notices import Listed, NoticeDesk
from dangol.moves.serve import NOTHING, Served, rewrite, serve
from dangol.segments.classify import classify
from dangol.segments.compute import Sources, make_features, make_interactions
from dangol.segments.policy import Policy
from dangol.segments.state import SERVED_FEATURES, Stamp, advance_sql, difference, everyone


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did."""

    shard: int
    as_of: date
    """The date the shard is at now."""
    customers: int
    """How many the shard has."""
    served: Served
    generation: int
    listed: Listed | None = None
    """For the law's notices; None where there are none, or nothing was to be done."""


REFRESH_RUN = "refresh"


def _nobody(done: Refreshed) -> None:
    del done


class Refresher:
    """Refreshes shards. Never to run twice at once for one shard: the queue sees to it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: ObjectStore,
        tables: ServingTables,
        bus: EventBus,
        queue: RefreshQueue,
        folder: Path,
        profiles: ProfileTable | None = None,
        notices: NoticeDesk | None = None,
    ) -> None:
        """Without `profiles` nobody can be written to, without `notices` nobody is sent the law's notices."""
        self._connection = connection
        self._store = store
        self._tables = tables
        self._bus = bus
        self._queue = queue
        self._folder = folder
        self._profiles = profiles
        self._notices = notices
        self._listed: Listed | None = None

    def refresh(
        self, request: RefreshRequest, policy: Policy, tell: Callable[[Refreshed], None] = _nobody
    ) -> Refreshed:
        """Bring a shard's state, and the tables with it, to the request's date and the policy.

        Finishes first what an interrupted refresh left. `tell` hears what was done before that is marked as
        done, so after a crash in between it hears it again. Doing it all again on the same day, with no new
        files and the same policy, changes nothing.
        """
        erasing = erasing_of(self._connection, self._store, request, self._folder)
        if erasing:
            erasing.begin()
        log = StateLog(self._store, self._connection, request.shard, self._folder)
        found = log.head()
        finished = self._finish(log, found, request.shard)
        head = replace(found, served=found.generation)
        aim = self._aim(head, request, policy)
        reached, served = head, NOTHING
        if (aim != head or request.reason == REBUILD) and (aim.objects or head.generation):
            reached, served = self._refresh(log, head, aim, request, policy)
        if request.reason == REBUILD:
            served += rewrite(everyone(self._connection, log.load(reached.generation)), self._tables)
        about = (request.shard, aim.date, reached.customers, finished + served, reached.generation)
        done = Refreshed(*about, self._listed)
        tell(done)
        if reached != found:
            log.point(reached)
        if reached.served != found.served:
            log.forget_before(reached.generation)
        if erasing:
            erasing.end()
        return done

    def _aim(self, head: Head, request: RefreshRequest, policy: Policy) -> Head:
        """The head, if nothing changes but what a state is computed from."""
        as_of = request.as_of if request.reason == REPLAY else max(request.as_of, head.date)
        keys = ShardLedger(self._connection, self._store, request.shard, self._folder).keys()
        borders = borders_key(self._store, as_of) if needs_borders(policy) else None
        return replace(
            head, as_of=as_of.isoformat(), policy_version=policy.version, objects=(*keys, *filter(None, [borders]))
        )

    def _refresh(
        self, log: StateLog, head: Head, aim: Head, request: RefreshRequest, policy: Policy
    ) -> tuple[Head, Served]:
        """Compute and serve the next generation, if it differs; the head to note when that is told."""
        before, shard = log.load(head.generation), request.shard
        ledger = ShardLedger(self._connection, self._store, shard, self._folder)
        borders = [key for key in aim.objects if is_borders(key)]
        read = ledger.load(aim.objects)
        merged = self._hand_over(request, head.merged)
        sources = replace(
            ledger.sources(),
            borders=load_borders(self._store, borders[0]) if borders else None,
            items=before if self._stands_still(head, read, aim.date, request) else None,
        )
        self._classify(sources, policy, aim.date)
        self._show_products(request.shard, aim.date)
        if self._profiles is not None:
            make_own_products(self._connection, sources.lines, aim.date, interests=sources.interests is not None)
            contacts = ContactLog(self._store, self._connection, shard, self._folder)
            copy_contacts(
                contacts,
                self._profiles,
                everybody=request.reason == REBUILD,
                then=lambda: self._list_notices(contacts, request, aim.date),
            )
        advanced = advance_sql(before, "customers", aim.date, policy.version, policy.reentry)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE after AS {advanced}")
        reached = replace(
            aim,
            objects=(*ledger.compact(read), *borders),
            merged=merged,
            customers=scalar(self._connection, "SELECT count(*) FROM after WHERE NOT gone"),
        )
        if not scalar(self._connection, "SELECT count(*) FROM after WHERE changed"):
            return reached, NOTHING
        reached = replace(reached, generation=head.generation + 1)
        log.save(reached.generation, "after")
        log.point(reached)
        served = self._serve(log, "after", _stamp(shard, reached))
        return replace(reached, served=reached.generation), served

    def _stands_still(self, head: Head, read: tuple[str, ...], as_of: date, request: RefreshRequest) -> bool:
        """Whether nothing but time has passed since the state of the head; then what people bought is as it was.

        Most shards of a daily run: their files were taken up when they came. A rebuild trusts nothing. What counts is
        what was read: another shard's refresh may have merged new products into those that were listed.
        """
        if request.reason == REBUILD or not head.generation or as_of < head.date:
            return False
        known = tuple(key for key in head.objects if not is_borders(key))
        came = f"ordered_at::DATE > DATE '{head.date}' AND ordered_at::DATE <= DATE '{as_of}'"
        return known == read and not scalar(self._connection, f"SELECT count(*) FROM shard_orders WHERE {came}")

    def _hand_over(self, request: RefreshRequest, done: str) -> str:
        """Give what belongs to merged accounts to the shards of the others, and have those refreshed."""
        merged, shards = hand_over(self._connection, self._store, request.shard, self._folder, done)
        self._queue.ask([RefreshRequest(shard, request.as_of, MERGE, request.run_id) for shard in shards])
        return merged

    def _list_notices(self, contacts: ContactLog, request: RefreshRequest, as_of: date) -> None:
        """Put whom the law's notices are to reach on their list; not for a replay, the past is over."""
        if self._notices is not None and request.reason != REPLAY:
            log = NoticeLog(self._store, self._connection, request.shard)
            self._listed = self._notices.list_due(log, contacts, request.shard, as_of)

    def _show_products(self, shard: int, as_of: date) -> None:
        """Keep what messages can show. Products lie in one shard, so its refreshes do it, one after the other."""
        if shard == SHARD_OF_PRODUCTS and has_catalogue(self._connection):
            sales = sales_of(self._store, self._folder)
            keep_shelves(self._store, shelves_of(self._connection, sales, as_of))

    def _classify(self, sources: Sources, policy: Policy, as_of: date) -> None:
        if policy.needs.interactions or sources.interests:
            make_interactions(self._connection, sources, as_of)
        make_features(self._connection, sources, as_of, {*SERVED_FEATURES, *policy.needs.features})
        classify(self._connection, policy, as_of)

    def _serve(self, log: StateLog, state: str, stamp: Stamp) -> Served:
        log.keep_changes(state, stamp)
        return serve(difference(self._connection, state, stamp), self._tables, self._bus, stamp)

    def _finish(self, log: StateLog, head: Head, shard: int) -> Served:
        """Serve a generation again that may not have been served whole."""
        if head.served == head.generation:
            return NOTHING
        return self._serve(log, log.load(head.generation), _stamp(shard, head))


def _stamp(shard: int, head: Head) -> Stamp:
    return Stamp(shard, head.generation, head.date, head.policy_version)


def refresh_and_tell(
    refresher: Refresher, request: RefreshRequest, policy: Policy, runs: Runs, bus: EventBus
) -> dict[str, Any]:
    """Refresh, note the run, and publish `Refresh Completed` when something was written; the facts of it."""

    def tell(done: Refreshed) -> None:
        facts, run_id = _facts(request, policy, done), f"{request.run_id}#shard-{done.shard:04d}"
        # A request that comes again finds nothing to do: what it did the first time stays noted.
        if done.served != NOTHING or runs.find(REFRESH_RUN, run_id) is None:
            runs.note(REFRESH_RUN, run_id, facts | _noticed(done))
        if done.served != NOTHING:
            bus.publish(REFRESH_COMPLETED, [{"scope": "shard", **facts}])

    return _facts(request, policy, refresher.refresh(request, policy, tell))


def _noticed(done: Refreshed) -> dict[str, int]:
    return {"notices_listed": done.listed.people, "answers_too_late": done.listed.too_late} if done.listed else {}


def _facts(request: RefreshRequest, policy: Policy, done: Refreshed) -> dict[str, Any]:
    return {
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
