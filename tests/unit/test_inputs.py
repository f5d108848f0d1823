"""Customers, products and interests files: what is read of them, what is put aside, and why."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from dangol.engine import connect
from dangol.errors import UnreadableFile
from dangol.files.reading import Reading
from dangol.identity import LOCAL_KEY, person
from dangol.inputs import CUSTOMERS, INTERESTS, PRODUCTS
from dangol.inputs.reader import RECORDS, TableReader
from dangol.inputs.table import Table

from tests.builders import SEOUL, rows_of


def read(table: Table, folder: Path, *texts: str | bytes) -> tuple[Reading, list[dict[str, Any]]]:
    """The reading of files, and the rows that could be used, without the columns nothing is said of."""
    files = []
    for number, text in enumerate(texts):
        path = folder / f"{table.name}-{number}.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        files.append((path, path.name))
    with connect(SEOUL, folder) as connection:
        reading = TableReader(connection, table, SEOUL, folder, LOCAL_KEY).read(files)
        rows = rows_of(connection, f"FROM {RECORDS} ORDER BY ALL")
    return reading, [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_a_customers_file_with_korean_headers(tmp_path: Path) -> None:
    text = """회원번호,이름,이메일,휴대전화,성별,생년월일,도시,가입일,이메일 수신동의,푸시수신,야간 푸시 수신동의
c1,김단골,kim@example.com,010-1234-5678,여,1990-03-01,서울,2025-01-31,Y,동의,거부
"""
    reading, rows = read(CUSTOMERS, tmp_path, text)
    assert reading.rejects == []
    assert rows == [
        {
            "customer_id": "c1",
            "email": "kim@example.com",
            "phone": "010-1234-5678",
            "customer_name": "김단골",
            "gender": "female",
            "birthday": date(1990, 3, 1),
            "city": "서울",
            "subscribed_on": date(2025, 1, 31),
            "accepts_email": True,
            "accepts_push": True,
            "accepts_night_push": False,
        }
    ]


def test_who_has_no_customer_id_is_known_by_email_or_phone(tmp_path: Path) -> None:
    text = "email,phone,gender\n Kim@Example.com ,,F\n,010-1234-5678,M\n"
    reading, rows = read(CUSTOMERS, tmp_path, text)
    assert reading.rejects == []
    expected = {person(None, "kim@example.com", None, LOCAL_KEY), person(None, None, "+821012345678", LOCAL_KEY)}
    assert {row["customer_id"] for row in rows} == expected


def test_of_rows_about_one_person_the_last_counts(tmp_path: Path) -> None:
    reading, rows = read(CUSTOMERS, tmp_path, "customer_id,city\nc1,서울\nc2,부산\nc1,대구\n")
    assert [(row["customer_id"], row["city"]) for row in rows] == [("c1", "대구"), ("c2", "부산")]
    assert (reading.receipt.rows_read, reading.receipt.rows_accepted, reading.receipt.rows_superseded) == (3, 2, 1)


def test_of_several_files_the_last_counts(tmp_path: Path) -> None:
    _, rows = read(CUSTOMERS, tmp_path, "customer_id,city\nc1,서울\n", "customer_id,city\nc1,대구\n")
    assert [row["city"] for row in rows] == ["대구"]


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("birthday", "900301", "is not a date from 1900-01-01 to 2099-12-31; write it as 2026-01-31"),
        ("birthday", "1890-01-01", "is not a date from 1900-01-01 to 2099-12-31; write it as 2026-01-31"),
        ("gender", "고양이", "is not one of female, male, other"),
        ("accepts_email", "maybe", "is neither yes nor no; write yes or no, Y or N, 1 or 0, 동의 or 거부"),
        ("email_consent_at", "soon", "is not a date from 1900-01-01 to 2099-12-31; write it as 2026-01-31"),
    ],
)
def test_a_value_that_cannot_be_read_costs_its_row_and_says_where(
    tmp_path: Path, header: str, value: str, reason: str
) -> None:
    reading, rows = read(CUSTOMERS, tmp_path, f"customer_id,{header}\nc1,\nc2,{value}\nc3,\n")
    (reject,) = reading.rejects
    assert (reject.line, reject.column, reject.value, reject.reason) == (3, header, value, reason)
    assert [row["customer_id"] for row in rows] == ["c1", "c3"]
    assert reading.receipt.reasons == {header: 1}


def test_a_row_about_nobody_is_put_aside(tmp_path: Path) -> None:
    reading, _ = read(CUSTOMERS, tmp_path, "customer_id,email,city\nc1,,서울\n,,부산\n")
    (reject,) = reading.rejects
    assert (reject.line, reject.column, reject.reason) == (3, "customer_id", "is missing; fill it in")


def test_a_customer_id_that_no_table_takes_is_put_aside(tmp_path: Path) -> None:
    reading, rows = read(CUSTOMERS, tmp_path, f"customer_id,city\nc1,서울\n{'x' * 1025},부산\n")
    assert len(reading.rejects) == 1
    assert [row["customer_id"] for row in rows] == ["c1"]


def test_a_file_that_names_nobody_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="required column 'customer_id' \\(or 'email' or 'phone'\\) is missing"):
        read(CUSTOMERS, tmp_path, "city,gender\n서울,F\n")


def test_a_rejects_file_corrected_is_read_as_it_is(tmp_path: Path) -> None:
    from dangol.files.rejects import rejects_csv

    reading, _ = read(CUSTOMERS, tmp_path, "customer_id,gender,city\nc1,?,서울\n")
    corrected = rejects_csv(reading.rejects).replace(",c1,?,", ",c1,F,")
    again, rows = read(CUSTOMERS, tmp_path, corrected)
    assert again.rejects == []
    assert rows == [{"customer_id": "c1", "gender": "female", "city": "서울"}]


def test_an_account_that_became_part_of_another(tmp_path: Path) -> None:
    _, rows = read(CUSTOMERS, tmp_path, "customer_id,merged_into\nc1,c2\nc3,lee@example.com\n")
    assert [row["merged_into"] for row in rows] == ["c2", person(None, "lee@example.com", None, LOCAL_KEY)]


def test_a_products_file(tmp_path: Path) -> None:
    text = """상품번호,상품명,카테고리,판매가,한정,재고여부,재입고일
