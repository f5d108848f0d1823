"""Excel workbooks, new, old and password-protected: one sheet of them as a table."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msoffcrypto
from msoffcrypto.exceptions import InvalidKeyError
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from dangol.errors import UnreadableFile
from dangol.files.rendering import HEADER_RECORDS, MAX_COLUMNS, IsHeader, Rendering

ZIP_MAGIC = b"PK\x03\x04"
OLE2_MAGIC = b"\xd0\xcf\x11\xe0"
MAX_UNPACKED_BYTES = 1024**3
MAX_CELLS = 10_000_000
"""Cells from A1 to the last one: they are all in memory at once, at about 85 bytes each."""
_CHUNK = 1024 * 1024
_AS_CSV = "save it as .xlsx or as CSV (UTF-8) and drop it again"
_COLUMN = re.compile(rb' r="([A-Z]{1,3})\d')
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*? r="(\d{1,7})"')

Row = Sequence[Any]


def render(
    path: Path, name: str, folder: Path, password: str | None, header: IsHeader | None, max_bytes: int
) -> Rendering:
    """A workbook's sheet as text: the first that holds the header, or else the one with the most filled rows.

    Dates are ISO, whole numbers without .0, booleans true and false, as Excel shows them otherwise. Raises
    UnreadableFile for what is no workbook, needs another password, or is larger than can be held in memory.
    """
    with path.open("rb") as file:
        if file.read(4) == OLE2_MAGIC:
            path = _decrypted(path, name, folder, password)
    with path.open("rb") as file:
        if file.read(4) == ZIP_MAGIC:
            _check_size(path, name, min(max_bytes, MAX_UNPACKED_BYTES))
    sheet, first = _sheet(path, name, header)
    width = len(_filled(next(islice(sheet.iter_rows(), first, None))))
    if width > MAX_COLUMNS:
        raise UnreadableFile(name, f"the header has {width:,} columns; is this an export?", first + 1)
    return Rendering(first + 2, _csv(islice(sheet.iter_rows(), first, None), width))


def _decrypted(path: Path, name: str, folder: Path, password: str | None) -> Path:
    """The workbook without its password; itself when it has none, which old ones (.xls) need not have."""
    target = folder / f"{path.name}.open"
    try:
        with path.open("rb") as file, target.open("wb") as out:
            office = msoffcrypto.OfficeFile(file)
            if not office.is_encrypted():
                return path
            if password is None:
                raise UnreadableFile(
                    name,
                    "is protected by a password; name the variable that holds it with --password-env NAME, "
                    "or put it into the secret that the stack names",
                )
            office.load_key(password=password, verify_password=True)
            office.decrypt(out)
    except UnreadableFile:
        raise
    except InvalidKeyError as error:
        raise UnreadableFile(name, "has another password than the one given; correct it and drop it again") from error
    except Exception as error:  # of a damaged file it raises whatever it happens upon
        raise UnreadableFile(name, f"is a damaged Office file, or none of Excel; {_AS_CSV}") from error
    return target


def _check_size(path: Path, name: str, max_bytes: int) -> None:
    """Read all parts of a workbook once before it is taken into memory: what they declare may be false."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if not any(part.filename.lower() == "xl/workbook.xml" for part in parts):
                raise UnreadableFile(name, f"is a zip archive, but no .xlsx; unpack it, or {_AS_CSV}")
            if sum(part.file_size for part in parts) > max_bytes:
                raise UnreadableFile(name, f"unpacks to more than {max_bytes:,} bytes; split it, or {_AS_CSV}")
            for part in parts:
                with archive.open(part) as file:
                    cells = _extent(file)
                if cells > MAX_CELLS:
                    raise UnreadableFile(
                        name,
                        f"{part.filename} reaches over {cells:,} cells, more than {MAX_CELLS:,}; "
                        "delete what stands far off the table, or save it as CSV (UTF-8)",
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise UnreadableFile(name, f"is a damaged .xlsx ({error}); save it anew or upload it again") from error


def _extent(part: IO[bytes]) -> int:
    """Rows × columns that the XML of a sheet reaches over; 0 for other parts."""
    columns: set[bytes] = set()
    rows, rest = 0, b""
    while chunk := part.read(_CHUNK):
        text = rest + chunk
        columns.update(_COLUMN.findall(text))
        rows = max([rows, *map(int, _ROW.findall(text))])
        rest = text[-64:]
    return rows * max(map(_column_number, columns), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet(path: Path, name: str, header: IsHeader | None) -> tuple[CalamineSheet, int]:
    """The sheet to read and the index of its header row."""
    best: tuple[int, CalamineSheet, int] | None = None
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        for about in workbook.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet or about.visible != SheetVisibleEnum.Visible:
                continue
            sheet = workbook.get_sheet_by_name(about.name)
            for index, row in enumerate(islice(sheet.iter_rows(), HEADER_RECORDS)):
                if header is not None and header([cell.strip() for cell in _filled(row)]):
                    return sheet, index
            filled = [index for index, row in enumerate(sheet.iter_rows()) if any(str(value).strip() for value in row)]
            if filled and (best is None or len(filled) > best[0]):
                best = len(filled), sheet, filled[0]
    except CalamineError as error:
        raise UnreadableFile(name, f"is a damaged or foreign workbook ({error}); {_AS_CSV}") from error
    if best is None:
        raise UnreadableFile(name, "has no visible sheet with anything in it; export it again")
    return best[1], best[2]


def _csv(rows: Iterable[Row], width: int) -> Iterator[bytes]:
    """Rows as CSV, at least `width` cells in each that has any; a row without any is a blank line."""
    rows = iter(rows)
    while some := list(islice(rows, 1_000)):
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        for row in some:
            cells = _filled(row)
            writer.writerow(cells + [""] * (width - len(cells)) if cells else [])
        yield buffer.getvalue().encode(errors="replace")


def _filled(row: Row) -> list[str]:
    """A row's cells as text, up to the last in which something stands."""
    cells = [_text(value) for value in row]
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # Fifteen digits are what Excel shows; whole numbers are exact in a float up to 2^53.
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
