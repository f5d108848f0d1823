"""Everything the ledger knows of one shard, as relations."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dangol.engagement.people import by_people_sql
from dangol.engine import literal, scalar
from dangol.ledger import facts, layout, owners
from dangol.ledger.catalogue import make_catalogue
from dangol.ledger.facts import Facts, load_facts
from dangol.ledger.merges import has_aliases, make_aliases
from dangol.ledger.orders import lines_sql, load_orders, purchases_sql
from dangol.ledger.store import ObjectStore
from dangol.segments.compute import Sources
from dangol.segments.profiles import make_profiles

COMPACT_AT = 8
"""Objects of one kind in a shard that are read as they are; more are merged into one."""

_TRIES = 4
_WRITE = "(FORMAT parquet, COMPRESSION zstd)"


class ShardLedger:
    """What one shard holds, or with `shard` None all of them together."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, store: ObjectStore, shard: int | None, folder: Path
    ) -> None:
        self._connection = connection
        self._store = store
        self._shard = shard
        self._folder = folder

    def keys(self) -> tuple[str, ...]:
        """The objects that a state of the shard follows from."""
        return tuple(key for prefix in self._prefixes().values() for key in self._store.keys(prefix))

    def load(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Make `shard_orders` and the relations of every other kind; the keys that were read."""
        found = {kind: [key for key in keys if key.startswith(prefix)] for kind, prefix in self._prefixes().items()}
        read = {kind: self._load(kind, own) for kind, own in found.items()}
        make_aliases(self._connection)
        return tuple(key for own in read.values() for key in own)

    def compact(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Merge what was loaded of `keys` where the objects are many; the keys that hold the same from now on.

        Only for a shard's own refresh. A crash in between leaves both the old and the new, which read the same.
        """
        assert self._shard is not None
        held: list[str] = []
        for kind, prefix in self._prefixes().items():
            own = [key for key in keys if key.startswith(prefix)]
            shared = kind == facts.PRODUCTS.name and self._shard != facts.SHARD_OF_PRODUCTS
            held += own if shared or len(own) < COMPACT_AT else [self._merge(kind, self._shard, own)]
        owners.compact_owners(self._connection, self._store, self._shard, self._folder)
        return tuple(held)

    def sources(self) -> Sources:
        """What features are made of. A kind of which there is nothing costs nothing."""
        orders = self._live("shard_orders")
        catalogue = make_catalogue(self._connection, facts.PRODUCTS.view())
        kind = "TABLE" if catalogue else "VIEW"  # what concerns each person is asked of the lines several times
        self._connection.execute(f"CREATE OR REPLACE TEMP {kind} shard_lines AS {lines_sql(orders, catalogue)}")
        customers, interests, engagement = (self._if_any(self._live(kind.view())) for kind in facts.OF_PERSONS)
        return Sources(
            purchases=purchases_sql(orders),
            reduced=True,
            lines="shard_lines",
            profiles=make_profiles(self._connection, customers) if customers else None,
            interests=interests,
            engagement=f"({by_people_sql(engagement)})" if engagement else None,
        )

    def _live(self, relation: str) -> str:
        """SQL: a relation without accounts that became part of others."""
        if not has_aliases(self._connection):
            return relation
        return f"(FROM {relation} ANTI JOIN aliases USING (customer_id))"

    def _prefixes(self) -> dict[str, str]:
        kinds = (layout.ORDERS, *(kind.name for kind in facts.OF_PERSONS))
        prefixes = {kind: layout.kind_prefix(kind, self._shard) for kind in kinds}
        return prefixes | {facts.PRODUCTS.name: layout.kind_prefix(facts.PRODUCTS.name, facts.SHARD_OF_PRODUCTS)}

    def _load(self, kind: str, keys: list[str]) -> list[str]:
        if kind == layout.ORDERS:
            unique = len(keys) == 1 and layout.is_base(keys[0])
            load_orders(self._connection, self._store.download(keys, self._folder), unique)
            return keys
        read, files = self._downloaded(kind, keys)
        load_facts(self._connection, facts.BY_NAME[kind], files)
        return read

    def _downloaded(self, kind: str, keys: list[str]) -> tuple[list[str], list[Path]]:
        """The objects of a kind. Another shard's refresh may have merged the products meanwhile: then list again."""
        for _ in range(_TRIES):
            try:
                return keys, self._store.download(keys, self._folder)
            except FileNotFoundError:
                keys = self._store.keys(self._prefixes()[kind])
        return keys, self._store.download(keys, self._folder)

    def _merge(self, kind: str, shard: int, keys: list[str]) -> str:
        """Write what was loaded of a kind as one object, and remove those it was loaded from."""
        rows, order = ("shard_orders", "order_id") if kind == layout.ORDERS else _sorted(facts.BY_NAME[kind])
        base = layout.base_key(kind, shard, keys)
        path = self._folder / f"base-{kind}.parquet"
        self._connection.execute(f"COPY (FROM {rows} ORDER BY {order}) TO {literal(str(path))} {_WRITE}")
        self._store.upload([(path, base)])
        self._store.delete([key for key in keys if key != base])
        return base

    def _if_any(self, relation: str) -> str | None:
        return relation if scalar(self._connection, f"SELECT count(*) FROM {relation}") else None


def _sorted(kind: Facts) -> tuple[str, str]:
    return kind.view(), next(iter(kind.columns))