1001.0,울 코트,아우터,"₩189,000",Y,N,2026.11.20
"""
    reading, rows = read(PRODUCTS, tmp_path, text)
    assert reading.rejects == []
    (row,) = rows
    assert row | {"price": float(row["price"])} == {
        "product_id": "1001",
        "product_name": "울 코트",
        "category": "아우터",
        "price": 189000.0,
        "limited": True,
        "in_stock": False,
        "restocked_on": date(2026, 11, 20),
    }


def test_an_interests_file(tmp_path: Path) -> None:
    text = """회원번호,구분,상품번호,일시,삭제
c1,장바구니,p1,2026-11-20 10:00,
c1,장바구니,p1,2026-11-21 10:00,Y
c1,관심상품,p2,2026-11-20T01:00:00Z,N
c1,조회,p3,2026-11-20,
c1,조회,p3,2026-11-20,
c1,구경,p3,2026-11-20,
c1,조회,,2026-11-20,
"""
    reading, rows = read(INTERESTS, tmp_path, text)
    assert [(row["kind"], row["product_id"], row["happened_at"], row.get("removed")) for row in rows] == [
        ("cart", "p1", datetime(2026, 11, 20, 10), None),  # noqa: DTZ001, shop time
        ("cart", "p1", datetime(2026, 11, 21, 10), True),  # noqa: DTZ001
        ("view", "p3", datetime(2026, 11, 20), None),  # noqa: DTZ001
        ("wishlist", "p2", datetime(2026, 11, 20, 10), False),  # noqa: DTZ001
    ]
    assert [(reject.line, reject.column, reject.value) for reject in reading.rejects] == [
        (7, "구분", "구경"),
        (8, "상품번호", ""),
    ]
    receipt = reading.receipt
    assert (receipt.rows_read, receipt.rows_accepted, receipt.rows_superseded, receipt.rows_rejected) == (7, 4, 1, 2)
