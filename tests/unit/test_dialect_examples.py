"""The example file of every dialect, against orders worked out by hand from its rows.

Every file is read both ways, for the ledger and for RFM, and its rejects come back corrected.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from dangol.errors import UnreadableFile
from dangol.files.rejects import rejects_csv
from dangol.identity import LOCAL_KEY, person
from dangol.orders.describe import builtin_dialects

from tests.builders import Outcome
from tests.unit.conftest import Read

EXPORTS = Path(__file__).resolve().parents[2] / "examples" / "exports"

Order = tuple[str, str | None, str, str, float, float, str | None, float | None, int | None]
"""(order_id, customer, ordered at, status, amount, refunded, coupon, discount, line items)."""


def key_of(email: str | None = None, phone: str | None = None) -> str | None:
    return person(None, email, phone, LOCAL_KEY)


JIWOO, MINSEO, DOYUN, HAEUN, SORA, DANIEL = (
    key_of(f"{name}@example.com") for name in ("jiwoo", "minseo", "doyun", "haeun", "sora", "daniel")
)


@dataclass(frozen=True)
class Example:
    file: str
    orders: list[Order]
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, column, value)."""
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    corrections: Mapping[str, str] = field(default_factory=dict)
    """What to put into a column at fault so that its row can be used."""
    mended: int = 0
    """Orders that the corrected rejects file brings."""
    password: str | None = None


SMARTSTORE: list[Order] = [
    # 30,000 + 20,000, and 3,000 for the parcel they share
    ("202611018000111", "jiwoo01", "2026-11-01 09:30", "paid", 53000, 0, None, 2000, 2),
    # two parcels, 3,000 and 2,500; the tea of 15,000 was cancelled; the buyer's id is masked
    (
        *("202611028000211", key_of(phone="010-2345-6789"), "2026-11-02 23:59", "partially_refunded"),
        *(30500, 15000, None, 0, 2),
    ),
    ("202611038000311", "doyun", "2026-11-03 12:00", "cancelled", 19000, 0, None, 0, 1),
    ("202611048000411", "doyun", "2026-11-04 12:00", "refunded", 20000, 0, None, 0, 1),
    ("202611058000511", "haeun", "2026-11-05 08:00", "paid", 18000, 0, None, 1000, 1),
    ("202611068000611", "haeun", "2026-11-06 18:00", "paid", 75000, 0, None, 6000, 2),
]

