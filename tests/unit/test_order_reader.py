"""The rules of design §3 and §4, by example and against a second implementation in plain Python.

A test with the fixture `read` runs twice: through `read_orders` (ledger) and `read_purchases` (RFM).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from dangol.engine import connect
from dangol.files.rejects import Reject
from dangol.orders.describe import plain
from dangol.orders.reader import OrderReader
from dangol.shop import Shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import PAID_STATUSES, SEOUL, Outcome, Purchase, csv_of
from tests.builders import read as read_files
from tests.unit.conftest import Read

NEW_YORK = Shop("America/New_York", "USD")
WITH_STATUS = "order_id,customer_id,ordered_at,amount,status"
WITH_REFUND = "order_id,customer_id,ordered_at,amount,status,refunded_amount"
WITH_ITEM = "order_id,customer_id,ordered_at,amount,product_name,quantity"
PER_LINE = "order_id,customer_id,ordered_at,line_amount,product_name"


@dataclass(frozen=True)
class Cells:
    """What became of each way to write one column, by what was written."""

    purchases: dict[str, Purchase]
    rejects: dict[str, Reject]


def read_cells(read: Read, column: str, written: Iterable[str], shop: Shop = SEOUL) -> Cells:
    """Read one file of orders that differ in `column` only."""
    good = {"ordered_at": "2026-01-31", "amount": "100", "status": "", "refunded_amount": "", "currency": ""}
    cells = list(written)
    rows = []
    for number, cell in enumerate(cells):
        row = {"order_id": f"o{number}", "customer_id": f"{number:03}", **good, column: cell}
        rows.append(",".join(quoted(value, needlessly=False) for value in row.values()))
    outcome = read(csv_of(*rows, header=",".join(row)), shop=shop)
    assert len(outcome.purchases) + len(outcome.rejects) == len(cells)
    return Cells(
        {cells[int(purchase[0])]: purchase for purchase in outcome.purchases},
        {cells[reject.line - 2]: reject for reject in outcome.rejects},
    )


# ---- one row, one order ---------------------------------------------------------------------------


def test_a_row_is_an_order_of_its_customer(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,12000"))
    assert outcome.purchases == [("kim", "2026-01-31", 12000, True)]
    assert outcome.counts == (1, 1, 0, 0)


def test_identifiers_are_text_and_keep_leading_zeros_and_case(read_orders: Read) -> None:
    outcome = read_orders(csv_of("007,00042,2026-01-31,1", "7,42,2026-01-31,1", "a,c,2026-01-31,1", "A,C,2026-01-31,1"))
    ids = {(order["order_id"], order["customer_id"]) for order in outcome.orders}
    assert ids == {("007", "00042"), ("7", "42"), ("a", "c"), ("A", "C")}


def test_blanks_around_a_value_are_not_part_of_it(read: Read) -> None:
    outcome = read(csv_of(" o1 ,kim , 2026-01-31 , 12000 ", "o1,kim,2026-02-01,13000"))
    assert outcome.purchases == [("kim", "2026-02-01", 13000, True)]
    assert outcome.counts == (2, 1, 1, 0)


def test_an_order_keeps_its_contacts_and_its_line_item(read_orders: Read) -> None:
    header = "order_id,customer_id,ordered_at,amount,email,phone,customer_name,product_id,category,quantity,unit_price"
    outcome = read_orders(csv_of("o1,kim,2026-01-31 13:45,24000,k@x.kr,010-1,김철수,p1,니트,2,12000", header=header))
    (order,) = outcome.orders
    assert (order["email"], order["phone"], order["customer_name"]) == ("k@x.kr", "010-1", "김철수")
    assert order["ordered_at"].isoformat() == "2026-01-31T13:45:00"
    assert order["lines"] == [
        {"product_id": "p1", "product_name": None, "category": "니트", "quantity": 2, "unit_price": 12000}
    ]


def test_an_order_without_item_columns_has_no_line_items(read_orders: Read) -> None:
    assert read_orders(csv_of("o1,kim,2026-01-31,1")).orders[0]["lines"] is None


def test_a_quantity_that_cannot_be_read_does_not_cost_the_order(read_orders: Read) -> None:
    outcome = read_orders(csv_of("o1,kim,2026-01-31,1,shirt,two", header=WITH_ITEM))
    assert outcome.orders[0]["lines"][0]["quantity"] is None
    assert outcome.counts == (1, 1, 0, 0)


# ---- counted orders --------------------------------------------------------------------------------


PAID_WORDS = (
    *("paid", "PAID", " Paid ", "", "   ", "completed", "결제완료", "배송 중", "배송완료", "구매확정"),
    *("partially_refunded", "Partially Refunded", "부분환불"),
)
OTHER_WORDS = (
    *("pending", "on-hold", "입금대기", "unpaid", "cancelled", "Canceled", "주문취소", "취소"),
    *("refunded", "환불", "반품완료"),
)


def test_only_a_paid_order_counts(read: Read) -> None:
    found = read_cells(read, "status", [*PAID_WORDS, *OTHER_WORDS])
    counts = {word: purchase[3] for word, purchase in found.purchases.items()}
    assert counts == dict.fromkeys(PAID_WORDS, True) | dict.fromkeys(OTHER_WORDS, False)


def test_every_known_word_for_a_status_is_understood(read_orders: Read) -> None:
    words = {word: status for status, known in plain().statuses.items() for word in known}
    outcome = read_orders(csv_of(*(f"{word},kim,2026-01-31,1,{word}" for word in words), header=WITH_STATUS))
    assert {order["order_id"]: order["status"] for order in outcome.orders} == words


def test_an_unknown_status_is_rejected_rather_than_guessed(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100,teleported", header=WITH_STATUS))
    assert outcome.purchases == []
    assert (outcome.only_reject.column, outcome.only_reject.value) == ("status", "teleported")


def test_a_partial_refund_is_taken_off_and_a_full_one_undoes_the_order(read: Read) -> None:
    found = read_cells(read, "refunded_amount", ["", "0", "30", "99.99", "100", "150"])
    assert {written: purchase[2:] for written, purchase in found.purchases.items()} == {
        "": (100, True),
        "0": (100, True),
        "30": (70, True),
        "99.99": (Decimal("0.01"), True),
        "100": (0, False),
        "150": (-50, False),
    }


def test_a_free_order_counts(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,0,paid,0", header=WITH_REFUND))
    assert outcome.only_purchase[2:] == (0, True)


def test_a_refund_of_a_cancelled_order_does_not_revive_it(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100,cancelled,30", header=WITH_REFUND))
    assert outcome.only_purchase[3] is False


# ---- amounts -----------------------------------------------------------------------------------------


AMOUNTS_WRITTEN = {
    "100": "100",
    "100.5": "100.5",
    "0.0001": "0.0001",
    "1,000": "1000",
    "1,234,567.89": "1234567.89",
    "₩12,000": "12000",
    "￦12,000": "12000",  # the full-width sign of Korean keyboards
    "12,000원": "12000",
    "12000 원": "12000",
    "$5.50": "5.5",
    "+5": "5",
    "00012": "12",
    "1000000000000": "1000000000000",
}


def test_amounts_may_have_thousands_commas_and_a_currency_sign(read: Read) -> None:
    found = read_cells(read, "amount", AMOUNTS_WRITTEN)
    amounts = {written: purchase[2] for written, purchase in found.purchases.items()}
    assert amounts == {written: Decimal(amount) for written, amount in AMOUNTS_WRITTEN.items()}


MISSING, NO_NUMBER, NEGATIVE, ABSURD = "is missing", "is not a number", "is negative", "is above 1,000,000,000,000"
BAD_AMOUNTS = {
    "": MISSING,
    "  ": MISSING,
    "abc": NO_NUMBER,
    "nan": NO_NUMBER,
    "inf": NO_NUMBER,
    "(100)": NEGATIVE,
    "$": NO_NUMBER,
    "-5": NEGATIVE,
    "-1.5": NEGATIVE,  # a decimal point: so commas are none in this file
    "-1,000": NEGATIVE,
    "-₩1,000": NEGATIVE,
    "1000000000001": ABSURD,
    "99999999999999999999999": ABSURD,
    "1e400": ABSURD,
    # Commas that are not between thousands are decimal commas: dropping them would make 1250 of 12.50.
    "12,50": NO_NUMBER,
    "1.234,50": NO_NUMBER,
    "1,2,3": NO_NUMBER,
    "5$3": NO_NUMBER,
    "1 2": NO_NUMBER,
}


def test_an_amount_that_is_no_plain_number_is_rejected_with_the_reason(read: Read) -> None:
    found = read_cells(read, "amount", BAD_AMOUNTS)
    assert found.purchases == {}
    assert {reject.column for reject in found.rejects.values()} == {"amount"}
    assert {written: reject.value for written, reject in found.rejects.items()} == {w: w.strip() for w in BAD_AMOUNTS}
    reasons = {written: reject.reason.split(";")[0] for written, reject in found.rejects.items()}
    assert reasons == BAD_AMOUNTS


def test_a_bad_refund_costs_the_row_since_the_net_amount_would_be_wrong(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100,paid,x", header=WITH_REFUND))
    assert outcome.only_reject.column == "refunded_amount"


def test_amounts_in_another_currency_are_rejected(read: Read) -> None:
    found = read_cells(read, "currency", ["KRW", "krw", " KRW ", "", "USD", "K", "won"])
    assert list(found.purchases) == ["KRW", "krw", " KRW ", ""]
    assert list(found.rejects) == ["USD", "K", "won"]
    assert found.rejects["USD"].reason.startswith("is not the shop's currency KRW; convert the amount")


# ---- dates -------------------------------------------------------------------------------------------


MOMENTS = {
    "2026-01-31": "2026-01-31T00:00:00",
    "2026-1-5": "2026-01-05T00:00:00",
    "2026-01-31 13:45": "2026-01-31T13:45:00",
    "2026-01-31T13:45": "2026-01-31T13:45:00",
    "2026-01-31 13:45:59": "2026-01-31T13:45:59",
    "2026-01-31T13:45:00.125": "2026-01-31T13:45:00.125000",
    "2026-01-31T14:59:59Z": "2026-01-31T23:59:59",
    "2026-01-31T15:00:00Z": "2026-02-01T00:00:00",
    "2026-01-31 15:00Z": "2026-02-01T00:00:00",
    "2026-1-31 15:00Z": "2026-02-01T00:00:00",
    "2026-01-31T15:00:00.125Z": "2026-02-01T00:00:00.125000",
    "2026-02-01T00:00:00+09:00": "2026-02-01T00:00:00",
    "2026-02-01T00:00:00+0900": "2026-02-01T00:00:00",
    "2026-02-01 00:00:00+09": "2026-02-01T00:00:00",
    "2026-2-1 5:00-10:00": "2026-02-02T00:00:00",  # as long as a time with seconds, and ends like one
    "2026-02-01 00:00:00 +0900": "2026-02-01T00:00:00",  # Shopify
    "2026-01-31T10:00:00-05:00": "2026-02-01T00:00:00",
    "2026-01-31T20:30:00+05:30": "2026-02-01T00:00:00",
    "2026.01.31": "2026-01-31T00:00:00",
    "2026.1.5 09:05": "2026-01-05T09:05:00",
    "2026/01/31 13:45:59": "2026-01-31T13:45:59",
    "20260131": "2026-01-31T00:00:00",
    "1970-01-01": "1970-01-01T00:00:00",
    "2099-12-31 23:59:59": "2099-12-31T23:59:59",
}


def test_a_date_is_read_in_the_shops_zone_unless_it_has_an_offset(read_orders: Read) -> None:
    outcome = read_orders(csv_of(*(f"{written},kim,{written},1" for written in MOMENTS)))
    assert {order["order_id"]: order["ordered_at"].isoformat() for order in outcome.orders} == MOMENTS


BAD_DATES = [
    "31/01/2026",
    "01/31/2026",  # in one file with the one before: neither day nor month comes first
    "01-02-2026",
    "2026-02-30",
    "2026-01",
    "2026-01-31 25:00",
    "46000",
    "yesterday",
    "now",
    "epoch",
    "infinity",
    "0000-00-00",
    "1969-12-31",
    "2100-01-01",
    # What follows the time changes what the time means: not read is better than read wrongly.
    "2026-01-31 13:45:00 UTC",
    "2026-01-31 13:45:00 America/New_York",
]


def test_a_date_that_could_mean_something_else_is_rejected(read: Read) -> None:
    found = read_cells(read, "ordered_at", BAD_DATES)
    assert found.purchases == {}
    assert {written: reject.value for written, reject in found.rejects.items()} == {w: w for w in BAD_DATES}
    assert all(reject.reason.startswith("is not a date") for reject in found.rejects.values())


NEW_YORK_DATES = {
    "2026-01-31T04:59:59Z": "2026-01-30",  # UTC−5 in winter
    "2026-01-31T05:00:00Z": "2026-01-31",
    "2026-07-31T03:59:59Z": "2026-07-30",  # UTC−4 in summer
    "2026-07-31T04:00:00Z": "2026-07-31",
    "2026-03-08T06:59:59Z": "2026-03-08",  # the clock goes from 2:00 to 3:00 at 7:00 UTC
    "2026-03-08 02:30:00": "2026-03-08",  # so this time was never shown
    "2026-03-09T03:59:59Z": "2026-03-08",
    "2026-03-09T04:00:00Z": "2026-03-09",
    "2026-11-02T04:59:59Z": "2026-11-01",
    "2026-11-01 01:30:00": "2026-11-01",  # and this one twice
    "2026-01-31T23:30:00+09:00": "2026-01-31",
}


def test_offsets_follow_daylight_saving_of_the_shops_zone(read: Read) -> None:
    found = read_cells(read, "ordered_at", NEW_YORK_DATES, shop=NEW_YORK)
    assert {written: purchase[1] for written, purchase in found.purchases.items()} == NEW_YORK_DATES


# ---- headers -----------------------------------------------------------------------------------------


HEADERS = (
    "주문번호,고객번호,주문일시,결제금액,주문상태",
    "Order ID,Customer-Id,ORDERED AT,Amount,Status",
    '"order_id", customer_id ,ordered_at,"Total",결제 상태',
    "주문 번호,회원ID,주문일,총 결제금액,결제상태",
    "\ufefforder_id,customer_id,ordered_at,amount,status",
)


def test_headers_are_understood_in_english_and_korean_without_case_and_blanks(read: Read) -> None:
    files = [csv_of(f"o{i},kim,2026-01-31,{i},취소", header=header) for i, header in enumerate(HEADERS)]
    assert read(*files).purchases == [("kim", "2026-01-31", i, False) for i in range(len(HEADERS))]


def test_columns_may_come_in_any_order_among_unknown_ones(read: Read) -> None:
    outcome = read(csv_of("x,100,2026-01-31,y,kim,o1", header="memo,amount,ordered_at,,customer_id,order_id"))
    assert outcome.purchases == [("kim", "2026-01-31", 100, True)]


def test_of_two_columns_of_one_name_the_first_is_read_and_reported(read: Read) -> None:
    header = "order_id,customer_id,ordered_at,amount,amount"
    outcome = read(csv_of("o1,kim,2026-01-31,100,x", "o2,kim,2026-01-31,-1,5", header=header))
    assert outcome.only_purchase[2] == 100
    assert outcome.only_reject.value == "-1"
    assert outcome.only_reject.cells["amount"] == "-1"


# ---- several rows of one order -------------------------------------------------------------------------


def test_rows_with_the_orders_amount_are_line_items_of_one_order(read: Read) -> None:
    rows = ("o1,kim,2026-01-31,300,shirt,1", "o2,lee,2026-01-31,50,cap,1", "o1,kim,2026-01-31,300,coat,2")
    outcome = read(csv_of(*rows, header=WITH_ITEM))
    assert outcome.purchases == [("kim", "2026-01-31", 300, True), ("lee", "2026-01-31", 50, True)]
    assert outcome.counts == (3, 3, 0, 0)


def test_line_items_are_kept_in_the_files_order(read_orders: Read) -> None:
    rows = ("o1,kim,2026-01-31,300,shirt,1", "o1,kim,2026-01-31,300,coat,2", "o1,kim,2026-01-31,300,,")
    lines = read_orders(csv_of(*rows, header=WITH_ITEM)).orders[0]["lines"]
    assert [(line["product_name"], line["quantity"]) for line in lines] == [("shirt", 1), ("coat", 2)]


def test_further_line_items_may_leave_the_amount_blank(read: Read) -> None:
    amounts = {"o1": ("300", "", ""), "o2": ("", "300", ""), "o3": ("", "", "300"), "o4": ("300", "300", "")}
    rows = [
        f"{order},kim,2026-01-31,{cell},item {i},1" for order, cells in amounts.items() for i, cell in enumerate(cells)
    ]
    outcome = read(csv_of(*rows, header=WITH_ITEM))
    assert outcome.purchases == [("kim", "2026-01-31", 300, True)] * 4
    assert outcome.counts == (12, 12, 0, 0)


def test_further_line_items_may_leave_everything_else_blank(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,300,shirt,1", "o1,,,,coat,2", header=WITH_ITEM))
    assert outcome.purchases == [("kim", "2026-01-31", 300, True)]
    assert outcome.counts == (2, 2, 0, 0)


def test_a_row_with_another_amount_is_a_newer_version_of_the_order(read_orders: Read) -> None:
    rows = ("shirt,300", "coat,300", "shirt,200", "sock,200", "cap,")
    lines = [f"o1,kim,2026-01-31,{amount},{item},1" for item, amount in (row.split(",") for row in rows)]
    outcome = read_orders(csv_of(*lines, header=WITH_ITEM))
    assert outcome.only_purchase[2] == 200
    assert [line["product_name"] for line in outcome.orders[0]["lines"]] == ["shirt", "sock", "cap"]
    assert outcome.counts == (5, 3, 2, 0)


def test_without_item_columns_the_last_row_is_the_newest_version(read: Read) -> None:
    rows = ("o1,kim,2026-01-31,100,paid", "o1,kim,2026-02-01,100,paid", "o1,lee,2026-01-30,100,cancelled")
    outcome = read(csv_of(*rows, header=WITH_STATUS))
    assert outcome.purchases == [("lee", "2026-01-30", 100, False)]
    assert outcome.counts == (3, 1, 2, 0)


def test_item_columns_that_are_blank_in_all_rows_make_no_line_items(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100,,", "o1,kim,2026-02-01,100,,", header=WITH_ITEM))
    assert outcome.purchases == [("kim", "2026-02-01", 100, True)]
    assert outcome.counts == (2, 1, 1, 0)


def test_a_later_row_without_amount_updates_the_order_it_follows(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100,paid", "o1,,,,cancelled", header=WITH_STATUS))
    assert outcome.purchases == [("kim", "2026-01-31", 100, False)]
    assert outcome.counts == (2, 2, 0, 0)


def test_within_a_version_the_last_row_that_says_something_is_right(read: Read) -> None:
    rows = ("o1,kim,2026-01-31,100,cancelled,10", "o1,lee,2026-02-01,,paid,30", "o1,,,,,")
    outcome = read(csv_of(*rows, header=WITH_REFUND))
    assert outcome.purchases == [("lee", "2026-02-01", 70, True)]


def test_contacts_are_those_of_the_last_row_that_has_them(read_orders: Read) -> None:
    header = WITH_ITEM + ",email,phone,customer_name"
    rows = ("o1,kim,2026-01-31,9,shirt,1,old@x.kr,1,Kim", "o1,kim,2026-01-31,9,cap,1,new@x.kr,,")
    (order,) = read_orders(csv_of(*rows, header=header)).orders
    assert (order["email"], order["phone"], order["customer_name"]) == ("new@x.kr", "1", "Kim")


def test_another_amount_after_a_blank_one_begins_a_version(read: Read) -> None:
    rows = [f"o1,kim,2026-01-31,{amount},shirt,1" for amount in ("300", "", "200", "")]
    outcome = read(csv_of(*rows, header=WITH_ITEM))
    assert outcome.only_purchase[2] == 200
    assert outcome.counts == (4, 2, 2, 0)


def test_a_version_that_goes_back_to_an_earlier_amount_is_newer_still(read: Read) -> None:
    rows = [f"o1,kim,2026-01-31,{amount},shirt,1" for amount in (100, 200, 100)]
    outcome = read(csv_of(*rows, header=WITH_ITEM))
    assert outcome.only_purchase[2] == 100
    assert outcome.counts == (3, 1, 2, 0)


def test_line_amounts_add_up(read: Read) -> None:
    rows = ("o1,kim,2026-01-31,100.10,shirt", "o1,kim,2026-01-31,100.10,shirt", "o2,lee,2026-01-31,5,cap")
    outcome = read(csv_of(*rows, header=PER_LINE))
    assert outcome.purchases == [("kim", "2026-01-31", Decimal("200.20"), True), ("lee", "2026-01-31", 5, True)]
    assert outcome.counts == (3, 3, 0, 0)


def test_an_amount_beside_line_amounts_is_the_total(read: Read) -> None:
    header = "order_id,customer_id,ordered_at,amount,line_amount,product_name"
    outcome = read(csv_of("o1,kim,2026-01-31,90,60,shirt", "o1,kim,2026-01-31,90,40,cap", header=header))
    assert outcome.only_purchase[2] == 90


def test_line_amounts_that_add_up_to_an_absurd_amount_cost_that_order_only(read: Read) -> None:
    rows = ["o1,kim,2026-01-31,1000000000000,shirt"] * 101
    outcome = read(csv_of(*rows, "o2,lee,2026-01-31,5,cap", header=PER_LINE))
    assert outcome.purchases == [("lee", "2026-01-31", 5, True)]
    assert outcome.counts == (102, 1, 0, 101)


def test_an_order_of_line_items_counts_whole_or_not_at_all(read: Read) -> None:
    rows = ("o1,kim,2026-01-31,300,shirt,1", "o1,kim,2026-01-31,x,coat,1", "o2,lee,2026-01-31,5,cap,1")
    outcome = read(csv_of(*rows, header=WITH_ITEM))
    assert outcome.purchases == [("lee", "2026-01-31", 5, True)]
    assert [(r.line, r.column) for r in outcome.rejects] == [(2, ""), (3, "amount")]
    assert "another row of this order was rejected" in outcome.rejects[0].reason


def test_a_bad_version_leaves_the_good_one_of_an_order_without_items(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100", "o1,kim,2026-02-31,200"))
    assert outcome.purchases == [("kim", "2026-01-31", 100, True)]
    assert outcome.counts == (2, 1, 0, 1)


def test_a_version_that_lacks_a_required_value_does_not_replace_a_good_one(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,100", "o1,,2026-02-01,200"))
    assert outcome.purchases == [("kim", "2026-01-31", 100, True)]
    assert outcome.counts == (2, 1, 0, 1)
    assert (outcome.only_reject.line, outcome.only_reject.column) == (3, "customer_id")


def test_a_blank_required_value_costs_the_row(read: Read) -> None:
    outcome = read(csv_of(",kim,2026-01-31,1", "o1,,2026-01-31,1", "o2,kim,,1", "o3,kim,2026-01-31,"))
    assert outcome.purchases == []
    assert [reject.column for reject in outcome.rejects] == ["order_id", "customer_id", "ordered_at", "amount"]
    assert {reject.reason for reject in outcome.rejects} == {"is missing; fill it in"}


def test_rows_without_order_id_are_not_rows_of_one_order(read: Read) -> None:
    outcome = read(csv_of(",kim,2026-01-31,1", ",kim,2026-01-31,1", ",lee,2026-01-31,2"))
    assert outcome.purchases == []
    assert outcome.counts == (3, 0, 0, 3)
    assert {reject.column for reject in outcome.rejects} == {"order_id"}


# ---- several files -----------------------------------------------------------------------------------


def test_of_an_order_in_several_files_the_last_file_counts_whatever_its_date(read: Read) -> None:
    old = csv_of("o1,kim,2026-02-01,100", "o2,kim,2026-02-02,5")
    new = csv_of("o1,kim,2026-01-31,300")
    outcome = read(old, new)
    assert outcome.purchases == [("kim", "2026-01-31", 300, True), ("kim", "2026-02-02", 5, True)]
    assert outcome.counts == (3, 2, 1, 0)
    assert read(new, old).purchases == [("kim", "2026-02-01", 100, True), ("kim", "2026-02-02", 5, True)]


def test_a_file_twice_counts_once(read: Read) -> None:
    file = csv_of("o1,kim,2026-01-31,300,shirt,1", "o1,kim,2026-01-31,300,coat,2", header=WITH_ITEM)
    outcome = read(file, file)
    assert outcome.purchases == [("kim", "2026-01-31", 300, True)]
    assert outcome.counts == (4, 2, 2, 0)


def test_line_items_of_a_newer_file_replace_those_of_the_older_one(read_orders: Read) -> None:
    old = csv_of("o1,kim,2026-01-31,300,shirt,1", "o1,kim,2026-01-31,300,coat,2", header=WITH_ITEM)
    new = csv_of("o1,kim,2026-01-31,300,cap,1", header=WITH_ITEM)
    assert [line["product_name"] for line in read_orders(old, new).orders[0]["lines"]] == ["cap"]


def test_a_bad_row_of_a_newer_file_leaves_the_older_order(read: Read) -> None:
    old = [f"o{i},kim,2026-01-31,{i}" for i in range(4)]
    bad = ["o0,kim,never,200", "o1,,2026-02-01,200", "o2,kim,2026-02-01,", "o3,kim,,200"]
    outcome = read(csv_of(*old), csv_of(*bad))
    assert outcome.purchases == [("kim", "2026-01-31", i, True) for i in range(4)]
    assert outcome.places == [("1.csv", line, row) for line, row in enumerate(bad, 2)]
    assert outcome.counts == (8, 4, 0, 4)


def test_a_spoiled_order_of_a_newer_file_leaves_the_whole_one_of_the_older(read: Read) -> None:
    old = csv_of("o1,kim,2026-01-31,300,shirt,1", "o1,kim,2026-01-31,300,coat,2", header=WITH_ITEM)
    new = csv_of("o1,kim,2026-02-01,200,shirt,1", "o1,kim,2026-02-01,x,coat,2", header=WITH_ITEM)
    outcome = read(old, new)
    assert outcome.purchases == [("kim", "2026-01-31", 300, True)]
    assert outcome.counts == (4, 2, 0, 2)


def test_files_may_have_different_columns(read: Read) -> None:
    outcome = read(
        csv_of("o1,kim,2026-01-31,100"),
        csv_of("취소;5;2026-02-01;lee;o2", header="주문상태;결제금액;주문일;고객번호;주문번호"),
        csv_of("o3,park,2026-02-02,7,cap", header=PER_LINE),
    )
    assert outcome.purchases == [
        ("kim", "2026-01-31", 100, True),
        ("lee", "2026-02-01", 5, False),
        ("park", "2026-02-02", 7, True),
    ]


def test_rejects_of_several_files_name_file_and_line(read: Read) -> None:
    outcome = read(csv_of("o1,kim,x,1", "o2,kim,2026-01-31,1"), csv_of("o3,kim,2026-01-31,1", "o4,kim,y,1", "o5,kim"))
    assert outcome.places == [("0.csv", 2, "o1,kim,x,1"), ("1.csv", 3, "o4,kim,y,1"), ("1.csv", 4, "o5,kim")]


def test_a_reader_can_be_used_again(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(csv_of("o1,kim", "o2,kim,2026-01-31,1"))
    second.write_text(csv_of("o3,kim,2026-01-31,1", "o4,kim,bad,1", "o5"))
    with connect(SEOUL, tmp_path) as connection:
        reader = OrderReader(connection, SEOUL, tmp_path)
        reader.read_purchases([(first, "first")])
        again = reader.read_purchases([(second, "second")])
        whole = reader.read_orders([(second, "second")])
    for reading in (again, whole):
        assert [(reject.line, reject.row) for reject in reading.rejects] == [(3, "o4,kim,bad,1"), (4, "o5")]


# ---- against a second implementation --------------------------------------------------------------------

BAD = "bad"
"""What a cell means that cannot be read; None when it is blank."""

ORDERS: dict[str, Any] = {"a": "a", "b": "b", " a": "a", "c,\n1": "c,\n1", "": None}
CUSTOMERS: dict[str, Any] = {"k1": "k1", "k2 ": "k2", 'the "k"': 'the "k"', "k\n3": "k\n3", "": None}
DATES: dict[str, Any] = {
    "2026-01-01": "2026-01-01",
    "2026-01-02 10:00": "2026-01-02",
    "2026-01-02T15:00:00Z": "2026-01-03",
    "": None,
    "someday": BAD,
    "2150-01-01": BAD,
}
AMOUNTS: dict[str, Any] = {
    "100": Decimal(100),
    "1,200": Decimal(1200),
    "₩100": Decimal(100),
    "7.25": Decimal("7.25"),
    "": None,
    "-5": BAD,
    "1e13": BAD,
    'x"y': BAD,
}
STATUSES: dict[str, Any] = {"paid": "paid", "취소": "cancelled", "Refunded": "refunded", "": None, "odd": BAD}
REFUNDS: dict[str, Any] = {"": None, "0": Decimal(0), "40": Decimal(40), "100": Decimal(100), "x": BAD}
ITEMS: dict[str, Any] = {"": None, "shirt": "shirt", 'a "b",\r\nc': 'a "b",\r\nc'}
MEANINGS = {
    "order_id": ORDERS,
    "customer_id": CUSTOMERS,
    "ordered_at": DATES,
    "amount": AMOUNTS,
    "line_amount": AMOUNTS,
    "status": STATUSES,
    "refunded_amount": REFUNDS,
    "product_name": ITEMS,
}
LAYOUTS = (
    ("order_id", "customer_id", "ordered_at", "amount"),
    ("order_id", "customer_id", "ordered_at", "amount", "status", "refunded_amount"),
    ("product_name", "amount", "order_id", "customer_id", "ordered_at"),
    ("order_id", "customer_id", "ordered_at", "line_amount", "product_name"),
    ("order_id", "customer_id", "ordered_at", "amount", "line_amount", "status", "product_name"),
)


@dataclass
class Row:
    """A record of a generated file."""

    file: str
    line: int
    raw: str
    values: dict[str, Any] | None
    """By canonical column; None for a record that cannot be split."""

    @property
    def bad(self) -> bool:
        return self.values is None or BAD in self.values.values() or self.values["order_id"] is None

    def __getitem__(self, column: str) -> Any:
        assert self.values is not None
        return self.values.get(column)


@dataclass(frozen=True)
class File:
    text: str
    rows: list[Row]


@st.composite
def generated_files(draw: st.DrawFn) -> list[File]:
    return [draw(generated_file(f"{number}.csv")) for number in range(draw(st.integers(1, 3)))]


@st.composite
def generated_file(draw: st.DrawFn, name: str) -> File:
    layout = draw(st.sampled_from(LAYOUTS))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text, rows = ",".join(layout) + newline, []
    for _ in range(draw(st.integers(0, 7))):
        text += newline * draw(st.sampled_from([0, 0, 0, 1, 2]))
        raw, values = draw(generated_record(layout))
        if raw:
            rows.append(Row(name, text.count("\n") + 1, raw, values))
        text += raw + newline
    if rows and draw(st.booleans()):
        text = text.removesuffix(newline)
    return File(text, rows)


@st.composite
def generated_record(draw: st.DrawFn, layout: Sequence[str]) -> tuple[str, dict[str, Any] | None]:
    values = {column: draw(st.sampled_from(sorted(MEANINGS[column]))) for column in layout}
    cells = [quoted(value, draw(st.booleans())) for value in values.values()]
    damage = draw(st.sampled_from(["none"] * 12 + ["short", "long", "quote", "open"]))
    if damage == "short":
        cells = cells[: draw(st.integers(1, len(cells) - 1))]
    elif damage == "long":
        cells += ["x"] * draw(st.integers(1, 3))
    elif damage == "quote":
        cells[draw(st.integers(0, len(cells) - 1))] = '"c"x'
    elif damage == "open":
        cells = ["z"] * len(cells)
        cells[draw(st.integers(0, len(cells) - 1))] = '"c'
    meaning = {column: MEANINGS[column][value] for column, value in values.items()}
    return ",".join(cells), meaning if damage == "none" else None


def quoted(cell: str, needlessly: bool) -> str:
    if needlessly or any(ch in cell for ch in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@dataclass
class Expected:
    purchases: list[tuple[str, str, Decimal, bool]]
    lines: dict[str, list[str] | None]
    counts: tuple[int, int, int, int]
    places: list[tuple[str, int, str]]


def by_the_rules(files: Sequence[File]) -> Expected:
    """Design §3 and §4, row by row."""
    rows = [row for file in files for row in file.rows]
    rejected = [row for row in rows if row.values is None or row["order_id"] is None]
    orders: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.values is not None and row["order_id"] is not None:
            orders[row["order_id"]][row.file].append(row)
    purchases, lines, accepted, superseded = [], {}, 0, 0
    for order_id, by_file in orders.items():
        versions: list[list[Row]] = []
        for group in by_file.values():
            itemised = any(row["product_name"] is not None for row in group)
            if itemised and any(row.bad for row in group):
                rejected += group
                continue
            rejected += [row for row in group if row.bad]
            versions += split_into_versions([row for row in group if not row.bad], itemised)
        complete = [i for i, version in enumerate(versions) if is_complete(version)]
        newest = complete[-1] if complete else -1
        for i, version in enumerate(versions):
            if i == newest:
                accepted += len(version)
            elif i < newest:
                superseded += len(version)
            else:
                rejected += version
        if complete:
            purchases.append(purchase_of(versions[newest]))
            items = [row["product_name"] for row in versions[newest] if row["product_name"] is not None]
            lines[order_id] = items or None
    order = {file.rows[0].file: i for i, file in enumerate(files) if file.rows}
    places = sorted((order[row.file], row.line, row.raw) for row in rejected)
    names = {i: name for name, i in order.items()}
    return Expected(
        sorted(purchases),
        lines,
        (len(rows), accepted, superseded, len(rejected)),
        [(names[i], line, raw) for i, line, raw in places],
    )


def split_into_versions(rows: Sequence[Row], itemised: bool) -> list[list[Row]]:
    versions: list[list[Row]] = []
    stated = None
    for row in rows:
        amount = row["amount"]
        newer = amount is not None and stated is not None and (amount != stated or not itemised)
        if newer or not versions:
            versions.append([])
        versions[-1].append(row)
        stated = stated if amount is None else amount
    return versions


def last(version: Sequence[Row], column: str) -> Any:
    return next((row[column] for row in reversed(version) if row[column] is not None), None)


def amount_of(version: Sequence[Row]) -> Decimal | None:
    if (total := last(version, "amount")) is not None:
        return Decimal(total)
    parts = [row["line_amount"] for row in version if row["line_amount"] is not None]
    return sum(parts, Decimal(0)) if parts else None


def is_complete(version: Sequence[Row]) -> bool:
    return None not in (last(version, "customer_id"), last(version, "ordered_at"), amount_of(version))


def purchase_of(version: Sequence[Row]) -> tuple[str, str, Decimal, bool]:
    amount, refunded = amount_of(version), last(version, "refunded_amount") or Decimal(0)
    assert amount is not None
    counts = (last(version, "status") or "paid") in PAID_STATUSES and not (refunded > 0 and refunded >= amount)
    return last(version, "customer_id"), last(version, "ordered_at"), amount - refunded, counts


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated_files())
def test_both_ways_of_reading_follow_the_rules_whatever_the_files_hold(files: list[File]) -> None:
    expected = by_the_rules(files)
    for outcome in both_ways(files):
        assert outcome.purchases == expected.purchases
        assert outcome.places == expected.places
        assert outcome.counts == expected.counts
        for order in outcome.orders:
            lines = order["lines"] and [line["product_name"] for line in order["lines"]]
            assert lines == expected.lines[order["order_id"]]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations([0, 1, 2]), st.lists(st.integers(0, 2), min_size=1, max_size=4))
def test_the_same_files_in_any_number_count_as_their_last_appearances(order: list[int], again: list[int]) -> None:
    files = [csv_of(f"a,kim,2026-01-0{i + 1},{i}", f"only{i},lee,2026-02-01,{i}") for i in range(3)]
    deliveries = order + again
    last_ones = [n for i, n in enumerate(deliveries) if n not in deliveries[i + 1 :]]
    assert purchases_of([files[n] for n in deliveries]) == purchases_of([files[n] for n in last_ones])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_damaged_row_is_found_with_any_line_ends(read: Read, newline: str) -> None:
    good, damaged = "o1,kim,2026-01-31,1", ["o2", "o3,kim,2026-01-31,1,2", 'o4,"k"m,2026-01-31,1', "o5,kim,never,1"]
    outcome = read(csv_of(damaged[0], good, *damaged, good, *damaged).replace("\n", newline))
    assert [row for _, _, row in outcome.places] == [damaged[0], *damaged, *damaged]
    assert [line for _, line, _ in outcome.places] == [2, 4, 5, 6, 7, 9, 10, 11, 12]
    assert outcome.counts == (11, 1, 1, 9)


def both_ways(files: Sequence[File]) -> Iterator[Outcome]:
    for how in ("read_orders", "read_purchases"):
        with TemporaryDirectory() as folder:
            yield read_files(Path(folder), *(file.text for file in files), how=how)


def purchases_of(contents: Sequence[str]) -> list[Any]:
    with TemporaryDirectory() as folder:
        return read_files(Path(folder), *contents, how="read_purchases").purchases


def test_the_second_implementation_is_not_blind() -> None:
    """The oracle itself, on an example worked out by hand."""
    header = ("order_id", "customer_id", "ordered_at", "amount", "product_name")
    cells = [
        ("a", "k1", "2026-01-01", "100", "shirt"),
        ("a", "", "", "", "shirt"),
        ("a", "k2 ", "2026-01-01", "7.25", ""),
    ]
    rows = [
        Row("0.csv", i, ",".join(row), {c: MEANINGS[c][v] for c, v in zip(header, row, strict=True)})
        for i, row in enumerate(cells, 2)
    ]
    expected = by_the_rules([File("", rows)])
    assert expected.purchases == [("k2", "2026-01-01", Decimal("7.25"), True)]
    assert expected.counts == (3, 1, 2, 0)
    assert all(earlier <= later for earlier, later in pairwise(expected.places))
