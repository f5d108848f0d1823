"""Append: one dropped file becomes rows of the ledger, or rejects. Nothing else is changed."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.ledger import layout, owners
from dangol.ledger.store import ObjectStore
from dangol.orders.reader import OrderReader, Reading


@dataclass(frozen=True, slots=True)
class Appended:
    """What one file brought."""

    reading: Reading
    shards: tuple[int, ...]
    """Shards that hold something new, to be refreshed."""


def append_orders(
    reader: OrderReader,
    connection: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    file: tuple[Path, str],
    version: str,
    shards: int,
    folder: Path,
) -> Appended:
    """Append the orders of one (path, name) to the ledger under the file's version.

    Every step overwrites what an earlier try of the same version left, so a retry ends where a single
    run would. Raises UnreadableFile, before anything is written, for a file that holds no usable row.
    """
    reading = reader.read_orders([file])
    layout.note_layout(store, shards)
    connection.execute("SET threads = 1")  # one object a shard, not one a shard and thread
    _write_parts(connection, store, layout.OWNERS, owners.owner_rows(version, shards), "home", version, folder)
    owners.find_moved(connection, store, version, shards, folder)
    rows = f"""
        SELECT *, {literal(version)} AS version, {layout.shard_sql("customer_id", shards)} AS shard FROM orders
        UNION ALL BY NAME SELECT order_id, 'moved' AS status, version, shard FROM moved
    """
    touched = _write_parts(connection, store, layout.ORDERS, rows, "shard", version, folder)
    connection.execute("RESET threads")
    return Appended(reading, touched)


def _write_parts(
    connection: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    kind: str,
    rows: str,
    partition: str,
    version: str,
    folder: Path,
) -> tuple[int, ...]:
    """Write the query `rows` to the ledger, one part for each value of column `partition`; those values."""
    target = folder / kind
    connection.execute(
        f"COPY ({rows}) TO {literal(str(target))} "
        f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({partition}), OVERWRITE_OR_IGNORE)"
    )
    uploads = []
    for path in sorted(target.glob("*=*/*.parquet")):
        shard = int(path.parent.name.partition("=")[2])
        uploads.append((path, shard))
    store.upload((path, layout.part_key(kind, shard, version, number)) for number, (path, shard) in _numbered(uploads))
    return tuple(sorted({shard for _, shard in uploads}))


def _numbered(uploads: list[tuple[Path, int]]) -> list[tuple[int, tuple[Path, int]]]:
    """Each upload with its number among those of its shard."""
    seen: dict[int, int] = {}
    numbered = []
    for path, shard in uploads:
        numbered.append((seen.get(shard, 0), (path, shard)))
        seen[shard] = seen.get(shard, 0) + 1
    return numbered
