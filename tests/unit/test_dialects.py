"""Descriptions of dialects: what they may say, what is said of bad ones, and how a file finds its own."""

from decimal import Decimal
from pathlib import Path

import pytest
from dangol.errors import InvalidConfiguration, UnreadableFile
from dangol.orders.describe import builtin_dialects, dialects_of, load_dialect, plain
from dangol.orders.dialect import recognise
from dangol.orders.rates import load_rates, rates_of

from tests.builders import csv_of
from tests.unit.conftest import Read

OWN = """
name: bakery
title: The till of the bakery
recognise:
  all: [Beleg]
  any: [Kunde, Summe]
row_is: line
status_of: line
columns:
  order_id: Beleg
  customer_id: Kunde | Kundennummer
  phone: [Mobil, Telefon]
  ordered_at: Datum
  line_amount: Betrag
  status: Stand
  product_name: Ware
date_order: day-first
statuses:
  paid: [bezahlt]
  cancelled: [storniert]
"""
HEADER = "Beleg,Kunde,Mobil,Telefon,Datum,Betrag,Stand,Ware"


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidConfiguration) as caught:
        load_dialect(text.encode(), "own.yaml")
    assert caught.value.file == "own.yaml"
    return [(problem.line, problem.reason) for problem in caught.value.problems]


# ---- a shop's own --------------------------------------------------------------------------------------


def test_a_shop_adds_a_dialect_without_code(read: Read, tmp_path: Path) -> None:
    (tmp_path / "dialects").mkdir()
    (tmp_path / "dialects" / "bakery.yaml").write_text(OWN)
    rows = (
        "b1,kim,,,01/02/2026,4,bezahlt,bread",
        "b1,kim,,,01/02/2026,3,storniert,cake",
        "b2,,,010-1234-5678,02/02/2026,5,bezahlt,bread",
        "b3,lee,,,02/02/2026,,bezahlt,bread",
        "b4,lee,,,02/02/2026,5,verschenkt,bread",
    )
    outcome = read(csv_of(*rows, header=HEADER), own=dialects_of(tmp_path))
    assert [purchase[1:] for purchase in outcome.purchases] == [
        ("2026-02-01", Decimal(4), True),
        ("2026-02-02", Decimal(5), True),
    ]
    assert outcome.purchases[0][0] == "kim"
    assert [(reject.line, reject.column) for reject in outcome.rejects] == [(5, "Betrag"), (6, "Stand")]


def test_a_shops_own_dialect_goes_before_one_of_dangol(tmp_path: Path) -> None:
    own = load_dialect(
        OWN.replace("all: [Beleg]", "all: [상품주문번호, 주문번호]").replace("  any: [Kunde, Summe]\n", "").encode(),
        "x",
    )
    assert recognise(["상품주문번호", "주문번호"], (own, *builtin_dialects())) is own


def test_a_folder_without_dialects_has_none(tmp_path: Path) -> None:
    assert dialects_of(tmp_path) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("name: bakery\n", "", 2, "a dialect needs 'name'"),
        ("title:", "titel:", 3, "unknown key 'titel' of a dialect; did you mean 'title'?"),
        ("row_is: line", "row_is: item", 7, "'row_is' must be line or order, not 'item'"),
        ("  all: [Beleg]\n", "", 5, "'recognise' needs 'all': headers that such a file always has"),
        ("  order_id: Beleg\n", "", 10, "'columns' needs order_id"),
        ("  line_amount: Betrag\n", "", 10, "'columns' needs amount or line_amount"),
        ("  order_id:", "  order_idd:", 10, "unknown key 'order_idd' of 'columns'; did you mean 'order_id'?"),
        ("  paid:", "  payed:", 19, "unknown key 'payed' of 'statuses'; did you mean 'paid'?"),
        (
            "  ordered_at: Datum",
            "  ordered_at: {a: b}",
            13,
            "'ordered_at' must be text; put quotes around what begins with { or [",
        ),
        ("day-first", "backwards", 17, "'date_order' must be month-first or day-first, not 'backwards'"),
        ("name: bakery", "name: bakery\nname: again", 3, "'name' is given twice"),
    ],
)
def test_a_bad_description_is_refused_with_line_and_reason(old: str, new: str, line: int, reason: str) -> None:
    assert old in OWN
    assert (line, reason) in problems(OWN.replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "just text", "a: [", "\ud800"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfiguration):
        load_dialect(text.encode(errors="surrogatepass"), "own.yaml")


# ---- which one a file is -------------------------------------------------------------------------------


def test_headers_tell_the_dialect_whatever_their_order_case_and_suffixes() -> None:
    header = ["메모", "총 실결제금액(최초정보) (KRW)", "주문 번호"]
    found = recognise(header, builtin_dialects())
    assert found is not None
    assert found.name == "cafe24"
    assert found.told_by(header) == ("주문번호", "총 실결제금액")


