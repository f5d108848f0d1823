"""The segments in numbers: how many, how much of the revenue, and the typical R, F and M."""

from dataclasses import dataclass
from datetime import date

import duckdb

from dangol.segments.policy import UNCLASSIFIED, Policy

_BANDS = {
    "recency_days": ((3, "0–3"), (10, "4–10"), (29, "11–29"), (60, "30–60"), (90, "61–90")),
    "orders_90d": ((0, "0"), (1, "1"), (5, "2–5"), (19, "6–19")),
}
_LAST_BAND = {"recency_days": "91+", "orders_90d": "20+"}


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One RFM segment."""

    id: str
    name: str
    customers: int
    customer_share: float
    """0 to 1, of all customers."""
    revenue_share: float
    """0 to 1, of the lifetime revenue of all customers."""
    median_r: float | None
    """Days."""
    median_f: float | None
    """Orders in 90 days."""
    median_m: float | None
    """Shop's currency, average order of 90 days."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What one segmentation shows at a glance."""

    as_of: date
    customers: int
    revenue: float
    """Lifetime revenue of all customers, shop's currency."""
    rfm: list[SegmentLine]
    segments: list[tuple[str, str, int]]
    """(id, name, members) of the independent segments."""
    unclassified: list[tuple[str, dict[str, int]]]
    """Customers no rule holds: (recency band, {orders band: customers}), so that a rule can be added."""
    orders: int = 0
    """Counted orders of all customers ever."""


def summarise(connection: duckdb.DuckDBPyConnection, policy: Policy, as_of: date) -> Summary:
    """Read relation `customers` (see classify)."""
    found = connection.execute("""
        SELECT segment, count(*), coalesce(sum(revenue_lifetime), 0),
            median(recency_days), median(orders_90d), median(aov_90d), coalesce(sum(orders_lifetime), 0)::BIGINT
        FROM customers GROUP BY segment
    """).fetchall()
    by_id = {row[0]: row[1:] for row in found}
    customers = sum(row[1] for row in found)
    revenue = sum(row[2] for row in found)
    lines = []
    for segment in policy.rfm_ids:
        count, total, r, f, m, _ = by_id.get(segment, (0, 0.0, None, None, None, 0))
        lines.append(
            SegmentLine(
                segment, policy.names[segment], count, count / max(customers, 1), total / (revenue or 1), r, f, m
            )
        )
    members = _members(connection)
    others = [(rule.id, rule.name, members.get(rule.id, 0)) for rule in (*policy.segments, *policy.scores)]
    orders = sum(row[6] for row in found)
    return Summary(as_of, customers, revenue, lines, others, _unclassified(connection), orders)


def _members(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many are in each of the independent segments; whole lists are counted first, as few differ."""
    found = connection.execute("""
        SELECT id, sum(customers)::BIGINT FROM (
            SELECT unnest(segments) AS id, customers
            FROM (SELECT segments, count(*) AS customers FROM customers GROUP BY segments)
        ) GROUP BY id
    """).fetchall()
    return dict(found)


def _unclassified(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, dict[str, int]]]:
    found = connection.execute(f"""
        SELECT {_band("recency_days")}, {_band("orders_90d")}, count(*)
        FROM customers WHERE segment = '{UNCLASSIFIED}' GROUP BY ALL
    """).fetchall()
    counts = {(r, f): count for r, f, count in found}
    orders = bands("orders_90d")
    return [
        (days, {f: counts.get((days, f), 0) for f in orders})
        for days in (*bands("recency_days"), "—")
        if any((days, f) in counts for f in orders)
    ]


def bands(feature: str) -> tuple[str, ...]:
    """Names of a feature's bands, in order."""
    return (*(name for _, name in _BANDS[feature]), _LAST_BAND[feature])


def _band(feature: str) -> str:
    cases = " ".join(f"WHEN {feature} <= {limit} THEN '{name}'" for limit, name in _BANDS[feature])
    return f"CASE WHEN {feature} IS NULL THEN '—' {cases} ELSE '{_LAST_BAND[feature]}' END"
