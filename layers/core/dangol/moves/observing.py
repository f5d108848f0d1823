"""What the customers of each segment do, by the ledger's orders: read shard by shard, for the report."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dangol.engine import scalar
from dangol.ledger import facts, layout
from dangol.ledger.orders import lines_sql
from dangol.ledger.shard import ShardLedger
from dangol.ledger.store import ObjectStore
from dangol.reports.observation import MOST_CUSTOMERS, Orders, begin, observe
from dangol.reports.traits import Traits, traits
from dangol.segments.policy import Policy


def observed_traits(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, shards: int, as_of: date, policy: Policy, folder: Path
) -> tuple[tuple[Traits, ...], int]:
    """The traits of each RFM segment, and of how many customers the orders were looked at.

    Reads relation `customers`. Of a shop with more than MOST_CUSTOMERS as many shards are read as hold about so many.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE sharded AS
        SELECT customer_id, segment, days_between_orders, {layout.shard_sql("customer_id", shards)} AS shard
        FROM customers
    """)
    customers = scalar(connection, "SELECT count(*) FROM sharded")
    read = min(shards, -(-MOST_CUSTOMERS * shards // max(customers, 1)))
    begin(connection)
    for shard in range(read):
        with TemporaryDirectory(dir=folder) as scratch:
            observe(connection, _orders_of(connection, store, shard, Path(scratch)), as_of)
    looked_at = scalar(connection, f"SELECT count(*) FROM sharded WHERE shard < {read}")
    return traits(connection, policy.rfm_ids, f"(FROM sharded WHERE shard < {read})"), looked_at


def _orders_of(connection: duckdb.DuckDBPyConnection, store: ObjectStore, shard: int, folder: Path) -> Orders:
    """The orders of one shard; accounts that became part of others are no customers, so theirs find nobody."""
    ledger = ShardLedger(connection, store, shard, folder)
    needed = tuple(f"ledger/{kind}/" for kind in (layout.ORDERS, facts.PRODUCTS.name))
    held = ledger.keys()
    ledger.load([key for key in held if key.startswith(needed)])
    products = facts.PRODUCTS.view()
    known = products if scalar(connection, f"SELECT count(*) FROM {products}") else None
    people = f"(SELECT customer_id, segment FROM sharded WHERE shard = {shard})"
    return Orders(people, "shard_orders", f"({lines_sql('shard_orders', known)})", known)
