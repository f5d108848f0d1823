"""Excel workbooks for tests, plain and with a password."""

import io
from collections.abc import Mapping, Sequence
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
from msoffcrypto.format.ooxml import OOXMLFile

Rows = Sequence[Sequence[object]]

_SHEET = "xl/worksheets/sheet1.xml"


def workbook(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    """An .xlsx of sheets by name; None is an empty cell."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def protected(content: bytes, password: str) -> bytes:
    """The same workbook as one that asks for a password."""
    buffer = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt(password, buffer)
    return buffer.getvalue()


def with_sheet_xml(rows: bytes) -> bytes:
    """An .xlsx whose one sheet holds `rows` of XML as they are."""
    xml = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%b</sheetData>'
    return _replaced(_SHEET, xml % rows + b"</worksheet>")


def _replaced(part: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(io.BytesIO(workbook({"a": [["x"]]}))) as source, ZipFile(buffer, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, content if name == part else source.read(name))
    return buffer.getvalue()
