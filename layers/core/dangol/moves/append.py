"""Append: one dropped file becomes rows of the ledger, or rejects. Nothing else is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.files.reading import Reading
from dangol.inputs.reader import RECORDS, TableReader
from dangol.ledger import facts, layout, owners
from dangol.ledger.facts import Facts
from dangol.ledger.parts import write_parts
from dangol.ledger.store import ObjectStore
from dangol.orders.reader import OrderReader


@dataclass(frozen=True, slots=True)
class Appended:
    """What one file brought."""

    reading: Reading
    shards: tuple[int, ...]
    """Shards that hold something new, to be refreshed."""


@dataclass(frozen=True, slots=True)
class Appender:
    """Appends files to the ledger under their versions.

    Every step overwrites what an earlier try of the same version left, so a retry ends where a single run would. Raises
    UnreadableFile, before anything is written, for a file that holds no usable row.
    """

    connection: duckdb.DuckDBPyConnection
    store: ObjectStore
    shards: int
    folder: Path

    def orders(self, reader: OrderReader, files: Sequence[tuple[Path, str]], version: str) -> Appended:
        """Append the orders of (path, name) files that are read together."""
        reading = reader.read_orders(files)
        layout.note_layout(self.store, self.shards)
        self._write(layout.OWNERS, owners.owner_rows(self.shards, "orders", literal(version)), version, "home")
        owners.find_moved(self.connection, self.store, version, self.shards, self.folder)
        rows = f"""
            SELECT *, {literal(version)} AS version, {layout.shard_sql("customer_id", self.shards)} AS shard FROM orders
            UNION ALL BY NAME SELECT order_id, 'moved' AS status, version, shard FROM moved
        """
        return Appended(reading, self._write(layout.ORDERS, rows, version))

    def facts(self, reader: TableReader, kind: Facts, file: tuple[Path, str], version: str) -> Appended:
        """Append the rows of one (path, name) of another kind."""
        reading = reader.read([file])
        layout.note_layout(self.store, self.shards)
        rows = f"SELECT *, {literal(version)} AS version FROM {RECORDS}"
        if kind is facts.PRODUCTS:
            self._write(kind.name, f"SELECT *, {facts.SHARD_OF_PRODUCTS} AS shard FROM ({rows})", version)
            return Appended(reading, tuple(range(self.shards)))
        shard = layout.shard_sql("customer_id", self.shards)
        return Appended(reading, self._write(kind.name, f"SELECT *, {shard} AS shard FROM ({rows})", version))

    def _write(self, kind: str, rows: str, version: str, partition: str = "shard") -> tuple[int, ...]:
        return write_parts(self.connection, self.store, kind, rows, version, self.folder, partition)
