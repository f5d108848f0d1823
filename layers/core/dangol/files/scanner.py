"""Files as tables: scans an export into DuckDB and keeps account of the records that are no rows."""

import errno
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

import duckdb

from dangol.errors import UnreadableFile
from dangol.files import records
from dangol.files.export import Export, open_export
from dangol.files.json_lines import NOT_AN_OBJECT
from dangol.files.quotes import without_misquoted
from dangol.files.records import BrokenRecord, Record
from dangol.files.rejects import MAX_REJECTS, REPEATED_HEADER, SIBLING_REASON, Reject, is_rejects_file, undefused
from dangol.files.rendering import IsHeader
from dangol.files.text import with_plain_newlines

logger = logging.getLogger(__name__)

_MISQUOTED = "a quotation mark is not closed; double or remove it"


class Scan(Protocol):
    """One file as SQL, by whoever knows what its columns mean."""

    @property
    def export(self) -> Export:
        """The file."""

    @property
    def columns(self) -> Mapping[str, int]:
        """Canonical column → index in the header."""

    def typed(self) -> str:
        """SQL: one row per record that could be split, in the file's order."""

    def on(self, export: Export) -> Self:
        """The same of another rendering of the file."""

    def reason(self, column: str, value: str) -> str:
        """What is wrong with `value` in `column` (canonical), and what to do about it."""

    def first_blank(self, cells: Sequence[str]) -> str:
        """Of a row that lacks something, the canonical column whose cell is blank."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is rejected for what it says."""

    file: int
    """Position of its file."""
    number: int
    """Among the file's records that could be split, from 0."""
    column: str | None
    """Canonical column at fault; None when another row of its order is, '' when a value is blank."""


@dataclass(slots=True)
class _Source:
    """One file and what its scan left out."""

    scan: Scan
    broken: list[BrokenRecord] = field(default_factory=list)
    misquoted: list[Record] = field(default_factory=list)
    """Left blank since: a quotation mark in them is not in order and may have swallowed the rows after."""


