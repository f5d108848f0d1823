"""Accounts that became part of others: what their shard holds of them is handed to the shard of the other account.

A row of a customers file with `merged_into` makes an alias. The shard where the old account lies hands everything of it
over, under the new account's id, each time something of it is new; the old account is no customer any more. What is
handed over twice reads like once: an order keeps its version, behind which stands `~` and that of the alias, so that it
wins over the old row should both lie in one shard, and over what was handed to an account named before; a row of
customers files is marked `0-`, so that what the new account says of itself comes first. Files are appended meanwhile:
as they do, it notes the owners of orders before it asks who else holds them (see dangol.ledger.owners).
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import duckdb

from dangol.engine import literal, scalar
from dangol.ledger import facts, layout, owners
from dangol.ledger.parts import write_parts
from dangol.ledger.store import ObjectStore


def make_aliases(connection: duckdb.DuckDBPyConnection) -> None:
    """Make temp table `aliases` (customer_id, merged_into, told_in: a version) of what is loaded of customers files."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE aliases AS
        SELECT customer_id, merged_into, told_in FROM (
            SELECT customer_id, arg_max(merged_into, version) FILTER (merged_into IS NOT NULL) AS merged_into,
                max(version) FILTER (merged_into IS NOT NULL) AS told_in
            FROM {facts.CUSTOMERS.view()} GROUP BY customer_id
        ) WHERE merged_into <> customer_id
    """)


def has_aliases(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any account that is loaded became part of another."""
    return scalar(connection, "SELECT count(*) FROM aliases") > 0


def hand_over(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, shard: int, folder: Path, done: str
) -> tuple[str, tuple[int, ...]]:
    """Append what the loaded shard holds of merged accounts to the shards of the others.

    `done` is what an earlier call returned. Returns a name for what is handed over by now, and the shards that were
    given something, which are to be refreshed.
    """
    if not has_aliases(connection):
        return done, ()
    shards = layout.number_of_shards(store)
    orders, rows = _orders(shards), {kind.name: _facts(kind, shards) for kind in facts.OF_PERSONS}
    name = _name(connection, [orders, *rows.values()])
    if name == done:
        return done, ()
    version, scratch = f"merged-{shard:04d}-{name}", folder / "merged"
    scratch.mkdir(exist_ok=True)
    owned = owners.owner_rows(shards, f"({orders})", version="version")
    write_parts(connection, store, layout.OWNERS, owned, version, scratch, "home")
    owners.find_moved(connection, store, f"({orders})", shards, scratch, source=shard)
    rows[layout.ORDERS] = f"{orders} UNION ALL BY NAME SELECT order_id, 'moved' AS status, version, shard FROM moved"
    touched = {one for kind in rows for one in write_parts(connection, store, kind, rows[kind], version, scratch)}
    return name, tuple(sorted(touched))


def _orders(shards: int) -> str:
    return f"""
        SELECT shard_orders.* REPLACE (merged_into AS customer_id, version || '~' || told_in AS version),
            {layout.shard_sql("merged_into", shards)} AS shard
        FROM shard_orders JOIN aliases USING (customer_id)"""


def _facts(kind: facts.Facts, shards: int) -> str:
    """SQL: what is known of merged accounts; of customers files one row each, with the newest of each column."""
    rows = kind.view()
    if kind is facts.CUSTOMERS:
        newest = ", ".join(
            f"arg_max({name}, version) FILTER ({name} IS NOT NULL) AS {name}"
            for name in kind.columns
            if name not in ("customer_id", "version", "merged_into")
        )
        version = f"{literal(facts.HANDED_OVER)} || max(version) AS version"
        rows = f"(SELECT customer_id, {newest}, {version} FROM {rows} GROUP BY customer_id)"
    return f"""
        SELECT found.* REPLACE (merged_into AS customer_id), {layout.shard_sql("merged_into", shards)} AS shard
        FROM {rows} AS found JOIN aliases USING (customer_id)"""


def _name(connection: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> str:
    """Names the rows of queries: the same for the same rows in any order."""
    parts = [
        connection.execute(f"SELECT count(*), coalesce(bit_xor(hash(found)), 0) FROM ({query}) AS found").fetchone()
        for query in queries
    ]
    text = " ".join(f"{count} {digest}" for count, digest in filter(None, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
