"""How one state follows from the one before, and what leads from one to the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import duckdb
import pytest
from dangol.segments.state import (
    EMPTY_STATE,
    SERVED_FEATURES,
    Change,
    Difference,
    Stamp,
    advance_sql,
    changes_sql,
    everyone,
)
from dangol.segments.state import difference as difference_of

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOBODY = f"({EMPTY_STATE})"
LATER = ", ".join(f"NULL AS {name}" for name in SERVED_FEATURES[6:])
"""Features that these customers do not have."""
STAMP = Stamp(3, 7, MONDAY, "p1")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def classified(*rows: str) -> str:
    """Customers as classify makes them, of rows such as "'c1', 'new', ['one_time'], 2, 100"."""
    values = ", ".join(f"({row})" for row in rows)
    return f"""(
        SELECT customer_id, segment, segments::VARCHAR[] AS segments, orders::BIGINT AS orders_90d,
            aov::DOUBLE AS aov_90d, orders::BIGINT AS orders_lifetime,
            (orders * coalesce(aov, 0))::DOUBLE AS revenue_lifetime,
            CASE WHEN orders > 0 THEN DATE '2026-11-01' END AS first_order_on,
            CASE WHEN orders > 0 THEN DATE '2026-11-20' END AS last_order_on, {LATER}
        FROM (VALUES {values}) AS rows(customer_id, segment, segments, orders, aov)
    )"""


def advanced(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    before: str,
    *rows: str,
    on: date = MONDAY,
    version: str = "p1",
    reentry: Mapping[str, int] | None = None,
) -> str:
    """The state that follows, as a table of the name."""
    sql = advance_sql(before, classified(*rows), on, version, reentry)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
    return name


def difference(connection: duckdb.DuckDBPyConnection, state: str) -> Difference:
    return difference_of(connection, state, STAMP)


def told(changes: Sequence[Change]) -> list[tuple[object, ...]]:
    """What of each change is not its id."""
    return [
        (change.customer_id, change.segment, change.change, change.from_segment, change.to_segment, change.since)
        for change in changes
    ]


C1 = "'c1', 'new', ['one_time'], 1, 100"
C2 = "'c2', 'unclassified', [], 0, NULL"


def test_everybody_is_new_at_first(connection: duckdb.DuckDBPyConnection) -> None:
    state = advanced(connection, "monday", NOBODY, C1, C2)
    one, two = everyone(connection, state)
    assert (one.customer_id, one.segment, one.previous_segment) == ("c1", "new", None)
    assert list(one.segments) == ["new", "one_time"]
    assert list(one.since) == [MONDAY, MONDAY]
    assert (one.as_of, one.policy_version, one.segment_since) == (MONDAY, "p1", MONDAY)
    assert (two.aov_90d, two.first_order_on, two.last_order_on) == (None, None, None)
    found = difference(connection, state)
    assert found.written == [one, two]
    assert told(found.changes) == [
        ("c1", "new", "entered", None, "new", MONDAY),
        ("c1", "one_time", "entered", None, "one_time", MONDAY),
        ("c2", "unclassified", "entered", None, "unclassified", MONDAY),
    ]


def test_a_day_on_which_nothing_changes_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, C1, C2)
    tuesday = advanced(connection, "tuesday", monday, C1, C2, on=TUESDAY, version="p2")
    assert difference(connection, tuesday) == Difference([], [], [])
    assert everyone(connection, tuesday) == everyone(connection, monday)


@pytest.mark.parametrize("features", ["2, 50", "1, 101", "0, NULL"], ids=["more orders", "another value", "no orders"])
def test_a_feature_that_changes_rewrites_its_customer_only(
    connection: duckdb.DuckDBPyConnection, features: str
) -> None:
    monday = advanced(connection, "monday", NOBODY, C1, C2)
    now = f"'c1', 'new', ['one_time'], {features}"
    tuesday = advanced(connection, "tuesday", monday, now, C2, on=TUESDAY, version="p2")
    found = difference(connection, tuesday)
    (written,) = found.written
    assert (written.customer_id, written.as_of, written.policy_version) == ("c1", TUESDAY, "p2")
    assert list(written.since) == [MONDAY, MONDAY]
    assert found.changes == []


def test_a_move_is_told_from_both_sides_and_remembered(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, C1)
    tuesday = advanced(connection, "tuesday", monday, "'c1', 'loyal', ['one_time'], 1, 100", on=TUESDAY)
    found = difference(connection, tuesday)
    assert told(found.changes) == [
        ("c1", "loyal", "entered", "new", "loyal", TUESDAY),
        ("c1", "new", "exited", "new", "loyal", None),
    ]
    (written,) = found.written
    assert (written.previous_segment, list(written.since)) == ("new", [TUESDAY, MONDAY])
    wednesday = advanced(connection, "wednesday", tuesday, "'c1', 'loyal', ['one_time'], 2, 100", on=date(2026, 11, 25))
    (written,) = everyone(connection, wednesday)
    assert (written.previous_segment, list(written.since)) == ("new", [TUESDAY, MONDAY])


def test_other_segments_are_joined_and_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, C1)
    tuesday = advanced(connection, "tuesday", monday, "'c1', 'new', ['repeat'], 1, 100", on=TUESDAY)
    assert told(difference(connection, tuesday).changes) == [
        ("c1", "one_time", "exited", "one_time", None, None),
        ("c1", "repeat", "entered", None, "repeat", TUESDAY),
    ]


def test_who_is_no_more_leaves_everything(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, C1, C2)
    tuesday = advanced(connection, "tuesday", monday, C2, on=TUESDAY)
    found = difference(connection, tuesday)
    assert found.removed == ["c1"]
    assert found.written == []
    assert told(found.changes) == [
        ("c1", "new", "exited", "new", None, None),
        ("c1", "one_time", "exited", "one_time", None, None),
    ]


def test_who_comes_back_is_new_again(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, "'c1', 'new', [], 1, 100")
    moved = advanced(connection, "moved", monday, "'c1', 'loyal', [], 1, 100", on=TUESDAY)
    gone = advanced(connection, "gone", moved, C2, on=TUESDAY)
    back = advanced(connection, "back", gone, "'c1', 'loyal', [], 1, 100", on=TUESDAY)
    (customer,) = everyone(connection, back)
    assert (customer.previous_segment, customer.segment_since) == (None, TUESDAY)


def test_a_difference_may_be_asked_for_again_from_what_was_kept(connection: duckdb.DuckDBPyConnection) -> None:
    """A crash between two states: the second is read back from the ledger, and must lead to the same writes."""
    monday = advanced(connection, "monday", NOBODY, C1, C2)
    tuesday = advanced(connection, "tuesday", monday, "'c1', 'loyal', [], 1, 100", on=TUESDAY)
    found = difference(connection, tuesday)
    connection.execute(f"CREATE TEMP TABLE kept AS FROM {tuesday}")
    assert difference(connection, "kept") == found


@pytest.mark.parametrize("customer_id", ["", "o'Neil", "고객 7", "a|b#c", "🙂"])
def test_any_text_is_a_customer_id(connection: duckdb.DuckDBPyConnection, customer_id: str) -> None:
    quoted = customer_id.replace("'", "''")
    state = advanced(connection, "monday", NOBODY, f"'{quoted}', 'new', [], 1, 100")
    assert [customer.customer_id for customer in everyone(connection, state)] == [customer_id]
    assert [change.customer_id for change in difference(connection, state).changes] == [customer_id]


def test_an_entry_soon_after_an_exit_says_how_long_the_customer_was_out(connection: duckdb.DuckDBPyConnection) -> None:
    days = {"one_time": 30}
    out, there = "'c1', 'new', [], 1, 100", C1
    state = advanced(connection, "first", NOBODY, there, reentry=days)
    assert [change.days_out for change in difference(connection, state).changes] == [None, None]
    state = advanced(connection, "leaving", state, out, on=date(2026, 12, 1), reentry=days)
    state = advanced(connection, "still_out", state, out, on=date(2026, 12, 9), reentry=days)
    state = advanced(connection, "back", state, there, on=date(2026, 12, 11), reentry=days)
    (entry,) = difference_of(connection, state, Stamp(3, 7, date(2026, 12, 11), "p1")).changes
    assert (entry.segment, entry.change, entry.days_out) == ("one_time", "entered", 10)


def test_an_entry_after_the_time_of_the_policy_is_one_like_the_first(connection: duckdb.DuckDBPyConnection) -> None:
    days = {"one_time": 30}
    out, there = "'c1', 'new', [], 1, 100", C1
    state = advanced(connection, "first", NOBODY, there, reentry=days)
    state = advanced(connection, "leaving", state, out, on=date(2026, 12, 1), reentry=days)
    state = advanced(connection, "back", state, there, on=date(2026, 12, 31), reentry=days)
    (entry,) = difference_of(connection, state, Stamp(3, 7, date(2026, 12, 31), "p1")).changes
    assert (entry.change, entry.days_out) == ("entered", None)


def test_without_a_re_entry_policy_exits_are_not_remembered(connection: duckdb.DuckDBPyConnection) -> None:
    state = advanced(connection, "first", NOBODY, C1)
    state = advanced(connection, "leaving", state, "'c1', 'new', [], 1, 100", on=date(2026, 12, 1))
    state = advanced(connection, "back", state, C1, on=date(2026, 12, 2))
    (entry,) = difference_of(connection, state, Stamp(3, 7, date(2026, 12, 2), "p1")).changes
    assert (entry.change, entry.days_out) == ("entered", None)


def test_an_id_is_the_same_whenever_a_change_is_told_again(connection: duckdb.DuckDBPyConnection) -> None:
    state = advanced(connection, "monday", NOBODY, C1, C2)
    first, again = (difference(connection, state).changes for _ in range(2))
    assert [change.id for change in first] == [change.id for change in again]
    assert len({change.id for change in first}) == 3


@pytest.mark.parametrize(
    "other", [Stamp(4, 7, MONDAY, "p1"), Stamp(3, 8, MONDAY, "p1"), Stamp(3, 7, TUESDAY, "p1")], ids=str
)
def test_ids_differ_by_everything_that_makes_a_change_another_one(
    connection: duckdb.DuckDBPyConnection, other: Stamp
) -> None:
    state = advanced(connection, "monday", NOBODY, C1)
    here, there = (difference_of(connection, state, stamp).changes for stamp in (STAMP, other))
    assert not {change.id for change in here} & {change.id for change in there}


def test_an_id_is_that_of_the_first_release(connection: duckdb.DuckDBPyConnection) -> None:
    """Whoever keeps ids finds them again: SHA-256 of shard|generation|date|customer|segment|change."""
    state = advanced(connection, "monday", NOBODY, "'c1', 'new', [], 1, 100")
    (change,) = difference(connection, state).changes
    assert change.id == hashlib.sha256(b"3|7|2026-11-23|c1|new|entered").hexdigest()[:32]


def test_changes_as_a_table_say_what_the_events_say(connection: duckdb.DuckDBPyConnection) -> None:
    state = advanced(connection, "monday", NOBODY, C1)
    rows = connection.execute(f"SELECT id, as_of, policy_version FROM ({changes_sql(state, STAMP)})").fetchall()
    assert set(rows) == {(change.id, MONDAY, "p1") for change in difference(connection, state).changes}
