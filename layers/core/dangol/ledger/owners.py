"""Which shard holds each order, so that an order that changes its customer counts only once.

Beside the orders, which are sharded by customer, the ledger keeps for each order id the shard it was put
into, sharded by order id. Appending a file asks there whether another shard holds one of its orders, and
tells the older of the two by a row with status 'moved'. Hashes of 64 bits stand for order ids.

Of two files appended at once each writes its owners before it asks, so at least one sees the other; what is handed over
of merged accounts does the same. Owners are never forgotten, only merged by shard: a file may have written its owners
and not yet have asked.
"""

from pathlib import Path

import duckdb

from dangol.engine import literal, literals
from dangol.ledger import layout
from dangol.ledger.store import ObjectStore

_TRIES = 5
COMPACT_AT = 32
"""Objects of a shard of owners above which a refresh merges them."""

_KEY = "md5_number_lower(order_id)"


def owner_rows(shards: int, orders: str, version: str) -> str:
    """SQL: the owners of a relation of orders, with the shard of the owner's own home; `version` is an expression.

    Columns: key UBIGINT (hash of the order id), shard USMALLINT, version VARCHAR, home USMALLINT.
    """
    return f"""
        SELECT {_KEY} AS key, {layout.shard_sql("customer_id", shards)} AS shard,
            {version} AS version, {layout.shard_sql("order_id", shards)} AS home
        FROM {orders}
    """


def find_moved(
    connection: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    orders: str,
    shards: int,
    folder: Path,
    source: int | None = None,
) -> None:
    """Make temp table `moved` (order_id, version, shard): those of `orders` that another shard holds as well.

    `orders` is a relation with order_id, customer_id and version. For each, the shard of the older version is told the
    newer one's version; but nobody is told of what was handed over of an order of their own (see dangol.ledger.merges).
    `source` is the shard that hands over: then only those are told to whom it was handed before.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE mine AS
        SELECT order_id, version, {_KEY} AS key, {layout.shard_sql("customer_id", shards)} AS shard,
            {layout.shard_sql("order_id", shards)} AS home
        FROM {orders}
    """)
    connection.execute("CREATE OR REPLACE TEMP TABLE moved (order_id VARCHAR, version VARCHAR, shard USMALLINT)")
    homes = connection.execute("SELECT DISTINCT home FROM mine ORDER BY home").fetchall()
    older = "true" if source is None else f"contains(other.version, '~') AND other.shard <> {source}"
    for (home,) in homes:
        files = _files(store, home, folder)
        if not files:
            continue
        connection.execute(f"""
            INSERT INTO moved
            SELECT DISTINCT order_id, greatest(other.version, mine.version),
                CASE WHEN other.version < mine.version THEN other.shard ELSE mine.shard END
            FROM mine JOIN {_read(files)} AS other USING (key)
            WHERE mine.home = {home} AND other.shard <> mine.shard AND CASE WHEN other.version < mine.version
                THEN {older} ELSE NOT starts_with(other.version, mine.version || '~') END
        """)


def compact_owners(connection: duckdb.DuckDBPyConnection, store: ObjectStore, shard: int, folder: Path) -> bool:
    """Merge the owners of one shard when they are many; whether it did. Not to run beside itself."""
    keys = store.keys(layout.shard_prefix(layout.OWNERS, shard))
    if len(keys) <= COMPACT_AT:
        return False
    path = folder / "owners.parquet"
    files = store.download(keys, folder)
    connection.execute(f"""
        COPY (
            SELECT key, shard, max(version) AS version FROM {_read(files)} GROUP BY key, shard ORDER BY key, shard
        ) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)
    """)
    base = layout.base_key(layout.OWNERS, shard, keys)
    store.upload([(path, base)])
    store.delete([key for key in keys if key != base])
    return True


def _files(store: ObjectStore, home: int, folder: Path) -> list[Path]:
    """The objects of a shard of owners. A compaction beside us may remove one: then list again."""
    for attempt in range(_TRIES):
        keys = store.keys(layout.shard_prefix(layout.OWNERS, home))
        try:
            return store.download(keys, folder)
        except FileNotFoundError:
            if attempt == _TRIES - 1:
                raise
    return []


def _read(files: list[Path]) -> str:
    return f"read_parquet([{literals(map(str, files))}], hive_partitioning = false)"
