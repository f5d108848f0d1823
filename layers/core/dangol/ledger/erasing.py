"""People in the ledger's objects: by what it knows them, and its objects without them."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dangol.engine import literal, literals, scalar
from dangol.erasure.person import Person
from dangol.ledger import facts, layout
from dangol.ledger.contacts import PROFILES
from dangol.ledger.notices import NOTICES
from dangol.ledger.state import STATE
from dangol.ledger.store import ObjectStore

_OF_PERSONS = (layout.ORDERS, *(kind.name for kind in facts.OF_PERSONS))
_AT_ONCE = 8
"""Objects."""


def rows_of(connection: duckdb.DuckDBPyConnection, store: ObjectStore, found: Person, shard: int, folder: Path) -> int:
    """How many rows of one shard are about them."""
    return sum(_count(connection, path, found.ids) for _, path in copies(store, inputs_of(store, shard), folder))


def erase_from(
    connection: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    keys: Sequence[str],
    found: Person,
    folder: Path,
    under: str | None = None,
) -> int:
    """Write objects anew without the rows about people; how many rows those were. Doing it again changes nothing.

    With `under`, which tells erasures apart, as an object of another name: who keeps copies by name must not go on with
    the old one.
    """
    _note_of_others(connection, store, [key for key in keys if _is_orders(key)], found, folder)
    erased = 0
    for key, path in copies(store, keys, folder):
        rows = _count(connection, path, found.ids)
        if rows:
            without, theirs = folder / "without.parquet", _about(connection, path, found.ids)
            kept = f"FROM {_read(path)} WHERE NOT {theirs}"
            if _is_orders(key):
                moved = f"SELECT order_id, 'moved' AS status, version FROM {_read(path)}"
                kept += f" UNION ALL BY NAME ({moved} WHERE {theirs} AND order_id IN (FROM orders_of_others))"
            connection.execute(f"COPY ({kept}) TO {literal(str(without))} (FORMAT parquet, COMPRESSION zstd)")
            new = key if under is None else _renamed(key, under)
            store.upload([(without, new)])
            if new != key:
                store.delete([key])
            erased += rows
    return erased


def _is_orders(key: str) -> bool:
    return key.startswith(layout.kind_prefix(layout.ORDERS, None))


def _note_of_others(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, keys: Sequence[str], found: Person, folder: Path
) -> None:
    """Make temp table `orders_of_others`: ids of their orders that stand in the shard as somebody else's as well.

    Those were somebody else's before. Without a row that says so they would be again.
    """
    for table in ("theirs", "orders_of_others"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} (order_id VARCHAR)")
    for _, path in copies(store, keys, folder):
        where = _about(connection, path, found.ids)
        connection.execute(f"INSERT INTO theirs SELECT DISTINCT order_id FROM {_read(path)} WHERE {where}")
    for _, path in copies(store, keys, folder) if scalar(connection, "SELECT count(*) FROM theirs") else ():
        where = f"NOT {_about(connection, path, found.ids)} AND order_id IN (FROM theirs)"
        connection.execute(f"INSERT INTO orders_of_others SELECT DISTINCT order_id FROM {_read(path)} WHERE {where}")


def _renamed(key: str, under: str) -> str:
    """Another name of the same length however often it is given: a static object outlives hundreds of erasures."""
    folder, _, name = key.rpartition("/")
    digest = sha256(f"{name} {under}".encode()).hexdigest()[:16]
    return f"{folder}/{name.removesuffix('.parquet').partition('.')[0]}.{digest}.parquet"


def inputs_of(store: ObjectStore, shard: int) -> list[str]:
    """The objects from which a shard's state follows, as far as they are about people."""
    return [key for kind in _OF_PERSONS for key in store.keys(layout.kind_prefix(kind, shard))]


def outcomes_of(store: ObjectStore, shard: int) -> list[str]:
    """The objects that follow from them: states, changes of membership, what was copied to `Profiles`."""
    kinds = (STATE, PROFILES)
    found = [key for kind in kinds for key in store.keys(layout.shard_prefix(kind, shard)) if key.endswith(".parquet")]
    changes = store.keys(layout.CHANGES)
    return found + [key for key in changes if key.rpartition("/")[2].startswith(f"shard-{shard:04d}-")]


def prefixes_of(shard: int) -> list[str]:
    """Where all of them lie."""
    return [*(layout.shard_prefix(kind, shard) for kind in (*_OF_PERSONS, STATE, PROFILES, NOTICES)), layout.CHANGES]


def holds(connection: duckdb.DuckDBPyConnection, path: Path, found: Person) -> bool:
    """Whether a Parquet file names them: an account's id as one, or a contact in any column of text."""
    if _count(connection, path, found.ids):
        return True
    texts = [
        name
        for name, kind in connection.execute(
            f"SELECT column_name, column_type FROM (DESCRIBE FROM {_read(path)})"
        ).fetchall()
        if kind == "VARCHAR"
    ]
    contacts = literals((*found.as_written, *found.emails, *found.phones))
    if not texts or not contacts:
        return False
    test = " OR ".join(f'"{name}" IN ({contacts})' for name in texts)
    return scalar(connection, f"SELECT count(*) FROM {_read(path)} WHERE {test}") > 0


def copies(store: ObjectStore, keys: Iterable[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """(key, a copy of the object, gone with the next); one that is gone meanwhile is left out.

    A few at a time: one by one they take long, and all of them would not fit the disk.
    """
    source = iter(keys)
    while some := list(islice(source, _AT_ONCE)):
        with TemporaryDirectory(dir=folder) as scratch:
            try:
                paths = store.download(some, Path(scratch))
            except FileNotFoundError:
                there = [key for key in some if key in store.keys(key)]
                yield from _one_by_one(store, there, Path(scratch))
            else:
                yield from zip(some, paths, strict=True)


def _one_by_one(store: ObjectStore, keys: Iterable[str], folder: Path) -> Iterator[tuple[str, Path]]:
    for key in keys:
        try:
            (path,) = store.download([key], folder)
        except FileNotFoundError:
            continue
        yield key, path


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def _count(connection: duckdb.DuckDBPyConnection, path: Path, ids: Iterable[str]) -> int:
    return scalar(connection, f"SELECT count(*) FROM {_read(path)} WHERE {_about(connection, path, ids)}")


def _about(connection: duckdb.DuckDBPyConnection, path: Path, ids: Iterable[str]) -> str:
    """SQL: whether a row of a file is about one of some accounts."""
    columns = {
        name for (name,) in connection.execute(f"SELECT column_name FROM (DESCRIBE FROM {_read(path)})").fetchall()
    }
    names = [name for name in ("customer_id", "merged_into") if name in columns]
    return "(" + (" OR ".join(f"coalesce({name} IN ({literals(ids)}), false)" for name in names) or "false") + ")"
