"""From the table of features to the segments of each customer, in DuckDB."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from dangol.engine import connect
from dangol.segments.classify import classify
from dangol.segments.features import FEATURES, NUMBER
from dangol.segments.language.person import Interaction
from dangol.segments.policy import Policy, load_policy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import alone
from tests.builders import SEOUL, rows_of

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(SEOUL, tmp_path_factory.mktemp("duckdb")) as connection:
        yield connection


def policy(*segments: str, rfm: str = "orders_90d > 5") -> Policy:
    """Segments s00, s01, … of these rules."""
    rules = "".join(f"  - {{id: s{i:02}, where: {json.dumps(where)}}}\n" for i, where in enumerate(segments))
    return load_policy(f"rfm:\n  - {{id: often, where: {rfm}}}\nsegments:\n{rules}".encode(), "segments.yaml")


def segments(connection: duckdb.DuckDBPyConnection, rules: Policy) -> dict[str, tuple[str, list[str]]]:
    classify(connection, rules, AS_OF)
    rows = connection.execute("SELECT customer_id, segment, segments FROM customers").fetchall()
    return {customer: (segment, others) for customer, segment, others in rows}


def features(connection: duckdb.DuckDBPyConnection, columns: str, *rows: str) -> None:
    """Make table `features` of such columns and rows as SQL."""
    names = ", ".join(column.split()[0] for column in columns.split(", "))
    connection.execute(f"CREATE OR REPLACE TABLE features (customer_id VARCHAR, {columns})")
    connection.execute(f"INSERT INTO features (customer_id, {names}) VALUES {', '.join(rows)}")


def test_every_kind_of_feature_is_read_from_its_column(connection: duckdb.DuckDBPyConnection) -> None:
    columns = "orders_90d BIGINT, aov_90d DOUBLE, subscribed_on DATE, city VARCHAR, accepts_email BOOLEAN"
    rows = ("('a', 9, 2.5, DATE '2026-11-01', 'SEOUL', true)", "('b', NULL, NULL, NULL, NULL, NULL)")
    features(connection, columns, *rows, "('c', 1, 0, DATE '1969-12-31', '서울', false)")
    rules = policy(
        "aov_90d == 2.5",
        "subscribed_on >= today - 1 month",
        "subscribed_on < '1970-01-01'",
        "city == 'Seoul'",
        "starts_with(city, '서')",
        "accepts_email",
        "missing(city) and missing(subscribed_on) and missing(accepts_email) and missing(orders_90d)",
    )
    assert segments(connection, rules) == {
        "a": ("often", ["s00", "s01", "s03", "s05"]),
        "b": ("unclassified", ["s06"]),
        "c": ("unclassified", ["s02", "s04"]),
    }


def test_the_columns_of_customers_are_those_of_features_and_the_segments(connection: duckdb.DuckDBPyConnection) -> None:
    features(connection, "orders_90d BIGINT, city VARCHAR", "('a', 1, 'x')")
    classify(connection, policy("city == 'x'"), AS_OF)
    (row,) = rows_of(connection, "FROM customers")
    assert row == {"customer_id": "a", "orders_90d": 1, "city": "x", "segment": "unclassified", "segments": ["s00"]}
    described = {name: kind for name, kind, *_ in connection.execute("DESCRIBE customers").fetchall()}
    assert (described["segment"], described["segments"]) == ("VARCHAR", "VARCHAR[]")


def test_a_feature_without_a_column_or_with_nothing_in_it_is_missing(connection: duckdb.DuckDBPyConnection) -> None:
    features(connection, "orders_90d BIGINT, last_product VARCHAR, last_category DOUBLE", "('a', 1, NULL, NULL)")
    rules = policy(
        "missing(city) and missing(last_product) and missing(last_category) and missing(age)",
        "city != 'x' or last_product != 'x' or last_category != 'x' or age != 1 or near('Seoul', 1) or accepts_push",
    )
    assert segments(connection, rules) == {"a": ("unclassified", ["s00"])}


def test_a_shop_without_customers_has_an_empty_view(connection: duckdb.DuckDBPyConnection) -> None:
    features(connection, "orders_90d BIGINT, city VARCHAR", "('a', 1, 'x')")
    connection.execute("DELETE FROM features")
    assert segments(connection, policy("city == 'x'", "orders_90d > 1")) == {}


def test_a_policy_of_rfm_rules_alone_will_do(connection: duckdb.DuckDBPyConnection) -> None:
    features(connection, "orders_90d BIGINT", "('a', 6)", "('b', 5)")
    rules = load_policy(b"rfm:\n  - {id: often, where: orders_90d > 5}\n", "segments.yaml")
    assert segments(connection, rules) == {"a": ("often", []), "b": ("unclassified", [])}


def interactions(connection: duckdb.DuckDBPyConnection, *rows: tuple[Any, ...]) -> None:
    """(customer_id, kind, happened_on, product_id, product_name, category)."""
    connection.execute("""
        CREATE OR REPLACE TABLE interactions (
            customer_id VARCHAR, kind VARCHAR, happened_on DATE, product_id VARCHAR, product_name VARCHAR,
            category VARCHAR
        )
    """)
    connection.executemany("INSERT INTO interactions VALUES (?, ?, ?, ?, ?, ?)", [list(row) for row in rows])


def test_interactions_are_asked_for_by_kind_thing_and_time(connection: duckdb.DuckDBPyConnection) -> None:
    features(connection, "orders_90d BIGINT", "('a', 6)", "('b', 5)", "('c', 5)", "('d', 0)")
    interactions(
        connection,
        ("a", "bought", "2026-10-23", "P1", "울 코트", "코트"),
        ("b", "bought", "2026-10-24", "P1", None, "코트"),
        ("c", "carted", "2026-11-22", "p1", "It's a coat", None),
        ("nobody", "bought", "2026-11-22", "p1", None, "코트"),
    )
    rules = policy(
        "bought('코트')",
        "bought('코트', 30 days)",
        "not bought('p1')",
        "carted('P1') or viewed('P1')",
        'carted("it\'s a COAT")',
        "bought('코트', 1 month)",
        "wished('코트')",
    )
    assert rules.needs.interactions
    assert {customer: others for customer, (_, others) in segments(connection, rules).items()} == {
        "a": ["s00", "s05"],
        "b": ["s00", "s01", "s05"],
        "c": ["s02", "s03", "s04"],
        "d": ["s02"],
    }


NUMBERS = [feature.name for feature in FEATURES if feature.kind == NUMBER]


@pytest.mark.parametrize("segments", [1, 12, 13, 26])
def test_any_number_of_combinations_is_told_apart(connection: duckdb.DuckDBPyConnection, segments: int) -> None:
    """More rows than are evaluated at once, in all combinations of few segments, in as many as there are rows of 26."""
    names = NUMBERS[:segments]
    bits = ", ".join(f"(i * 40_503) >> {bit} & 1 AS {name}" for bit, name in enumerate(names))
    connection.execute(f"""
        CREATE OR REPLACE TABLE features AS
        SELECT i::VARCHAR AS customer_id, {bits} FROM range(70_000) AS rows(i)
    """)
    classify(connection, policy(*(f"{name} == 1" for name in names), rfm="1 < 0"), AS_OF)
    cases = ", ".join(f"CASE WHEN {name} = 1 THEN 's{bit:02}' END" for bit, name in enumerate(names))
    differing = connection.execute(f"""
        SELECT count(*) FROM customers WHERE segments <> list_filter([{cases}], lambda id: id IS NOT NULL)
    """).fetchall()
    assert differing == [(0,)]


# ---- like each customer alone -------------------------------------------------------------------------------

RULES = policy(
    "orders_90d / (orders_90d - 1) >= 2 or aov_90d != 2.5",
    "subscribed_on + 1 month <= today",
    "city in ('SEOUL', 'x') or contains(city, '울')",
    "accepts_email or missing(accepts_email)",
    "bought('코트', 30 days)",
    "bought('p1') and not viewed('P1', 1 month)",
    "in_segment('often') and not in_segment('s03')",
    "near('Seoul', 20)",
)
COLUMNS = {
    "orders_90d": "BIGINT",
    "aov_90d": "DOUBLE",
    "subscribed_on": "DATE",
    "city": "VARCHAR",
    "accepts_email": "BOOLEAN",
    "latitude": "DOUBLE",
    "longitude": "DOUBLE",
}
CUSTOMERS = st.lists(
    st.fixed_dictionaries(
        {
            "orders_90d": st.sampled_from([None, 0, 1, 2, 9]),
            "aov_90d": st.sampled_from([None, 2.5, -1.0, 1e300]),
            "subscribed_on": st.sampled_from([None, date(2026, 10, 22), date(2026, 10, 23), date(1, 1, 1)]),
            "city": st.sampled_from([None, "", "Seoul", "서울시", "X"]),
            "accepts_email": st.sampled_from([None, True, False]),
            "latitude": st.sampled_from([None, 37.5]),
            "longitude": st.sampled_from([None, 127.0]),
        }
    ),
    min_size=1,
    max_size=5,
)
DONE = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["bought", "viewed"]),
        st.sampled_from([AS_OF, date(2026, 10, 23), date(2026, 10, 24), date(2020, 1, 1)]),
        st.sampled_from([None, "P1"]),
        st.sampled_from([None, "코트", "p1"]),
        st.sampled_from([None, "코트"]),
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(CUSTOMERS, DONE)
def test_the_database_says_of_everybody_what_holds_of_each_alone(
    connection: duckdb.DuckDBPyConnection, customers: list[dict[str, Any]], done: list[tuple[Any, ...]]
) -> None:
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE OR REPLACE TABLE features (customer_id VARCHAR, {declared})")
    rows = [[str(i), *(customer[name] for name in COLUMNS)] for i, customer in enumerate(customers)]
    connection.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    interactions(connection, *((str(i), *facts) for i, *facts in done or [(99, "viewed", AS_OF, None, None, None)]))
    found = segments(connection, RULES)
    for i, customer in enumerate(customers):
        theirs = [Interaction(*facts) for who, *facts in done if who == i]
        segment, others = found[str(i)]
        assert {segment, *others} == alone.segments_of(RULES, customer, AS_OF, theirs)