def test_a_file_that_no_headers_tell_is_a_plain_one() -> None:
    assert recognise(["order_id", "customer_id", "ordered_at", "amount"], builtin_dialects()) is None
    assert plain().fits(["주문번호", "고객번호", "주문일시", "결제금액"])
    assert not plain().fits(["주문번호", "주문일시", "결제금액"])


def test_a_platforms_file_without_a_column_it_needs_says_which(read: Read) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(csv_of("#1,x@y.kr,paid,shirt,2026-01-01", header="Name,Email,Financial Status,Lineitem name,Created at"))
    assert caught.value.column == "amount"


def test_no_word_of_a_dialect_means_two_statuses() -> None:
    for dialect in (plain(), *builtin_dialects()):
        words = [word for known in dialect.statuses.values() for word in known]
        assert len(words) == len(set(words)), dialect.name


def test_a_header_below_titles_is_found(read: Read) -> None:
    file = "주문 내역,,,\n,,,\n" + csv_of("o1,kim,2026-01-31,5", header="주문번호,고객번호,주문일시,결제금액")
    outcome = read(file)
    assert outcome.purchases == [("kim", "2026-01-31", 5, True)]


# ---- money ---------------------------------------------------------------------------------------------

RATES = """
rates:
  - {currency: USD, on: 2026-11-02, rate: 1400}
  - {currency: USD, on: 2026-11-04, rate: 1391.25}
  - {currency: JPY, on: 2026-11-01, rate: 9.1}
"""
FOREIGN = "order_id,customer_id,ordered_at,amount,currency,refunded_amount"


def test_amounts_are_converted_by_the_last_rate_of_the_week_before(read: Read) -> None:
    rows = (
        "a,d02,2026-11-02 23:59,10,USD,",
        "b,d03,2026-11-03,10,usd,5",
        "c,d04,2026-11-04,0.5,USD,",
        "d,d11,2026-11-11,1,USD,",
        "e,d12,2026-11-12,1,USD,",
        "f,d01,2026-11-01,1,USD,",
        "g,d05,2026-11-05,100,JPY,",
        "h,d06,2026-11-06,1,EUR,",
        "i,d07,2026-11-06,7,KRW,",
        "j,d08,2026-11-06,8,,",
    )
    outcome = read(csv_of(*rows, header=FOREIGN), rates=load_rates(RATES.encode(), "rates.yaml"))
    assert {purchase[0]: purchase[2] for purchase in outcome.purchases} == {
        "d02": 14000,
        "d03": 7000,  # 14,000 less 7,000
        "d04": Decimal("695.625"),
        "d11": Decimal("1391.25"),
        "d05": 910,
        "d07": 7,
        "d08": 8,
    }
    assert [(reject.line, reject.value) for reject in outcome.rejects] == [(6, "USD"), (7, "USD"), (9, "EUR")]
    assert "there is no rate of USD for 2026-11-12" in outcome.rejects[0].reason
    assert "rates.yaml" in outcome.rejects[2].reason


