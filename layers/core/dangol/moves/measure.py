"""Measure: once a day, what the runs of campaigns changed. Doing it again writes the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import duckdb

from dangol.engine import literal
from dangol.ledger.layout import check_layout
from dangol.ledger.state import last_states_sql
from dangol.ledger.store import ObjectStore
from dangol.measurement import layout
from dangol.measurement.addressed import Addressed, DeliveryBook
from dangol.measurement.outcomes import make_outcomes, make_relations
from dangol.measurement.plan import Plan, plan_key
from dangol.measurement.results import FINAL, OPEN, Results, make_results
from dangol.measurement.sources import Sources
from dangol.measurement.together import Together
from dangol.measurement.totals import totals
from dangol.moves.campaign.messages import (
    CAMPAIGN_MEASURED,
    CAMPAIGN_RESULT,
    CAMPAIGN_TOTAL,
    CAMPAIGNS_TOGETHER,
    Run,
    RunState,
)
from dangol.moves.messages import EventBus, Runs
from dangol.reports.campaigns import campaigns_html
from dangol.reports.places import campaigns_key
from dangol.shop import Shop


class RunBook(Protocol):
    """The runs of campaigns."""

    def all_runs(self) -> Sequence[Run]:
        """Every run that is remembered."""


class ResultBook(Runs, Protocol):
    """What was done, with all of a kind."""

    def all_of(self, kind: str) -> Iterable[Mapping[str, Any]]:
        """The facts noted of every run of a kind."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors of a measurer."""

    store: ObjectStore
    campaigns: RunBook
    deliveries: DeliveryBook
    results: ResultBook
    bus: EventBus


@dataclass(frozen=True, slots=True)
class _Measured:
    """A run that is measured now."""

    plan: Plan
    cancelled: bool
    kept: bool
    """Whether its messages were kept when all of them were sent or skipped."""


