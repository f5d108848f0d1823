"""Borders of the rules in a report, customers between them, and the rules that would hold the unclassified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import duckdb
import pytest
from dangol.reports.borders import Band, Border, band_sql, bands_between, borders_of, condition
from dangol.reports.distributions import Distribution, distributions, make_grid
from dangol.reports.gaps import suggestions
from dangol.segments.classify import classify
from dangol.segments.policy import Policy, default_policy, load_policy
from hypothesis import given, settings
from hypothesis import strategies as st

AS_OF = date(2026, 11, 22)
Customer = tuple[int | None, int, float | None]
"""R, F, M."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def policy_of(*rules: str) -> Policy:
    lines = [f"  - {{id: rule_{number}, where: '{rule}'}}" for number, rule in enumerate(rules)]
    return load_policy("\n".join(["rfm:", *lines]).encode(), "segments.yaml")


def with_rule(policy: Policy, where: str) -> Policy:
    """The policy with one more RFM rule behind the others."""
    return Policy("", (*policy.rfm, *policy_of(where).rfm))


def segmented(connection: duckdb.DuckDBPyConnection, customers: Iterable[Customer], policy: Policy) -> None:
    """Make relation `customers` of literal ones."""
    connection.execute("""
        CREATE OR REPLACE TABLE features (customer_id VARCHAR, recency_days BIGINT, orders_90d BIGINT, aov_90d DOUBLE,
            orders_lifetime BIGINT)
    """)
    rows = [[f"c{number}", *values, values[1]] for number, values in enumerate(customers)]
    if rows:
        connection.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?)", rows)
    classify(connection, policy, AS_OF)


def borders(policy: Policy, feature: str) -> list[tuple[float, bool]]:
    return [(border.value, border.below) for border in borders_of(policy, feature)]


def test_the_borders_are_those_of_the_rules_one_a_value() -> None:
    policy = default_policy()
    assert borders(policy, "recency_days") == [(3, True), (5, True), (7, True), (10, True), (29, True), (60, True)]
    assert borders(policy, "orders_90d") == [(0, True), (1, True), (5, True), (19, True), (20, True)]
    assert borders(policy, "aov_90d") == [(500_000, False), (2_000_000, False)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("recency_days < 8", [(7, True)]),
        ("recency_days > 8", [(8, True)]),
        ("30 <= recency_days", [(29, True)]),
        ("recency_days >= 0", []),
        ("recency_days == 4", [(3, True), (4, True)]),
        ("recency_days != 4", []),
        ("not (recency_days <= 2 or orders_lifetime > 9)", [(2, True)]),
        ("recency_days <= orders_90d", []),
    ],
)
def test_a_comparison_with_a_number_draws_a_border(rule: str, expected: list[tuple[float, bool]]) -> None:
    assert borders(policy_of(rule), "recency_days") == expected


def test_of_very_many_borders_some_are_taken() -> None:
    found = borders_of(policy_of(" or ".join(f"recency_days == {day}" for day in range(0, 200, 2))), "recency_days")
    assert 6 <= len(found) <= 12
    assert found == tuple(sorted(found))


VALUES = {"recency_days": [0, 3, 4, 5, 29, 30, 60, 61, 400], "aov_90d": [0.0, 499_999.5, 500_000.0, 2_000_000.0, 9e9]}


@pytest.mark.parametrize("feature", VALUES)
def test_a_band_as_a_rule_holds_whom_the_band_holds(connection: duckdb.DuckDBPyConnection, feature: str) -> None:
    found = (*borders_of(default_policy(), feature), *([Border(3_000_000, True)] if feature == "aov_90d" else []))
    for number, band in enumerate(bands_between(found)):
        rule = condition(feature, band)
        for value in VALUES[feature]:
            customer = (int(value), 0, None) if feature == "recency_days" else (0, 0, value)
            segmented(connection, [customer], policy_of(rule))
            row = connection.execute(f"SELECT segment, {band_sql(feature, found)} FROM customers").fetchone()
            assert row is not None
            assert (row[0] == "rule_0") == (row[1] == number), (rule, value)


@pytest.mark.parametrize(
    ("feature", "band", "rule"),
    [
        ("recency_days", Band(None, Border(3, True)), "recency_days <= 3"),
        ("recency_days", Band(Border(60, True), None), "recency_days >= 61"),
        ("recency_days", Band(Border(10, True), Border(29, True)), "11 <= recency_days <= 29"),
        ("orders_90d", Band(None, Border(0, True)), "orders_90d == 0"),
        ("orders_90d", Band(Border(0, True), Border(1, True)), "orders_90d == 1"),
        ("orders_90d", Band(None, None), ""),
        ("aov_90d", Band(None, Border(500_000, True)), "aov_90d <= 500_000"),
        ("aov_90d", Band(Border(500_000, True), Border(2e6, False)), "500_000 < aov_90d < 2_000_000"),
        ("aov_90d", Band(Border(0.5, False), None), "aov_90d >= 0.5"),
    ],
)
def test_bands_are_written_as_people_write_rules(feature: str, band: Band, rule: str) -> None:
    assert condition(feature, band) == rule