class Scanner:
    """The files of one reading. The first scan mends what it can; later ones see the same records."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        scan_of: Callable[[Export], Scan],
        max_bytes: int,
        *,
        password: str | None = None,
        header: IsHeader | None = None,
    ) -> None:
        """`password` and `header` are those of open_export."""
        self._connection = connection
        self._folder = folder
        self._scan_of = scan_of
        self._max_bytes = max_bytes
        self._password = password
        self._header = header
        self._sources: list[_Source] = []
        self._scanned = False
        self._opened = 0

    def open(self, files: Sequence[tuple[Path, str]]) -> None:
        """Take (path, name) files. Raises UnreadableFile for one of which no row can be used."""
        self._sources, self._scanned = [], False
        for path, name in files:
            # A name of our own: DuckDB takes * and [ in a path for patterns.
            # And a new one each time: DuckDB keeps what it rejected by path.
            self._opened += 1
            link = self._folder / f"export-{self._opened}"
            link.unlink(missing_ok=True)
            link.symlink_to(path.absolute())
            try:
                export = open_export(
                    link, name, self._folder, self._max_bytes, self._password, self._header, self._connection
                )
            except OSError as error:
                if error.errno == errno.ENOSPC:  # not the file's fault: another try may find room
                    raise
                raise UnreadableFile(name, f"cannot be read: {error.strerror}") from error
            self._sources.append(_Source(self._scan_of(export)))

    @property
    def names(self) -> tuple[str, ...]:
        """What the user calls the files."""
        return tuple(source.scan.export.name for source in self._sources)

    @property
    def left_out(self) -> int:
        """How many records of all files are in no table, because they could not be split."""
        return sum(len(source.broken) + len(source.misquoted) for source in self._sources)

    def scan_into(self, table: str, columns: str, *, numbered: bool, where: str = "true") -> None:
        """Make temp table `table` of the `columns` of Scan.typed, in the order of files and rows.

        Adds file USMALLINT and, if `numbered`, number BIGINT: the record's among those of its file that
        could be split, from 0, before `where` is applied.
        """
        number = "row_number() OVER () - 1 AS number, " if numbered else ""
        for index, source in enumerate(self._sources):
            rows = f"FROM (SELECT {index}::USMALLINT AS file, {number}{columns} FROM ({{typed}})) WHERE {where}"
            verb = f"CREATE OR REPLACE TEMP TABLE {table} AS" if index == 0 else f"INSERT INTO {table}"
            self._scan(source, f"{verb} {rows}")
            if not self._scanned and any(record.torn for record in source.broken):
                self._mend(source)
                self._connection.execute(f"DELETE FROM {table} WHERE file = {index}")
                self._scan(source, f"INSERT INTO {table} {rows}")
            logger.info("read %s", source.scan.export.name)
        self._scanned = True

    def check_rejects(self, bad: str) -> None:
        """Raise UnreadableFile for a file of which more than MAX_REJECTS rows are bad, before they are fetched.

        `bad` is a query of file, number and "column", as in BadRow.
        """
        found = self._connection.execute(f"""
            WITH bad AS ({bad}), by_column AS (
                SELECT file, "column", count(*) AS rows, min(number) AS first FROM bad GROUP BY ALL
            )
            SELECT file, sum(rows)::BIGINT, arg_max("column", rows), max(rows), arg_max(first, rows)
            FROM (SELECT file, coalesce("column", '(order)') AS "column", rows, first FROM by_column)
            GROUP BY file ORDER BY file
        """).fetchall()
        for file, rows, column, most, first in found:
            source = self._sources[file]
            total = rows + len(source.broken) + len(source.misquoted)
            if total > MAX_REJECTS:
                (reject,) = _rejects(replace(source, broken=[], misquoted=[]), [_bad_row(file, first, column)])
                raise _too_many(reject, total, most)

    def rejects(self, bad: Sequence[BadRow]) -> list[Reject]:
        """Every rejected row of every file with its place: those of `bad`, and those that could not be split."""
        found: list[Reject] = []
        for index, source in enumerate(self._sources):
            found += _rejects(source, [row for row in bad if row.file == index])
        return found

    def _scan(self, source: _Source, statement: str) -> None:
        export = source.scan.export
        try:
            self._connection.execute(statement.format(typed=source.scan.typed()))
        except duckdb.Error as error:
            if "state machine" not in str(error):
                raise UnreadableFile(export.name, f"cannot be read as a table ({error})") from error
            plain = with_plain_newlines(export.path, self._folder)  # line ends of several kinds
            source.scan = source.scan.on(replace(export, path=plain))
            self._connection.execute(statement.format(typed=source.scan.typed()))
        self._note_broken(source)

    def _note_broken(self, source: _Source) -> None:
        """Keep what could not be split. Raises UnreadableFile when that is more than MAX_REJECTS."""
        export = source.scan.export
        count = records.count_broken(self._connection, export)
        source.broken = records.broken_records(self._connection, export, limit=MAX_REJECTS)
        if count > MAX_REJECTS:
            reason, most = Counter(record.reason for record in source.broken).most_common(1)[0]
            first = next(record for record in source.broken if record.reason == reason)
            (reject,) = _rejects(_Source(source.scan, [first]), [])
            raise _too_many(reject, count, most)

    def _mend(self, source: _Source) -> None:
        """Leave the records blank whose quotation marks are not in order, before they swallow others."""
        export, misquoted = without_misquoted(source.scan.export, self._folder)
        if len(misquoted) > MAX_REJECTS:
            line, raw = misquoted[0]
            first = _unsplit(export, Record(line, records.as_text(raw)), _MISQUOTED)
            raise _too_many(first, len(misquoted), len(misquoted))
        source.scan = source.scan.on(export)
        source.misquoted = [Record(line, records.as_text(raw)) for line, raw in misquoted]


def _rejects(source: _Source, bad: Sequence[BadRow]) -> list[Reject]:
    scan = source.scan
    found = [_unsplit(scan.export, record, _MISQUOTED) for record in source.misquoted]
    if bad or source.broken:
        split, unsplit = records.locate(scan.export, [row.number for row in bad], source.broken)
        found += [_reject(scan, row, split[row.number]) for row in bad]
        found += [_unsplit(scan.export, unsplit[record.offset], record.reason) for record in source.broken]
    return sorted(found, key=lambda reject: reject.line)


def _bad_row(file: int, number: int, column: str) -> BadRow:
    return BadRow(file, number, None if column == "(order)" else column)


def _too_many(first: Reject, total: int, most: int) -> UnreadableFile:
    """What to raise when `total` rows are bad, of which `most` are so as `first` is."""
    reason = (
        f"{total:,} rows cannot be used, more than the {MAX_REJECTS:,} that are put aside one by one, "
        f"and none was taken; {most:,} of them as this one: {first.reason}"
    )
    return UnreadableFile(first.file, reason, first.line, first.column or None)


def _reject(scan: Scan, bad: BadRow, record: Record) -> Reject:
    export = scan.export
    cells = records.fields(export, record.raw)
    by_header = _by_header(export, cells)
    if tuple(cell.strip() for cell in cells) == export.header:
        return Reject(export.name, record.line, "", "", REPEATED_HEADER, record.raw, by_header)
    if bad.column is None:
        return Reject(export.name, record.line, "", "", SIBLING_REASON, record.raw, by_header)
    column = bad.column or scan.first_blank(cells)
    header = export.header[scan.columns[column]]
    value = by_header.get(header, "")
    reason = scan.reason(bad.column, value)
    return Reject(export.name, record.line, header, value, reason, record.raw, by_header, column)


def _unsplit(export: Export, record: Record, reason: str) -> Reject:
    cells = records.fields(export, record.raw)
    if reason == NOT_AN_OBJECT:
        return Reject(export.name, record.line, "", "", reason, cells[0], {})
    return Reject(export.name, record.line, "", "", reason, record.raw, _by_header(export, cells))


def _by_header(export: Export, cells: Sequence[str]) -> dict[str, str]:
    """Cells by header; of several columns of one name the first, as it is read."""
    by_header: dict[str, str] = {}
    plain = undefused if is_rejects_file(export.header) else str
    for name, cell in zip(export.header, cells, strict=False):
        by_header.setdefault(name, plain(cell))
    return by_header
