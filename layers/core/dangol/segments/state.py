"""The state of a shard's customers, and how one state follows from the one before.

A state is a relation, one row per customer:
    customer_id VARCHAR; segment VARCHAR (RFM segment); previous_segment VARCHAR, NULL for none; segments
    VARCHAR[] (all segments, the RFM segment first, the others by id); since DATE[] (first day in each of
    them, in the same order); orders_90d, orders_lifetime BIGINT; aov_90d, revenue_lifetime DOUBLE (shop's
    currency, NULL when missing); first_order_on, last_order_on, as_of DATE (in the shop's zone);
    policy_version VARCHAR; changed BOOLEAN (whether the row differs from the state before, or is new).
`as_of` and `policy_version` are those at which the row last changed. There is no recency_days: it changes
every day and is as_of − last_order_on.

Relations rather than frames: a shard has some ten thousand customers, of whom a few change, and only those
become Python objects (docs/adr/0004).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from dangol.engine import literal

_TYPES = {
    "customer_id": "VARCHAR",
    "segment": "VARCHAR",
    "previous_segment": "VARCHAR",
    "segments": "VARCHAR[]",
    "since": "DATE[]",
    "orders_90d": "BIGINT",
    "aov_90d": "DOUBLE",
    "orders_lifetime": "BIGINT",
    "revenue_lifetime": "DOUBLE",
    "first_order_on": "DATE",
    "last_order_on": "DATE",
    "as_of": "DATE",
    "policy_version": "VARCHAR",
    "changed": "BOOLEAN",
}
STATE_COLUMNS = tuple(_TYPES)

_SERVED = tuple(name for name in STATE_COLUMNS if name != "changed")

_FEATURES = ("orders_90d", "aov_90d", "orders_lifetime", "revenue_lifetime", "first_order_on", "last_order_on")

EMPTY_STATE = "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in _TYPES.items()) + " WHERE false"
"""SQL: a state with nobody in it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as other services read of them. No personal data."""

    customer_id: str
    segment: str
    """RFM segment."""
    previous_segment: str | None
    segments: tuple[str, ...]
    """All segments, the RFM segment first, the others by id."""
    since: tuple[date, ...]
    """First day in each of them."""
    orders_90d: int
    aov_90d: float | None
    """Shop's currency."""
    orders_lifetime: int
    revenue_lifetime: float
    """Shop's currency."""
    first_order_on: date | None
    last_order_on: date | None
    as_of: date
    """The day this row last changed; it holds as well on every later day until it changes again."""
    policy_version: str

    @property
    def segment_since(self) -> date:
        """First day in the RFM segment."""
        return self.since[0]


@dataclass(frozen=True, slots=True)
class Change:
    """A customer entered or left a segment."""

    customer_id: str
    segment: str
    change: str
    """'entered' or 'exited'."""
    from_segment: str | None
    """Of an RFM segment, where the customer was before; None for who was nowhere."""
    to_segment: str | None
    """Of an RFM segment, where the customer is now; None for who is no more."""
    since: date | None
    """First day in the segment, of an entry."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one state to the next."""

    written: list[Customer]
    """New ones, and those with a changed feature, segment or membership; by customer_id."""
    removed: list[str]
    """Customers that are no more: an order of theirs turned out to be another person's."""
    changes: list[Change]
    """By customer_id and segment."""


def advance_sql(before: str, customers: str, as_of: date, policy_version: str) -> str:
    """SQL: the state on `as_of`, given the one before and the customers as they are now.

    `before` is a state, `customers` a relation as classify makes it. Who was in a segment keeps the day
    since when; a row in which nothing changed keeps its as_of and policy_version.
    """
    differs = " OR ".join(f"old.{name} IS DISTINCT FROM now.{name}" for name in (*_FEATURES, "segments"))
    features = ", ".join(f"now.{name}" for name in _FEATURES)
    return f"""
        SELECT
            now.customer_id,
            now.segment,
            CASE WHEN old.segment <> now.segment THEN old.segment ELSE old.previous_segment END AS previous_segment,
            now.segments,
            CASE WHEN old.segments = now.segments THEN old.since ELSE list_transform(
                now.segments,
                lambda id: coalesce(old.since[list_position(old.segments, id)], DATE '{as_of}')
            ) END AS since,
            {features},
            {differs} AS changed,
            CASE WHEN {differs} THEN DATE '{as_of}' ELSE old.as_of END AS as_of,
            CASE WHEN {differs} THEN {literal(policy_version)} ELSE old.policy_version END AS policy_version
        FROM (SELECT * REPLACE (list_prepend(segment, segments) AS segments) FROM {customers}) AS now
        LEFT JOIN {before} AS old USING (customer_id)
    """


def difference(connection: duckdb.DuckDBPyConnection, before: str, after: str) -> Difference:
    """What to write and to publish so that the tables of state `before` become those of the next one, `after`."""
    removed = f"SELECT customer_id FROM {before} AS old ANTI JOIN {after} AS now USING (customer_id) ORDER BY 1"
    return Difference(
        written=_customers(connection, f"{after} WHERE changed"),
        removed=[customer_id for (customer_id,) in connection.execute(removed).fetchall()],
        changes=[Change(*row) for row in connection.execute(_changes_sql(before, after)).fetchall()],
    )


def everyone(connection: duckdb.DuckDBPyConnection, state: str) -> list[Customer]:
    """All customers of a state."""
    return _customers(connection, state)


def _customers(connection: duckdb.DuckDBPyConnection, rows: str) -> list[Customer]:
    found = connection.execute(f"SELECT {', '.join(_SERVED)} FROM {rows} ORDER BY customer_id")
    return [Customer(*map(_frozen, row)) for row in found.fetchall()]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _changes_sql(before: str, after: str) -> str:
    """SQL: the columns of Change. Of an RFM segment, `from` and `to` name both sides of a move."""
    return f"""
        WITH moved AS (
            SELECT customer_id, old.segment AS old_rfm, now.segment AS new_rfm, now.since,
                coalesce(old.segments, []) AS old_ids, now.segments AS new_ids
            FROM {after} AS now LEFT JOIN {before} AS old USING (customer_id)
            WHERE now.changed AND now.segments IS DISTINCT FROM old.segments
            UNION ALL
            SELECT customer_id, old.segment, NULL, NULL, old.segments, []
            FROM {before} AS old ANTI JOIN {after} AS now USING (customer_id)
        ), entered AS (
            SELECT *, unnest(list_filter(new_ids, lambda id: NOT list_contains(old_ids, id))) AS id FROM moved
        ), exited AS (
            SELECT *, unnest(list_filter(old_ids, lambda id: NOT list_contains(new_ids, id))) AS id FROM moved
        )
        SELECT customer_id, id, 'entered', CASE WHEN id = new_rfm THEN old_rfm END, id,
            since[list_position(new_ids, id)]
        FROM entered
        UNION ALL
        SELECT customer_id, id, 'exited', id, CASE WHEN id = old_rfm THEN new_rfm END, NULL FROM exited
        ORDER BY 1, 2
    """
