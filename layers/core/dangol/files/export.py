"""From a file as it was dropped to plain UTF-8 text with a known header.

Compression, encoding and delimiter are found from the content, never from the name. Whatever is not
already plain UTF-8 is rewritten once into the working folder, up to a size limit.
"""

import codecs
import csv
import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from dangol.errors import UnreadableFile

SNIFFED_BYTES = 64 * 1024
MAX_TEXT_BYTES = 4 * 1024**3
"""Uncompressed bytes that are read from one file at most: a gzip bomb ends here."""
MAX_COLUMNS = 1_000
_CHUNK = 4 * 1024 * 1024
_DELIMITERS = ",\t;|"
_NO_TEXT = "is not text in UTF-8, UTF-16 or CP949; save it as CSV (UTF-8)"
_BINARY = {
    b"PK\x03\x04": "is a spreadsheet or zip archive; save it as CSV (UTF-8) and drop it again",
    b"PAR1": "is Parquet; export it as CSV and drop it again",
    b"\xd0\xcf\x11\xe0": "is an old or password-protected Excel file; save it as CSV (UTF-8) and drop it again",
    b"%PDF": "is a PDF; export the orders as CSV and drop that",
}


@dataclass(frozen=True, slots=True)
class Export:
    """A delimited text file, ready to be scanned."""

    name: str
    """What the user calls the file."""
    path: Path
    """Where its UTF-8 text lies; the file itself when that is plain UTF-8 already."""
    header: tuple[str, ...]
    header_line: int
    """Line of the header, from 1; only blank lines come before it."""
    header_lines: int
    """How many lines the header covers: more than one when it has line breaks in quotes."""
    delimiter: str
    encoding: str
    """What the file was written in; the text at `path` is UTF-8."""


def open_export(path: Path, name: str, folder: Path, max_bytes: int = MAX_TEXT_BYTES) -> Export:
    """Find out how `path` is written and make plain UTF-8 of it, in `folder` if need be.

    Raises UnreadableFile, with what to do, for a file no row of which can be read.
    """
    path = _decompressed(path, name, folder, max_bytes)
    head = _head(path)
    if not head:
        raise UnreadableFile(name, "is empty; export it again")
    encoding = _encoding(head, name)
    if encoding != "utf-8":
        path = _transcoded(path, name, encoding, folder, max_bytes)
        head = _head(path)
    text = head.decode("utf-8", errors="replace").removeprefix("\ufeff")
    export = _with_header(text, name, path, encoding)
    return with_plain_newlines(export, folder) if "\r" in text and "\n" not in text else export


def with_plain_newlines(export: Export, folder: Path) -> Export:
    """The same export with one kind of line end, for files that mix those of Windows, Unix and old Macs."""
    target = folder / f"{export.path.name}.lines"
    with (
        export.path.open(encoding="utf-8", errors="surrogateescape", newline=None) as source,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as out,
    ):
        shutil.copyfileobj(source, out, _CHUNK)
    return replace(export, path=target)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SNIFFED_BYTES)


def _decompressed(path: Path, name: str, folder: Path, max_bytes: int) -> Path:
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            if path.stat().st_size > max_bytes:
                raise UnreadableFile(name, f"is larger than {max_bytes:,} bytes; split it and drop the parts")
            return path
    target = folder / f"{path.name}.text"
    try:
        with gzip.open(path, "rb") as packed:
            _copy(iter(lambda: packed.read(_CHUNK), b""), target, name, max_bytes)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(name, f"gzip data is cut off or damaged ({error}); upload it again") from error
    return target


def _copy(chunks: Iterator[bytes], target: Path, name: str, max_bytes: int) -> None:
    written = 0
    with target.open("wb") as out:
        for chunk in chunks:
            written += len(chunk)
            if written > max_bytes:
                raise UnreadableFile(name, f"unpacks to more than {max_bytes:,} bytes; split it and drop the parts")
            out.write(chunk)


def _encoding(head: bytes, name: str) -> str:
    for magic, advice in _BINARY.items():
        if head.startswith(magic):
            raise UnreadableFile(name, advice)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp949"):  # CP949 is what Korean Excel writes
        if _decodes(head, encoding):
            return encoding
    # Some bytes fit neither: if the header does, the rows that do not are rejected one by one.
    if _decodes(head.split(b"\n", 1)[0], "utf-8"):
        return "utf-8"
    raise UnreadableFile(name, _NO_TEXT)


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether all of `data` is text in `encoding`; a character cut off at the end is fine."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _transcoded(path: Path, name: str, encoding: str, folder: Path, max_bytes: int) -> Path:
    target = folder / f"{path.name}.utf8"
    decoder = codecs.getincrementaldecoder(encoding)("replace")

    def chunks(source: BinaryIO) -> Iterator[bytes]:
        while data := source.read(_CHUNK):
            yield decoder.decode(data).encode()
        yield decoder.decode(b"", final=True).encode()

    with path.open("rb") as source:
        _copy(chunks(source), target, name, max_bytes)
    return target


def _with_header(text: str, name: str, path: Path, encoding: str) -> Export:
    """The export at `path`, of which `text` is the beginning."""
    # Not splitlines(): that splits at form feeds and a dozen other characters as well.
    lines = io.StringIO(text, newline="").readlines()
    blank = next((i for i, line in enumerate(lines) if line.strip()), None)
    if blank is None:
        raise UnreadableFile(name, "holds blank lines only; export it again")
    delimiter = max(_DELIMITERS, key=lines[blank].count)
    reader = csv.reader(lines[blank:], delimiter=delimiter, skipinitialspace=True)
    header = tuple(cell.strip() for cell in next(reader))
    if "\0" in "".join(header):
        raise UnreadableFile(name, _NO_TEXT)
    if len(header) > MAX_COLUMNS:
        raise UnreadableFile(name, f"the header has {len(header):,} columns; is this an order export?", blank + 1)
    return Export(name, path, header, blank + 1, reader.line_num, delimiter, encoding)
