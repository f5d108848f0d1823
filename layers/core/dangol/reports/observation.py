"""Adding up what customers of each RFM segment bought, shard by shard, so that memory is bounded by a shard's orders.

Shards are cut by a hash of the customer, so some of them stand for all: of a large shop as many are looked at as hold
MOST_CUSTOMERS.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from dangol.orders.scan import counted, net

MOST_CUSTOMERS = 200_000
"""Customers looked at, about; with more a share no longer changes in what is shown of it."""
YEAR = 365
"""Days up to as_of of which orders are looked at."""
NEW_DAYS = 30
"""A product is new for so many days from its release or else its first sale."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one shard, or of all files; each field is SQL of a relation."""

    people: str
    """customer_id, segment: those of whom these are all orders."""
    orders: str
    """Whole orders (see dangol.ledger.orders)."""
    lines: str
    """Line items of counted orders (see dangol.ledger.orders.lines_sql)."""
    products: str | None
    """The shop's products, if any are known."""


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty temp tables that `observe` adds to."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE seen_orders (
            segment VARCHAR, hour TINYINT, weekday TINYINT, orders BIGINT, amount DOUBLE, reduced BIGINT,
            told BIGINT, at_midnight BIGINT, itemised BIGINT, items DOUBLE);
        CREATE OR REPLACE TEMP TABLE seen_categories (segment VARCHAR, category VARCHAR, items BIGINT);
        CREATE OR REPLACE TEMP TABLE seen_products (
            segment VARCHAR, product UBIGINT, day DATE, limited BOOLEAN, items BIGINT);
        CREATE OR REPLACE TEMP TABLE seen_sales (product UBIGINT, first_on DATE, launched_on DATE);
    """)


def observe(connection: duckdb.DuckDBPyConnection, seen: Orders, as_of: date) -> None:
    """Add the orders of a shard; those later than `as_of` do not exist yet."""
    connection.execute(f"INSERT INTO seen_orders {_orders_sql(seen, as_of)}")
    facts = f"LEFT JOIN (SELECT product_id, launched_on, limited FROM {seen.products}) USING (product_id)"
    unknown = "CROSS JOIN (SELECT NULL::DATE AS launched_on, NULL::BOOLEAN AS limited)"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE some_lines AS
        SELECT * FROM (
            SELECT segment, ordered_at::DATE AS day, product_id, product_name, category, count(*) AS items
            FROM {seen.lines} JOIN {seen.people} USING (customer_id)
            WHERE ordered_at::DATE <= DATE '{as_of}' GROUP BY ALL
        ) {facts if seen.products else unknown}
    """)
    year = f"day > DATE '{as_of}' - {YEAR}"
    product, known = "hash(coalesce(product_id, product_name))", "coalesce(product_id, product_name) IS NOT NULL"
    connection.execute(f"""
        INSERT INTO seen_categories SELECT segment, category, sum(items)
        FROM some_lines WHERE {year} AND category IS NOT NULL GROUP BY ALL;
        INSERT INTO seen_products SELECT segment, {product}, day, bool_or(limited), sum(items)
        FROM some_lines WHERE {year} AND {known} GROUP BY ALL;
        INSERT INTO seen_sales SELECT {product}, min(day), min(launched_on)
        FROM some_lines WHERE {known} GROUP BY ALL;
        DROP TABLE some_lines
    """)


def _orders_sql(seen: Orders, as_of: date) -> str:
    reduced = "coupon IS NOT NULL OR coalesce(discount > 0::DECIMAL(18, 4), false)"
    quantity = "lambda one: coalesce(one.quantity, 1::DECIMAL(18, 4))::DOUBLE"
    return f"""
        SELECT segment, hour(ordered_at), isodow(ordered_at) - 1, count(*), sum({net("amount", "refunded")})::DOUBLE,
            count(*) FILTER ({reduced}), count(*) FILTER (coupon IS NOT NULL OR discount IS NOT NULL),
            count(*) FILTER (ordered_at = ordered_at::DATE::TIMESTAMP),
            count(*) FILTER (len(lines) > 0), sum(list_sum(list_transform(lines, {quantity})))
        FROM {seen.orders} JOIN {seen.people} USING (customer_id)
        WHERE {counted("status", "amount", "refunded")}
            AND ordered_at::DATE <= DATE '{as_of}' AND ordered_at::DATE > DATE '{as_of}' - {YEAR}
        GROUP BY ALL"""
