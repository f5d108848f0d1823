"""Accounts that became part of others: what their shard holds of them is handed to the shard of the other account.

A row of a customers file with `merged_into` makes an alias. The shard where the old account lies hands everything of it
over, under the new account's id, each time something of it is new; the old account is no customer any more. What is
handed over twice reads like once: an order keeps its version, marked by `~` so that it wins over the old row should
both lie in one shard; a row of customers files is marked `0-`, so that what the new account says of itself comes first.
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
    """Make temp table `aliases` (customer_id, merged_into) of what is loaded of customers files."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE aliases AS
        SELECT customer_id, merged_into FROM (
            SELECT customer_id, arg_max(merged_into, version) FILTER (merged_into IS NOT NULL) AS merged_into
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
    rows = {layout.ORDERS: _orders(shards), layout.OWNERS: _owners(shards)}
    rows |= {kind.name: _facts(kind, shards) for kind in facts.OF_PERSONS}
    name = _name(connection, rows.values())
    if name == done:
        return done, ()
    touched: set[int] = set()
    scratch = folder / "merged"
    scratch.mkdir(exist_ok=True)
    for kind, query in rows.items():
        home = "home" if kind == layout.OWNERS else "shard"
        version = f"merged-{shard:04d}-{name}"
        given = write_parts(connection, store, kind, query, version, scratch, home)
        touched |= set() if kind == layout.OWNERS else set(given)
    return name, tuple(sorted(touched))


def _orders(shards: int) -> str:
    return f"""
        SELECT shard_orders.* REPLACE (merged_into AS customer_id, version || '~' AS version),
            {layout.shard_sql("merged_into", shards)} AS shard
        FROM shard_orders JOIN aliases USING (customer_id)"""


def _owners(shards: int) -> str:
    return owners.owner_rows(shards, orders=f"({_orders(shards)})", version="version")


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
