"""Append: one dropped file becomes rows of the ledger, or rejects. Nothing else is changed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dangol.engine import literal, scalar
from dangol.erasure.columns import id_columns
from dangol.erasure.tombstones import Tombstones, returned_sql
from dangol.files.reading import Reading
from dangol.files.rejects import Reject
from dangol.inputs.reader import RECORDS, TableReader
from dangol.ledger import facts, layout, owners
from dangol.ledger.facts import Facts
from dangol.ledger.parts import write_parts
from dangol.ledger.store import ObjectStore
from dangol.orders.dialect import Dialect
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
    erased: Tombstones = field(default_factory=Tombstones)
    """Who was erased: of them only what is newer is appended."""
    time_zone: str = "UTC"
    """The shop's."""
    dialects: Sequence[Dialect] = ()
    """The shop's own."""

    def orders(self, reader: OrderReader, files: Sequence[tuple[Path, str]], version: str) -> Appended:
        """Append the orders of (path, name) files that are read together."""
        reading = self._without_erased(reader.read_orders(files), "orders", layout.ORDERS, reader.accepted_rows)
        layout.note_layout(self.store, self.shards)
        self._write(layout.OWNERS, owners.owner_rows(self.shards, "orders", literal(version)), version, "home")
        self._note_returned(version)
        versioned = f"(SELECT *, {literal(version)} AS version FROM orders)"
        owners.find_moved(self.connection, self.store, versioned, self.shards, self.folder)
        rows = f"""
            SELECT *, {layout.shard_sql("customer_id", self.shards)} AS shard FROM {versioned}
            UNION ALL BY NAME SELECT order_id, 'moved' AS status, version, shard FROM moved
        """
        return Appended(reading, self._write(layout.ORDERS, rows, version))

    def facts(self, reader: TableReader, kind: Facts, file: tuple[Path, str], version: str) -> Appended:
        """Append the rows of one (path, name) of another kind."""
        reading = self._without_erased(reader.read([file]), RECORDS, kind.name, None)
        layout.note_layout(self.store, self.shards)
        rows = f"SELECT *, {literal(version)} AS version FROM {RECORDS}"
        if kind is facts.PRODUCTS:
            self._write(kind.name, f"SELECT *, {facts.SHARD_OF_PRODUCTS} AS shard FROM ({rows})", version)
            return Appended(reading, tuple(range(self.shards)))
        shard = layout.shard_sql("customer_id", self.shards)
        return Appended(reading, self._write(kind.name, f"SELECT *, {shard} AS shard FROM ({rows})", version))

    def _note_returned(self, version: str) -> None:
        """Note who bought again after they were erased: that they bought is no consent (see dangol.ledger.contacts)."""
        if self.erased.stones and scalar(self.connection, "SELECT count(*) FROM erased_people"):
            rows = f"""
                SELECT customer_id, '{facts.RETURNED}' AS kind,
                    timezone('UTC', timezone({literal(self.time_zone)}, moment)) AS happened_at,
                    {literal(version)} AS version, {layout.shard_sql("customer_id", self.shards)} AS shard
                FROM ({returned_sql("orders")})"""
            self._write(facts.ENGAGEMENT.name, rows, version)

    def _without_erased(self, reading: Reading, table: str, kind: str, rows_of: Callable[[str], int] | None) -> Reading:
        """Drop from `table` what erased people had before; it counts as rejected, and is not kept anywhere.

        `rows_of` says how many rows of the files the orders of a query are; without it each is one.
        """
        if not self.erased.stones:
            return reading
        found = self.erased.find(self.connection, table, kind, self.time_zone)
        theirs = f"{table} WHERE rowid IN (FROM erased_rows)"
        dropped = rows_of(f"SELECT order_id FROM {theirs}") if rows_of and found else found
        self.connection.execute(f"DELETE FROM {theirs}")
        return Reading(reading.receipt.with_erased(dropped), list(self._of_others(reading.rejects)))

    def _of_others(self, rejects: Sequence[Reject]) -> Iterator[Reject]:
        """Rejected rows that name nobody who was erased."""
        columns: dict[tuple[str, ...], list[int]] = {}
        for reject in rejects:
            texts, header = reject.texts, tuple(reject.cells)
            if header not in columns:
                columns[header] = id_columns(header, self.dialects)
            ids = columns[header] if header else range(len(texts))  # in a row that could not be split anything may be
            if not any(self.erased.names(text, is_id=index in ids) for index, text in enumerate(texts)):
                yield reject

    def _write(self, kind: str, rows: str, version: str, partition: str = "shard") -> tuple[int, ...]:
        return write_parts(self.connection, self.store, kind, rows, version, self.folder, partition)
