"""Writing to the ledger: what one upload brought, an object a shard."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.ledger import layout
from dangol.ledger.store import ObjectStore


def write_parts(
    connection: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    kind: str,
    rows: str,
    version: str,
    folder: Path,
    partition: str = "shard",
) -> tuple[int, ...]:
    """Write the query `rows` to the ledger, one part for each value of its column `partition`; those values.

    Every try of the same version overwrites what an earlier one left.
    """
    target = folder / kind
    connection.execute("SET threads = 1")  # one object a shard, not one a shard and thread
    connection.execute(
        f"COPY ({rows}) TO {literal(str(target))} "
        f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({partition}), OVERWRITE_OR_IGNORE)"
    )
    connection.execute("RESET threads")
    uploads = [(path, int(path.parent.name.partition("=")[2])) for path in sorted(target.glob("*=*/*.parquet"))]
    store.upload((path, layout.part_key(kind, shard, version, number)) for number, (path, shard) in _numbered(uploads))
    return tuple(sorted({shard for _, shard in uploads}))


def _numbered(uploads: list[tuple[Path, int]]) -> Iterator[tuple[int, tuple[Path, int]]]:
    """Each upload with its number among those of its shard."""
    seen: dict[int, int] = {}
    for path, shard in uploads:
        yield seen.get(shard, 0), (path, shard)
        seen[shard] = seen.get(shard, 0) + 1
