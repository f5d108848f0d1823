"""By what the ledger knows people: their accounts, their contacts, and who else has those."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from dangol.engine import literal, literals, scalar
from dangol.erasure.person import Person
from dangol.identity import KEY_PREFIX, email_sql, normal_email, normal_phone, person, phone_sql
from dangol.ledger import facts, layout
from dangol.ledger.contacts import PROFILES
from dangol.ledger.erasing import copies
from dangol.ledger.store import ObjectStore

_COLUMNS = ("customer_id", "merged_into", "email", "phone", "push_token", "push_platform")
_ACTS = (layout.ORDERS, facts.INTERESTS.name, facts.ENGAGEMENT.name)
_NOBODY = "SELECT " + ", ".join(f"NULL::VARCHAR AS {name}" for name in _COLUMNS) + " WHERE false"


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
        known = len(read)
        _add_shards(connection, store, ids, read, folder)
        shared = _shared(connection, ids)
        own = [text for text in _texts(connection, ids) if text not in shared]
        found = {person(None, text, None, key) or person(None, None, text, key) for text in own}
        by_contact = {one for one in found if one}
        _add_shards(connection, store, by_contact, read, folder)
        more = ids | {one for one in by_contact if _is_known(connection, one)}
        more |= _merged(connection, more)
        if more == ids and len(read) == known:
            return Person(
                ids=tuple(sorted(ids)),
                emails=tuple(sorted({email for text in own if (email := normal_email(text))})),
                phones=tuple(sorted({phone for text in own if (phone := normal_phone(text))})),
                as_written=tuple(sorted(own)),
                tokens=_tokens(connection, ids),
                shared=shared,
                by_contact=tuple(sorted(by_contact)),
            )
        ids = more


def _everyone(connection: duckdb.DuckDBPyConnection, store: ObjectStore, folder: Path) -> None:
    """Make temp table `everyone` of who is in customers files, and in what was copied to `Profiles`."""
    normal = f"{email_sql('email')} AS address, {phone_sql('phone')} AS number"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE everyone AS SELECT *, {normal} FROM ({_NOBODY})")
    for prefix in (layout.kind_prefix(facts.CUSTOMERS.name, None), layout.kind_prefix(PROFILES, None)):
        for _, path in copies(store, store.keys(prefix), folder):
            _add(connection, path, "true")


def _add_shards(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, ids: Iterable[str], read: set[int], folder: Path
) -> None:
    """Add to `everyone` who did something in the shards where accounts lie, unless they were `read` before."""
    shards = layout.number_of_shards(store) if store.keys(layout.LAYOUT_KEY) else 0
    for shard in {layout.shard_of(one, shards) for one in ids} - read if shards else ():
        read.add(shard)
        keys = [key for kind in _ACTS for key in store.keys(layout.kind_prefix(kind, shard))]
        for _, path in copies(store, keys, folder):
            _add(connection, path, "customer_id IS NOT NULL")


def _add(connection: duckdb.DuckDBPyConnection, path: Path, where: str) -> None:
    columns = literals(_COLUMNS)
    read = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
    rows = f"SELECT COLUMNS(lambda c: c IN ({columns})) FROM {read} WHERE {where}"
    connection.execute(f"""
        INSERT INTO everyone BY NAME
        SELECT DISTINCT *, {email_sql("email")} AS address, {phone_sql("phone")} AS number
        FROM (FROM ({_NOBODY}) UNION ALL BY NAME FROM ({rows}))
    """)


def _texts(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> list[str]:
    """The contacts of accounts, as they stand."""
    rows = f"FROM everyone WHERE customer_id IN ({literals(ids)})"
    found = connection.execute(
        f"SELECT email {rows} AND address IS NOT NULL UNION SELECT phone {rows} AND number IS NOT NULL"
    ).fetchall()
    return sorted(text for (text,) in found)


def _shared(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Contacts of accounts that customers with other ids have too, as they stand, with those ids."""
    theirs = f"SELECT DISTINCT email, phone, address, number FROM everyone WHERE customer_id IN ({literals(ids)})"
    others = f"customer_id NOT IN ({literals(ids)}) AND NOT starts_with(customer_id, '{KEY_PREFIX}')"
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
        SELECT customer_id FROM everyone WHERE merged_into IN ({literals(ids)})
        UNION SELECT merged_into FROM everyone WHERE customer_id IN ({literals(ids)}) AND merged_into IS NOT NULL
    """).fetchall()
    return {one for (one,) in found}


def _tokens(connection: duckdb.DuckDBPyConnection, ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(platform, push token) of accounts."""
    found = connection.execute(f"""
        SELECT DISTINCT push_platform, push_token FROM everyone
        WHERE customer_id IN ({literals(ids)}) AND push_token IS NOT NULL AND push_platform IS NOT NULL ORDER BY ALL
    """).fetchall()
    return tuple((platform, token) for platform, token in found)
