"""Records of a delimited file: the DuckDB source that reads them, and where each one stands.

DuckDB reads in parallel and numbers only the records it could split; this module maps such a number
back to the line of the file and the bytes as they came, for the few records that are rejected.
"""

import csv
import io
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import duckdb

from dangol.engine import literal, scalar
from dangol.files.export import Export
from dangol.files.json_lines import NOT_AN_OBJECT
from dangol.files.quotes import further_lines

_BLOCK = 1024 * 1024
csv.field_size_limit(2**31 - 1)  # a rejected field of any size is shown as it came


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it came."""

    line: int
    """Line it starts on, from 1."""
    raw: str
    """Its text without the line end; bytes that are not UTF-8 are shown as U+FFFD."""


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that could not be split into the header's columns."""

    offset: int
    """Byte at which it starts."""
    reason: str
    torn: bool
    """Whether a quotation mark was left open, so that it may have taken the following rows with it."""


def source(export: Export) -> str:
    """SQL: table function over the export's records, as text columns c0, c1, … in the file's order.

    Records that cannot be split are left out and noted in DuckDB's `reject_errors`.
    """
    columns = ", ".join(f"c{i}: 'VARCHAR'" for i in range(len(export.header)))
    return (
        f"read_csv({literal(str(export.path))}, auto_detect = false, header = true, "
        f"columns = {{{columns}}}, "
        f"delim = {literal(export.delimiter)}, quote = '\"', escape = '\"', store_rejects = true)"
    )


_IN_TEXT = {
    "MISSING COLUMNS": "has fewer columns than the header; complete the row",
    "TOO MANY COLUMNS": "has more columns than the header; quote values that contain the delimiter",
    "UNQUOTED VALUE": "a quotation mark is not closed; double or remove it",
    "INVALID ENCODING": "holds bytes that are not UTF-8; save the file as CSV (UTF-8)",
    "LINE SIZE OVER MAXIMUM": "is longer than 2 MB; shorten the value",
}
_REASONS = {
    "csv": _IN_TEXT,
    "jsonl": {**_IN_TEXT, "TOO MANY COLUMNS": NOT_AN_OBJECT},
    "parquet": _IN_TEXT,
    "xlsx": {**_IN_TEXT, "TOO MANY COLUMNS": "has cells right of the last header; give that column a header"},
}


def count_broken(connection: duckdb.DuckDBPyConnection, export: Export) -> int:
    """How many records the last scan could not split."""
    path = literal(str(export.path))
    return scalar(
        connection,
        "SELECT count(DISTINCT line_byte_position) FROM reject_errors JOIN reject_scans USING (scan_id, file_id) "
        f"WHERE file_path = {path}",
    )


def broken_records(connection: duckdb.DuckDBPyConnection, export: Export, limit: int) -> list[BrokenRecord]:
    """The first `limit` records that the last scan could not split, in the file's order."""
    found = connection.execute(
        """
        SELECT line_byte_position, min(csv_line), list(error_type ORDER BY column_idx)
        FROM reject_errors JOIN reject_scans USING (scan_id, file_id)
        WHERE file_path = ? GROUP BY line_byte_position ORDER BY line_byte_position LIMIT ?
        """,
        [str(export.path), limit],
    ).fetchall()
    reasons = _REASONS[export.format]
    return [_broken(offset - 1, text, kinds, reasons) for offset, text, kinds in found]


def _broken(offset: int, text: str, kinds: list[str], reasons: Mapping[str, str]) -> BrokenRecord:
    # Where lines end in \r\n, DuckDB takes the \n of the line before for the record's first byte.
    text_only = text.lstrip("\r\n")
    reason = reasons.get(kinds[0], kinds[0].lower())
    return BrokenRecord(offset + len(text) - len(text_only), reason, "UNQUOTED VALUE" in kinds)


def locate(
    export: Export, numbers: Collection[int], broken: Collection[BrokenRecord]
) -> tuple[dict[int, Record], dict[int, Record]]:
    """Where records stand: by number among the split ones (from 0), and by offset among the broken."""
    split: dict[int, Record] = {}
    unsplit: dict[int, Record] = {}
    with export.path.open("rb") as file:
        for offset, number, record in _walk(file, export, _Wanted(numbers, broken)):
            if number is None:
                unsplit[offset] = record
            else:
                split[number] = record
            if len(split) == len(numbers) and len(unsplit) == len(broken):
                break
    return split, unsplit


class _Wanted:
    """The records asked for; tells in O(log n) whether a stretch of the file holds any of them."""

    def __init__(self, numbers: Collection[int], broken: Collection[BrokenRecord]) -> None:
        self.numbers, self._sorted_numbers = set(numbers), sorted(numbers)
        self.broken = {record.offset for record in broken}
        self._sorted_offsets = sorted(self.broken)

    def any_in(self, numbers: range, offsets: range) -> bool:
        return _holds(self._sorted_numbers, numbers) or _holds(self._sorted_offsets, offsets)


def _holds(ordered: list[int], stretch: range) -> bool:
    position = bisect_left(ordered, stretch.start)
    return position < len(ordered) and ordered[position] < stretch.stop


def _walk(file: BinaryIO, export: Export, wanted: _Wanted) -> Iterator[tuple[int, int | None, Record]]:
    """Yield (offset, number or None if broken, record) for the records asked for, in order."""
    delimiter = export.delimiter.encode()
    for _ in range(export.header_lines):
        file.readline()
    line, number, looked_until = export.first_line, 0, 0
    while True:
        offset = file.tell()
        if offset >= looked_until:
            block = file.read(_BLOCK)
            size = block.rfind(b"\n") + 1
            lines = block.count(b"\n")
            ahead = range(number, number + lines), range(offset, offset + size)
            if size and _is_plain(block) and not wanted.any_in(*ahead):
                file.seek(offset + size)
                line, number = line + lines, number + lines
                continue
            looked_until = offset + len(block)
            file.seek(offset)
        raw = file.readline()
        if not raw:
            return
        if raw.strip(b"\r\n"):
            raw += further_lines(file, raw, delimiter)
            broken = offset in wanted.broken
            if broken or number in wanted.numbers:
                yield offset, None if broken else number, Record(line, as_text(raw))
            number += not broken
        line += export.lines_of(raw)


def _is_plain(block: bytes) -> bool:
    """Whether each line is a record: no quotation marks, no blank lines."""
    blank = block.startswith((b"\n", b"\r")) or b"\n\n" in block or b"\n\r" in block
    return not blank and b'"' not in block


def as_text(raw: bytes) -> str:
    """A record's bytes as Record.raw has them."""
    return raw.rstrip(b"\r\n").decode("utf-8", errors="replace")


def fields(export: Export, raw: str) -> list[str]:
    """The cells of a record's text, as far as it can be split."""
    # newline="": the line breaks inside quotes stay, and no other character is taken for one.
    return next(csv.reader(io.StringIO(raw, newline=""), delimiter=export.delimiter, skipinitialspace=True), [])
