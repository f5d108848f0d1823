"""The definitions of design §3, by example: recency, the 90 days, missing values, and what does not exist yet."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.engine import connect
from dangol.segments.compute import Sources, make_features
from dangol.segments.features import FEATURE_COLUMNS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEOUL, rows_of

AS_OF = date(2026, 11, 22)
Order = tuple[str, str, str, bool]
"""(customer, date, net amount, whether it counts)."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(SEOUL, tmp_path_factory.mktemp("duckdb")) as connection:
        yield connection


def features(connection: duckdb.DuckDBPyConnection, *orders: Order, as_of: date = AS_OF) -> dict[str, dict[str, Any]]:
    """Customer → features, of literal orders."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE purchases (
            customer_id VARCHAR, ordered_on DATE, amount DECIMAL(18, 4), counted BOOLEAN
        )
    """)
    if orders:
        connection.executemany("INSERT INTO purchases VALUES (?, ?, ?, ?)", [list(order) for order in orders])
    make_features(connection, Sources("purchases"), as_of)
    return {row.pop("customer_id"): row for row in rows_of(connection, "FROM features")}


def kim(connection: duckdb.DuckDBPyConnection, *orders: tuple[str, str, bool], as_of: date = AS_OF) -> dict[str, Any]:
    """Features of one customer with these orders."""
    return features(connection, *(("kim", *order) for order in orders), as_of=as_of)["kim"]


def test_the_features_of_a_customer(connection: duckdb.DuckDBPyConnection) -> None:
    found = kim(connection, ("2026-01-01", "100", True), ("2026-11-01", "50", True), ("2026-11-20", "25.5", True))
    assert found == {
        "last_order_on": date(2026, 11, 20),
        "recency_days": 2,
        "orders_90d": 2,
        "aov_90d": 37.75,
        "orders_lifetime": 3,
        "revenue_lifetime": 175.5,
        "first_order_on": date(2026, 1, 1),
    }


def test_the_columns_are_the_documented_ones_in_their_types(connection: duckdb.DuckDBPyConnection) -> None:
    features(connection)
    described = connection.execute("DESCRIBE features").fetchall()
    assert tuple(row[0] for row in described) == FEATURE_COLUMNS
    assert [row[1] for row in described] == [
        "VARCHAR",
        "DATE",
        "BIGINT",
        "BIGINT",
        "DOUBLE",
        "BIGINT",
        "DOUBLE",
        "DATE",
    ]


@pytest.mark.parametrize(
    ("ordered_on", "recency"), [("2026-11-22", 0), ("2026-11-21", 1), ("2026-08-24", 90), ("2024-02-29", 997)]
)
def test_recency_counts_the_days_since_the_last_order(
    connection: duckdb.DuckDBPyConnection, ordered_on: str, recency: int
) -> None:
    assert kim(connection, ("2020-01-01", "1", True), (ordered_on, "1", True))["recency_days"] == recency


@pytest.mark.parametrize(
    ("ordered_on", "orders"), [("2026-11-22", 1), ("2026-08-25", 1), ("2026-08-24", 0), ("2026-08-23", 0)]
)
def test_the_window_is_open_90_days_ago_and_closed_today(
    connection: duckdb.DuckDBPyConnection, ordered_on: str, orders: int
) -> None:
    assert (AS_OF - date(2026, 8, 24)).days == 90
    assert kim(connection, (ordered_on, "70", True))["orders_90d"] == orders


def test_the_average_is_missing_without_orders_in_the_window(connection: duckdb.DuckDBPyConnection) -> None:
    found = kim(connection, ("2026-08-24", "70", True))
    assert found["aov_90d"] is None
    assert found["revenue_lifetime"] == 70


def test_the_average_is_of_the_window_only(connection: duckdb.DuckDBPyConnection) -> None:
    found = kim(connection, ("2026-08-24", "1000", True), ("2026-08-25", "10", True), ("2026-11-22", "20", True))
    assert found["aov_90d"] == 15


