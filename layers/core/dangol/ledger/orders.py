"""The orders of one shard: the newest version of each, whatever the objects they lie in.

An order is one row, whole in every object that has it; the newest version wins, and of equal versions
(the same file delivered twice, a compaction beside what it merged) any one. So nothing depends on
objects being complete, unique or deleted in time, and a crash between two steps leaves no trace.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dangol.engine import literals, scalar
from dangol.orders.scan import counted, net

_LINE = (
    "STRUCT(product_id VARCHAR, product_name VARCHAR, category VARCHAR, quantity DECIMAL(18, 4), "
    "unit_price DECIMAL(18, 4))"
)
_TYPES = {
    "order_id": "VARCHAR",
    "customer_id": "VARCHAR",
    "ordered_at": "TIMESTAMP",
    "status": "VARCHAR",
    "amount": "DECIMAL(18, 4)",
    "refunded": "DECIMAL(18, 4)",
    "coupon": "VARCHAR",
    "discount": "DECIMAL(18, 4)",
    "lines": f"{_LINE}[]",
    "version": "VARCHAR",
}
_EMPTY = "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in _TYPES.items()) + " WHERE false"
"""SQL: no order at all. Objects written by earlier versions lack columns; beside this they have them."""


def load_orders(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], unique: bool) -> None:
    """Make temp relation `shard_orders` of ledger objects: ORDER_COLUMNS and version, one row per order_id.

    `unique` says that there is one object and it is a compaction. Rows with status 'moved' mark orders
    that now belong to a customer of another shard.
    """
    names = literals(map(str, files))
    source = f"read_parquet([{names}], union_by_name = true, hive_partitioning = false"
    connection.execute("DROP VIEW IF EXISTS shard_orders")
    if not files:
        connection.execute(f"CREATE TEMP VIEW shard_orders AS {_EMPTY}")
        return
    rows = f"FROM {source})"
    if not unique and _repeated(connection, source):
        rows += " ANTI JOIN repeated_orders USING (order_id) UNION ALL BY NAME FROM newest_orders"
    connection.execute(f"CREATE TEMP VIEW shard_orders AS {_EMPTY} UNION ALL BY NAME {rows}")


def _repeated(connection: duckdb.DuckDBPyConnection, source: str) -> bool:
    """Whether an order stands in the objects more than once; then make `repeated_orders`, `newest_orders` of those.

    Most files bring orders of their own. To find that out costs little beside bringing every order through a sort.
    """
    if not scalar(connection, f"SELECT count(*) - count(DISTINCT hash(order_id)) FROM {source})"):
        return False
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE repeated_orders AS
        SELECT order_id FROM {source}) GROUP BY order_id HAVING count(*) > 1
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE newest_orders AS
        WITH placed AS (
            FROM {source}, filename = true, file_row_number = true) SEMI JOIN repeated_orders USING (order_id)
        ),
        newest AS (
            SELECT unnest(arg_max({{filename: filename, file_row_number: file_row_number}},
                {{version: version, held: customer_id IS NOT NULL, filename: filename}}))
            FROM placed GROUP BY order_id
        )
        SELECT placed.* EXCLUDE (filename, file_row_number)
        FROM placed SEMI JOIN newest USING (filename, file_row_number)
    """)
    return True


def purchases_sql(orders: str) -> str:
    """SQL: a relation of whole orders as the features want it (see Sources.purchases)."""
    return f"""(
        SELECT customer_id, ordered_at::DATE AS ordered_on, {net("amount", "refunded")} AS amount,
            {counted("status", "amount", "refunded")} AS counted,
            coupon IS NOT NULL OR coalesce(discount > 0::DECIMAL(18, 4), false) AS reduced
        FROM {orders} WHERE customer_id IS NOT NULL
    )"""


def lines_sql(orders: str, products: str | None) -> str:
    """SQL: the line items of counted orders (see Sources.lines); what they do not tell is looked up in the products."""
    lines = f"""
        SELECT customer_id, order_id, ordered_at,
            unnest(range(len(lines))) AS position, unnest(lines, recursive := true)
        FROM {orders}
        WHERE customer_id IS NOT NULL AND lines IS NOT NULL AND {counted("status", "amount", "refunded")}"""
    if products is None:
        return f"SELECT customer_id, order_id, ordered_at, position, product_id, product_name, category FROM ({lines})"
    return f"""
        SELECT customer_id, order_id, ordered_at, position, product_id,
            coalesce(line.product_name, known.product_name) AS product_name,
            coalesce(line.category, known.category) AS category
        FROM ({lines}) AS line
        LEFT JOIN (SELECT product_id, product_name, category FROM {products}) AS known USING (product_id)"""
