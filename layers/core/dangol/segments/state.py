"""The state of a shard's customers, and how one state follows from the one before.

A state is a relation, one row per customer:
    customer_id VARCHAR; segment VARCHAR (RFM segment); previous_segment VARCHAR, NULL for none; segments
    VARCHAR[] (all segments, the RFM segment first, the others by id); since DATE[] (first day in each of
    them, in the same order); as_of DATE (in the shop's zone), policy_version VARCHAR; and the features that
    services read, as FEATURES has them, NULL where missing.
A state also says how it differs from the one before: changed BOOLEAN (the row differs, is new, or is gone), was
VARCHAR[] (of who changed, the segments before; NULL for who is new), gone BOOLEAN (the customer is no more; all else
is NULL), exited STRUCT(segment VARCHAR, day DATE)[] (when the customer left segments that have a re-entry policy).
`as_of` and `policy_version` are those at which the row last changed. There is no recency_days: it changes
every day and is as_of − last_order_on.

Relations rather than frames: a shard has some ten thousand customers, of whom a few change, and only those
become Python objects (docs/adr/0004).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from dangol.engine import literal

_FEATURES = {
    "orders_90d": "BIGINT",
    "aov_90d": "DOUBLE",
    "orders_lifetime": "BIGINT",
    "revenue_lifetime": "DOUBLE",
    "first_order_on": "DATE",
    "last_order_on": "DATE",
    "days_between_orders": "DOUBLE",
    "coupon_orders": "BIGINT",
    "favorite_category": "VARCHAR",
    "last_category": "VARCHAR",
    "last_product": "VARCHAR",
    "subscribed_on": "DATE",
    "last_open_on": "DATE",
    "last_click_on": "DATE",
    "r_score": "BIGINT",
    "f_score": "BIGINT",
    "m_score": "BIGINT",
}
"""What others may read: nothing by which a person could be reached or recognised, nothing that time alone changes."""

SERVED_FEATURES = tuple(_FEATURES)

_TYPES = {
    "customer_id": "VARCHAR",
    "segment": "VARCHAR",
    "previous_segment": "VARCHAR",
    "segments": "VARCHAR[]",
    "since": "DATE[]",
    "as_of": "DATE",
    "policy_version": "VARCHAR",
    **_FEATURES,
    "changed": "BOOLEAN",
    "was": "VARCHAR[]",
    "gone": "BOOLEAN",
    "exited": "STRUCT(segment VARCHAR, day DATE)[]",
}
STATE_COLUMNS = tuple(_TYPES)

_SERVED = STATE_COLUMNS[: STATE_COLUMNS.index("changed")]

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
    as_of: date
    """The day this row last changed; it holds as well on every later day until it changes again."""
    policy_version: str
    orders_90d: int
    aov_90d: float | None
    """Shop's currency."""
    orders_lifetime: int
    revenue_lifetime: float
    """Shop's currency."""
    first_order_on: date | None
    last_order_on: date | None
    days_between_orders: float | None = None
    """Days."""
    coupon_orders: int | None = None
    favorite_category: str | None = None
    last_category: str | None = None
    last_product: str | None = None
    subscribed_on: date | None = None
    last_open_on: date | None = None
    last_click_on: date | None = None
    r_score: int | None = None
    f_score: int | None = None
    m_score: int | None = None

    @property
    def segment_since(self) -> date:
        """First day in the RFM segment."""
        return self.since[0]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the changes of one refresh have in common."""

    shard: int
    generation: int
    as_of: date
    policy_version: str


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
    days_out: int | None
    """Of an entry within the segment's re-entry time, the days since the customer left it; None otherwise."""
    id: str
    """The same whenever this change is told again, and another one when the same happens again."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one state to the next."""

    written: list[Customer]
    """New ones, and those with a changed feature, segment or membership; by customer_id."""
    removed: list[str]
    """Customers that are no more: an order of theirs turned out to be another person's."""
    changes: list[Change]
    """By customer_id and segment."""


