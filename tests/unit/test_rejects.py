"""Rows put aside: what is told of them, and that a corrected rejects file brings them back (promise 2)."""

import csv
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from dangol.files.rejects import (
    REJECT_COLUMNS,
    Reject,
    count_by_column,
    defused,
    reason_for,
    rejects_csv,
    write_rejects,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import PLAIN_HEADER, Outcome, Purchase, csv_of
from tests.builders import read as read_files
from tests.unit.conftest import Read

WITH_CONTACT = "order_id,customer_id,ordered_at,amount,phone,memo"


def table(outcome: Outcome) -> list[dict[str, str]]:
    """The rejects file as a spreadsheet shows it."""
    return list(csv.DictReader(io.StringIO(rejects_csv(outcome.rejects), newline="")))


def corrected(outcome: Outcome, correct: Callable[[dict[str, str]], None]) -> str:
    """The rejects file after somebody went through its rows."""
    rows = table(outcome)
    for row in rows:
        correct(row)
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def put(value: str) -> Callable[[dict[str, str]], None]:
    """Writes `value` where the rejects file says the fault is."""

    def correct(row: dict[str, str]) -> None:
        row[row["column"]] = value

    return correct


# ---- the file ------------------------------------------------------------------------------------------


def test_a_rejects_file_tells_file_line_column_value_reason_and_the_row_as_it_came(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,1", 'o2,"k,im",2026-02-31, 5 '), names=["2월 주문.csv"])
    assert table(outcome) == [
        {
            "file": "2월 주문.csv",
            "line": "3",
            "column": "ordered_at",
            "value": "2026-02-31",
            "reason": "is not a date from 1970-01-01 to 2099-12-31; write it as 2026-01-31 or 2026-01-31 13:45",
            "row": 'o2,"k,im",2026-02-31, 5 ',
            "order_id": "o2",
            "customer_id": "k,im",
            "amount": "5 ",
        }
        | {"ordered_at": "2026-02-31"}
    ]


def test_the_columns_of_a_rejects_file_are_its_own_and_then_those_of_the_rows(read: Read) -> None:
    outcome = read(csv_of("x,kim,o1,y,1", header="ordered_at,고객번호,order_id,memo,amount"), csv_of("o2,kim,z,1"))
    header = rejects_csv(outcome.rejects).splitlines()[0].split(",")
    assert tuple(header[:6]) == REJECT_COLUMNS == ("file", "line", "column", "value", "reason", "row")
    assert header[6:] == ["ordered_at", "고객번호", "order_id", "memo", "amount", "customer_id"]


def test_a_rejects_file_without_rejects_is_a_header(tmp_path: Path) -> None:
    write_rejects([], tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_bytes() == b"\xef\xbb\xbffile,line,column,value,reason,row\r\n"


def test_a_rejects_file_on_disk_opens_in_a_korean_spreadsheet(tmp_path: Path, read: Read) -> None:
    outcome = read(csv_of("o1,김철수,언제,1"))
    write_rejects(outcome.rejects, tmp_path / "rejects.csv")
    written = (tmp_path / "rejects.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.decode("utf-8-sig") == rejects_csv(outcome.rejects)


def test_the_column_at_fault_is_called_as_in_the_file(read: Read) -> None:
    outcome = read(csv_of("1,2,3,4", "1,,2026-01-31,4", header="주문번호,고객번호,주문일시,결제금액"))
    assert [reject.column for reject in outcome.rejects] == ["주문일시", "고객번호"]


def test_a_row_with_several_faults_is_one_reject_for_the_first(read: Read) -> None:
    header = PLAIN_HEADER + ",status"
    outcome = read(csv_of("o1,,never,x,odd", "o2,kim,2026-01-31,x,odd", "o3,,2026-01-31,1,odd", header=header))
    assert [reject.column for reject in outcome.rejects] == ["ordered_at", "amount", "status"]


def test_rejects_come_in_the_files_order_whatever_was_wrong(read: Read) -> None:
    rows = ["o1,kim,never,1", "o2", "a,kim,2026-01-31,x", "o3,kim,2026-01-31,1,2", ",,,", "a,kim,2026-01-31,y"]
    outcome = read(csv_of(*rows))
    assert [reject.line for reject in outcome.rejects] == [2, 3, 4, 5, 6, 7]
    assert [reject.row for reject in outcome.rejects] == rows


def test_rejects_are_counted_by_column_the_most_frequent_first(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,x", "o2", "o3,kim,2026-01-31,y", "o4,,2026-01-31,1"))
    assert outcome.receipt.reasons == {"amount": 2, "(row)": 1, "customer_id": 1}
    assert next(iter(count_by_column(outcome.rejects))) == "amount"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("order_id", "", "is missing; fill it in"),
        ("ordered_at", " ", "is missing; fill it in"),
        (
            "ordered_at",
            "31.1.",
            "is not a date from 1970-01-01 to 2099-12-31; write it as 2026-01-31 or 2026-01-31 13:45",
        ),
        ("status", "gone", "is not a status this export is known to use; use paid, cancelled, refunded or unpaid"),
        ("currency", "USD", "is not the shop's currency KRW; convert the amount or leave the row out"),
        ("amount", "-1", "is negative; put refunds in refunded_amount or set the status to refunded"),
        ("line_amount", "many", "is not a number; write it as 12000 or 12000.50"),
        ("refunded_amount", "2,000,000,000,000", "is above 1,000,000,000,000; is the number right?"),
    ],
)
def test_every_reason_says_what_is_wrong_and_what_to_do(column: str, value: str, reason: str) -> None:
    assert reason_for(column, value, "KRW") == reason


# ---- among many good rows ---------------------------------------------------------------------------------


def test_ten_thousand_bad_rows_among_a_million_are_all_found_in_their_lines_and_soon(tmp_path: Path) -> None:
    kinds = (
        "o{0},kim",
        "o{0},kim,never,1",
        'o{0},"ki"m,2026-01-31,1',
        "o{0},kim,2026-01-31,1,2",
        "o{0},kim,2026-01-31,-1",
    )
    rows = [f"o{i},c{i % 5000},2026-01-{1 + i % 28:02},{i % 777}" for i in range(1_000_000)]
    bad = {i: kinds[i // 100 % len(kinds)].format(i) for i in range(50, 1_000_000, 100)}
    for i, row in bad.items():
        rows[i] = row
    content = csv_of(*rows)
    start = time.process_time()  # of this process: other work on the machine does not count
    outcome = read_files(tmp_path, content, how="read_purchases")
    assert time.process_time() - start < 15
    assert outcome.counts == (1_000_000, 990_000, 0, 10_000)
    assert outcome.places == [("0.csv", i + 2, row) for i, row in bad.items()]


# ---- dropped again ----------------------------------------------------------------------------------------


def test_a_rejects_file_dropped_again_uncorrected_has_the_same_rejects(read: Read) -> None:
    outcome = read(csv_of("o1,kim,never,1", "o2,,2026-01-31,1"))
    again = read(rejects_csv(outcome.rejects))
    about = [(reject.column, reject.value, reject.cells["order_id"]) for reject in outcome.rejects]
    assert [(reject.column, reject.value, reject.cells["order_id"]) for reject in again.rejects] == about
    assert rejects_csv(again.rejects).splitlines()[0] == rejects_csv(outcome.rejects).splitlines()[0]


def test_a_corrected_rejects_file_brings_the_missing_orders(read: Read) -> None:
    file = csv_of("o1,kim,2026-01-31,1", "o2,lee,never,2", "o3,park,2026-01-31,3")
    outcome = read(file)
    both = read(file, corrected(outcome, put("2026-02-01")))
    assert both.purchases == sorted([*outcome.purchases, ("lee", "2026-02-01", 2, True)])
    assert both.counts == (4, 3, 0, 1)


def test_a_row_short_of_columns_can_be_completed_in_the_rejects_file(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31"))

    def complete(row: dict[str, str]) -> None:
        row["amount"] = "7"

    rows = table(outcome)
    assert [rows[0][name] for name in ("order_id", "customer_id", "ordered_at")] == ["o1", "kim", "2026-01-31"]
    text = corrected(outcome, complete)
    assert read(text).purchases == [("kim", "2026-01-31", 7, True)]


def test_all_rows_of_a_spoiled_order_come_back_together(read: Read) -> None:
    header = PLAIN_HEADER + ",product_name"
    rows = ("o1,kim,2026-01-31,300,shirt", "o1,kim,2026-01-31,x,coat", "o1,kim,2026-01-31,300,cap")
    outcome = read(csv_of(*rows, header=header))
    assert outcome.counts == (3, 0, 0, 3)

    def correct(row: dict[str, str]) -> None:
        if row["column"]:
            row[row["column"]] = "300"

    again = read(corrected(outcome, correct))
    assert again.purchases == [("kim", "2026-01-31", 300, True)]
    assert again.counts == (3, 3, 0, 0)


ODD_TEXT = st.one_of(
    st.sampled_from(
        [
            "=1+1",
            "@kim",
            "-x",
            "+82 10",
            "+82-10-1234-5678",
            "'=x",
            "''",
            "\t=1",
            "007",
            "-17",
            "김 철수",
            'a "b"',
            "a\nb",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=8),
).map(lambda text: text.strip(" \t") or "x")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(ODD_TEXT, ODD_TEXT, st.booleans()), min_size=1, max_size=6))
def test_correcting_the_column_at_fault_is_all_that_is_ever_needed(rows: list[tuple[str, str, bool]]) -> None:
    header = ("order_id", "customer_id", "ordered_at", "amount", "phone")
    as_meant = [(f"o{i}", customer, "2026-01-31", str(i), phone) for i, (customer, phone, _) in enumerate(rows)]
    as_sent = [row if good else (*row[:2], "someday", *row[3:]) for row, (*_, good) in zip(as_meant, rows, strict=True)]
    meant, sent = read_rows(header, as_meant), read_rows(header, as_sent)
    if not sent.rejects:
        assert sent.orders == meant.orders
        return
    again = read_text(rejects_csv(sent.rejects))
    assert len(again.rejects) == len(sent.rejects)  # a mistaken second try does no harm
    mended = read_text(written(header, as_sent), corrected(again, put("2026-01-31")))
    assert mended.orders == meant.orders


def read_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Outcome:
    return read_text(written(header, rows))


def written(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    return buffer.getvalue()


def read_text(*contents: str) -> Outcome:
    with TemporaryDirectory() as folder:
        return read_files(Path(folder), *contents, how="read_orders")


# ---- spreadsheets run what looks like a formula ---------------------------------------------------------------


@pytest.mark.parametrize(
    "cell", ["=1+1", "=HYPERLINK(1)", "+SUM(1)", "-2+3", "@x", "\t=1", "\r=1", "+82-10-1234-5678", "--5", "-"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_defused(cell: str) -> None:
    assert defused(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", "kim", "12", "-12", "-1,234.5", "+5", "010-1234-5678", "+821012345678", "a=b", "1-2"]
)
def test_numbers_and_phone_numbers_stay_as_they_are(cell: str) -> None:
    assert defused(cell) == cell


def test_no_cell_of_a_rejects_file_is_a_formula() -> None:
    bad = "=cmd|' /C calc'!A0"
    reject = Reject(bad, 2, bad, bad, bad, bad, {"memo": bad, "=header": bad})
    rows = list(csv.reader(io.StringIO(rejects_csv([reject]), newline="")))
    assert {cell[0] for row in rows for cell in row if "cmd" in cell} == {"'"}
    assert rows[0][-1] == "'=header"


def test_contacts_survive_the_round_through_a_rejects_file(read_orders: Read) -> None:
    phones = ["010-1234-5678", "+821012345678", "+82-10-1234-5678", "-1", "@home", "'=already"]
    file = csv_of(*(f"o{i},kim,never,1,{phone},=1+{i}" for i, phone in enumerate(phones)), header=WITH_CONTACT)
    again = read_orders(corrected(read_orders(file), put("2026-01-31")))
    assert [order["phone"] for order in again.orders] == phones


def test_purchases_of_customers_with_odd_ids_come_back_to_the_same_customers(read: Read) -> None:
    ids = ["=1+1", "@kim", "-kim", "+82 10", "-17", "'=x"]
    outcome = read(csv_of(*(f"o{i},{name},never,1" for i, name in enumerate(ids))))
    again = read(corrected(outcome, put("2026-01-31")))
    expected: list[Purchase] = [(name, "2026-01-31", 1, True) for name in ids]  # type: ignore[list-item]
    assert again.purchases == sorted(expected)