EXAMPLES = [
    Example(
        "plain.csv",
        [
            ("o1", "kim", "2026-11-01 09:00", "paid", 30000, 0, "WELCOME", 3000, 2),
            ("o2", "lee", "2026-11-03 08:30", "paid", 12000.5, 2000.5, None, None, 1),  # 23:30 in Greenwich
            ("o3", "park", "2026-11-03 00:00", "cancelled", 15000, 0, None, None, 1),
            ("o4", "choi", "2026-11-04 00:00", "unpaid", 15000, 0, None, None, 1),
        ],
        [(7, "customer_id", "")],
        (6, 5, 0, 1),
        {"customer_id": "jung"},
        1,
    ),
    Example(
        "plain_korean.csv",
        [
            ("o1", "kim", "2026-11-01 09:00", "paid", 30000, 0, "첫구매", 3000, None),
            ("o2", key_of("lee@example.com"), "2026-11-02 23:30", "paid", 12000, 2000, None, None, None),
            ("o3", "park", "2026-11-03 00:00", "cancelled", 15000, 0, None, None, None),
        ],
        counts=(3, 3, 0, 0),
    ),
    Example(
        "shopify.csv",
        [
            ("#1001", JIWOO, "2026-10-07 09:50", "paid", 131000, 0, None, 0, 2),
            # 15:30 at +0100 is 23:30 in Seoul
            ("#1002", MINSEO, "2026-10-31 23:30", "partially_refunded", 54000, 18000, "AUTUMN10", 6000, 1),
            ("#1003", MINSEO, "2026-11-02 10:00", "unpaid", 43000, 0, None, 0, 1),
            ("#1004", key_of(phone="010-3456-7890"), "2026-11-03 12:00", "paid", 25000, 0, None, 0, 1),
            ("#1005", HAEUN, "2026-11-04 09:00", "cancelled", 77000, 77000, None, 0, 1),
            ("#1006", HAEUN, "2026-11-20 20:15", "paid", 130000, 0, None, 0, 2),
        ],
        [(10, "Currency", "USD"), (11, "Email", ""), (12, "Financial Status", "chargeback")],
        (11, 8, 0, 3),
        {"Currency": "KRW", "Email": "cash@example.com", "Financial Status": "refunded"},
        3,
    ),
    Example(
        "woocommerce.csv",
        [
            ("2001", JIWOO, "2026-01-15 12:00", "paid", 55000, 0, None, 0, 2),
            ("2002", MINSEO, "2026-02-01 09:30", "paid", 43000, 0, "HELLO5000", 5000, 1),
            ("2003", DOYUN, "2026-02-02 18:00", "unpaid", 33000, 0, None, 0, 1),
            ("2004", HAEUN, "2026-02-03 08:00", "refunded", 20000, 20000, None, 0, 1),
            ("2005", HAEUN, "2026-02-05 21:10", "paid", 68000, 20000, None, 0, 2),
            ("2006", SORA, "2026-02-06 10:00", "cancelled", 19000, 0, None, 0, 1),
            ("2007", SORA, "2026-02-06 10:05", "unpaid", 19000, 0, None, 0, 1),
            ("2008", key_of(phone="010-9876-5432"), "2026-02-07 11:00", "paid", 16000, 0, None, 0, 1),
        ],
        [(12, "Order Status", "Pre-ordered")],
        (11, 10, 0, 1),
        {"Order Status": "Completed"},
        1,
    ),
    Example(
        "magento.csv",
        [
            ("000000101", JIWOO, "2026-03-01 10:00", "paid", 120000, 0, None, None, None),
            ("000000102", MINSEO, "2026-03-02 11:30", "paid", 45000, 0, None, None, None),
            ("000000103", MINSEO, "2026-03-03 12:00", "paid", 80000, 30000, None, None, None),
            ("000000104", DOYUN, "2026-03-04 12:00", "refunded", 60000, 60000, None, None, None),
            ("000000105", DOYUN, "2026-03-05 12:00", "cancelled", 10000, 0, None, None, None),
            ("000000106", HAEUN, "2026-03-06 12:00", "unpaid", 70000, 0, None, None, None),
            ("000000107", HAEUN, "2026-03-07 12:00", "unpaid", 70000, 0, None, None, None),
            ("000000108", SORA, "2026-03-08 23:59", "paid", 0, 0, None, None, None),
            ("000000110", DANIEL, "2026-03-10 12:00", "paid", 15000, 0, None, None, None),
        ],
        [(12, "Customer Email", "")],  # a line break in the first record makes it one line later
        (10, 9, 0, 1),
        {"Customer Email": "daniel@example.com"},
        1,
    ),
    Example(
        "cafe24.csv",
        [
            ("20261101-0000011", "jiwoo", "2026-11-01 10:12", "paid", 228000, 0, None, 6000, 2),
            # of shirt and belt the belt came back
            ("20261103-0000021", "minseo@n", "2026-11-03 21:00", "partially_refunded", 98000, 39000, None, 0, 2),
            ("20261105-0000031", "doyun", "2026-11-05 09:00", "unpaid", 28000, 0, None, 0, 1),
            ("20261106-0000041", HAEUN, "2026-11-06 13:30", "paid", 77000, 0, None, 0, 1),
            (
                *("20261107-0000051", key_of(phone="010-5678-9012"), "2026-11-07 14:00", "cancelled"),
                *(43000, 43000, None, 0, 1),
            ),
            ("20261108-0000061", key_of(phone="010-5678-9012"), "2026-11-08 15:00", "paid", 43000, 0, None, 0, 1),
        ],
        [(10, "총 실결제금액(최초정보) (KRW)", "삼만원"), (11, "", "")],
        (10, 8, 0, 2),
        {"총 실결제금액(최초정보) (KRW)": "34,000"},
        1,
    ),
    Example(
        "smartstore.xlsx",
        SMARTSTORE,
        [(12, "주문상태", "우주배송")],  # row 12 of the sheet
        (10, 9, 0, 1),
        {"주문상태": "배송중"},
        1,
    ),
    Example(
        "smartstore_protected.xlsx", SMARTSTORE, [(12, "주문상태", "우주배송")], (10, 9, 0, 1), password="단골1234"
    ),
    Example("smartstore.csv", SMARTSTORE, [(11, "주문상태", "우주배송")], (10, 9, 0, 1)),
    Example(
        "uci.csv",
        [
            ("489434", "13085", "2009-12-01 07:45", "paid", 164.4, 0, None, None, 2),  # 12 × 6.95 + 12 × 6.75
            ("489435", "13085", "2009-12-01 07:46", "paid", 30.6, 0, None, None, 1),
            ("489436", "13078", "2009-12-13 09:06", "paid", 157.6, 0, None, None, 2),  # 59.50 + 98.10
            # 27.44 + 94.64; C489438 took 10 × 1.69 back
            ("489438", "18102", "2009-12-01 09:24", "partially_refunded", 122.08, 16.9, None, None, 3),
            ("489439", "12682", "2009-12-01 09:28", "paid", 0, 0, None, None, 1),
            ("489440", "18087", "2009-12-01 09:43", "partially_refunded", 39.6, 4.6, None, None, 2),
            ("C489449", "16321", "2009-12-01 10:33", "cancelled", 0, 0, None, None, 2),  # its invoice is not here
        ],
        [(9, "Customer ID", ""), (16, "Quantity", "many")],
        (15, 13, 0, 2),
        {"Customer ID": "13085", "Quantity": "3"},
        2,
    ),
]


