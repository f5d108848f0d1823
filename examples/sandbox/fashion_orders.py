"""The order exports of the made-up fashion store: a CSV a month, with a row per line item."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from examples.sandbox.fashion_year import MONTHS, Order, Year, months_of

COLUMNS = {  # the headers, and what the newest export calls them
    "order_id": "주문번호", "customer_id": "고객번호", "ordered_at": "주문일시", "amount": "결제금액",
    "status": "주문상태", "currency": "통화", "refunded_amount": "환불금액", "email": "이메일",
    "phone": "휴대전화", "customer_name": "고객명", "product_id": "상품번호", "product_name": "상품명",
    "category": "카테고리", "quantity": "수량", "unit_price": "판매가",
}  # fmt: skip
BAD_ROWS = 3 * MONTHS
"""Rows nobody can read: in each file an order without amount, one of an impossible date, and the totals."""


def write_orders(folder: Path, year: Year) -> list[Path]:
    """Write one CSV a month into the folder, with BAD_ROWS bad rows in all. Returns the paths, oldest first."""
    by_month: dict[str, dict[str, Order]] = {month: {} for month in months_of(year.today)}
    for number, order in enumerate(year.orders, start=1):
        by_month[f"{order.at:%Y-%m}"][f"{order.at:%Y%m%d}-{number:07d}"] = order
    folder.mkdir(parents=True, exist_ok=True)
    return [_write_month(folder, number, *month) for number, month in enumerate(by_month.items())]


def _write_month(folder: Path, number: int, month: str, orders: Mapping[str, Order]) -> Path:
    """One export, a row per line item, in the manner of the shop's software by then.

    Every other file has the amounts on an order's first row only, the newer half has dates with their offset,
    and the newest has Korean headers.
    """
    path = folder / f"주문내역_{month}.csv"
    offset = "+09:00" if number >= MONTHS // 2 else ""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writerow(COLUMNS if number == MONTHS - 1 else {column: column for column in COLUMNS})
        for order_id, order in orders.items():
            writer.writerows(_rows(order_id, order, offset=offset, amounts_once=number % 2 == 1))
        writer.writerows(_bad_rows(month, orders.values()))
    return path


def _rows(order_id: str, order: Order, *, offset: str, amounts_once: bool) -> Iterator[dict[str, object]]:
    """What an order looks like in an export; the keys are COLUMNS."""
    who, amounts = order.customer, (order.amount, order.refunded or "")
    for line, (product, quantity) in enumerate(order.lines):
        amount, refunded = ("", "") if amounts_once and line > 0 else amounts
        head = (order_id, who.id, f"{order.at}{offset}", amount, order.status, "KRW", refunded)
        person = (who.email, who.phone, who.name)
        item = (product.id, product.name, product.category, quantity, product.price)
        yield dict(zip(COLUMNS, (*head, *person, *item), strict=True))


def _bad_rows(month: str, orders: Iterable[Order]) -> Iterator[dict[str, object]]:
    """One month's share of BAD_ROWS: two orders keyed in by hand (no amount; a zero date), and the totals."""
    by_hand = {"customer_id": "C00001", "status": "paid", "currency": "KRW"}
    yield {"order_id": f"{month}-M1", "ordered_at": f"{month}-01 09:00:00", "amount": "", **by_hand}
    yield {"order_id": f"{month}-M2", "ordered_at": "0000-00-00 00:00:00", "amount": 59_000, **by_hand}
    yield {"order_id": "합계", "amount": sum(order.amount for order in orders)}
