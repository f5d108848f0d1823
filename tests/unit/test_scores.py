"""Scores are fifths of the whole base, the same however customers are spread over shards; groups cover all codes."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from random import Random

import duckdb
import pandas as pd
import pytest
from dangol.engine import connect
from dangol.segments.features import FEATURES
from dangol.segments.language.frames import columns_of
from dangol.segments.memberships import memberships
from dangol.segments.policy import default_policy, load_policy
from dangol.segments.scores import Borders, borders_of, score_sql
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import SEOUL

AS_OF = date(2026, 11, 22)
KINDS = {feature.name: feature.kind for feature in FEATURES}
BASE = b"rfm:\n  - {id: often, where: orders_90d > 5}\n"
Customer = tuple[int, int, float]
"""Days since the last order, orders ever, revenue ever; no orders: the first two are of no meaning."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(SEOUL, tmp_path_factory.mktemp("duckdb")) as connection:
        yield connection


def base(connection: duckdb.DuckDBPyConnection, customers: Sequence[Customer]) -> None:
    """Make table `base`, in the order given."""
    connection.execute("""
        CREATE OR REPLACE TABLE base (
            customer_id INTEGER, last_order_on DATE, orders_lifetime BIGINT, revenue_lifetime DOUBLE
        )
    """)
    rows = [
        (i, AS_OF - timedelta(days) if orders else None, orders, revenue)
        for i, (days, orders, revenue) in enumerate(customers)
    ]
    connection.executemany("INSERT INTO base VALUES (?, ?, ?, ?)", rows)


def scores(connection: duckdb.DuckDBPyConnection, borders: Borders | None) -> list[tuple[int | None, ...]]:
    """(r, f, m) of each customer of `base`."""
    columns = ", ".join(f"{sql} AS {name}" for name, sql in score_sql(borders).items())
    return connection.execute(f"SELECT {columns} FROM base ORDER BY customer_id").fetchall()


def test_ten_customers_are_two_in_each_fifth(connection: duckdb.DuckDBPyConnection) -> None:
    base(connection, [(i, 10 - i, 1000.0 * i) for i in range(10)])
    found = scores(connection, borders_of(connection, "base", AS_OF))
    assert [r for r, _, _ in found] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [f for _, f, _ in found] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [m for _, _, m in found] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_equal_customers_have_equal_scores(connection: duckdb.DuckDBPyConnection) -> None:
    base(connection, [(3, 1, 50.0)] * 7 + [(3, 2, 50.0), (3, 3, 50.0), (3, 9, 50.0)])
    found = scores(connection, borders_of(connection, "base", AS_OF))
    assert [f for _, f, _ in found] == [1] * 7 + [4, 5, 5]
    assert {(r, m) for r, _, m in found} == {(1, 1)}


def test_who_never_ordered_has_no_scores_and_moves_no_border(connection: duckdb.DuckDBPyConnection) -> None:
    customers = [(i, i + 1, 10.0 * i) for i in range(5)]
    base(connection, customers)
    without = borders_of(connection, "base", AS_OF)
    base(connection, [*customers, *[(0, 0, 0.0)] * 20])
    assert borders_of(connection, "base", AS_OF) == without
    assert scores(connection, without)[5:] == [(None, None, None)] * 20


def test_without_orders_there_are_no_borders_and_without_borders_no_scores(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    base(connection, [(0, 0, 0.0)])
    assert borders_of(connection, "base", AS_OF) is None
    base(connection, [(0, 3, 5.0)])
    assert scores(connection, None) == [(None, None, None)]


def test_borders_survive_their_text(connection: duckdb.DuckDBPyConnection) -> None:
    base(connection, [(i, i + 1, i / 3) for i in range(9)])
    borders = borders_of(connection, "base", AS_OF)
    assert borders is not None
    assert Borders.from_json(borders.to_json()) == borders


CUSTOMERS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 4), st.sampled_from([0.0, 0.1, 0.3, 1e6])), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(CUSTOMERS, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_the_customers(
    tmp_path_factory: pytest.TempPathFactory, customers: list[Customer], random: Random
) -> None:
    shuffled = random.sample(customers, len(customers))
    with connect(SEOUL, Path(tmp_path_factory.getbasetemp())) as connection:
        base(connection, customers)
        borders = borders_of(connection, "base", AS_OF)
        found = dict(zip(customers, scores(connection, borders), strict=True))
        base(connection, shuffled)
        assert borders_of(connection, "base", AS_OF) == borders
        # Each row is scored from the borders alone, as a shard is that knows no other.
        assert dict(zip(shuffled, scores(connection, borders), strict=True)) == found


# ---- groups ------------------------------------------------------------------------------------------------

CODES = pd.DataFrame(product(range(1, 6), repeat=3), columns=["r_score", "f_score", "m_score"], dtype=float)


def groups(scores_section: bytes, frame: pd.DataFrame) -> list[list[str]]:
    """The groups of each row."""
    policy = load_policy(BASE + scores_section, "segments.yaml")
    bits = memberships(policy, columns_of(frame, KINDS), AS_OF).others
    return [[segment for i, segment in enumerate(policy.other_ids) if row >> i & 1] for row in bits.tolist()]


def test_every_one_of_the_125_codes_is_in_exactly_one_standard_group() -> None:
    found = groups(b"scores: standard\n", CODES)
    assert len(found) == 125
    assert {len(of_a_code) for of_a_code in found} == {1}
    assert len({of_a_code[0] for of_a_code in found}) == 11


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("555", "champions"),
        ("544", "champions"),
        ("455", "loyal_customers"),
        ("344", "loyal_customers"),
        ("543", "potential_loyalists"),
        ("422", "potential_loyalists"),
        ("511", "new_customers"),
        ("521", "new_customers"),
        ("411", "promising"),
        ("333", "need_attention"),
        ("322", "about_to_sleep"),
        ("255", "at_risk_scores"),
        ("133", "at_risk_scores"),
        ("155", "cannot_lose"),
        ("144", "cannot_lose"),
        ("222", "hibernating"),
        ("122", "hibernating"),
        ("121", "lost"),
        ("111", "lost"),
    ],
)
def test_a_code_is_in_the_group_its_meaning_says(code: str, group: str) -> None:
    frame = pd.DataFrame([map(float, code)], columns=CODES.columns)
    assert groups(b"scores: standard\n", frame) == [[group]]


def test_who_has_no_scores_is_in_no_group() -> None:
    assert groups(b"scores: standard\n", CODES.iloc[:1] * float("nan")) == [[]]


def test_groups_of_scores_are_off_until_they_are_switched_on() -> None:
    assert default_policy().scores == ()
    assert not default_policy().needs.features & set(CODES.columns)


def test_a_shop_has_its_own_groups_and_the_first_that_holds_wins() -> None:
    section = b"scores:\n  - {id: best, where: r_score >= 4}\n  - {id: good, where: r_score >= 3}\n"
    section += b"segments:\n  - {id: both, where: \"in_segment('good') or in_segment('best')\"}\n"
    frame = pd.DataFrame({"r_score": [5.0, 3.0, 1.0]})
    assert groups(section, frame) == [["best", "both"], ["both", "good"], []]


def test_standard_groups_have_names_in_both_languages_and_a_purpose() -> None:
    policy = load_policy(BASE + b"scores: standard\n", "segments.yaml")
    assert len(policy.scores) == 11
    assert all(rule.name != rule.english and rule.description for rule in policy.scores)