def read_example(read: Read, example: Example) -> Outcome:
    return read((EXPORTS / example.file).read_bytes(), names=[example.file], password=example.password)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
def test_the_orders_of_an_example_are_those_worked_out_by_hand(read_orders: Read, example: Example) -> None:
    outcome = read_example(read_orders, example)
    found = [
        (
            *(order["order_id"], order["customer_id"], f"{order['ordered_at']:%Y-%m-%d %H:%M}", order["status"]),
            *(float(order["amount"]), float(order["refunded"]), order["coupon"]),
            None if order["discount"] is None else float(order["discount"]),
            None if order["lines"] is None else len(order["lines"]),
        )
        for order in outcome.orders
    ]
    assert found == example.orders


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
def test_both_ways_of_reading_an_example_agree(read: Read, example: Example) -> None:
    outcome = read_example(read, example)
    expected = [
        (customer, at[:10], Decimal(str(amount)) - Decimal(str(refunded)), counts(status, amount, refunded))
        for _, customer, at, status, amount, refunded, *_ in example.orders
    ]
    assert outcome.purchases == sorted(expected)  # type: ignore[type-var]
    assert outcome.counts == example.counts
    assert [(reject.line, reject.column, reject.value) for reject in outcome.rejects] == example.rejects


def counts(status: str, amount: float, refunded: float) -> bool:
    return status in ("paid", "partially_refunded") and not 0 < amount <= refunded


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.mended], ids=lambda example: example.file)
def test_the_rejects_of_an_example_come_back_corrected(read: Read, example: Example) -> None:
    outcome = read_example(read, example)
    rows = list(csv.DictReader(io.StringIO(rejects_csv(outcome.rejects), newline="")))
    for row in rows:
        if row["column"]:
            row[row["column"]] = example.corrections[row["column"]]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    again = read(text.getvalue())
    assert again.rejects == []
    assert len(again.purchases) == example.mended


def test_an_export_that_names_nobody_is_refused_with_the_one_to_use_instead(read: Read) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read((EXPORTS / "woocommerce_analytics.csv").read_bytes())
    assert "neither e-mail nor customer id" in str(caught.value)
    assert "Advanced Order Export" in str(caught.value)


def test_every_dialect_has_an_example() -> None:
    files = {path.name for path in EXPORTS.iterdir()}
    assert all(any(name.startswith(dialect.name) for name in files) for dialect in builtin_dialects())
