"""What customers of a segment do, by their orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from dangol.ledger.orders import lines_sql
from dangol.reports.observation import Orders, begin, observe
from dangol.reports.traits import Traits, traits

AS_OF = date(2026, 11, 22)
Line = tuple[str | None, str | None, float | None]
"""(product_id, category, quantity)."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


class Shop:
    """Orders of literal people."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute("""
            CREATE TABLE customers (customer_id VARCHAR, segment VARCHAR, days_between_orders DOUBLE);
            CREATE TABLE products (product_id VARCHAR, product_name VARCHAR, category VARCHAR, launched_on DATE,
                limited BOOLEAN);
            CREATE TABLE orders (order_id VARCHAR, customer_id VARCHAR, ordered_at TIMESTAMP, status VARCHAR,
                amount DECIMAL(18, 4), refunded DECIMAL(18, 4), coupon VARCHAR, discount DECIMAL(18, 4),
                lines STRUCT(product_id VARCHAR, product_name VARCHAR, category VARCHAR, quantity DECIMAL(18, 4),
                    unit_price DECIMAL(18, 4))[]);
        """)
        self._orders = 0
        begin(connection)

    def people(self, segment: str, *gaps: float | None) -> list[str]:
        """As many as gaps between orders are given; their ids."""
        names = [f"{segment}-{number}" for number in range(len(gaps))]
        for name, gap in zip(names, gaps, strict=True):
            self._connection.execute("INSERT INTO customers VALUES (?, ?, ?)", [name, segment, gap])
        return names

    def product(self, product: str, category: str | None, launched_on: str | None, limited: bool | None) -> None:
        self._connection.execute(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?)", [product, product, category, launched_on, limited]
        )

    def order(self, who: str, at: str, amount: float, *lines: Line, **more: object) -> None:
        self._orders += 1
        found = [
            {"product_id": p, "product_name": None, "category": c, "quantity": q, "unit_price": None}
            for p, c, q in lines
        ]
        facts = {"status": "paid", "refunded": None, "coupon": None, "discount": None} | more
        row = [
            str(self._orders),
            who,
            at,
            facts["status"],
            amount,
            facts["refunded"],
            facts["coupon"],
            facts["discount"],
        ]
        self._connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row, found or None])

    def traits(self, *segments: str, products: bool = False) -> dict[str, Traits]:
        known = "products" if products else None
        observe(self._connection, Orders("customers", "orders", f"({lines_sql('orders', known)})", known), AS_OF)
        return {one.segment: one for one in traits(self._connection, segments)}


@pytest.fixture
def shop(connection: duckdb.DuckDBPyConnection) -> Shop:
    return Shop(connection)


def test_baskets_coupons_and_days_between_orders_are_averages_of_the_segment(shop: Shop) -> None:
    a, b, *_ = shop.people("loyal", 10, 30, 50, None, None)
    shop.order(a, "2026-11-01 10:00", 100, ("p1", "knit", 2), ("p2", "knit", None))
    shop.order(a, "2026-11-02 10:00", 300, ("p1", "knit", 1), coupon="WELCOME")
    shop.order(b, "2026-11-03 10:00", 500, refunded=100)
    shop.order(b, "2026-11-03 10:00", 900, status="cancelled")
    shop.order(b, "2026-11-03 10:00", 400, discount=50)
    found = shop.traits("loyal")["loyal"]
    assert (found.customers, found.orders, found.basket_amount, found.basket_items) == (5, 4, 300, 2)
    assert (found.coupon_share, found.days_between) == (0.5, 30)


def test_a_few_orders_with_a_coupon_do_not_make_it_known_of_all_that_they_had_none(
    shop: Shop, connection: duckdb.DuckDBPyConnection
) -> None:
    loyal, new = shop.people("loyal", *[None] * 5), shop.people("new", *[None] * 5)
    for _ in range(100):
        shop.order(loyal[0], "2026-11-01 10:00", 10)
    shop.order(new[0], "2026-11-01 10:00", 10, coupon="WELCOME")
    found = shop.traits("loyal", "new")
    assert (found["loyal"].coupon_share, found["new"].coupon_share) == (None, None)
    shop.order(new[0], "2026-11-02 10:00", 10, discount=0)  # two of 102: the files tell
    begin(connection)
    found = shop.traits("loyal", "new")
    assert (found["loyal"].coupon_share, found["new"].coupon_share) == (0, 0.5)


def test_orders_of_a_year_count_and_none_of_the_future(shop: Shop) -> None:
    people = shop.people("loyal", *[None] * 5)
    for at in ("2025-11-22 23:59", "2025-11-23 00:01", "2026-11-22 23:59", "2026-11-23 00:00"):
        shop.order(people[0], at, 100, ("p", "knit", 1))
    found = shop.traits("loyal")["loyal"]
    assert (found.orders, found.categories) == (2, (("knit", 1.0),))


def test_the_three_most_bought_categories_are_named(shop: Shop) -> None:
    people = shop.people("loyal", *[None] * 5)
    bought = ["knit"] * 5 + ["denim"] * 3 + ["bag"] + ["hat"]
    for category in bought:
        shop.order(people[0], "2026-11-01 10:00", 10, ("p", category, 1))
    shop.order(people[1], "2026-11-01 10:00", 10, ("p", None, 1))
    assert shop.traits("loyal")["loyal"].categories == (("knit", 0.5), ("denim", 0.3), ("bag", 0.1))


def test_items_are_new_for_thirty_days_from_release_or_first_sale(shop: Shop) -> None:
    loyal, others = shop.people("loyal", *[None] * 5), shop.people("new", *[None] * 5)
    shop.order(others[0], "2026-06-01 10:00", 10, ("old", None, 1), ("released", None, 1))  # where the files begin
    shop.order(loyal[0], "2026-06-05 10:00", 10, ("old", None, 1))  # perhaps sold for years
    shop.order(others[0], "2026-09-01 10:00", 10, ("found", None, 1))
    shop.order(loyal[0], "2026-09-30 10:00", 10, ("found", None, 1))  # its thirtieth day
    shop.order(loyal[1], "2026-10-01 10:00", 10, ("found", None, 1))
    shop.order(loyal[1], "2026-10-20 10:00", 10, ("released", None, 1))  # sold in advance, released on the 1st
    shop.product("released", None, "2026-10-01", limited=True)
    shop.product("old", None, None, limited=False)
    found = shop.traits("loyal", "new", products=True)
    assert (found["loyal"].new_share, found["loyal"].limited_share) == (0.5, 0.25)
    assert found["new"].new_share == pytest.approx(2 / 3)


def test_without_a_catalogue_nothing_is_said_of_limited_items_and_without_items_nothing_of_new_ones(shop: Shop) -> None:
    loyal, new = shop.people("loyal", *[None] * 5), shop.people("new", *[None] * 5)
    shop.order(loyal[0], "2026-11-01 10:00", 10, ("p", None, 1))
    shop.order(new[0], "2026-11-01 10:00", 10)
    found = shop.traits("loyal", "new")
    assert (found["loyal"].new_share, found["loyal"].limited_share, found["loyal"].categories) == (0, None, ())
    assert (found["new"].new_share, found["new"].basket_items) == (None, None)


def test_hours_and_weekdays_are_those_of_the_shop(shop: Shop) -> None:
    people = shop.people("loyal", *[None] * 5)
    for at in ("2026-11-16 00:30", "2026-11-16 21:00", "2026-11-22 21:59"):  # two Mondays' orders and a Sunday's
        shop.order(people[0], at, 10)
    found = shop.traits("loyal")["loyal"]
    assert {hour: orders for hour, orders in enumerate(found.hours) if orders} == {0: 1, 21: 2}
    assert found.weekdays == (2, 0, 0, 0, 0, 0, 1)


def test_files_that_tell_days_only_have_no_hours(shop: Shop) -> None:
    people = shop.people("loyal", *[None] * 5)
    shop.order(people[0], "2026-11-16", 10)
    assert shop.traits("loyal")["loyal"].hours == ()


def test_nothing_is_told_of_fewer_than_five_people(shop: Shop) -> None:
    few, enough = shop.people("vip", *[1.0] * 4), shop.people("loyal", *[1.0] * 5)
    for who in (*few, *enough):
        shop.order(who, "2026-11-16 10:00", 10)
    assert shop.traits("vip", "loyal").keys() == {"loyal"}


def test_who_never_bought_is_a_segment_with_nothing_observed(shop: Shop) -> None:
    shop.people("silent", *[None] * 5)
    assert shop.traits("silent")["silent"] == Traits("silent", 5)


def test_shards_add_up(shop: Shop, connection: duckdb.DuckDBPyConnection) -> None:
    people = shop.people("loyal", *[None] * 5)
    for number, who in enumerate(people):
        shop.order(who, f"2026-11-1{number} 1{number}:00", 10 * number, ("p", "knit", 1), ("q", "bag", number))
    whole = shop.traits("loyal")
    begin(connection)
    for who in people:
        mine = f"(FROM orders WHERE customer_id = '{who}')"
        observe(connection, Orders("customers", mine, f"({lines_sql(mine, None)})", None), AS_OF)
    assert {one.segment: one for one in traits(connection, ["loyal"])} == whole
