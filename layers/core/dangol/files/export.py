"""From a file as it was dropped to plain UTF-8 text with a known header.

Format, compression, encoding and delimiter are found from the first 64 KiB of the content, never from the
name. Whatever is not already plain UTF-8 text is rewritten once into the working folder, up to a size limit.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import duckdb

from dangol.engine import connect
from dangol.errors import UnreadableFile
from dangol.files import json_lines, parquet, text
from dangol.files.rendering import HEADER_RECORDS, MAX_COLUMNS, IsHeader, Rendering
from dangol.shop import Shop

MAX_TEXT_BYTES = 4 * 1024**3
"""Uncompressed bytes that are read from one file at most: a gzip bomb ends here."""
_DELIMITERS = ",\t;|"


@dataclass(frozen=True, slots=True)
class Export:
    """A delimited text file, ready to be scanned."""

    name: str
    """What the user calls the file."""
    path: Path
    """Where its UTF-8 text lies, beginning with the header; the file itself when that is so already."""
    format: str
    """'csv' (whatever the delimiter), 'jsonl', 'parquet' or 'xlsx' (any Excel workbook)."""
    header: tuple[str, ...]
    header_line: int
    """Line of the header as the user counts, from 1; 1 where the format has none."""
    header_lines: int
    """How many lines of the text at `path` the header covers: line breaks in quotes make more than one."""
    first_line: int
    """Line of the first record, as the user counts: after the header, or 1 where the format has none."""
    delimiter: str
    encoding: str
    """What the file was written in; the text at `path` is UTF-8."""
    sample: tuple[tuple[str, ...], ...]
    """The records after the header that lie whole in the first 64 KiB and have as many cells; see styles."""

    def lines_of(self, record: bytes) -> int:
        """How many lines a record of the text at `path` is to the user: rows of a sheet are one each."""
        return record.count(b"\n") if self.format == "csv" else 1


def open_export(
    path: Path,
    name: str,
    folder: Path,
    max_bytes: int = MAX_TEXT_BYTES,
    password: str | None = None,
    header: IsHeader | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Export:
    """Find out how `path` is written and make plain UTF-8 of it, in `folder` if need be.

    `header` tells whether a row is the header; of the first HEADER_RECORDS the first that satisfies it is
    taken, and without any the first that is not blank. `password` opens a protected workbook. JSON and
    Parquet are read with `connection`, or one of its own. Raises UnreadableFile, with what to do, for a file
    no row of which can be read.
    """
    path = text.decompressed(path, name, folder, max_bytes)
    head = text.head_of(path)
    if not head:
        raise UnreadableFile(name, "is empty; export it again")
    if head.startswith(b"%PDF"):
        raise UnreadableFile(name, "is a PDF; export the table as CSV and drop that")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        from dangol.files import spreadsheet  # what it imports is large, and most files are no workbooks

        rendering = spreadsheet.render(path, name, folder, password, header, max_bytes)
        return _rendered(rendering, "xlsx", path, name, max_bytes)
    if head.startswith(parquet.MAGIC):
        cursor = _cursor(connection, folder)
        try:
            return _rendered(parquet.render(cursor, path, name), "parquet", path, name, max_bytes)
        except duckdb.Error as error:
            raise parquet.damaged(name) from error
    return _text_export(path, name, folder, max_bytes, header, connection, head)


def _text_export(
    path: Path,
    name: str,
    folder: Path,
    max_bytes: int,
    header: IsHeader | None,
    connection: duckdb.DuckDBPyConnection | None,
    head: bytes,
) -> Export:
    encoding = text.encoding_of(head, name)
    if encoding != "utf-8":
        path = text.transcoded(path, name, encoding, folder, max_bytes)
        head = text.head_of(path)
    if json_lines.is_json(head.decode(errors="replace")):
        rendering = json_lines.render(_cursor(connection, folder), path, name, max_bytes)
        return replace(_rendered(rendering, "jsonl", path, name, max_bytes), encoding=encoding)
    if b"\r" in head and b"\n" not in head:
        path = text.with_plain_newlines(path, folder)
    export = _with_header(path, name, folder, lambda lines: _header_at(lines, name, header))
    return replace(export, encoding=encoding)


def _cursor(connection: duckdb.DuckDBPyConnection | None, folder: Path) -> duckdb.DuckDBPyConnection:
    return connection.cursor() if connection else connect(Shop(), folder)


def _rendered(rendering: Rendering, kind: str, path: Path, name: str, max_bytes: int) -> Export:
    """The export of a table rewritten as CSV."""
    target = text.write_bounded(rendering.text, path.with_name(f"{path.name}.csv"), name, max_bytes)
    export = _with_header(target, name, target.parent, lambda _: (0, ","))
    first = rendering.first_line
    return replace(export, format=kind, header_line=max(1, first - 1), first_line=first)


def _with_header(path: Path, name: str, folder: Path, find: Callable[[list[str]], tuple[int, str]]) -> Export:
    """The export whose text is at `path`; whatever stands before the header is left out.

    `find` tells of the lines of its beginning the index of the header's first, and the delimiter.
    """
    head = text.head_of(path)
    # Not splitlines(): that splits at form feeds and a dozen other characters as well.
    lines = io.StringIO(head.decode(errors="surrogateescape").removeprefix("\ufeff"), newline="").readlines()
    start, delimiter = find(lines)
    reader = csv.reader(lines[start:], delimiter=delimiter, skipinitialspace=True)
    names = tuple(_shown(cell).strip() for cell in next(reader))
    if "\0" in "".join(names):
        raise UnreadableFile(name, text.NO_TEXT)
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(name, f"the header has {len(names):,} columns; is this an export?", start + 1)
    after = start + reader.line_num
    whole = len(head) < text.SNIFFED_BYTES
    if after >= len(lines) and not whole:
        raise UnreadableFile(name, f"the header is longer than {text.SNIFFED_BYTES:,} bytes", start + 1)
    sample = tuple(_records(lines[after : len(lines) if whole else -1], delimiter, len(names)))
    if start:
        before = "".join(lines[:start]).encode(errors="surrogateescape")
        mark = len(b"\xef\xbb\xbf") if head.startswith(b"\xef\xbb\xbf") else 0
        path = text.without_beginning(path, mark + len(before), folder)
    return Export(name, path, "csv", names, start + 1, reader.line_num, after + 1, delimiter, "utf-8", sample)


def _header_at(lines: Sequence[str], name: str, header: IsHeader | None) -> tuple[int, str]:
    """Index of the header's first line, and the delimiter."""
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise UnreadableFile(name, "holds blank lines only; export it again")
    beginning = "".join(lines[first : first + HEADER_RECORDS])
    if header is not None:
        for delimiter in sorted(_DELIMITERS, key=beginning.count, reverse=True):
            reader = csv.reader(lines[first:], delimiter=delimiter, skipinitialspace=True)
            start = first
            for cells in islice(reader, HEADER_RECORDS):
                if header([_shown(cell).strip() for cell in cells]):
                    return start, delimiter
                start = first + reader.line_num
    return first, max(_DELIMITERS, key=lines[first].count)


def _records(lines: Sequence[str], delimiter: str, width: int) -> Iterator[tuple[str, ...]]:
    """Records of `width` cells; one that is not costs its first line only."""
    start = 0
    while start < len(lines):
        reader = csv.reader(lines[start:], delimiter=delimiter, skipinitialspace=True)
        before = 0
        for cells in reader:
            if len(cells) != width and reader.line_num > before + 1:
                break
            before = reader.line_num
            if len(cells) == width:
                yield tuple(map(_shown, cells))
        start += before + 1


def _shown(cell: str) -> str:
    """Without the bytes that are not UTF-8."""
    return cell.encode(errors="surrogateescape").decode(errors="replace")
