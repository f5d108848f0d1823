"""What people look at: the summary in numbers, in the terminal and as a page."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from dangol.files.receipt import Receipt
from dangol.reports.summary import Summary, bands, summarise
from dangol.reports.text import aligned, receipt_text, summary_text
from dangol.segments.policy import Policy, load_policy

AS_OF = date(2026, 11, 22)
POLICY = load_policy(
    b"rfm:\n  - {id: often, name: \xec\x9e\x90\xec\xa3\xbc, where: orders_90d > 5}\n"
    b"  - {id: nobody, where: orders_90d > 500}\n"
    b"segments:\n  - {id: one_time, name: Once, where: orders_lifetime == 1}\n",
    "segments.yaml",
)
Customer = tuple[str, int | None, int, float | None, float, list[str]]
"""(segment, R, F, M, revenue, other segments)."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def summary_of(connection: duckdb.DuckDBPyConnection, *customers: Customer, policy: Policy = POLICY) -> Summary:
    """The summary of literal customers."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE customers (
            segment VARCHAR, recency_days BIGINT, orders_90d BIGINT, aov_90d DOUBLE, revenue_lifetime DOUBLE,
            segments VARCHAR[], orders_lifetime BIGINT DEFAULT 2
        )
    """)
    if customers:
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, 2)", [list(row) for row in customers])
    return summarise(connection, policy, AS_OF)


EXAMPLE: list[Customer] = [
    ("often", 1, 6, 10.0, 60.0, []),
    ("often", 4, 9, 20.0, 180.0, []),
    ("unclassified", 20, 1, 50.0, 50.0, ["one_time"]),
    ("unclassified", None, 0, None, 0.0, []),
    ("unclassified", 95, 0, None, 110.0, ["one_time"]),
]


def test_a_segment_has_its_size_its_shares_and_its_medians(connection: duckdb.DuckDBPyConnection) -> None:
    often = summary_of(connection, *EXAMPLE).rfm[0]
    assert (often.id, often.name, often.customers, often.customer_share, often.revenue_share) == (
        "often", "자주", 2, 0.4, 0.6
    )  # fmt: skip
    assert (often.median_r, often.median_f, often.median_m) == (2.5, 7.5, 15)


def test_a_segment_without_customers_is_listed_with_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    summary = summary_of(connection, *EXAMPLE)
    assert [line.id for line in summary.rfm] == ["often", "nobody", "unclassified"]
    nobody = summary.rfm[1]
    assert (nobody.customers, nobody.customer_share, nobody.revenue_share, nobody.median_r) == (0, 0, 0, None)


def test_shares_add_up_and_totals_are_those_of_all(connection: duckdb.DuckDBPyConnection) -> None:
    summary = summary_of(connection, *EXAMPLE)
    assert (summary.customers, summary.revenue, summary.as_of) == (5, 400, AS_OF)
    assert sum(line.customer_share for line in summary.rfm) == pytest.approx(1)
    assert sum(line.revenue_share for line in summary.rfm) == pytest.approx(1)


def test_other_segments_are_counted(connection: duckdb.DuckDBPyConnection) -> None:
    assert summary_of(connection, *EXAMPLE).segments == [("one_time", "Once", 2)]


def test_a_shop_without_customers_or_revenue_has_a_summary(connection: duckdb.DuckDBPyConnection) -> None:
    assert summary_of(connection).customers == 0
    free = summary_of(connection, ("often", 1, 6, 0.0, 0.0, []))
    assert (free.rfm[0].customer_share, free.rfm[0].revenue_share) == (1, 0)


@pytest.mark.parametrize(
    ("r", "band"),
    [(0, "0–3"), (3, "0–3"), (4, "4–10"), (10, "4–10"), (11, "11–29"), (29, "11–29"), (30, "30–60"), (60, "30–60"),
     (61, "61–90"), (90, "61–90"), (91, "91+"), (None, "—")],
)  # fmt: skip
def test_the_unclassified_lie_in_bands_of_recency(
    connection: duckdb.DuckDBPyConnection, r: int | None, band: str
) -> None:
    summary = summary_of(connection, ("unclassified", r, 1, 1.0, 1.0, []), ("often", 50, 6, 1.0, 1.0, []))
    assert summary.unclassified == [(band, {"0": 0, "1": 1, "2–5": 0, "6–19": 0, "20+": 0})]


@pytest.mark.parametrize(
    ("f", "band"), [(0, "0"), (1, "1"), (2, "2–5"), (5, "2–5"), (6, "6–19"), (19, "6–19"), (20, "20+"), (99, "20+")]
)
def test_the_unclassified_lie_in_bands_of_orders(connection: duckdb.DuckDBPyConnection, f: int, band: str) -> None:
    ((_, counts),) = summary_of(connection, ("unclassified", 1, f, 1.0, 1.0, [])).unclassified
    assert {name: count for name, count in counts.items() if count} == {band: 1}


def test_bands_of_recency_come_in_order_and_only_where_somebody_is(connection: duckdb.DuckDBPyConnection) -> None:
    customers: list[Customer] = [("unclassified", r, 0, None, 1.0, []) for r in (None, 95, 20, 95)]
    found = summary_of(connection, *customers).unclassified
    assert [(days, counts["0"]) for days, counts in found] == [("11–29", 1), ("91+", 2), ("—", 1)]
    assert bands("recency_days") == ("0–3", "4–10", "11–29", "30–60", "61–90", "91+")


# ---- terminal --------------------------------------------------------------------------------------------


def test_the_summary_is_an_aligned_table(connection: duckdb.DuckDBPyConnection) -> None:
    assert summary_text(summary_of(connection, *EXAMPLE)).splitlines() == [
        "segment               customers  share  revenue     R    F   M",
        "often         자주            2  40.0%    60.0%   2.5  7.5  15",
        "nobody        nobody          0   0.0%     0.0%     —    —   —",
        "unclassified  미분류          3  60.0%    40.0%  57.5    0  50",
        "",
        "also in         customers  share",
        "one_time  Once          2  40.0%",
    ]


def test_the_summary_ends_with_the_segments_that_hold_nobody(connection: duckdb.DuckDBPyConnection) -> None:
    alone = summary_text(summary_of(connection, ("often", 1, 6, 10.0, 60.0, [])))
    assert alone.splitlines()[-2:] == ["", "nobody is in one_time"]


def test_korean_letters_are_two_cells_wide() -> None:
    assert aligned([("가나", "1"), ("abcde", "22")], left=1) == "가나    1\nabcde  22"


def test_a_receipt_is_a_sum_and_says_what_rows_were_rejected_for() -> None:
    receipt = Receipt(("a.csv",), 1_003, 1_000, 1, 2, {"amount": 1, "(row)": 1})
    assert receipt_text(receipt).splitlines() == [
        "1,003 rows read = 1,000 accepted + 1 superseded + 2 rejected",
        "  rejected for: amount 1, (row) 1",
    ]
    assert "\n" not in receipt_text(Receipt(("a.csv",), 1, 1, 0, 0))


def test_a_receipt_that_does_not_add_up_cannot_be_made() -> None:
    with pytest.raises(AssertionError, match="does not add up"):
        Receipt(("a.csv",), 3, 1, 1, 0)
