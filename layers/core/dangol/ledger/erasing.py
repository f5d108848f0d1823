"""People in the ledger's objects: by what it knows them, and its objects without them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dangol.engine import literal, scalar
from dangol.erasure.person import Person
from dangol.identity import KEY_PREFIX, email_sql, normal_email, normal_phone, person, phone_sql
from dangol.ledger import facts, layout
from dangol.ledger.contacts import PROFILES
from dangol.ledger.notices import NOTICES
from dangol.ledger.state import STATE
from dangol.ledger.store import ObjectStore

_OF_PERSONS = (layout.ORDERS, *(kind.name for kind in facts.OF_PERSONS))
_COLUMNS = ("customer_id", "merged_into", "email", "phone", "push_token", "push_platform")
_NOBODY = "SELECT " + ", ".join(f"NULL::VARCHAR AS {name}" for name in _COLUMNS) + " WHERE false"
_AT_ONCE = 8
"""Objects."""


def identify(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, asked: Iterable[str], key: bytes, folder: Path
) -> Person:
    """Everything by which the ledger knows the accounts `asked` for; `key` is the secret of dangol.identity.

    Accounts are followed through merges, both ways, and to those known by an address or number only. A contact that a
    customer with an id of their own has as well is not theirs alone: it stays, and so does that customer.
    """
    _everyone(connection, store, folder)
    ids, read = set(asked), set[int]()
    while True:
        _add_orders(connection, store, ids, read, folder)
        shared = _shared(connection, ids)
        own = [text for text in _texts(connection, ids) if text not in shared]
        by_contact = {person(None, text, None, key) or person(None, None, text, key) for text in own}
        more = ids | {one for one in by_contact if one and _is_known(connection, one)}
        more |= _merged(connection, more)
        if more == ids:
            return Person(
                ids=tuple(sorted(ids)),
                emails=tuple(sorted({email for text in own if (email := normal_email(text))})),
                phones=tuple(sorted({phone for text in own if (phone := normal_phone(text))})),
                as_written=tuple(sorted(own)),
                tokens=_tokens(connection, ids),
                shared=shared,
            )
        ids = more


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

    With `under` as another object, whose name has that in it: who keeps copies by name must not go on with the old one.
    """
    erased = 0
    for key, path in copies(store, keys, folder):
        rows = _count(connection, path, found.ids)
        if rows:
            without = folder / "without.parquet"
            connection.execute(
                f"COPY (FROM {_read(path)} WHERE NOT {_about(connection, path, found.ids)}) "
                f"TO {literal(str(without))} (FORMAT parquet, COMPRESSION zstd)"
            )
            new = key if under is None else f"{key.removesuffix('.parquet')}.{under}.parquet"
            store.upload([(without, new)])
            if new != key:
                store.delete([key])
            erased += rows
    return erased


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
    contacts = ", ".join(literal(text) for text in (*found.as_written, *found.emails, *found.phones))
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
    return "(" + (" OR ".join(f"coalesce({name} IN ({_list(ids)}), false)" for name in names) or "false") + ")"


def _list(ids: Iterable[str]) -> str:
    return ", ".join(literal(one) for one in ids)


def _everyone(connection: duckdb.DuckDBPyConnection, store: ObjectStore, folder: Path) -> None:
    """Make temp table `everyone` of who is in customers files, and in what was copied to `Profiles`."""
    normal = f"{email_sql('email')} AS address, {phone_sql('phone')} AS number"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE everyone AS SELECT *, {normal} FROM ({_NOBODY})")
    for prefix in (layout.kind_prefix(facts.CUSTOMERS.name, None), layout.kind_prefix(PROFILES, None)):
        for _, path in copies(store, store.keys(prefix), folder):
            _add(connection, path, "true")


def _add_orders(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, ids: Iterable[str], read: set[int], folder: Path
) -> None:
    """Add to `everyone` who is in the orders of the shards where accounts lie, unless they were `read` before."""
    shards = layout.number_of_shards(store) if store.keys(layout.LAYOUT_KEY) else 0
    for shard in {layout.shard_of(one, shards) for one in ids} - read if shards else ():
        read.add(shard)
        for _, path in copies(store, store.keys(layout.kind_prefix(layout.ORDERS, shard)), folder):
            _add(connection, path, "customer_id IS NOT NULL")


def _add(connection: duckdb.DuckDBPyConnection, path: Path, where: str) -> None:
    columns = ", ".join(map(literal, _COLUMNS))
    rows = f"SELECT COLUMNS(lambda c: c IN ({columns})) FROM {_read(path)} WHERE {where}"
    connection.execute(f"""
        INSERT INTO everyone BY NAME
        SELECT DISTINCT *, {email_sql("email")} AS address, {phone_sql("phone")} AS number
        FROM (FROM ({_NOBODY}) UNION ALL BY NAME FROM ({rows}))
    """)


def _texts(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> list[str]:
    """The contacts of accounts, as they stand."""
    rows = f"FROM everyone WHERE customer_id IN ({_list(ids)})"
    found = connection.execute(
        f"SELECT email {rows} AND address IS NOT NULL UNION SELECT phone {rows} AND number IS NOT NULL"
    ).fetchall()
    return sorted(text for (text,) in found)


def _shared(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Contacts of accounts that customers with other ids have too, as they stand, with those ids."""
    theirs = f"SELECT DISTINCT email, phone, address, number FROM everyone WHERE customer_id IN ({_list(ids)})"
    others = f"customer_id NOT IN ({_list(ids)}) AND NOT starts_with(customer_id, '{KEY_PREFIX}')"
    found = connection.execute(f"""
        SELECT text, list_sort(list(DISTINCT customer_id)) FROM (
            SELECT own.email AS text, customer_id
            FROM ({theirs}) AS own JOIN everyone AS other USING (address) WHERE {others}
            UNION ALL
            SELECT own.phone, customer_id FROM ({theirs}) AS own JOIN everyone AS other USING (number) WHERE {others}
        ) GROUP BY text ORDER BY text
    """).fetchall()
    return {text: tuple(people) for text, people in found}


def _is_known(connection: duckdb.DuckDBPyConnection, customer_id: str) -> bool:
    return scalar(connection, f"SELECT count(*) FROM everyone WHERE customer_id = {literal(customer_id)}") > 0


def _merged(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> set[str]:
    """Accounts that became part of these, or that these became part of."""
    found = connection.execute(f"""
        SELECT customer_id FROM everyone WHERE merged_into IN ({_list(ids)})
        UNION SELECT merged_into FROM everyone WHERE customer_id IN ({_list(ids)}) AND merged_into IS NOT NULL
    """).fetchall()
    return {one for (one,) in found}


def _tokens(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(platform, push token) of accounts."""
    found = connection.execute(f"""
        SELECT DISTINCT push_platform, push_token FROM everyone
        WHERE customer_id IN ({_list(ids)}) AND push_token IS NOT NULL AND push_platform IS NOT NULL ORDER BY ALL
    """).fetchall()
    return tuple((platform, token) for platform, token in found)
