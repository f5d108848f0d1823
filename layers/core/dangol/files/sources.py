"""What a scan leaves out of a file, made into rejects: why, and where they stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Protocol, Self

from dangol.errors import UnreadableFile
from dangol.files import records
from dangol.files.export import Export
from dangol.files.json_lines import NOT_AN_OBJECT
from dangol.files.records import BrokenRecord, Record
from dangol.files.rejects import MAX_REJECTS, REPEATED_HEADER, SIBLING_REASON, Reject, is_rejects_file, undefused


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
class Source:
    """One file and what its scan left out."""

    scan: Scan
    broken: list[BrokenRecord] = field(default_factory=list)
    misquoted: list[Record] = field(default_factory=list)
    """Left blank since: a quotation mark in them is not in order and may have swallowed the rows after."""


def rejects_of(source: Source, bad: Sequence[BadRow]) -> list[Reject]:
    """The rows of `bad` and all that could not be split, each with its place, in the file's order."""
    scan = source.scan
    found = [misquoted(scan.export, record) for record in source.misquoted]
    if bad or source.broken:
        split, unsplit = records.locate(scan.export, [row.number for row in bad], source.broken)
        found += [_reject(scan, row, split[row.number]) for row in bad]
        found += [_unsplit(scan.export, unsplit[record.offset], record.reason) for record in source.broken]
    return sorted(found, key=lambda reject: reject.line)


def reject_of(source: Source, bad: BadRow) -> Reject:
    """One bad row with its place."""
    split, _ = records.locate(source.scan.export, [bad.number], source.broken)
    return _reject(source.scan, bad, split[bad.number])


def misquoted(export: Export, record: Record) -> Reject:
    """A record left blank since, because its quotation marks are not in order."""
    return _unsplit(export, record, "a quotation mark is not closed; double or remove it")


def too_many(first: Reject, total: int, most: int) -> UnreadableFile:
    """What to raise when `total` rows are bad, of which `most` are so as `first` is."""
    reason = (
        f"{total:,} rows cannot be used, more than the {MAX_REJECTS:,} that are put aside one by one, "
        f"and none was taken; {most:,} of them as this one: {first.reason}"
    )
    return UnreadableFile(first.file, reason, first.line, first.column or None)


def _reject(scan: Scan, bad: BadRow, record: Record) -> Reject:
    export = scan.export
    cells = records.fields(export, record.raw)
    found = _Cells(export, record.raw)
    if tuple(cell.strip() for cell in cells) == export.header:
        return Reject(export.name, record.line, "", "", REPEATED_HEADER, record.raw, found)
    if bad.column is None:
        return Reject(export.name, record.line, "", "", SIBLING_REASON, record.raw, found)
    column = bad.column or scan.first_blank(cells)
    header = export.header[scan.columns[column]]
    value = _by_header(export, cells).get(header, "")
    reason = intern(scan.reason(bad.column, value))
    return Reject(export.name, record.line, header, value, reason, record.raw, found, column)


def _unsplit(export: Export, record: Record, reason: str) -> Reject:
    cells = records.fields(export, record.raw)
    if reason == NOT_AN_OBJECT:
        return Reject(export.name, record.line, "", "", reason, cells[0], {})
    return Reject(export.name, record.line, "", "", reason, record.raw, _Cells(export, record.raw))


class _Cells(Mapping[str, str]):
    """A record's cells by header; of several columns of one name the first, as it is read.

    Split when looked into: hundreds of thousands of rejects are kept at a time.
    """

    __slots__ = ("_export", "_raw")

    def __init__(self, export: Export, raw: str) -> None:
        self._export = export
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        return self._split()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._split())

    def __len__(self) -> int:
        return len(self._split())

    def _split(self) -> dict[str, str]:
        return _by_header(self._export, records.fields(self._export, self._raw))


def _by_header(export: Export, cells: Sequence[str]) -> dict[str, str]:
    """Cells by header; of several columns of one name the first, as it is read."""
    by_header: dict[str, str] = {}
    plain = undefused if is_rejects_file(export.header) else str
    for name, cell in zip(export.header, cells, strict=False):
        by_header.setdefault(name, plain(cell))
    return by_header
