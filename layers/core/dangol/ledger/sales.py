"""What sells, and what sells together: counted once a day, by people, over the orders of the last year.

A shard holds all orders of its customers, who are a random share of everybody. So one shard after the other is read
until enough orders were seen, which takes the same time for every shop.
"""

from datetime import date
from pathlib import Path

import duckdb

from dangol.engine import literal, scalar
from dangol.ledger import facts, layout
from dangol.ledger.catalogue import make_catalogue, resolved
from dangol.ledger.orders import lines_sql, load_orders
from dangol.ledger.store import ObjectStore

ENOUGH_ORDERS = 500_000
"""With products of the catalogue."""
SALES_DAYS = 365
MIN_TOGETHER = 3
"""People who bought two products in one order; fewer may be chance."""
MAX_TOGETHER = 24
"""Products that are kept beside one."""
MAX_BASKET = 20
"""Products of an order; larger ones are a reseller's and tell nothing of what goes together."""
_KEY = "ledger/sales/sales.parquet"
_TRIES = 5
_TYPES = {"product_id": "VARCHAR", "people": "BIGINT", "together": "VARCHAR[]"}
_EMPTY = "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in _TYPES.items()) + " WHERE false"


def keep_sales(connection: duckdb.DuckDBPyConnection, store: ObjectStore, as_of: date, folder: Path) -> bool:
    """Count anew; False where the shop has no products, so that nobody asks."""
    products = _downloaded(store, layout.shard_prefix(facts.PRODUCTS.name, facts.SHARD_OF_PRODUCTS), folder)
    if not products:
        return False
    facts.load_facts(connection, facts.PRODUCTS, products)
    catalogue = make_catalogue(connection, facts.PRODUCTS.view())
    for shard in range(layout.number_of_shards(store)):
        load_orders(connection, _downloaded(store, layout.shard_prefix(layout.ORDERS, shard), folder), unique=False)
        add_baskets(connection, f"({lines_sql('shard_orders', catalogue)})", as_of)
        if scalar(connection, "SELECT count(DISTINCT order_id) FROM baskets") >= ENOUGH_ORDERS:
            break
    path = folder / "sales.parquet"
    connection.execute(
        f"COPY (FROM ({SALES}) ORDER BY product_id) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    )
    store.upload([(path, _KEY)])
    return True


def _downloaded(store: ObjectStore, prefix: str, folder: Path) -> list[Path]:
    """The objects there. A refresh beside us may have merged some by the time we copy them: then look again."""
    for _ in range(_TRIES - 1):
        try:
            return store.download(store.keys(prefix), folder)
        except FileNotFoundError:
            continue
    return store.download(store.keys(prefix), folder)


def sales_of(store: ObjectStore, folder: Path) -> str:
    """SQL: what was counted last: product_id VARCHAR, people BIGINT, together VARCHAR[] (ids, best first)."""
    keys = store.keys(_KEY)
    if not keys:
        return f"({_EMPTY})"
    (path,) = store.download(keys, folder)
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def add_baskets(connection: duckdb.DuckDBPyConnection, lines: str, as_of: date) -> None:
    """Add to temp table `baskets` what was bought in each order of the year, of the products in table `catalogue`.

    `lines` as Sources.lines.
    """
    today = f"DATE '{as_of}'"
    year = f"FROM {lines} WHERE ordered_at::DATE BETWEEN {today} - {SALES_DAYS - 1} AND {today}"
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS baskets (customer_id VARCHAR, order_id VARCHAR, product VARCHAR)"
    )
    connection.execute(f"""
        INSERT INTO baskets SELECT DISTINCT * FROM ({resolved(year, "customer_id, order_id")}) WHERE product IS NOT NULL
    """)


SALES = f"""
    WITH small AS (FROM baskets QUALIFY count(*) OVER (PARTITION BY customer_id, order_id) BETWEEN 2 AND {MAX_BASKET})
    FROM (SELECT product AS product_id, count(DISTINCT customer_id) AS people FROM baskets GROUP BY product)
    LEFT JOIN (
        SELECT product AS product_id, list(other ORDER BY buyers DESC, other)[:{MAX_TOGETHER}] AS together FROM (
            SELECT one.product, two.product AS other, count(DISTINCT customer_id) AS buyers
            FROM small AS one JOIN small AS two USING (customer_id, order_id)
            WHERE one.product <> two.product GROUP BY ALL HAVING buyers >= {MIN_TOGETHER}
        ) GROUP BY product
    ) USING (product_id)
"""
"""SQL: what table `baskets` tells, as sales_of."""
