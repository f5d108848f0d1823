"""Numbers, dates, ids and flags as shops write them, and what a file's other values say about an ambiguous one."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.files.export import Export
from dangol.files.rejects import reason_for
from dangol.files.styles import PLAIN_STYLE, Style, style_of
from dangol.files.values import day, flag, identifier, moment, number
from hypothesis import given, settings
from hypothesis import strategies as st

COMMA = Style(decimal_comma=True)
UNREADABLE = None


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect() as shop:
        shop.execute("SET TimeZone = 'Asia/Seoul'")
        yield shop


def value(connection: duckdb.DuckDBPyConnection, sql: str, text: str | None) -> Any:
    """What `sql`, of column c0, makes of one text."""
    row = connection.execute(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS c0)", [text]).fetchone()
    assert row is not None
    return row[0]


def export_of(*columns: list[str]) -> Export:
    """An export of which only the sample matters."""
    header = tuple(f"h{i}" for i in range(len(columns)))
    rows = tuple(zip(*columns, strict=True))
    return Export("shop.csv", Path("shop.csv"), "csv", header, 1, 1, 2, ",", "utf-8", rows)


# ---- numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "-1000",
        "-1,000",
        "1,000-",
        "(1,000)",
        "(₩1,000)",
        "₩(1,000)",
        "₩-1,000",
        "- ₩ 1,000",
        "1,000-원",
        "-1,000 KRW",
        "△1,000",
        "▲1000",
        "−1,000",
        "-１，０００",
        " (1,000.00) ",
    ],
)
def test_a_negative_number_is_written_in_many_ways(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert value(connection, number("c0"), text) == Decimal(-1000)


@pytest.mark.parametrize(
    "text",
    [
        "12.5",
        "+12.50",
        "$12.5",
        "US$ 12.50",
        "us$12.5",
        "€12.5",
        "12.5 €",
        "12.50 USD",
        "EUR 12.5",
        "１２．５",
        " 12.5",
    ],
)
def test_a_number_may_have_a_currency_on_either_side(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert value(connection, number("c0"), text) == Decimal("12.5")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        None,
        "원",
        "1 000",
        "1,00",
        "1,23,4",
        "12,50",
        "1.234,56",
        "--1",
        "-(1)",
        "(-1)",
        "(1",
        "-1-",
        "1-2",
        "5$3",
        "₩$1",
        "12 GBP",
        "1.2.3",
        "nan",
        "x",
    ],
)
def test_what_is_no_plain_number_is_none(connection: duckdb.DuckDBPyConnection, text: str | None) -> None:
    assert value(connection, number("c0"), text) is UNREADABLE


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1.234,56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("1\u202f234,56", "1234.56"),
        ("-1.234.567,5", "-1234567.5"),
        ("(0,5)", "-0.5"),
        ("1,234", "1.234"),
        ("1.234", "1234"),
        ("12", "12"),
        ("12.5", None),
        ("1,234.56", None),
        ("1,2,3", None),
        ("", None),
    ],
)
def test_where_commas_are_decimal_points_separate_thousands(
    connection: duckdb.DuckDBPyConnection, text: str, meant: str | None
) -> None:
    assert value(connection, number("c0", COMMA), text) == (None if meant is None else Decimal(meant))


@pytest.mark.parametrize(
    ("cells", "commas"),
    [
        (["1.234,56", "7"], True),
        (["12,50", "1,234"], True),
        (["0,500"], True),
        (["1.234.567", "1,5 €"], True),
        (["1234,567"], True),
        (["1,234"], False),  # a thousand and something, or a little more than one
        (["1.234"], False),
        (["1,234", "12,50", "12.50"], False),
        (["12,50", "1,234.56"], False),
        (["12,50", "1,234,567"], False),
        (["12,50", ".5"], False),
        (["12", "", "many", "12,5 or so, 3"], False),
        ([], False),
    ],
)
def test_decimal_commas_are_found_where_they_are_certain_and_nothing_speaks_against(
    cells: list[str], commas: bool
) -> None:
    assert style_of(export_of(cells), [0]).decimal_comma is commas


def test_columns_that_are_written_alike_decide_together() -> None:
    export = export_of(["1,234", "5,678"], ["1,5", ""], ["1.5", "2.5"])
    assert not style_of(export, [0]).decimal_comma
    assert style_of(export, [0, 1]).decimal_comma
    assert not style_of(export, [0, 1, 2]).decimal_comma


@settings(max_examples=40, deadline=None)
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_a_number_is_the_same_in_both_ways_of_writing_it(amount: Decimal) -> None:
    written = f"{amount:,.2f}"
    swapped = written.translate(str.maketrans(",.", ".,"))
    with duckdb.connect() as connection:
        assert value(connection, number("c0"), written) == amount
        assert value(connection, number("c0", COMMA), swapped) == amount


# ---- moments ----------------------------------------------------------------------------------------------


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001 - in the shop's zone


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-05", at(2026, 1, 5)),
        ("2026-01-05 13:45:06", at(2026, 1, 5, 13, 45, 6)),
        ("2025-10-07 09:50:26 +0200", at(2025, 10, 7, 16, 50, 26)),
        ("2026-01-05T04:45:00Z", at(2026, 1, 5, 13, 45)),
        ("2026. 1. 5.", at(2026, 1, 5)),
        ("2026. 1. 5. 오후 3:05", at(2026, 1, 5, 15, 5)),
        ("2026. 1. 5. 오전 12:05:09", at(2026, 1, 5, 0, 5, 9)),
        ("2026.01.05 13:45", at(2026, 1, 5, 13, 45)),
        ("2026/1/5 7:45", at(2026, 1, 5, 7, 45)),
        ("2026년 1월 5일", at(2026, 1, 5)),
        ("2026년 1월 5일 13:45", at(2026, 1, 5, 13, 45)),
        ("2026-01-05 3:05 pm", at(2026, 1, 5, 15, 5)),
        ("20260105", at(2026, 1, 5)),
        ("2026-02-30", UNREADABLE),
        ("2026. 13. 5.", UNREADABLE),
        ("2026-01-05 오후 15:05", UNREADABLE),
        ("2026-01-05 25:00", UNREADABLE),
        ("26-01-05", UNREADABLE),
        ("12/1/09 7:45", UNREADABLE),
        ("12/31/2009", UNREADABLE),
        ("44927.5", UNREADABLE),
        ("", UNREADABLE),
    ],
)
def test_a_moment_is_read_in_every_way_that_has_one_meaning(
    connection: duckdb.DuckDBPyConnection, text: str, meant: datetime | None
) -> None:
    assert value(connection, moment("c0"), text) == meant


@pytest.mark.parametrize(
    ("style", "text", "meant"),
    [
        (Style(date_order="mdy"), "12/1/09 7:45", at(2009, 12, 1, 7, 45)),
        (Style(date_order="mdy"), "12/1/09 07:45:00", at(2009, 12, 1, 7, 45)),
        (Style(date_order="mdy"), "12/01/2009", at(2009, 12, 1)),
        (Style(date_order="mdy"), "1-2-2009 3:05 PM", at(2009, 1, 2, 15, 5)),
        (Style(date_order="mdy"), "31/12/2009", UNREADABLE),
        (Style(date_order="mdy"), "2026-01-05 13:45", at(2026, 1, 5, 13, 45)),
        (Style(date_order="dmy"), "12/1/09", at(2009, 1, 12)),
        (Style(date_order="dmy"), "31.12.2009 07:45:00", at(2009, 12, 31, 7, 45)),
        (Style(date_order="dmy"), "12/31/2009", UNREADABLE),
        (Style(serial=True), "44927.5", at(2023, 1, 1, 12)),
        (Style(serial=True), "44927", at(2023, 1, 1)),
        (Style(serial=True), "44927.99999", at(2023, 1, 1, 23, 59, 59)),
        (Style(serial=True), "19999", UNREADABLE),
        (Style(serial=True), "60001", UNREADABLE),
        (Style(serial=True), "20260105", at(2026, 1, 5)),
    ],
)
def test_a_moment_that_means_several_days_is_read_as_the_style_says(
    connection: duckdb.DuckDBPyConnection, style: Style, text: str, meant: datetime | None
) -> None:
    assert value(connection, moment("c0", style), text) == meant


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["3/4/2026", "12/31/2009"], "mdy"),
        (["3/4/26 7:45", "12/31/09 7:45"], "mdy"),
        (["3.4.2026", "31.12.2009"], "dmy"),
        (["3/4/2026", "5/6/2026"], None),
        (["31/12/2009", "12/31/2009"], None),
        (["26/01/31", "26/01/05"], None),  # may begin with the year
        (["26/01/31", "01/26/26"], None),
        (["2026-01-31"], None),
    ],
)
def test_the_order_of_day_and_month_is_decided_by_a_day_above_twelve(cells: list[str], order: str | None) -> None:
    assert style_of(export_of(cells), [0]).date_order == order


def test_where_no_date_decides_the_caller_does_and_nowhere_else() -> None:
    assert style_of(export_of(["3/4/2026"]), [0], "mdy").date_order == "mdy"
    assert style_of(export_of(["31/12/2026"]), [0], "mdy").date_order == "dmy"
    assert style_of(export_of(["31/12/2026", "12/31/2026"]), [0], "mdy").date_order is None
    assert style_of(export_of(["2026-01-31"]), [0], "mdy") == PLAIN_STYLE


def test_serial_dates_are_believed_only_where_all_values_are_plausible_ones() -> None:
    assert style_of(export_of(["44927.5", "", "45000"]), [0]).serial
    for cells in (["44927.5", "2026-01-31"], ["44927", "12000"], ["44927", "61000"], ["", ""]):
        assert not style_of(export_of(cells), [0]).serial


def test_a_header_that_is_repeated_says_nothing_about_style() -> None:
    assert style_of(export_of(["44927.5", "h0"]), [0]).serial


@settings(max_examples=40, deadline=None)
@given(st.datetimes(at(1971, 1, 1), at(2098, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
def test_a_moment_is_the_same_however_it_is_written(when: datetime) -> None:
    half, hour = ("오후" if when.hour >= 12 else "오전"), (when.hour + 11) % 12 + 1
    korean = f"{when.year}. {when.month}. {when.day}. {half} {hour}:{when:%M:%S}"
    with duckdb.connect() as connection:
        for text in (f"{when:%Y-%m-%d %H:%M:%S}", korean):
            assert value(connection, moment("c0"), text) == when
        american = f"{when.month}/{when.day}/{when:%Y %H:%M:%S}"
        assert value(connection, moment("c0", Style(date_order="mdy")), american) == when
        assert value(connection, moment("c0", Style(date_order="dmy")), f"{when:%d.%m.%Y %H:%M:%S}") == when


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1990-03-01", date(1990, 3, 1)),
        ("19900301", date(1990, 3, 1)),
        ("1990. 3. 1.", date(1990, 3, 1)),
        ("1990년 3월 1일", date(1990, 3, 1)),
        ("1990-03-01 00:00:00", date(1990, 3, 1)),
        ("1905-12-31", date(1905, 12, 31)),
        ("900301", UNREADABLE),
        ("90-03-01", UNREADABLE),
        ("0000-00-00", UNREADABLE),
        ("1990-03", UNREADABLE),
    ],
)
def test_a_birthday_is_a_day_or_unreadable(
    connection: duckdb.DuckDBPyConnection, text: str, meant: date | None
) -> None:
    assert value(connection, day("c0"), text) == meant


# ---- ids and flags ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12345", "12345"),
        (" 12345 ", "12345"),
        ("12345.0", "12345"),
        ("0012.000", "0012"),
        ("12345.5", "12345.5"),
        ("'00123", "00123"),
        ("'+8210", "+8210"),
        ("'=x", "'=x"),
        ("kim.0@shop.kr", "kim.0@shop.kr"),
        ("v1.0", "v1.0"),
        ("1E5", "1E5"),
        ("1.23457E+11", UNREADABLE),
        ("1E+11", UNREADABLE),
        ("1.2345678901234568e22", UNREADABLE),
        (" ", UNREADABLE),
        (None, UNREADABLE),
    ],
)
def test_an_id_is_freed_of_what_a_spreadsheet_did_to_it(
    connection: duckdb.DuckDBPyConnection, text: str | None, meant: str | None
) -> None:
    assert value(connection, identifier("c0"), text) == meant


def test_an_id_that_lost_its_digits_is_rejected_with_that_reason() -> None:
    assert reason_for("customer_id", "1.23457E+11", "KRW").startswith("was shortened by a spreadsheet; export again")
    assert reason_for("customer_id", "1E5", "KRW") == "cannot be read; correct it"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["Y", "yes", " TRUE ", "1", "O", "예", "동의", "수신", "수신 동의", "동의함", "Opted-in"], True),
        (
            ["n", "No", "false", "0", "X", "아니오", "거부", "수신 거부", "미동의", "미수신", "동의 안함", "opted_out"],
            False,
        ),
        (["", None, "maybe", "2", "동의?", "yes no"], UNREADABLE),
    ],
)
def test_a_flag_is_yes_no_or_unreadable(
    connection: duckdb.DuckDBPyConnection, words: list[str | None], meant: bool | None
) -> None:
    assert [value(connection, flag("c0"), word) for word in words] == [meant] * len(words)


def test_what_is_written_plainly_costs_one_cast_and_no_more() -> None:
    assert number("c0").startswith("coalesce(try_cast(c0 AS DECIMAL(18, 4)), CASE WHEN c0 IS NOT NULL THEN ")
    assert number("c0", Style(thousands=True)).startswith("coalesce(CASE WHEN contains(c0, ',') THEN")
    assert moment("c0").startswith(
        "coalesce(CASE WHEN strlen(c0) = 10 OR (strlen(c0) = 19 AND c0 LIKE '%:__:__') "
        "OR (strlen(c0) = 16 AND c0 LIKE '%:__') THEN try_cast(c0 AS TIMESTAMP) WHEN strlen(c0) > 21 AND"
    )
