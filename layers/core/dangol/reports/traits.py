"""What the customers of each RFM segment do, by their counted orders of a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dangol.reports.observation import NEW_DAYS

FEWEST = 5
"""Customers of a segment below which nothing is shown of them: it would tell what single people do."""
_CATEGORIES = 3
_TOLD = 0.01
"""Share of orders with a coupon or an amount of discount, be it 0, below which the shop's files do not tell of them: a
few orders from elsewhere would make it look as if nobody used any."""
_WHOLE_DAYS = 0.9
"""Share of orders at midnight sharp above which files tell days and no times."""


@dataclass(frozen=True, slots=True)
class Traits:
    """One segment. Shares are 0 to 1; None where the files do not tell."""

    segment: str
    customers: int
    """Looked at."""
    orders: int = 0
    """Counted orders of a year."""
    basket_amount: float | None = None
    """Average order, shop's currency."""
    basket_items: float | None = None
    """Average items of an order with line items."""
    days_between: float | None = None
    """Median over customers with two orders or more of their average."""
    categories: tuple[tuple[str, float], ...] = ()
    """The most bought and their shares of line items."""
    new_share: float | None = None
    """Of line items, those of products in their first NEW_DAYS."""
    limited_share: float | None = None
    """Of line items, those of limited products."""
    coupon_share: float | None = None
    """Of orders, those with a coupon or discount; None where the shop's files do not tell."""
    hours: tuple[int, ...] = ()
    """Orders by hour of the day, 24, shop time; empty where files tell no times."""
    weekdays: tuple[int, ...] = ()
    """Orders by day of the week, Monday first."""


_Facts = Mapping[str, Mapping[str, Any]]
"""Segment → field of Traits → value."""


def traits(
    connection: duckdb.DuckDBPyConnection, segments: Sequence[str], people: str = "customers"
) -> tuple[Traits, ...]:
    """Of each segment in this order, by what was observed (see dangol.reports.observation); none of fewer than FEWEST.

    `people` is SQL: customer_id, segment, days_between_orders of those whose orders were observed.
    """
    counts = connection.execute(f"""
        SELECT segment, count(*), median(days_between_orders) FROM {people} GROUP BY segment
    """).fetchall()
    known = {segment: (customers, between) for segment, customers, between in counts if customers >= FEWEST}
    parts = (_baskets(connection), _profiles(connection), _categories(connection), _novelty(connection))
    found = []
    for segment in segments:
        if segment in known:
            customers, between = known[segment]
            facts = {name: value for part in parts for name, value in part.get(segment, {}).items()}
            found.append(Traits(segment, customers, days_between=between, **facts))
    return tuple(found)


def _baskets(connection: duckdb.DuckDBPyConnection) -> _Facts:
    rows = connection.execute(f"""
        SELECT segment, sum(orders)::BIGINT AS orders, sum(amount) / sum(orders), sum(items) / nullif(sum(itemised), 0),
            CASE WHEN (SELECT sum(told) >= sum(orders) * {_TOLD} FROM seen_orders) THEN sum(reduced) / sum(orders) END
        FROM seen_orders GROUP BY segment
    """).fetchall()
    names = ("orders", "basket_amount", "basket_items", "coupon_share")
    return {segment: dict(zip(names, found, strict=True)) for segment, *found in rows}


def _profiles(connection: duckdb.DuckDBPyConnection) -> _Facts:
    """Orders by hour and by day of the week."""
    row = connection.execute("SELECT sum(at_midnight) / sum(orders) FROM seen_orders").fetchone()
    tells_times = row is not None and row[0] is not None and row[0] < _WHOLE_DAYS
    found: dict[str, dict[str, Any]] = {}
    for name, size in (("hour", 24), ("weekday", 7)):
        if name == "weekday" or tells_times:
            rows = connection.execute(f"SELECT segment, {name}, sum(orders)::BIGINT FROM seen_orders GROUP BY ALL")
            for segment, number, orders in rows.fetchall():
                found.setdefault(segment, {}).setdefault(f"{name}s", [0] * size)[number] = orders
    return {segment: {name: tuple(counts) for name, counts in one.items()} for segment, one in found.items()}


def _categories(connection: duckdb.DuckDBPyConnection) -> _Facts:
    rows = connection.execute(f"""
        WITH bought AS (SELECT segment, category, sum(items) AS items FROM seen_categories GROUP BY ALL)
        SELECT segment, category, items / sum(items) OVER (PARTITION BY segment) FROM bought
        QUALIFY row_number() OVER (PARTITION BY segment ORDER BY items DESC, category) <= {_CATEGORIES}
        ORDER BY segment, items DESC, category
    """).fetchall()
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for segment, category, share in rows:
        found[segment] = (*found.get(segment, ()), (category, share))
    return {segment: {"categories": categories} for segment, categories in found.items()}


def _novelty(connection: duckdb.DuckDBPyConnection) -> _Facts:
    """Shares of new and of limited products. What was sold when the files begin may have been sold before: not new."""
    rows = connection.execute(f"""
        WITH sold AS (
            SELECT product, min(first_on) AS first_on, min(launched_on) AS launched_on FROM seen_sales GROUP BY product
        ), begun AS (SELECT min(first_on) AS day FROM sold)
        SELECT segment,
            sum(items) FILTER (CASE
                WHEN launched_on IS NOT NULL THEN seen.day < launched_on + {NEW_DAYS}
                ELSE first_on >= begun.day + {NEW_DAYS} AND seen.day < first_on + {NEW_DAYS} END) / sum(items),
            sum(items) FILTER (limited) / sum(items), count(limited)
        FROM seen_products AS seen JOIN sold USING (product), begun GROUP BY segment
    """).fetchall()
    return {
        segment: {"new_share": new or 0.0, "limited_share": (limited or 0.0) if told else None}
        for segment, new, limited, told in rows
    }
