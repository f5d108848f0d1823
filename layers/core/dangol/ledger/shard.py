"""Everything the ledger knows of one shard, as relations."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dangol.engagement.people import by_people_sql
from dangol.engine import literal, scalar
from dangol.ledger import facts, layout, owners
from dangol.ledger.facts import load_facts
from dangol.ledger.orders import lines_sql, load_orders, purchases_sql
from dangol.ledger.store import ObjectStore
from dangol.segments.compute import Sources
from dangol.segments.profiles import make_profiles

COMPACT_AT = 8
"""Objects of one kind in a shard that are read as they are; more are merged into one."""

_WRITE = "(FORMAT parquet, COMPRESSION zstd)"


class ShardLedger:
    """One shard. Only its own refresh may load it: loading merges objects that are many."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, store: ObjectStore, shard: int, folder: Path) -> None:
        self._connection = connection
        self._store = store
        self._shard = shard
        self._folder = folder

    def keys(self) -> tuple[str, ...]:
        """The objects that a state of the shard follows from."""
        return tuple(key for prefix in self._prefixes().values() for key in self._store.keys(prefix))

    def load(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Make `shard_orders` and the relations of every other kind; the keys that hold the same from now on.

        A crash while objects are merged leaves both the old and the new, which read the same.
        """
        held: list[str] = []
        for kind, prefix in self._prefixes().items():
            held += self._load(kind, [key for key in keys if key.startswith(prefix)])
        owners.compact_owners(self._connection, self._store, self._shard, self._folder)
        return tuple(held)

    def sources(self) -> Sources:
        """What features are made of. A kind of which there is nothing costs nothing."""
        lines = lines_sql("shard_orders", facts.PRODUCTS.view())
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE shard_lines AS {lines}")
        customers = self._if_any(facts.CUSTOMERS.view())
        engagement = self._if_any(facts.ENGAGEMENT.view())
        return Sources(
            purchases=purchases_sql("shard_orders"),
            reduced=True,
            lines=self._if_any("shard_lines"),
            profiles=make_profiles(self._connection, customers) if customers else None,
            interests=self._if_any(facts.INTERESTS.view()),
            engagement=f"({by_people_sql(engagement)})" if engagement else None,
        )

    def _prefixes(self) -> dict[str, str]:
        kinds = (layout.ORDERS, *(kind.name for kind in facts.OF_PERSONS))
        prefixes = {kind: layout.shard_prefix(kind, self._shard) for kind in kinds}
        return prefixes | {facts.PRODUCTS.name: layout.shard_prefix(facts.PRODUCTS.name, facts.SHARD_OF_PRODUCTS)}

    def _load(self, kind: str, keys: list[str]) -> list[str]:
        files = self._store.download(keys, self._folder)
        if kind == layout.ORDERS:
            load_orders(self._connection, files, unique=len(keys) == 1 and layout.is_base(keys[0]))
            return self._compacted(kind, keys, "shard_orders", "order_id")
        found = facts.BY_NAME[kind]
        load_facts(self._connection, found, files)
        if found is facts.PRODUCTS and self._shard != facts.SHARD_OF_PRODUCTS:
            return keys
        return self._compacted(kind, keys, found.view(), next(iter(found.columns)))

    def _compacted(self, kind: str, keys: list[str], rows: str, order: str) -> list[str]:
        """Write the relation `rows` as one object and remove the objects it was loaded from, if they are many."""
        if len(keys) < COMPACT_AT:
            return keys
        base = layout.base_key(kind, self._shard, keys)
        path = self._folder / f"base-{kind}.parquet"
        self._connection.execute(f"COPY (FROM {rows} ORDER BY {order}) TO {literal(str(path))} {_WRITE}")
        self._store.upload([(path, base)])
        self._store.delete([key for key in keys if key != base])
        return [base]

    def _if_any(self, relation: str) -> str | None:
        return relation if scalar(self._connection, f"SELECT count(*) FROM {relation}") else None
