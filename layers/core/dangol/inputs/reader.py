"""Reads a file of a Table into typed rows, and puts aside what cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from dangol.engine import literal, literals, scalar
from dangol.errors import UnreadableFile
from dangol.files import records
from dangol.files.columns import fold, match_columns
from dangol.files.export import MAX_TEXT_BYTES, Export
from dangol.files.reading import Reading
from dangol.files.receipt import Receipt
from dangol.files.rejects import LAST_DAY, count_by_column, reason_for
from dangol.files.scanner import BadRow, Scanner
from dangol.files.styles import style_of
from dangol.files.values import cell, day, flag, given, identifier, moment, number, text_of, trimmed
from dangol.identity import person_sql
from dangol.inputs.table import DAY, FLAG, IDENTIFIER, MOMENT, NUMBER, WORD, Column, Table
from dangol.shop import Shop

RECORDS = "records"
"""Temp table of the usable rows: the columns of the Table."""
FIRST_DAY = "1900-01-01"
"""Dates before are taken for damage: people may be old."""
MAX_ID_BYTES = 1024
"""What a sort key of DynamoDB holds."""


class TableReader:
    """Reads files of one Table. `connection` must have its TimeZone set to the shop's; `folder` is scratch space."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: Table,
        shop: Shop,
        folder: Path,
        key: bytes,
        max_bytes: int = MAX_TEXT_BYTES,
        *,
        password: str | None = None,
    ) -> None:
        self._connection = connection
        self._table = table

        def scan_of(export: Export) -> _Scan:
            columns = match_columns(table.headers, table.required, export.header, export.name, export.header_line)
            return _Scan(export, columns, table, shop, key)

        self._scanner = Scanner(connection, folder, scan_of, max_bytes, password=password, header=self._is_header)

    def read(self, files: Sequence[tuple[Path, str]]) -> Reading:
        """Make temp table `records` of (path, name) files, and of rows with the same key the last one.

        Columns: those of the Table by their names, customer_id being the person's key. Raises UnreadableFile for a
        file of which no row can be used.
        """
        self._scanner.open(files)
        self._scanner.scan_into("scanned_rows", "*", numbered=True)
        rows = scalar(self._connection, "SELECT count(*) FROM scanned_rows") + self._scanner.left_out
        names = literals(column.name for column in self._table.columns)
        bad = f"""
            SELECT file, number, coalesce([{names}][problem], '') AS "column"
            FROM scanned_rows WHERE problem IS NOT NULL"""
        self._scanner.check_rejects(bad)
        found = self._connection.execute(f"{bad} ORDER BY ALL").fetchall()
        rejects = self._scanner.rejects([BadRow(*row) for row in found])
        key = ", ".join(self._table.key)
        columns = ", ".join(column.name for column in self._table.columns)
        self._connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE {RECORDS} AS
            SELECT {columns} FROM scanned_rows WHERE problem IS NULL
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file DESC, number DESC) = 1
        """)
        accepted = scalar(self._connection, f"SELECT count(*) FROM {RECORDS}")
        return Reading(
            Receipt(
                files=self._scanner.names,
                rows_read=rows,
                rows_accepted=accepted,
                rows_superseded=rows - accepted - len(rejects),
                rows_rejected=len(rejects),
                reasons=count_by_column(rejects),
            ),
            rejects,
        )

    def _is_header(self, cells: Sequence[str]) -> bool:
        try:
            match_columns(self._table.headers, self._table.required, cells, "", 1)
        except UnreadableFile:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Scan:
    """One file as SQL."""

    export: Export
    columns: Mapping[str, int]
    table: Table
    shop: Shop
    key: bytes

    def typed(self) -> str:
        """SQL: a row a record: the Table's columns, typed, and `problem`, the position of the first bad one from 1."""
        cells = ", ".join(f"{self._typed(column)} AS {column.name}" for column in self.table.columns)
        raw = ", ".join(f"c{i}" for i in range(len(self.export.header)))
        wrong = [
            f"WHEN {self._wrong(column)} THEN {number}"
            for number, column in enumerate(self.table.columns, 1)
            if column.name in self.columns
        ]
        blank = [f"WHEN {test} THEN {len(self.table.columns) + 1}" for test in self._blanks()]
        return f"""
            SELECT *, CASE {" ".join(wrong + blank)} END::UTINYINT AS problem
            FROM (SELECT {cells}, {raw} FROM {records.source(self.export)})"""

    def on(self, export: Export) -> "_Scan":
        """The same of another rendering of the file."""
        return replace(self, export=export)

    def reason(self, column: str, value: str) -> str:
        """What is wrong with `value` in `column`, and what to do about it."""
        if not value.strip():
            return "is missing; fill it in"
        found = self.table.column(column) if column else None
        if found is None or found.kind == NUMBER:
            return reason_for("amount", value, self.shop.currency)
        if found.kind in (DAY, MOMENT):
            return f"is not a date from {FIRST_DAY} to {LAST_DAY}; write it as 2026-01-31"
        if found.kind == FLAG:
            return "is neither yes nor no; write yes or no, Y or N, 1 or 0, 동의 or 거부"
        if found.kind == WORD:
            return f"is not one of {', '.join(found.words)}"
        return "cannot be read; correct it"

    def first_blank(self, cells: Sequence[str]) -> str:
        """Of a row that lacks something, the required column whose cell is blank."""
        for entry in self.table.required:
            names = [name for name in entry.split("|") if name in self.columns]
            if not any(cell(cells, self.columns[name]) for name in names):
                return names[0]
        return next(iter(self.columns))

    def _text(self, column: Column) -> str:
        return text_of(self.export, self.columns.get(column.name))

    def _typed(self, column: Column) -> str:
        text = self._text(column)
        if self.table.identified and column.name == "customer_id":
            email, phone = (trimmed(text_of(self.export, self.columns.get(name))) for name in ("email", "phone"))
            return person_sql(identifier(text), email, phone, self.key)
        if column.name == "merged_into":
            return person_sql(identifier(text), "NULL::VARCHAR", "NULL::VARCHAR", self.key)
        if column.kind == WORD:
            return _word(text, column)
        if column.name in self.columns and column.kind in _STYLED:
            return _STYLED[column.kind](text, style_of(self.export, [self.columns[column.name]]))
        return _READ.get(column.kind, trimmed)(text)

    def _wrong(self, column: Column) -> str:
        """SQL: whether the value of a column is there and cannot be used."""
        wrong = f"({given(self._text(column))} AND {column.name} IS NULL)"
        if column.name == "customer_id":
            return f"{wrong} OR strlen(customer_id) > {MAX_ID_BYTES}"
        if column.kind in (DAY, MOMENT):
            return f"{wrong} OR {column.name} NOT BETWEEN DATE '{FIRST_DAY}' AND DATE '{LAST_DAY}' + 1"
        return wrong

    def _blanks(self) -> list[str]:
        """SQL: what must not hold of a row, an entry of `required` each."""
        if self.table.identified:
            person, *others = self.table.required
            del person
            return ["customer_id IS NULL", *(_all_missing(entry) for entry in others)]
        return [_all_missing(entry) for entry in self.table.required]


_READ = {IDENTIFIER: identifier, NUMBER: number, DAY: day, MOMENT: moment, FLAG: flag}
_STYLED = {NUMBER: number, DAY: day, MOMENT: moment}
"""Kinds that are written in different ways; a file is taken to be consistent in each column."""


def _all_missing(entry: str) -> str:
    return " AND ".join(f"{name} IS NULL" for name in entry.split("|"))


def _word(text: str, column: Column) -> str:
    known = {fold(word): name for name, line in column.words.items() for word in (name, *line.split("|"))}
    words = ", ".join(f"{literal(word)}: {literal(name)}" for word, name in known.items())
    return f"(MAP {{{words}}})[regexp_replace(lower({text}), '[\\s_-]', '', 'g')]"