def advance_sql(
    before: str, customers: str, as_of: date, policy_version: str, reentry: Mapping[str, int] | None = None
) -> str:
    """SQL: the state on `as_of`, given the one before and the customers as they are now.

    `before` is a state, `customers` a relation as classify makes it with SERVED_FEATURES. Who was in a segment keeps
    the day since when; a row in which nothing changed keeps its as_of and policy_version. `reentry`: segment → days for
    which an exit is remembered.
    """
    differs = " OR ".join(f"old.{name} IS DISTINCT FROM now.{name}" for name in (*_FEATURES, "segments"))
    features = ", ".join(f"now.{name}::{kind} AS {name}" for name, kind in _FEATURES.items())
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
            CASE WHEN {differs} THEN DATE '{as_of}' ELSE old.as_of END AS as_of,
            CASE WHEN {differs} THEN {literal(policy_version)} ELSE old.policy_version END AS policy_version,
            {features},
            {differs} AS changed,
            CASE WHEN {differs} THEN old.segments END AS was,
            now.segment IS NULL AS gone,
            {_exited(as_of, reentry or {})} AS exited
        FROM (SELECT * REPLACE (list_prepend(segment, segments) AS segments) FROM {customers}) AS now
        FULL JOIN (FROM {before} WHERE NOT gone) AS old USING (customer_id)
    """


def _exited(as_of: date, reentry: Mapping[str, int]) -> str:
    """SQL: the exits to be remembered; one is forgotten by the refresh after the customer came back."""
    if not reentry:
        return f"NULL::{_TYPES['exited']}"
    policies = ", ".join(f"{{segment: {literal(segment)}, days: {days}}}" for segment, days in reentry.items())
    left = "list_filter(old.exited, lambda e: e.segment = p.segment)[1].day"
    day = f"""CASE
        WHEN coalesce(list_contains(old.segments, p.segment), false)
            THEN CASE WHEN NOT coalesce(list_contains(now.segments, p.segment), false) THEN DATE '{as_of}' END
        WHEN {left} > DATE '{as_of}' - p.days THEN {left} END"""
    exits = f"list_transform([{policies}], lambda p: {{segment: p.segment, day: {day}}})"
    return f"list_filter({exits}, lambda x: x.day IS NOT NULL)"


def changes_sql(state: str, stamp: Stamp) -> str:
    """SQL: entries and exits of a state, a row each: the columns of Change, and as_of DATE, policy_version VARCHAR."""
    about = f"{stamp.shard}, {stamp.generation}, '{stamp.as_of}', customer_id, segment, change"
    return f"""
        SELECT left(sha256(concat_ws('|', {about})), 32) AS id, *,
            DATE '{stamp.as_of}' AS as_of, {literal(stamp.policy_version)} AS policy_version
        FROM (
            SELECT customer_id, entry[1] AS segment, 'entered' AS change,
                CASE WHEN entry[1] = here THEN there END AS from_segment, entry[1] AS to_segment,
                entry[2]::DATE AS since,
                DATE '{stamp.as_of}' - list_filter(exited, lambda e: e.segment = entry[1])[1].day AS days_out
            FROM (
                SELECT customer_id, segments[1] AS here, was[1] AS there, exited,
                    unnest(list_filter(list_zip(segments, since),
                        lambda pair: NOT coalesce(list_contains(was, pair[1]), false))) AS entry
                FROM {state} WHERE changed AND NOT gone
            )
            UNION ALL
            SELECT customer_id, segment, 'exited', segment, CASE WHEN segment = there THEN here END, NULL, NULL
            FROM (
                SELECT customer_id, segments[1] AS here, was[1] AS there,
                    unnest(list_filter(was, lambda id: NOT coalesce(list_contains(segments, id), false))) AS segment
                FROM {state} WHERE changed
            )
        )
    """


def difference(connection: duckdb.DuckDBPyConnection, state: str, stamp: Stamp) -> Difference:
    """What to write and to publish so that the tables of the state before become those of `state`."""
    written = [_customer(row) for row in _fetch(connection, f"{state} WHERE changed AND NOT gone", _SERVED)]
    removed = [row[0] for row in _fetch(connection, f"{state} WHERE gone", ("customer_id",))]
    columns = ", ".join(Change.__slots__)
    changes = f"SELECT {columns} FROM ({changes_sql(state, stamp)}) ORDER BY customer_id, segment"
    return Difference(written, removed, [Change(*row) for row in connection.execute(changes).fetchall()])


def everyone(connection: duckdb.DuckDBPyConnection, state: str) -> list[Customer]:
    """All customers of a state."""
    return [_customer(row) for row in _fetch(connection, f"{state} WHERE NOT gone", _SERVED)]


def _fetch(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {', '.join(columns)} FROM {rows} ORDER BY customer_id").fetchall()


def _customer(row: Sequence[Any]) -> Customer:
    customer_id, segment, previous, segments, since, *others = row
    return Customer(customer_id, segment, previous, tuple(segments), tuple(since), *others)
