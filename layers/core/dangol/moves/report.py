"""Report: what the shards hold after a daily run, as pages and as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import duckdb

from dangol.ledger.changes import ChangeLog
from dangol.ledger.layout import check_layout
from dangol.ledger.state import last_states_sql
from dangol.ledger.store import ObjectStore
from dangol.moves.daily import DAILY_RUN
from dangol.moves.ingest import FILE_RUN, INCOMING
from dangol.moves.messages import REFRESH_COMPLETED, EventBus, Runs
from dangol.moves.observing import observed_traits
from dangol.reports import places
from dangol.reports.contents import Contents, contents_of
from dangol.reports.flows import Flow, days_of, flow
from dangol.reports.html import report_html, with_pages
from dangol.reports.news import Before, news
from dangol.reports.quality import Quality, newest_order, quality_of
from dangol.reports.record import before_of, summary_json
from dangol.segments.policy import Policy

_READ = (
    *("customer_id", "segment", "orders_90d", "aov_90d", "orders_lifetime", "revenue_lifetime", "last_order_on"),
    "days_between_orders",
)
_SINCE_LAST = "last"
"""Period of the flow that news tell of; it is not drawn."""


class RunsSince(Runs, Protocol):
    """Runs that can be listed."""

    def since(self, kind: str, run_id: str) -> Sequence[Mapping[str, Any]]:
        """Runs of a kind with an id behind `run_id`, by id, each with its `id`; all of them behind ''."""


def load_states(connection: duckdb.DuckDBPyConnection, store: ObjectStore, as_of: date, folder: Path) -> None:
    """Make temp table `customers` (as classify does) of the last state of every shard, with what a report reads."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE customers AS
        SELECT {", ".join(_READ)}, segments[2:] AS segments, DATE '{as_of}' - last_order_on AS recency_days
        FROM {last_states_sql(store, folder)} WHERE NOT gone
    """)


class Report:
    """Builds the report of a daily run and tells that the run is over."""

    def __init__(self, store: ObjectStore, runs: RunsSince, bus: EventBus, currency: str) -> None:
        self._store = store
        self._runs = runs
        self._bus = bus
        self._currency = currency

    def build(
        self, connection: duckdb.DuckDBPyConnection, run: Mapping[str, Any], policy: Policy, folder: Path
    ) -> dict[str, Any]:
        """Write reports/<date>/: a page in each language and summary.json; note the run; publish `Refresh Completed`.

        `run` is what the state machine hands over: as_of, reason, run_id, shards (a number), refreshed
        (the numbers of the shards that were).
        """
        as_of = date.fromisoformat(run["as_of"])
        check_layout(self._store, run["shards"])  # else shards beyond the number were left out, and nobody would know
        load_states(connection, self._store, as_of, folder)
        failed = run["shards"] - sum(shard is not None for shard in run["refreshed"])
        before = self._before(as_of)
        receipts = self._runs.since(FILE_RUN, before.files_until if before else "")
        quality = quality_of(
            [(_kind(receipt), receipt) for receipt in receipts], newest_order(connection), failed, run["shards"]
        )
        contents = self._contents(connection, policy, as_of, folder, before, quality, run["shards"])
        files_until = receipts[-1]["id"] if receipts else before.files_until if before else ""
        self._write(contents, before, files_until)
        facts = {
            "run_id": run["run_id"],
            "as_of": run["as_of"],
            "reason": run["reason"],
            "shards": run["shards"],
            "failed": failed,
            "customers": contents.summary.customers,
            "report_key": places.page_key(as_of, "ko"),
        }
        self._runs.note(DAILY_RUN, run["run_id"], facts)
        self._bus.publish(REFRESH_COMPLETED, [{"scope": "all", **facts}])
        return facts

    def _before(self, as_of: date) -> Before | None:
        """What the last report of an earlier day said; a report that is built again compares with the same."""
        days = [day for day in places.days_with(places.SUMMARY, self._store.keys(places.PREFIX)) if day < as_of]
        return before_of(self._store.read(places.summary_key(days[-1]))) if days else None

    def _contents(
        self,
        connection: duckdb.DuckDBPyConnection,
        policy: Policy,
        as_of: date,
        folder: Path,
        before: Before | None,
        quality: Quality,
        shards: int,
    ) -> Contents:
        contents = contents_of(connection, policy, as_of, self._currency)
        changes = ChangeLog(self._store, folder)
        flows = tuple(self._flow(connection, changes, policy, *period) for period in days_of(as_of).items())
        last = self._flow(connection, changes, policy, _SINCE_LAST, before.as_of) if before else None
        found, observed = observed_traits(connection, self._store, shards, as_of, policy, folder)
        measured = places.days_with(places.CAMPAIGNS, self._store.keys(places.PREFIX))
        return replace(
            with_pages(contents),
            flows=flows,
            flows_begin=changes.first_day,
            traits=found,
            observed=observed,
            quality=quality,
            news=news(contents.summary, policy.version, before, last, quality),
            campaigns=max((day for day in measured if day <= as_of), default=None),
        )

    def _flow(
        self, connection: duckdb.DuckDBPyConnection, changes: ChangeLog, policy: Policy, period: str, since: date
    ) -> Flow:
        if changes.first_day is None or changes.first_day > since:
            return Flow(period, since, None)
        return flow(connection, period, since, changes.moved(since, policy.rfm_ids))

    def _write(self, contents: Contents, before: Before | None, files_until: str) -> None:
        as_of = contents.summary.as_of
        for language in places.PAGES:
            self._store.write(places.page_key(as_of, language), report_html(contents, language).encode())
        self._store.write(places.summary_key(as_of), summary_json(contents, before, files_until).encode())


def _kind(receipt: Mapping[str, Any]) -> str:
    """The folder a file was dropped into."""
    return str(receipt["key"]).removeprefix(INCOMING).partition("/")[0]
