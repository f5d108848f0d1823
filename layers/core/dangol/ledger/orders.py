"""The orders of one shard: the newest version of each, whatever the objects they lie in.

An order is one row, whole in every object that has it; the newest version wins, and of equal versions
(the same file delivered twice, a compaction beside what it merged) any one. So nothing depends on
objects being complete, unique or deleted in time, and a crash between two steps leaves no trace.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.ledger import layout
from dangol.ledger.store import ObjectStore
from dangol.orders.scan import counted, net

COMPACT_AT = 8
"""Objects of a shard that are read as they are; more are merged into one."""

_WRITE = "(FORMAT parquet, COMPRESSION zstd)"


def load_orders(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], unique: bool) -> None:
    """Make temp relation `shard_orders` of ledger objects: ORDER_COLUMNS and version, one row per order_id.

    `unique` says that there is one object and it is a compaction. Rows with status 'moved' mark orders
    that now belong to a customer of another shard.
    """
    names = ", ".join(literal(str(file)) for file in files)
    source = f"read_parquet([{names}], union_by_name = true, hive_partitioning = false"
    connection.execute("DROP VIEW IF EXISTS shard_orders")
    connection.execute("DROP TABLE IF EXISTS shard_orders_table")
    if unique:
        connection.execute(f"CREATE TEMP VIEW shard_orders AS FROM {source})")
        return
    connection.execute(f"""
        CREATE TEMP TABLE shard_orders_table AS
        WITH placed AS (FROM {source}, filename = true, file_row_number = true)),
        newest AS (
            SELECT unnest(arg_max({{filename: filename, file_row_number: file_row_number}},
                {{version: version, filename: filename}}))
            FROM placed GROUP BY order_id
        )
        SELECT placed.* EXCLUDE (filename, file_row_number)
        FROM placed SEMI JOIN newest USING (filename, file_row_number)
    """)
    connection.execute("CREATE TEMP VIEW shard_orders AS FROM shard_orders_table")


PURCHASES = f"""(
    SELECT customer_id, ordered_at::DATE AS ordered_on, {net("amount", "refunded")} AS amount,
        {counted("status", "amount", "refunded")} AS counted
    FROM shard_orders WHERE customer_id IS NOT NULL
)"""
"""SQL: `shard_orders` as features_sql wants it."""


def compact_orders(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, shard: int, merged: list[str], folder: Path
) -> str:
    """Write `shard_orders` as one object, then remove the objects `merged` into it; the new key.

    A crash in between leaves both, which read the same.
    """
    key = layout.base_key(layout.ORDERS, shard, merged)
    path = folder / "base.parquet"
    connection.execute(f"COPY (FROM shard_orders ORDER BY order_id) TO {literal(str(path))} {_WRITE}")
    store.upload([(path, key)])
    store.delete([old for old in merged if old != key])
    return key