def test_an_order_after_the_day_does_not_exist_yet(connection: duckdb.DuckDBPyConnection) -> None:
    found = kim(connection, ("2026-11-20", "10", True), ("2026-11-23", "999", True))
    assert (found["recency_days"], found["orders_90d"], found["orders_lifetime"]) == (2, 1, 1)
    assert (found["revenue_lifetime"], found["last_order_on"]) == (10, date(2026, 11, 20))


def test_a_customer_with_nothing_but_later_orders_does_not_exist_yet(connection: duckdb.DuckDBPyConnection) -> None:
    orders = [("kim", "2026-11-23", "1", True), ("lee", "2026-11-22", "1", True)]
    assert list(features(connection, *orders)) == ["lee"]
    assert list(features(connection, *orders, as_of=date(2026, 11, 21))) == []


def test_a_customer_whose_orders_were_all_cancelled_has_features_of_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert kim(connection, ("2026-11-20", "10", False)) == {
        "last_order_on": None,
        "recency_days": None,
        "orders_90d": 0,
        "aov_90d": None,
        "orders_lifetime": 0,
        "revenue_lifetime": 0,
        "first_order_on": None,
    }


def test_an_order_that_does_not_count_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    counted = [("2026-11-01", "10", True), ("2026-06-01", "10", True)]
    ignored = [("2020-01-01", "5", False), ("2026-11-22", "5", False)]
    assert kim(connection, *counted, *ignored) == kim(connection, *counted)


def test_customers_are_kept_apart(connection: duckdb.DuckDBPyConnection) -> None:
    found = features(connection, ("kim", "2026-11-22", "1", True), ("Kim", "2026-11-21", "2", True))
    assert {name: row["revenue_lifetime"] for name, row in found.items()} == {"kim": 1, "Kim": 2}


def test_money_is_added_exactly(connection: duckdb.DuckDBPyConnection) -> None:
    found = kim(connection, *[("2026-11-22", "0.1", True)] * 10, ("2026-11-22", "1000000000000", True))
    assert found["revenue_lifetime"] == 1_000_000_000_001.0


DAYS = st.integers(-5, 130).map(lambda days: (AS_OF - timedelta(days)).isoformat())
ORDERS = st.lists(
    st.tuples(st.sampled_from(["kim", "lee"]), DAYS, st.integers(0, 10**6).map(lambda n: str(n / 4)), st.booleans()),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(ORDERS)
def test_features_follow_the_definitions_for_any_orders(orders: list[Order]) -> None:
    with duckdb.connect() as connection:
        assert features(connection, *orders) == by_definition(orders)


def by_definition(orders: list[Order]) -> dict[str, dict[str, Any]]:
    """Design §3, a customer at a time."""
    found = {}
    known = [order for order in orders if date.fromisoformat(order[1]) <= AS_OF]
    for customer in {order[0] for order in known}:
        counted = [(date.fromisoformat(on), Decimal(m)) for name, on, m, counts in known if name == customer and counts]
        recent = [amount for on, amount in counted if AS_OF - timedelta(90) < on <= AS_OF]
        days = [on for on, _ in counted]
        found[customer] = {
            "last_order_on": max(days, default=None),
            "recency_days": (AS_OF - max(days)).days if days else None,
            "orders_90d": len(recent),
            "aov_90d": float(sum(recent)) / len(recent) if recent else None,
            "orders_lifetime": len(counted),
            "revenue_lifetime": float(sum(amount for _, amount in counted)),
            "first_order_on": min(days, default=None),
        }
    return found


def test_the_same_orders_have_the_same_features_in_any_order_of_rows(connection: duckdb.DuckDBPyConnection) -> None:
    orders: list[Order] = [(f"c{i % 7}", f"2026-{1 + i % 11:02}-01", f"{i}.3", True) for i in range(50)]
    assert features(connection, *orders) == features(connection, *reversed(orders))


def test_connections_are_in_the_shops_zone(tmp_path: Path) -> None:
    with connect(SEOUL, tmp_path) as connection:
        zone, local = connection.execute(
            "SELECT current_setting('TimeZone'), TIMESTAMPTZ '2026-01-01 20:00:00Z'::TIMESTAMP::VARCHAR"
        ).fetchall()[0]
    assert (zone, local) == ("Asia/Seoul", "2026-01-02 05:00:00")
