"""JSON Lines, Parquet and Excel workbooks: each is read as the same table that a CSV file would be."""

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.errors import UnreadableFile
from dangol.files.export import Export, open_export

from tests.builders import PLAIN_HEADER, csv_of
from tests.unit.conftest import Read
from tests.workbooks import Rows, protected, with_sheet_xml, workbook

HEADER = PLAIN_HEADER.split(",")
KIM = ("kim", "2026-01-31", 12000, True)
LEE = ("lee", "2026-02-01", 5, True)
_folders = count()


def opened(folder: Path, content: bytes | str, **options: Any) -> Export:
    scratch = folder / str(next(_folders))
    scratch.mkdir()
    path = scratch / "dropped"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_export(path, "shop.dat", scratch, **options)


def table(folder: Path, content: bytes | str, **options: Any) -> list[list[str]]:
    """The file as the scanner sees it, the header first and blank lines as []."""
    export = opened(folder, content, **options)
    assert export.encoding == "utf-8"
    return list(csv.reader(io.StringIO(export.path.read_text(), newline=""), delimiter=export.delimiter))


def is_header(cells: Sequence[str]) -> bool:
    return set(HEADER) <= set(cells)


# ---- JSON Lines ----------------------------------------------------------------------------------------

JSON_LINES = """\
{"order_id": "o1", "customer_id": "kim", "ordered_at": "2026-01-31", "amount": 12000}
{"order_id": "o2", "customer_id": "lee", "ordered_at": "2026-02-01T09:00:00Z", "amount": "5"}
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_lines_are_orders_in_any_encoding(read: Read, encoding: str) -> None:
    assert read(JSON_LINES.encode(encoding)).purchases == [KIM, LEE]
    assert read(gzip.compress(JSON_LINES.encode(encoding)), names=["orders.txt"]).purchases == [KIM, LEE]


def test_the_columns_of_json_lines_are_all_keys_in_the_order_they_appear(tmp_path: Path) -> None:
    far = '{"a": 1}\n' * 20_000 + '{"late": 2, "b": true}\n'
    assert opened(tmp_path, '{"b": 1, "a": 2}\n{"c": 3, "a": 4}\n').header == ("b", "a", "c")
    assert opened(tmp_path, far).header == ("a", "late", "b")


def test_values_of_json_are_plain_text_and_nested_ones_stay_json(tmp_path: Path) -> None:
    line = r'{"id": 17, "n": 1.25, "f": false, "z": null, "s": "a\n\"b\", c", "l": [1, {"k": "김"}], "a.b/c~d": " x"}'
    assert table(tmp_path, line) == [
        ["id", "n", "f", "z", "s", "l", "a.b/c~d"],
        ["17", "1.25", "false", "", 'a\n"b", c', '[1,{"k":"김"}]', " x"],
    ]


@pytest.mark.parametrize(
    "bad",
    ['{"order_id": "o9", ', '["o9", "kim"]', '"o9"', "o9,kim,2026-01-31,1", '{"a": 1} {"b": 2}', "{'a': 1}", "null"],
)
def test_a_line_that_is_no_json_object_costs_itself_only(read: Read, bad: str) -> None:
    first, second = JSON_LINES.splitlines()
    outcome = read("\n".join([first, " \t", bad, f" \t{second} "]))
    assert outcome.purchases == [KIM, LEE]
    assert outcome.places == [("0.csv", 3, bad.strip())]
    assert outcome.only_reject.reason == "is not one JSON object; write one object on each line"


def test_bytes_that_are_no_text_and_lines_beyond_measure_cost_their_lines_of_json_only(read: Read) -> None:
    first, second = JSON_LINES.encode().splitlines()
    huge = b'{"order_id": "' + b"x" * 10_000_000 + b'"}'
    outcome = read(b"\n".join([first, b'{"order_id": "\xff\xfe"}', huge, b'{"a": "\0"}', second]))
    assert outcome.purchases == [KIM, LEE]
    assert [reject.line for reject in outcome.rejects] == [2, 3, 4]


def test_bytes_that_are_no_text_cost_their_line_of_json_only(read: Read) -> None:
    first, second = JSON_LINES.encode().splitlines()
    outcome = read(b"\n".join([first, b'{"order_id": "\xff\xfe"}', second]))
    assert outcome.purchases == [KIM, LEE]
    assert outcome.places == [("0.csv", 2, '\ufffd{"order_id": "\ufffd\ufffd"}')]


def test_a_rejected_object_has_the_line_it_stands_on(read: Read) -> None:
    bad = '{"order_id": "o3", "customer_id": "two\\nlines", "ordered_at": "never", "amount": 1}'
    other = '{"order_id": "o4", "customer_id": "two\\nlines", "ordered_at": "2026-01-31", "amount": "x"}'
    outcome = read("\n".join([bad, *JSON_LINES.splitlines(), "", other]))
    assert [(reject.line, reject.column, reject.value) for reject in outcome.rejects] == [
        (1, "ordered_at", "never"),
        (5, "amount", "x"),
    ]
    assert outcome.rejects[0].cells["customer_id"] == "two\nlines"


def test_a_table_whose_ids_stand_in_braces_is_no_json_and_json_with_a_broken_beginning_is(read: Read) -> None:
    rows = [f"{{o{i}}},kim,2026-01-31,{i}" for i in range(5)]
    assert len(read(csv_of(*rows)).purchases) == 5
    outcome = read("\0\n[1]\n" + JSON_LINES * 2)
    assert [reject.line for reject in outcome.rejects] == [1, 2]


def test_json_that_is_no_lines_of_objects_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="holds no line that is a JSON object; write one object on each line"):
        opened(tmp_path, '[{"a": 1},\n {"a": 2}]')
    with pytest.raises(UnreadableFile, match="more than 1,000 different keys"):
        opened(tmp_path, "\n".join(f'{{"key{i}": 1}}' for i in range(1_001)))
    many = "\n".join(f'{{"key{i}": 1}}' for i in range(1_000))
    assert len(opened(tmp_path, many).header) == 1_000


def test_a_few_keys_in_many_lines_of_json_do_not_fill_the_disk(tmp_path: Path) -> None:
    lines = "\n".join(f'{{"key{i}":1}}' for i in range(500)) + "\n{}" * 20_000
    with pytest.raises(UnreadableFile, match=r"unpacks to more than 2,000,000 bytes; split it"):
        opened(tmp_path, lines, max_bytes=2_000_000)


# ---- Parquet ---------------------------------------------------------------------------------------------


def parquet(folder: Path, query: str) -> bytes:
    path = folder / "written.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({query}) TO '{path}'")
    return path.read_bytes()


ORDERS = """
    SELECT * FROM (VALUES ('o1', 'kim', TIMESTAMP '2026-01-31 09:00:00', 12000.0::DOUBLE),
        ('o2', 'lee', TIMESTAMP '2026-02-01 00:00:00', 5::DOUBLE)) AS t (order_id, customer_id, ordered_at, amount)