def test_a_currency_in_the_header_of_the_amount_counts(read: Read) -> None:
    file = csv_of("a,kim,2026-11-02,10", header="주문번호,고객번호,주문일시,결제금액(USD)")
    assert read(file, rates=load_rates(RATES.encode(), "rates.yaml")).only_purchase[2] == 14000
    outcome = read(file)
    assert outcome.counts == (1, 0, 0, 1)
    assert outcome.only_reject.reason.startswith("is in USD, which is not the shop's currency KRW; convert the amount")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("rates:\n  - {currency: USD, on: 2026-11-02}", 2, "a rate needs rate"),
        ("rates:\n  - {currency: dollar, on: 2026-11-02, rate: 1}", 2, "'dollar' is not a currency"),
        ("rates:\n  - {currency: USD, on: yesterday, rate: 1}", 2, "'yesterday' is not a date"),
        ("rates:\n  - {currency: USD, on: 2026-11-02, rate: 0}", 2, "'0' is not a rate"),
        ("rates:\n  - {currency: USD, on: 2026-11-02, rate: nan}", 2, "'nan' is not a rate"),
        ("rate: []", 1, "unknown key 'rate' of the file; did you mean 'rates'?"),
        ("rates: 5", 1, "'rates' must be a list"),
        (
            "rates:\n  - {currency: USD, on: 2026-11-02, rate: 1}\n  - {currency: usd, on: 2026-11-02, rate: 2}",
            3,
            "a second rate of USD on 2026-11-02",
        ),
    ],
)
def test_bad_rates_are_refused_with_line_and_reason(text: str, line: int, reason: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        load_rates(text.encode(), "rates.yaml")
    (problem,) = caught.value.problems
    assert problem.line == line
    assert problem.reason.startswith(reason)


def test_a_folder_without_rates_has_none(tmp_path: Path) -> None:
    assert rates_of(tmp_path) == ()


# ---- who -----------------------------------------------------------------------------------------------


def test_one_person_is_one_customer_in_every_dialect(read_orders: Read) -> None:
    shopify = csv_of(
        "#1,Kim@Shop.kr ,paid,shirt,2026-01-01,5", header="Name,Email,Financial Status,Lineitem name,Created at,Total"
    )
    magento = csv_of(
        "2,2026-01-02,5,Complete,kim@shop.kr", header="ID,Purchase Date,Grand Total (Base),Status,Customer Email"
    )
    own = csv_of(
        "o3,,2026-01-03,5,KIM@shop.kr",
        "o4,kim@shop.kr,2026-01-04,5,",
        header="order_id,customer_id,ordered_at,amount,email",
    )
    outcome = read_orders(shopify, magento, own)
    assert len({order["customer_id"] for order in outcome.orders}) == 1
    assert outcome.counts == (4, 4, 0, 0)
    assert "kim" not in outcome.orders[0]["customer_id"]


def test_the_key_decides_what_a_person_is_called(read: Read) -> None:
    file = csv_of("o1,kim@shop.kr,2026-01-04,5", "o2,kim,2026-01-04,5")
    one, other = read(file, key=b"one"), read(file, key=b"other")
    assert {purchase[0] for purchase in one.purchases} & {purchase[0] for purchase in other.purchases} == {"kim"}


def test_a_row_that_tells_nobody_says_what_would(read: Read) -> None:
    header = "order_id,email,phone,ordered_at,amount"
    outcome = read(csv_of("o1,none,,2026-01-04,5", "o2,,,2026-01-04,5", header=header))
    assert [(reject.column, reject.value) for reject in outcome.rejects] == [("email", "none"), ("email", "")]
    assert "tells nobody; fill in a customer id, an e-mail address or a phone number" in outcome.rejects[0].reason
    assert "is missing; fill in a customer id" in outcome.rejects[1].reason


# ---- Olist ---------------------------------------------------------------------------------------------

EXPORTS = Path(__file__).resolve().parents[2] / "examples" / "exports"
PARTS = ("payments", "items", "customers", "orders")


def olist(*parts: str) -> list[bytes]:
    return [(EXPORTS / f"olist_{part}.csv").read_bytes() for part in parts]


def test_olists_four_files_are_one_export_in_any_order(read: Read) -> None:
    for parts in (PARTS, PARTS[::-1]):
        outcome = read(*olist(*parts))
        assert outcome.purchases == [
            ("u1", "2018-01-05", Decimal(120), True),  # 100 and a voucher of 20, for two items
            ("u1", "2018-05-09", Decimal("24.5"), True),
            ("u2", "2018-02-06", Decimal(105), True),
            ("u2", "2018-03-07", Decimal(105), False),  # cancelled
        ]
        # a4 was never paid, the customer of a6 is in no file
        assert [(reject.column, reject.cells["order_id"]) for reject in outcome.rejects] == [
            ("payment_value", "a4"),
            ("customer_unique_id", "a6"),
        ]
        assert outcome.counts == (7, 5, 0, 2)


def test_without_items_olists_orders_have_none(read_orders: Read) -> None:
    outcome = read_orders(*olist("orders", "payments", "customers"))
    assert [order["amount"] for order in outcome.orders] == [120, 105, 105, Decimal("24.5")]


def test_items_and_payments_of_no_order_are_rejected_not_lost(read: Read) -> None:
    orders, items, payments, customers = olist("orders", "items", "payments", "customers")
    outcome = read(orders, items + b"zz,1,p1,s1,,5,1\n", payments + b"yy,1,voucher,1,7\n", customers)
    assert {reject.cells["order_id"] for reject in outcome.rejects} == {"a4", "a6", "yy", "zz"}


def test_a_payment_that_cannot_be_read_costs_its_order(read: Read) -> None:
    orders, items, payments, customers = olist("orders", "items", "payments", "customers")
    outcome = read(orders, items, payments.replace(b"voucher,1,20.00", b"voucher,1,many"), customers)
    assert ("payment_value", "many") in [(reject.column, reject.value) for reject in outcome.rejects]
    assert ("u1", "2018-01-05", Decimal(100), True) not in outcome.purchases


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_olist_alone_says_what_else_it_needs(read: Read, part: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(*olist(part))
    needed = {"orders", "payments", "customers"} - {part}
    assert all(name in caught.value.reason for name in needed)


def test_a_part_with_a_broken_row_names_the_row(read: Read) -> None:
    orders, _, payments, customers = olist(*("orders", "items", "payments", "customers"))
    with pytest.raises(UnreadableFile) as caught:
        read(orders, payments + b"a9,1\n", customers)
    assert (caught.value.file, caught.value.line) == ("1.csv", 8)