# ---- distributions -----------------------------------------------------------------------------------------


def by_feature(connection: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, Distribution]:
    return {one.feature: one for one in distributions(connection, make_grid(connection, policy))}


def test_customers_are_counted_a_day_and_an_order_each_and_the_rest_is_told(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    customers: list[Customer] = [
        (0, 1, 100.0), (0, 2, 150.0), (90, 31, 1_000.0), (91, 0, None), (5, 1, 0.0), (None, 0, None),
    ]  # fmt: skip
    segmented(connection, customers, default_policy())
    found = by_feature(connection, default_policy())
    recency, orders, amount = found["recency_days"], found["orders_90d"], found["aov_90d"]
    assert {bar.low: bar.customers for bar in recency.bars if bar.customers} == {0: 2, 5: 1, 90: 1}
    assert (recency.beyond, recency.none, recency.missing) == (1, 0, 1)
    assert {bar.low: bar.customers for bar in orders.bars if bar.customers} == {1: 2, 2: 1}
    assert (orders.beyond, orders.none, orders.missing) == (1, 2, 0)
    assert [bar.customers for bar in amount.bars] == [1, 1, 0, 0, 0, 0, 1]
    assert (round(amount.bars[0].low), round(amount.bars[-1].high)) == (100, 1468)
    assert (amount.beyond, amount.none, amount.missing) == (0, 1, 2)
    assert [customers for _, customers in amount.bands] == [4, 0, 0]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 200), st.integers(0, 40), st.none() | st.floats(0, 1e7, allow_subnormal=False)
        ),
        max_size=30,
    )
)
def test_everybody_is_in_a_distribution_once(customers: list[Customer]) -> None:
    with duckdb.connect() as connection:
        segmented(connection, customers, default_policy())
        for one in by_feature(connection, default_policy()).values():
            bars = sum(bar.customers for bar in one.bars)
            assert bars + one.beyond + one.none + one.missing == len(customers)
            assert sum(count for _, count in one.bands) + one.missing == len(customers)


# ---- the unclassified --------------------------------------------------------------------------------------


def caught_by(
    connection: duckdb.DuckDBPyConnection, customers: Iterable[Customer], policy: Policy, where: list[str]
) -> list[int]:
    """How many each of these rules holds when it is really put behind the others, one after the other."""
    held = []
    for rule in where:
        longer = with_rule(policy, rule)
        segmented(connection, customers, longer)
        held.append(connection.execute("SELECT count(*) FROM customers WHERE segment = ?", ["rule_0"]).fetchall()[0][0])
        policy = Policy("", (*policy.rfm, type(longer.rfm[-1])(f"more_{len(held)}", "", longer.rfm[-1].where)))
    return held


SHOP: list[Customer] = [
    *[(2, 25, 900_000.0)] * 20,
    *[(8, 2, 100_000.0)] * 30,
    *[(20, 2, 100_000.0)] * 60,  # a gap of the default policy: 11 to 29 days
    *[(40, 2, 100_000.0)] * 50,
    *[(75, 2, 100_000.0)] * 15,
    *[(300, 0, None)] * 40,
    *[(None, 0, None)] * 5,
]


def test_the_rules_suggested_hold_as_many_as_they_say(connection: duckdb.DuckDBPyConnection) -> None:
    policy = default_policy()
    segmented(connection, SHOP, policy)
    found = suggestions(make_grid(connection, policy))
    assert [one.customers for one in found] == caught_by(connection, SHOP, policy, [one.where for one in found])
    assert [(one.where, one.customers) for one in found] == [
        ("11 <= recency_days <= 29", 60),
        ("recency_days >= 61", 55),
        ("orders_90d == 0", 5),
    ]
    assert sum(one.share for one in found) == pytest.approx(1)


def test_nothing_is_suggested_where_nobody_is_unclassified_or_there_are_no_borders(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    everybody = policy_of("recency_days >= 0")
    segmented(connection, [(5, 1, 10.0)], everybody)
    assert suggestions(make_grid(connection, everybody)) == ()
    no_borders = policy_of("orders_lifetime > 100")
    segmented(connection, [(5, 1, 10.0)], no_borders)
    assert suggestions(make_grid(connection, no_borders)) == ()
    segmented(connection, [], default_policy())
    assert suggestions(make_grid(connection, default_policy())) == ()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.sampled_from([0, 3, 8, 20, 29, 30, 60, 61, 200]),
            st.sampled_from([0, 1, 5, 19, 20, 30]),
            st.none() | st.sampled_from([1.0, 500_000.0, 600_000.0, 2e6, 3e6]),
        ),
        max_size=40,
    )
)
def test_whatever_the_customers_a_suggestion_holds_as_many_as_it_says(customers: list[Customer]) -> None:
    with duckdb.connect() as connection:
        policy = default_policy()
        segmented(connection, customers, policy)
        found = suggestions(make_grid(connection, policy))
        assert [one.customers for one in found] == caught_by(
            connection, customers, policy, [one.where for one in found]
        )
