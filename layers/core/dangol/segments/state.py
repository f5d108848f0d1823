"""The state of a shard's customers, and how one state follows from the one before.

A state is a relation, one row per customer:
    customer_id VARCHAR; segment VARCHAR (RFM segment); previous_segment VARCHAR, NULL for none; segments
    VARCHAR[] (all segments, the RFM segment first, the others by id); since DATE[] (first day in each of
    them, in the same order); orders_90d, orders_lifetime BIGINT; aov_90d, revenue_lifetime DOUBLE (shop's
    currency, NULL when missing); first_order_on, last_order_on, as_of DATE (in the shop's zone);
    policy_version VARCHAR.
A state also says how it differs from the one before: changed BOOLEAN (the row differs, is new, or is gone), was
VARCHAR[] (the segments before; NULL for who is new), gone BOOLEAN (the customer is no more; all else is NULL).
`as_of` and `policy_version` are those at which the row last changed. There is no recency_days: it changes
every day and is as_of − last_order_on.

Relations rather than frames: a shard has some ten thousand customers, of whom a few change, and only those
become Python objects (docs/adr/0004).
"""

from collections.abc import Iterator, Sequence
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
    "was": "VARCHAR[]",
    "gone": "BOOLEAN",
}
STATE_COLUMNS = tuple(_TYPES)

_Ids = tuple[str, ...]

_SERVED = STATE_COLUMNS[: STATE_COLUMNS.index("changed")]

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
            customer_id,
            now.segment,
            CASE WHEN old.segment <> now.segment THEN old.segment ELSE old.previous_segment END AS previous_segment,
            now.segments,
            CASE WHEN old.segments = now.segments THEN old.since ELSE list_transform(
                now.segments,
                lambda id: coalesce(old.since[list_position(old.segments, id)], DATE '{as_of}')
            ) END AS since,
            {features},
            CASE WHEN {differs} THEN DATE '{as_of}' ELSE old.as_of END AS as_of,
            CASE WHEN {differs} THEN {literal(policy_version)} ELSE old.policy_version END AS policy_version,
            {differs} AS changed,
            old.segments AS was,
            now.segment IS NULL AS gone
        FROM (SELECT * REPLACE (list_prepend(segment, segments) AS segments) FROM {customers}) AS now
        FULL JOIN (FROM {before} WHERE NOT gone) AS old USING (customer_id)
    """


def difference(connection: duckdb.DuckDBPyConnection, state: str) -> Difference:
    """What to write and to publish so that the tables of the state before become those of `state`."""
    found = Difference([], [], [])
    for *served, was, gone in _fetch(connection, f"{state} WHERE changed", (*_SERVED, "was", "gone")):
        before = tuple(was or ())
        if gone:
            found.removed.append(served[0])
            found.changes.extend(_changes(served[0], before, (), ()))
        else:
            customer = _customer(served)
            found.written.append(customer)
            found.changes.extend(_changes(customer.customer_id, before, customer.segments, customer.since))
    return found


def everyone(connection: duckdb.DuckDBPyConnection, state: str) -> list[Customer]:
    """All customers of a state."""
    return [_customer(row) for row in _fetch(connection, f"{state} WHERE NOT gone", _SERVED)]


def _fetch(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {', '.join(columns)} FROM {rows} ORDER BY customer_id").fetchall()


def _customer(row: Sequence[Any]) -> Customer:
    customer_id, segment, previous, segments, since, *features = row
    return Customer(customer_id, segment, previous, tuple(segments), tuple(since), *features)


def _changes(customer_id: str, was: _Ids, now: _Ids, since: tuple[date, ...]) -> Iterator[Change]:
    """Entries and exits of one customer, by segment. The first of each tuple is the RFM segment."""
    entered = {segment: day for segment, day in zip(now, since, strict=True) if segment not in was}
    for segment in sorted({*entered, *(segment for segment in was if segment not in now)}):
        if segment in entered:
            whence = was[0] if was and segment == now[0] else None
            yield Change(customer_id, segment, "entered", whence, segment, entered[segment])
        else:
            whither = now[0] if now and segment == was[0] else None
            yield Change(customer_id, segment, "exited", segment, whither, None)
