"""The results of runs: what became of their messages, what people did, and the comparison with the holdout."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from dangol.campaigns.definition import Goal
from dangol.engine import literal
from dangol.measurement.intervals import Amounts, Group, Interval
from dangol.measurement.lift import Lift, Verdict, compare
from dangol.measurement.plan import Plan, TrialArm

OPEN, FINAL = "open", "final"
"""States of a result: whether its numbers may still change."""

RESULTS = """
    WITH told AS (
        SELECT run, step, channel, variant, GROUPING(step) AS whole, GROUPING(variant) AS every_variant,
            count(*) FILTER (status = 'sent') AS sent, count(*) FILTER (status = 'skipped') AS skipped,
            count(*) FILTER (status = 'failed') AS failed, count(*) FILTER (status = 'unknown') AS unknown,
            count(*) FILTER (status = 'deferred') AS deferred,
            count(DISTINCT customer_id) FILTER (delivered_at IS NOT NULL) AS delivered,
            count(DISTINCT customer_id) FILTER (opened_at IS NOT NULL) AS opened,
            count(DISTINCT customer_id) FILTER (clicked_at IS NOT NULL) AS clicked,
            count(DISTINCT customer_id) FILTER (bounced_at IS NOT NULL) AS bounced,
            count(DISTINCT customer_id) FILTER (complained_at IS NOT NULL) AS complained
        FROM deliveries GROUP BY GROUPING SETS ((run), (run, step, channel), (run, step, channel, variant))
    ),
    sold AS (
        SELECT run, step, channel, variant, GROUPING(step) AS whole, GROUPING(variant) AS every_variant,
            count(*) AS attributed_orders, sum(amount) AS attributed_revenue
        FROM attributed GROUP BY GROUPING SETS ((run), (run, step, channel), (run, step, channel, variant))
    )
    SELECT told.run, told.step, told.channel, told.variant,
        told.* EXCLUDE (run, step, channel, variant, whole, every_variant),
        coalesce(attributed_orders, 0) AS attributed_orders, coalesce(attributed_revenue, 0) AS attributed_revenue
    FROM told LEFT JOIN sold ON told.run = sold.run AND told.whole = sold.whole
        AND told.every_variant = sold.every_variant AND told.step IS NOT DISTINCT FROM sold.step
        AND told.channel IS NOT DISTINCT FROM sold.channel AND told.variant IS NOT DISTINCT FROM sold.variant
    WHERE told.every_variant = 1 OR told.variant IS NOT NULL
    ORDER BY ALL NULLS FIRST
