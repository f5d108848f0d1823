"""Takes people out of what is kept to measure campaigns: whom runs set out to address, and the analysts' tables.

Results stay as they are: they are numbers of groups, and name nobody.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from dangol.engine import literal, literals, scalar
from dangol.ledger.store import ObjectStore
from dangol.measurement.layout import DELIVERIES, FIRST_ADDRESSED, OUTCOMES, table_prefix
from dangol.measurement.plan import RECIPIENTS, people_in_lines
from dangol.measurement.sources import downloaded, parquet


def naming(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, people: Sequence[str], folder: Path
) -> Iterator[str]:
    """Keys of the objects that name any of these customers."""
    wanted = frozenset(people)
    for key in store.keys(RECIPIENTS):
        if key.endswith(".gz") and not wanted.isdisjoint(people_in_lines(store.read(key))):
            yield key
    for key in (key for table in (DELIVERIES, OUTCOMES, FIRST_ADDRESSED) for key in store.keys(table_prefix(table))):
        with downloaded(store, [key], folder) as files:
            if scalar(connection, f"SELECT count(*) FROM {parquet(files)} WHERE {_theirs(people)}"):
                yield key


def erase(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, people: Sequence[str], folder: Path
) -> tuple[str, ...]:
    """Write those objects anew without them; their keys. A crash leads to the rest of them the next time."""
    keys = tuple(naming(connection, store, people, folder))
    for key in keys:
        if key.startswith(RECIPIENTS):
            lines = gzip.decompress(store.read(key)).splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["customer_id"] not in people]
            store.write(key, gzip.compress(b"".join(kept), mtime=0))
        else:
            _rewrite(connection, store, key, people, folder)
    return keys


def _rewrite(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, key: str, people: Sequence[str], folder: Path
) -> None:
    target = folder / "without.parquet"
    with downloaded(store, [key], folder) as files:
        kept = f"FROM {parquet(files)} WHERE NOT {_theirs(people)} ORDER BY ALL NULLS FIRST"
        connection.execute(f"COPY ({kept}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
    store.upload([(target, key)])


def _theirs(people: Sequence[str]) -> str:
    return f"customer_id IN ({literals(people)})"