class Measurer:
    """Measures every run whose numbers may still change."""

    def __init__(self, doors: Doors, shop: Shop, shards: int) -> None:
        self._doors = doors
        self._shop = shop
        self._shards = shards

    def measure(self, connection: duckdb.DuckDBPyConnection, as_of: date, folder: Path) -> dict[str, Any]:
        """Bring results to a day: Parquet under analytics/, rows of `Runs`, a page, an event for each that is final.

        Neither results nor totals go back behind the day they are at, so a replay of the past changes none.
        """
        check_layout(self._doors.store, self._shards)
        noted = {row["id"]: row for row in self._doors.results.all_of(CAMPAIGN_RESULT)}
        cohorts = {row["id"]: row for row in self._doors.results.all_of(CAMPAIGNS_TOGETHER)}
        runs, together = self._to_measure(noted, as_of), Together(connection, cohorts, as_of)
        together.load(self._doors.store, folder)
        if runs or together.since:
            self._compute(connection, runs, together, as_of, folder)
            cohorts |= self._note_together(connection, together, folder)
        for one in runs:
            self._write(connection, one.plan, folder)
            noted[one.plan.run] = self._note(connection, one, as_of)
        self._write_segments(connection, as_of, folder)
        sums = totals(noted.values(), as_of)
        if all(row["as_of"] <= as_of.isoformat() for row in noted.values()):
            for campaign, total in sums.items():
                self._doors.results.note(CAMPAIGN_TOTAL, campaign, total)
        page = campaigns_html(list(noted.values()), sums, list(cohorts.values()), as_of, self._shop)
        key = campaigns_key(as_of)
        self._doors.store.write(key, page.encode())
        final = sum(noted[one.plan.run]["state"] == FINAL for one in runs)
        return {"as_of": as_of.isoformat(), "runs": len(runs), "final": final, "page_key": key}

    def _to_measure(self, noted: Mapping[str, Mapping[str, Any]], as_of: date) -> list[_Measured]:
        """Runs that began, were not refused, and are not final yet."""
        found = []
        for run in self._doors.campaigns.all_runs():
            known = noted.get(run.id, {})
            over = known.get("state") == FINAL or known.get("as_of", "") > as_of.isoformat()
            if over or run.state in (RunState.LAUNCHING, RunState.REFUSED) or self._shop.date_of(run.run_at) > as_of:
                continue
            key = plan_key(run.campaign, run.id)
            if self._doors.store.keys(key):  # not of who ran before there were plans
                plan = Plan.from_json(self._doors.store.read(key))
                kept = known.get("as_of", "") > plan.sent_by(self._shop).isoformat()
                found.append(_Measured(plan, run.state is RunState.CANCELLED, kept))
        return found

    def _compute(
        self,
        connection: duckdb.DuckDBPyConnection,
        runs: Sequence[_Measured],
        together: Together,
        as_of: date,
        folder: Path,
    ) -> None:
        """Make temp tables `deliveries`, `outcomes`, `results` of all these runs, and `first_addressed`."""
        make_relations(connection)
        plans = [one.plan for one in runs]
        addressed = Addressed(connection, self._doors.store, self._shop, folder)
        addressed.add_plans([(one.plan, one.cancelled) for one in runs])
        addressed.add_recipients(plans)
        for one in runs:
            if one.kept:
                addressed.add_kept_messages(layout.run_key(layout.DELIVERIES, one.plan, self._shop))
            else:
                addressed.add_messages(one.plan, self._doors.deliveries, as_of)
        together.add_people()
        days = [plan.first_day(self._shop) for plan in plans]
        since = min(filter(None, (*days, together.since)))
        sources = Sources(connection, self._doors.store, folder)
        for shard in range(self._shards):
            sources.add_shard(shard, since, as_of)
        if days:
            sources.add_entries(sorted({plan.goal.segment for plan in plans if plan.goal.segment}), min(days), as_of)
            sources.add_others(min(days))
        make_outcomes(connection)
        make_results(connection)
        together.make()

    def _write(self, connection: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> None:
        """A run's rows of each table."""
        for table in layout.RUN_TABLES:
            query = f"FROM {table} WHERE run = {literal(plan.run)} ORDER BY ALL NULLS FIRST"
            self._copy(connection, query, layout.run_key(table, plan, self._shop), folder)

    def _note(self, connection: duckdb.DuckDBPyConnection, one: _Measured, as_of: date) -> Mapping[str, Any]:
        """Note a run's result; tell it once it is final, again after a crash in between."""
        plan = one.plan
        final_on = plan.final_on(self._shop)
        facts = {
            **Results(connection).of_run(plan, cancelled=one.cancelled),
            "state": FINAL if as_of >= final_on else OPEN,
            "as_of": as_of.isoformat(),
            "last_day": plan.last_day(self._shop).isoformat(),
            "final_on": final_on.isoformat(),
        }
        if facts["state"] == FINAL:
            self._doors.bus.publish(CAMPAIGN_MEASURED, [{"run_id": plan.run, **facts}])
        self._doors.results.note(CAMPAIGN_RESULT, plan.run, facts)
        return {"id": plan.run, **facts}

    def _note_together(
        self, connection: duckdb.DuckDBPyConnection, together: Together, folder: Path
    ) -> dict[str, Mapping[str, Any]]:
        """Keep who entered, and note what all campaigns changed together; the rows by id."""
        rows = dict(together.compare())
        if rows:
            self._copy(connection, "FROM first_addressed ORDER BY customer_id", layout.FIRST_ADDRESSED_KEY, folder)
        for cohort, facts in rows.items():
            self._doors.results.note(CAMPAIGNS_TOGETHER, cohort, facts)
        return {cohort: {"id": cohort, **facts} for cohort, facts in rows.items()}

    def _write_segments(self, connection: duckdb.DuckDBPyConnection, as_of: date, folder: Path) -> None:
        """The sizes of segments of the day."""
        query = f"""
            SELECT name AS segment, bool_or(name = segment) AS rfm, count(*) AS customers,
                sum(revenue_lifetime) AS revenue_lifetime, sum(orders_90d)::BIGINT AS orders_90d,
                sum(orders_90d * coalesce(aov_90d, 0)) AS revenue_90d
            FROM (SELECT *, unnest(segments) AS name FROM {last_states_sql(self._doors.store, folder)} WHERE NOT gone)
            GROUP BY name ORDER BY name"""
        self._copy(connection, query, layout.segments_key(as_of), folder)

    def _copy(self, connection: duckdb.DuckDBPyConnection, query: str, key: str, folder: Path) -> None:
        path = folder / "analytics.parquet"
        connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        self._doors.store.upload([(path, key)])