"""
"""SQL over `deliveries` and `attributed`: a row a run (step, channel, variant NULL), a row a message and channel
(variant NULL), a row a variant. sent to deferred count messages; delivered to complained people, of e-mail."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What those of an arm did who are compared."""

    people: int = 0
    reached: int = 0
    """The goal."""
    buyers: int = 0
    orders: int = 0
    revenue: float = 0.0
    """Shop's currency, net of refunds, within the goal's time."""
    squares: float = 0.0
    """Sum of the squares of what each spent, so that results can be added up."""

    def __add__(self, other: "ArmResult") -> "ArmResult":
        mine, theirs = asdict(self), asdict(other)
        return ArmResult(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def group(self) -> Group:
        """As the comparison of shares wants it."""
        return Group(self.people, self.reached)

    @property
    def amounts(self) -> Amounts:
        """As the comparison of amounts wants it."""
        return Amounts(self.people, self.buyers, self.revenue, self.squares)


def lift_of(treated: ArmResult, holdout: ArmResult) -> Lift:
    """Compare two arms."""
    return compare(treated.group, holdout.group, (treated.amounts, holdout.amounts))


class Results:
    """Reads temp tables `deliveries`, `attributed`, `outcomes` (outcomes.py)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def of_run(self, plan: Plan, *, cancelled: bool) -> dict[str, Any]:
        """The result of one run as services read it (docs/schemas/campaign-measured.json), but for state and dates."""
        arms = self._arms(plan.run)
        treated, holdout = arms[TrialArm.TREATED], arms[TrialArm.HOLDOUT]
        rows = self._rows(f"FROM results WHERE run = {literal(plan.run)}")
        whole = next((row for row in rows if row["channel"] is None), {})
        counts = {name: whole.get(name, 0) for name in _COUNTS}
        lift = Lift(Verdict.CANCELLED) if cancelled else lift_of(treated, holdout)
        return {
            "campaign": plan.campaign,
            "names": dict(plan.names),
            "run_at": plan.run_at.isoformat(),
            "goal": goal_of(plan.goal),
            "holdout": plan.holdout,
            **self._people(plan.run),
            "messages": counts | {"skipped": self._skipped(plan.run)},
            "attributed": {
                "orders": whole.get("attributed_orders", 0),
                "revenue": whole.get("attributed_revenue", 0.0),
            },
            "parts": [_without_missing(row) for row in rows if row["channel"] is not None],
            "arms": {"treated": asdict(treated), "holdout": asdict(holdout)},
            "lift": lift_as_dict(lift),
        }

    def _arms(self, run: str) -> dict[str, ArmResult]:
        rows = self._rows(f"""
            SELECT arm, count(*) AS people, count(reached_on) AS reached, count(*) FILTER (orders > 0) AS buyers,
                sum(orders)::BIGINT AS orders, sum(revenue) AS revenue, sum(revenue * revenue) AS squares
            FROM outcomes WHERE run = {literal(run)} AND compared GROUP BY arm""")
        found = {row.pop("arm"): ArmResult(**row) for row in rows}
        return {arm: found.get(arm, ArmResult()) for arm in (TrialArm.TREATED, TrialArm.HOLDOUT)}

    def _people(self, run: str) -> dict[str, Any]:
        (row,) = self._rows(f"""
            SELECT count(*) AS recipients, count(*) FILTER (reachable) AS reachable,
                count(*) FILTER (unsubscribed) AS unsubscribed,
                count(*) FILTER (addressed AND orders > 0) AS people,
                coalesce(sum(orders) FILTER (addressed), 0)::BIGINT AS orders,
                coalesce(sum(revenue) FILTER (addressed), 0) AS revenue
            FROM (SELECT *, reachable AND arm = 'treated' AS addressed FROM outcomes WHERE run = {literal(run)})""")
        bought = {name: row.pop(name) for name in ("people", "orders", "revenue")}
        return {**row, "bought": bought}

    def _skipped(self, run: str) -> dict[str, int]:
        rows = self._rows(f"""
            SELECT reason, count(*) AS messages FROM deliveries
            WHERE run = {literal(run)} AND status = 'skipped' GROUP BY reason ORDER BY reason""")
        return {row["reason"]: row["messages"] for row in rows}

    def _rows(self, query: str) -> list[dict[str, Any]]:
        found = self._connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


_COUNTS = ("sent", "failed", "unknown", "deferred", "delivered", "opened", "clicked", "bounced", "complained")


def make_results(connection: duckdb.DuckDBPyConnection) -> None:
    """Make temp table `results` (RESULTS)."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE results AS {RESULTS}")


def goal_of(goal: Goal) -> dict[str, Any]:
    """A goal in words that are stored."""
    reach: dict[str, Any] = {"reach": "purchase", "within_days": goal.within_days}
    return reach | ({"reach": "member_of", "segment": goal.segment} if goal.segment else {})


def lift_as_dict(lift: Lift) -> dict[str, Any]:
    """A comparison as it is stored; what is not known is left out. Shares to six digits, amounts to two."""
    return _without_missing(
        {
            "verdict": lift.verdict.value,
            **_interval(lift.shares, 6),
            "revenue_per_person": _interval(lift.amounts, 2) or None,
            "people_needed": lift.needed,
        }
    )


def _interval(interval: Interval | None, digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in asdict(interval).items()} if interval else {}


def _without_missing(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
