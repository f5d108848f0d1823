"""Writes smartstore.xlsx and, with the password of the README, smartstore_protected.xlsx.

python -m examples.exports.smartstore
"""

import csv
import io
from datetime import datetime
from pathlib import Path

import msoffcrypto.format.ooxml
import openpyxl

FOLDER = Path(__file__).parent
PASSWORD = "단골1234"
INSTRUCTION = "엑셀 일괄발송 안내: 첫 행은 삭제하지 마세요."
ITEMS = FOLDER / "smartstore.csv"
"""The sheet as text."""
DATES = ("결제일", "주문일시")
NUMBERS = ("수량", "상품가격", "상품별 할인액", "최종 상품별 총 주문금액", "배송비 합계")


def cell(column: str, text: str) -> object:
    """What a cell holds in the workbook: dates are Excel's own, numbers are numbers."""
    if not text:
        return None
    if column in DATES:
        return datetime.fromisoformat(text)
    return int(text) if column in NUMBERS else text


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "발주발송관리"
    sheet.append([INSTRUCTION])
    with ITEMS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        sheet.append(list(rows.fieldnames or ()))
        for row in rows:
            sheet.append([cell(column, text) for column, text in row.items()])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def protected(data: bytes) -> bytes:
    out = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(data)).encrypt(PASSWORD, out)
    return out.getvalue()


if __name__ == "__main__":
    plain = workbook()
    (FOLDER / "smartstore.xlsx").write_bytes(plain)
    (FOLDER / "smartstore_protected.xlsx").write_bytes(protected(plain))
