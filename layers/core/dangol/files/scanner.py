"""Files as tables: scans exports into DuckDB and keeps account of the records that are no rows."""

import errno
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from dangol.errors import UnreadableFile
from dangol.files import records
from dangol.files.export import Export, open_export
from dangol.files.quotes import without_misquoted
from dangol.files.records import Record
from dangol.files.rejects import MAX_REJECTS, Reject
from dangol.files.rendering import IsHeader
from dangol.files.sources import BadRow, Scan, Source, misquoted, reject_of, rejects_of, too_many
from dangol.files.text import with_plain_newlines

__all__ = ["BadRow", "Scan", "Scanner"]

logger = logging.getLogger(__name__)

_WHOLE_ORDER = "(order)"


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
        self._sources: list[Source] = []
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
            self._sources.append(Source(self._scan_of(export)))

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
            FROM (SELECT file, coalesce("column", '{_WHOLE_ORDER}') AS "column", rows, first FROM by_column)
            GROUP BY file ORDER BY file
        """).fetchall()
        for file, rows, column, most, first in found:
            source = self._sources[file]
            total = rows + len(source.broken) + len(source.misquoted)
            if total > MAX_REJECTS:
                bad_row = BadRow(file, first, None if column == _WHOLE_ORDER else column)
                raise too_many(reject_of(source, bad_row), total, most)

    def rejects(self, bad: Sequence[BadRow]) -> list[Reject]:
        """Every rejected row of every file with its place: those of `bad`, and those that could not be split."""
        found: list[Reject] = []
        for index, source in enumerate(self._sources):
            found += rejects_of(source, [row for row in bad if row.file == index])
        return found

    def _scan(self, source: Source, statement: str) -> None:
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

    def _note_broken(self, source: Source) -> None:
        """Keep what could not be split. Raises UnreadableFile when that is more than MAX_REJECTS."""
        export = source.scan.export
        count = records.count_broken(self._connection, export)
        source.broken = records.broken_records(self._connection, export, limit=MAX_REJECTS)
        if count > MAX_REJECTS:
            reason, most = Counter(record.reason for record in source.broken).most_common(1)[0]
            first = next(record for record in source.broken if record.reason == reason)
            (reject,) = rejects_of(Source(source.scan, [first]), [])
            raise too_many(reject, count, most)

    def _mend(self, source: Source) -> None:
        """Leave the records blank whose quotation marks are not in order, before they swallow others."""
        export, left_out = without_misquoted(source.scan.export, self._folder)
        found = [Record(line, records.as_text(raw)) for line, raw in left_out]
        if len(found) > MAX_REJECTS:
            raise too_many(misquoted(export, found[0]), len(found), len(found))
        source.scan = source.scan.on(export)
        source.misquoted = found
