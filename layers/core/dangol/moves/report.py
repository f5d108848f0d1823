"""Report: what the shards hold after a daily run, as numbers and as a page."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dangol.ledger.layout import check_layout
from dangol.ledger.state import last_states_sql
from dangol.ledger.store import ObjectStore
from dangol.moves.daily import DAILY_RUN
from dangol.moves.messages import REFRESH_COMPLETED, EventBus, Runs
from dangol.reports.html import report_html
from dangol.reports.summary import Summary, summarise
from dangol.segments.policy import Policy


def load_states(connection: duckdb.DuckDBPyConnection, store: ObjectStore, as_of: date, folder: Path) -> None:
    """Make temp table `customers` (as classify does) of the last state of every shard."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE customers AS
        SELECT * REPLACE (segments[2:] AS segments), DATE '{as_of}' - last_order_on AS recency_days
        FROM {last_states_sql(store, folder)} WHERE NOT gone
    """)


class Report:
    """Builds the report of a daily run and tells that the run is over."""

    def __init__(self, store: ObjectStore, runs: Runs, bus: EventBus, currency: str) -> None:
        self._store = store
        self._runs = runs
        self._bus = bus
        self._currency = currency

    def build(
        self, connection: duckdb.DuckDBPyConnection, run: Mapping[str, Any], policy: Policy, folder: Path
    ) -> dict[str, Any]:
        """Write reports/<date>/report.html and summary.json; note the run; publish `Refresh Completed`.

        `run` is what the state machine hands over: as_of, reason, run_id, shards (a number), refreshed
        (the numbers of the shards that were).
        """
        as_of = date.fromisoformat(run["as_of"])
        check_layout(self._store, run["shards"])  # else shards beyond the number were left out, and nobody would know
        load_states(connection, self._store, as_of, folder)
        summary = summarise(connection, policy, as_of)
        prefix = f"reports/{as_of}/"
        self._store.write(prefix + "report.html", report_html(summary, self._currency).encode())
        self._store.write(prefix + "summary.json", summary_json(summary).encode())
        refreshed = [shard for shard in run["refreshed"] if shard is not None]
        facts = {
            "run_id": run["run_id"],
            "as_of": run["as_of"],
            "reason": run["reason"],
            "shards": run["shards"],
            "failed": run["shards"] - len(refreshed),
            "customers": summary.customers,
            "report_key": prefix + "report.html",
        }
        self._runs.note(DAILY_RUN, run["run_id"], facts)
        self._bus.publish(REFRESH_COMPLETED, [{"scope": "all", **facts}])
        return facts


def summary_json(summary: Summary) -> str:
    """A summary for programs."""
    return json.dumps(asdict(summary), ensure_ascii=False, indent=2, default=str) + "\n"