"""


def test_parquet_holds_orders_like_any_other_file(tmp_path: Path, read: Read) -> None:
    content = parquet(tmp_path, ORDERS)
    assert read(content).purchases == [KIM, LEE]
    assert read(gzip.compress(content)).purchases == [KIM, LEE]


def test_a_row_of_parquet_is_rejected_by_its_number(tmp_path: Path, read: Read) -> None:
    bad = "SELECT 'o' || i, 'two' || chr(10) || 'lines', NULL, 1 FROM range(3) AS r (i)"
    outcome = read(parquet(tmp_path, f"{ORDERS} UNION ALL ({bad})"))
    assert outcome.purchases == [KIM, LEE]
    assert [(reject.line, reject.column) for reject in outcome.rejects] == [(line, "ordered_at") for line in (3, 4, 5)]


def test_values_of_parquet_are_text_that_can_be_read_again(tmp_path: Path) -> None:
    query = """
        SELECT 7::BIGINT AS "big", 12345.0::DOUBLE AS whole, 0.5::FLOAT AS half, 'nan'::DOUBLE AS nan,
            12.50::DECIMAL(18, 4) AS money, true AS yes, DATE '2026-01-31' AS day, NULL::VARCHAR AS "no,thing",
            TIMESTAMPTZ '2026-01-31 09:00:00+09' AS zoned, TIMESTAMP_NS '2026-01-31 09:00:00.123456789' AS nano,
            [1, 2] AS list, {'a': 'x', 'b': NULL} AS struct, encode('김') AS bytes, 'a"b' AS "quo""te"
    """
    header, row = table(tmp_path, parquet(tmp_path, query))
    assert dict(zip(header, row, strict=True)) == {
        "big": "7",
        "whole": "12345",
        "half": "0.5",
        "nan": "",
        "money": "12.5000",
        "yes": "true",
        "day": "2026-01-31",
        "no,thing": "",
        "zoned": "2026-01-31 00:00:00+00",
        "nano": "2026-01-31 09:00:00.123457",
        "list": "[1,2]",
        "struct": '{"a":"x","b":null}',
        "bytes": "김",
        'quo"te': 'a"b',
    }


def test_a_cut_off_parquet_file_says_so(tmp_path: Path) -> None:
    content = parquet(tmp_path, ORDERS)
    for size in (4, 10, len(content) - 1):
        with pytest.raises(
            UnreadableFile, match=r"^shop\.dat: is a Parquet file that cannot be read: .* upload it again"
        ):
            opened(tmp_path, content[:size])


def test_a_billion_equal_values_in_a_small_parquet_file_do_not_fill_the_disk(tmp_path: Path) -> None:
    content = parquet(tmp_path, f"SELECT '{'x' * 1_000}' AS same FROM range(100_000)")
    assert len(content) < 100_000
    with pytest.raises(UnreadableFile, match=r"unpacks to more than 5,000,000 bytes; split it"):
        opened(tmp_path, content, max_bytes=5_000_000)
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.csv")) <= 5_000_000


# ---- Excel -------------------------------------------------------------------------------------------------

BOOK: Rows = [
    HEADER,
    ["o1", "kim", datetime(2026, 1, 31, 13, 45), 12000],  # noqa: DTZ001 - cells of a sheet have no zone
    ["o2", "lee", date(2026, 2, 1), "5"],
]


def test_a_workbook_holds_orders_like_any_other_file(read: Read) -> None:
    content = workbook({"주문": BOOK})
    assert read(content).purchases == [KIM, LEE]
    assert read(gzip.compress(content), names=["orders.csv"]).purchases == [KIM, LEE]


def test_values_of_a_sheet_are_text_as_the_spreadsheet_shows_it(tmp_path: Path) -> None:
    row = [2026010112345678, 12.0, 0.1 + 0.2, True, date(2026, 1, 31), datetime(2026, 1, 31, 9, 5), time(9, 30)]  # noqa: DTZ001
    content = workbook({"a": [list("abcdefghi"), [*row, "'007", 'a\n"b"'], ["=1+1", None, "#N/A", -5]]})
    assert table(tmp_path, content)[1:] == [
        ["2026010112345678", "12", "0.3", "true", "2026-01-31", "2026-01-31 09:05:00", "09:30:00", "'007", 'a\n"b"'],
        ["", "", "", "-5", "", "", "", "", ""],
    ]


def test_a_sheet_may_begin_anywhere(tmp_path: Path) -> None:
    content = workbook({"a": [[], [], [None, None, "x", "y"], [], [None, None, 1, 2]]})
    export = opened(tmp_path, content)
    assert (export.header, export.header_line, export.first_line) == (("x", "y"), 3, 4)
    assert table(tmp_path, content) == [["x", "y"], [], ["1", "2"]]


def test_a_row_of_a_sheet_is_rejected_by_its_number(read: Read) -> None:
    rows = [*BOOK, [], ["two\nlines", "kim", "never", 1], ["o5", "kim"], ["o6", "kim", "2026-01-31", 1, None, "note"]]
    outcome = read(workbook({"a": [[], *rows]}))
    assert outcome.purchases == [KIM, LEE]
    assert [(reject.line, reject.column, reject.reason) for reject in outcome.rejects][1:] == [
        (7, "ordered_at", "is missing; fill it in"),
        (8, "", "has cells right of the last header; give that column a header"),
    ]
    assert (outcome.rejects[0].line, outcome.rejects[0].cells["order_id"]) == (6, "two\nlines")


def test_the_sheet_with_the_header_is_read_and_else_the_fullest(tmp_path: Path) -> None:
    notes: Rows = [["note", i] for i in range(30)]
    titled: Rows = [["지우지 마세요"], [], *BOOK]
    content = workbook({"empty": [], "notes": notes, "orders": titled, "more": titled})
    export = opened(tmp_path, content, header=is_header)
    assert (export.header, export.header_line, len(export.sample)) == (tuple(HEADER), 3, 2)
    assert opened(tmp_path, content).header == ("note", "0")
    hidden = workbook({"notes": notes, "orders": BOOK}, hidden=["notes"])
    assert opened(tmp_path, hidden).header == tuple(HEADER)


def test_a_workbook_with_a_password_is_opened_with_it_and_no_other(tmp_path: Path) -> None:
    content = protected(workbook({"a": BOOK}), "비밀 1")
    assert opened(tmp_path, content, password="비밀 1").header == tuple(HEADER)
    with pytest.raises(UnreadableFile, match=r"protected by a password; .* --password-env NAME, .* the secret"):
        opened(tmp_path, content)
    with pytest.raises(UnreadableFile, match="has another password than the one given"):
        opened(tmp_path, content, password="비밀 2")
    assert opened(tmp_path, workbook({"a": BOOK}), password="needless").header == tuple(HEADER)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (workbook({"a": BOOK})[:-30], r"is a damaged \.xlsx"),
        (workbook({"a": BOOK}).replace(b"xl/workbook.xml", b"xl/workbook.bin"), r"is a zip archive, but no \.xlsx"),
        (workbook({"a": [], "b": [[" "]]}), "has no visible sheet with anything in it"),
        (protected(workbook({"a": BOOK}), "x")[:3_000], "is a damaged Office file"),
        (with_sheet_xml(b"<row r='1'><c"), "is a damaged or foreign workbook"),
        (workbook({"a": [[f"x{i}" for i in range(1_001)]]}), "line 1: the header has 1,001 columns"),
    ],
    ids=["cut off", "xlsb", "nothing in it", "protected and cut off", "broken xml", "too wide"],
)
def test_a_workbook_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        opened(tmp_path, content, password="x")


def test_a_sheet_that_reaches_too_far_is_refused_before_it_is_in_memory(tmp_path: Path) -> None:
    far = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(UnreadableFile, match="reaches over 17,179,869,184 cells, more than 10,000,000; delete what"):
        opened(tmp_path, with_sheet_xml(far))


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = with_sheet_xml(b" " * 20_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableFile, match=r"unpacks to more than 5,000,000 bytes; split it"):
        opened(tmp_path, bomb, max_bytes=5_000_000)


def test_a_workbook_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    honest = with_sheet_xml(b" " * 20_000_000)
    size = (20_000_000 + len(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
            + len(b"<sheetData></sheetData></worksheet>")).to_bytes(4, "little")  # fmt: skip
    assert honest.count(size) == 2
    with pytest.raises(UnreadableFile, match=r"is a damaged \.xlsx"):
        opened(tmp_path, honest.replace(size, (1_000).to_bytes(4, "little")), max_bytes=5_000_000)


# ---- a header that is not on top --------------------------------------------------------------------------------


def test_the_header_is_looked_for_below_titles_and_instructions(tmp_path: Path) -> None:
    text = (
        '주문 내역; 2026년\n\n"지우지\n마세요, 제발";x\norder_id;customer_id;ordered_at;amount\no1;kim;2026-01-31;1\n'
    )
    for mark in ("", "\ufeff"):
        for newline in ("\n", "\r\n"):
            export = opened(tmp_path, (mark + text).replace("\n", newline), header=is_header)
            assert (export.header, export.delimiter, export.header_line) == (tuple(HEADER), ";", 5)
            assert (export.first_line, export.sample) == (6, (("o1", "kim", "2026-01-31", "1"),))
            assert export.path.read_bytes().startswith(b"order_id;")


def test_the_header_is_among_the_first_twenty_records_or_it_is_the_first(tmp_path: Path) -> None:
    for titles, line in ((19, 20), (20, 1)):
        export = opened(tmp_path, "a title\n" * titles + csv_of("o1,kim,2026-01-31,1"), header=is_header)
        assert export.header_line == line
    assert opened(tmp_path, "\n\nx,y\n1,2\n", header=is_header).header == ("x", "y")


def test_a_header_longer_than_what_is_looked_at_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="line 2: the header is longer than 65,536 bytes"):
        opened(tmp_path, "\na," + "x" * 70_000 + "\n1,2\n")


def test_the_sample_is_what_lies_whole_in_the_first_64_kib(tmp_path: Path) -> None:
    text = csv_of(*(f"o{i:05},kim,2026-01-31,1" for i in range(10_000)))
    sample = opened(tmp_path, text).sample
    assert len(sample) == (64 * 1024 - len(PLAIN_HEADER) - 1) // len("o00000,kim,2026-01-31,1\n")
    assert {len(row) for row in sample} == {4}
    long = "x" * 1_000
    assert {row[1] for row in opened(tmp_path, "a,b\n" + f"1,{long}\n" * 100).sample} == {long}
    assert opened(tmp_path, "a,b\n1,2\n3,4").sample == (("1", "2"), ("3", "4"))


def test_records_that_do_not_fit_the_header_are_not_in_the_sample(tmp_path: Path) -> None:
    text = 'a,b\n1,2\n"open,3\n4,5\n6\n"two\nlines",7\n8,9\n'
    assert opened(tmp_path, text).sample == (("1", "2"), ("4", "5"), ("two\nlines", "7"), ("8", "9"))
