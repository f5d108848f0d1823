"""How one state follows from the one before, and what leads from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from dangol.segments.state import EMPTY_STATE, Change, Difference, advance_sql, difference, everyone

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOBODY = f"({EMPTY_STATE})"


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
            CASE WHEN orders > 0 THEN DATE '2026-11-20' END AS last_order_on
        FROM (VALUES {values}) AS rows(customer_id, segment, segments, orders, aov)
    )"""


def advanced(
    connection: duckdb.DuckDBPyConnection, name: str, before: str, *rows: str, on: date = MONDAY, version: str = "p1"
) -> str:
    """The state that follows, as a table of the name."""
    sql = advance_sql(before, classified(*rows), on, version)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
    return name


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
    assert found.changes == [
        Change("c1", "new", "entered", None, "new", MONDAY),
        Change("c1", "one_time", "entered", None, "one_time", MONDAY),
        Change("c2", "unclassified", "entered", None, "unclassified", MONDAY),
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
    assert found.changes == [
        Change("c1", "loyal", "entered", "new", "loyal", TUESDAY),
        Change("c1", "new", "exited", "new", "loyal", None),
    ]
    (written,) = found.written
    assert (written.previous_segment, list(written.since)) == ("new", [TUESDAY, MONDAY])
    wednesday = advanced(connection, "wednesday", tuesday, "'c1', 'loyal', ['one_time'], 2, 100", on=date(2026, 11, 25))
    (written,) = everyone(connection, wednesday)
    assert (written.previous_segment, list(written.since)) == ("new", [TUESDAY, MONDAY])


def test_other_segments_are_joined_and_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, C1)
    tuesday = advanced(connection, "tuesday", monday, "'c1', 'new', ['repeat'], 1, 100", on=TUESDAY)
    assert difference(connection, tuesday).changes == [
        Change("c1", "one_time", "exited", "one_time", None, None),
        Change("c1", "repeat", "entered", None, "repeat", TUESDAY),
    ]


def test_who_is_no_more_leaves_everything(connection: duckdb.DuckDBPyConnection) -> None:
    monday = advanced(connection, "monday", NOBODY, C1, C2)
    tuesday = advanced(connection, "tuesday", monday, C2, on=TUESDAY)
    found = difference(connection, tuesday)
    assert found.removed == ["c1"]
    assert found.written == []
    assert found.changes == [
        Change("c1", "new", "exited", "new", None, None),
        Change("c1", "one_time", "exited", "one_time", None, None),
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
