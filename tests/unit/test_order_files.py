"""Files as shops drop them: packed, in other encodings, damaged, or no order export at all.

A test with the fixture `read` runs twice: through `read_orders` (ledger) and `read_purchases` (RFM).
"""

import gzip
import unicodedata
from pathlib import Path

import pytest
from dangol.errors import UnreadableFile
from dangol.files.export import open_export

from tests.builders import PLAIN_HEADER, csv_of
from tests.unit.conftest import Read

KIM = ("kim", "2026-01-31", 12000, True)
GOOD = csv_of("o1,kim,2026-01-31,12000")
KOREAN = csv_of("1,김철수,2026-01-31,12000,코트", header="주문번호,고객번호,주문일시,결제금액,상품명")


# ---- compression -------------------------------------------------------------------------------------


def test_a_gzipped_file_is_read_whatever_its_name(read: Read) -> None:
    assert read(gzip.compress(GOOD.encode()), names=["orders.csv"]).purchases == [KIM]
    assert read(GOOD, names=["orders.csv.gz"]).purchases == [KIM]


def test_a_gzip_of_several_members_is_read_to_its_end(read: Read) -> None:
    parts = gzip.compress(GOOD.encode()) + gzip.compress(b"o2,lee,2026-02-01,5\n")
    assert read(parts).purchases == [KIM, ("lee", "2026-02-01", 5, True)]


@pytest.mark.parametrize("damage", ["truncated", "header only", "checksum", "bytes", "garbage behind"])
def test_damaged_gzip_is_unreadable_as_a_whole(read: Read, damage: str) -> None:
    packed = gzip.compress(csv_of(*(f"o{i},kim,2026-01-31,{i * i}" for i in range(999))).encode())
    broken = {
        "truncated": packed[: len(packed) // 2],
        "header only": packed[:2],
        "checksum": packed[:-8] + bytes(8),
        "bytes": packed[:40] + bytes(20) + packed[60:],
        "garbage behind": packed + b"garbage",
    }[damage]
    with pytest.raises(UnreadableFile, match=r"0\.csv: gzip data is cut off or damaged .*upload it again"):
        read(broken)


def test_a_gzip_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, read: Read) -> None:
    bomb = gzip.compress(PLAIN_HEADER.encode() + b"\n" * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableFile, match=r"unpacks to more than 5,000,000 bytes; split it"):
        read(bomb, max_bytes=5_000_000)
    written = sum(path.stat().st_size for path in (tmp_path / "scratch").iterdir() if not path.is_symlink())
    assert written <= 5_000_000


def test_a_file_that_grows_beyond_the_limit_in_utf_8_is_refused(tmp_path: Path, read: Read) -> None:
    korean = csv_of(*["o1,kim,2026-01-31,1,가나다라마바사아자차카타파하"] * 1_000, header=PLAIN_HEADER + ",상품명")
    limit = len(korean.encode("cp949"))
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        read(korean.encode("cp949"), max_bytes=limit)
    written = sum(path.stat().st_size for path in (tmp_path / "scratch").iterdir() if not path.is_symlink())
    assert written <= limit


def test_a_plain_file_over_the_limit_is_refused_and_one_at_the_limit_read(read: Read) -> None:
    assert read(GOOD, max_bytes=len(GOOD)).purchases == [KIM]
    with pytest.raises(UnreadableFile, match=r"larger than 50 bytes"):
        read(GOOD, max_bytes=50)


# ---- encoding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be"])
def test_korean_is_read_in_the_encodings_of_korean_spreadsheets(read_orders: Read, encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    outcome = read_orders(mark + KOREAN.encode(encoding))
    assert outcome.orders[0]["customer_id"] == "김철수"
    assert outcome.orders[0]["lines"][0]["product_name"] == "코트"


def test_a_character_on_the_border_of_what_is_sniffed_does_not_change_the_encoding(read_orders: Read) -> None:
    for shift in range(3):
        rows = [f"{'x' * shift}{i:05},김철수,2026-01-31,1,코트" for i in range(3_000)]
        outcome = read_orders(csv_of(*rows, header="주문번호,고객번호,주문일시,결제금액,상품명"))
        assert {order["customer_id"] for order in outcome.orders} == {"김철수"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
def test_a_reject_of_a_rewritten_file_has_its_line_and_text(read: Read, encoding: str) -> None:
    rows = ["o1,김철수,2026-01-31,1", "o2,박", "o3,이영희,언제,1", "o4,최"]
    outcome = read(csv_of(*rows).encode(encoding))
    assert [(line, row) for _, line, row in outcome.places] == [(3, rows[1]), (4, rows[2]), (5, rows[3])]


def test_rows_that_are_not_in_the_files_encoding_are_rejected_alone(read: Read) -> None:
    lines = [PLAIN_HEADER.encode(), b"o1,kim,2026-01-31,12000", b"o2,\xff\xfe\x80,2026-01-31,1", b"o3,lee,2026-02-01,5"]
    outcome = read(b"\n".join(lines))
    assert outcome.purchases == [KIM, ("lee", "2026-02-01", 5, True)]
    assert outcome.only_reject.line == 3
    assert "not UTF-8" in outcome.only_reject.reason


def test_korean_of_another_encoding_far_into_the_file_costs_those_rows_only(read: Read) -> None:
    rows = [f"o{i},kim,2026-01-31,1" for i in range(5_000)]
    text = csv_of(*rows).encode() + "o5000,김철수,2026-01-31,1\n".encode("cp949")
    outcome = read(text)
    assert outcome.counts == (5_001, 5_000, 0, 1)
    assert outcome.only_reject.line == 5_002


@pytest.mark.parametrize(
    "content",
    [
        "sábado;order_id\n".encode("latin-1"),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        bytes(range(256)) * 10,
        GOOD.encode("utf-16-le"),  # without its mark
        GOOD.encode("utf-32"),
        gzip.compress(gzip.compress(GOOD.encode())),
    ],
    ids=["latin-1", "picture", "bytes", "utf-16 unmarked", "utf-32", "gzip twice"],
)
def test_what_is_no_text_in_a_known_encoding_is_unreadable(read: Read, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"is not text in UTF-8, UTF-16 or CP949; save it as CSV \(UTF-8\)"):
        read(content)


def test_nul_bytes_cost_at_most_the_rows_they_are_in(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,12000", "o2,kim,2026-01-31,1\0", "o3,lee,2026-01-31\0,1"))
    assert outcome.purchases == [KIM]
    assert [(reject.line, reject.column, reject.row) for reject in outcome.rejects] == [
        (3, "amount", "o2,kim,2026-01-31,1\0"),
        (4, "ordered_at", "o3,lee,2026-01-31\0,1"),
    ]


# ---- no order export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04\x14\x00", "is a damaged .xlsx (File is not a zip file); save it anew"),
        (b"PAR1\x15\x04", "is a Parquet file that cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a damaged Office file, or none of Excel; save it as .xlsx"),
        (b"%PDF-1.7\n", "is a PDF; export the table as CSV"),
        (b"", "is empty; export it again"),
        (gzip.compress(b""), "is empty; export it again"),
        (b"\n \r\n\t\n", "holds blank lines only"),
    ],
    ids=["xlsx", "parquet", "xls", "pdf", "empty", "empty gzip", "blank lines"],
)
def test_a_file_that_holds_no_rows_of_text_says_what_to_do(read: Read, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as error:
        read(content, names=["주문 [1월].csv"])
    assert str(error.value).startswith(f"주문 [1월].csv: {reason}")


def test_a_spreadsheet_in_gzip_is_recognised_too(read: Read) -> None:
    with pytest.raises(UnreadableFile, match=r"is a damaged \.xlsx"):
        read(gzip.compress(b"PK\x03\x04\x14\x00"))


def test_a_missing_required_column_is_named_with_file_line_and_nearest_header(read: Read) -> None:
    with pytest.raises(UnreadableFile) as error:
        read("\n\norder_id,customer_nr,ordered_at,amount\n1,2,3,4\n", names=["shop.csv"])
    assert (error.value.file, error.value.line, error.value.column) == ("shop.csv", 3, "customer_id")
    assert str(error.value) == (
        "shop.csv, line 3, column 'customer_id': required column 'customer_id' (or 'email' or 'phone') is missing; "
        "the header has order_id, customer_nr, ordered_at, amount; is it 'customer_nr'? Then rename that header"
    )


@pytest.mark.parametrize("column", ["order_id", "customer_id", "ordered_at", "amount"])
def test_each_required_column_is_required(read: Read, column: str) -> None:
    header = PLAIN_HEADER.replace(column, "zzzz")
    with pytest.raises(UnreadableFile, match=f"required column '{column}'") as error:
        read(csv_of("1,2,3,4", header=header))
    assert "is it" not in str(error.value)


def test_a_file_without_header_is_told_what_header_it_lacks(read: Read) -> None:
    with pytest.raises(UnreadableFile, match=r"required column 'order_id' is missing; the header has o1, kim"):
        read("o1,kim,2026-01-31,1\n")


def test_a_header_without_rows_is_a_file_of_no_orders(read: Read) -> None:
    for content in (PLAIN_HEADER, PLAIN_HEADER + "\n", PLAIN_HEADER + "\r\n\r\n"):
        outcome = read(content)
        assert (outcome.purchases, outcome.counts) == ([], (0, 0, 0, 0))


def test_a_header_of_a_thousand_columns_is_read_and_one_more_refused(read: Read) -> None:
    extra = ",".join(f"x{i}" for i in range(996))
    outcome = read(csv_of("o1,kim,2026-01-31,12000" + "," * 996, header=f"{PLAIN_HEADER},{extra}"))
    assert outcome.purchases == [KIM]
    with pytest.raises(UnreadableFile, match=r"line 1: the header has 1,001 columns"):
        read(csv_of(header=f"{PLAIN_HEADER},{extra},y"))


def test_one_unreadable_file_of_several_is_named(read: Read) -> None:
    with pytest.raises(UnreadableFile, match=r"^second\.csv: is empty"):
        read(GOOD, "", names=["first.csv", "second.csv"])


# ---- rows that do not fit the header ---------------------------------------------------------------------------


def test_rows_of_too_few_and_too_many_columns_are_rejected(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,12000", "o2,kim,2026-01-31", "o3,kim,2026-01-31,1,2"))
    assert outcome.purchases == [KIM]
    assert [reject.reason.split(";")[0] for reject in outcome.rejects] == [
        "has fewer columns than the header",
        "has more columns than the header",
    ]
    assert outcome.rejects[0].cells == {"order_id": "o2", "customer_id": "kim", "ordered_at": "2026-01-31"}


def test_blank_lines_are_no_rows_wherever_they_are(read: Read) -> None:
    for newline in ("\n", "\r\n", "\r"):
        text = f"\n\n{PLAIN_HEADER}\n\n\no1,kim,2026-01-31,12000\n\no2,kim,never,1\n\n\n"
        outcome = read(text.replace("\n", newline))
        assert (outcome.purchases, outcome.counts) == ([KIM], (2, 1, 0, 1))
        assert outcome.only_reject.line == 8


def test_blank_and_quoted_lines_far_before_a_reject_do_not_shift_its_line(read: Read) -> None:
    rows = [f"o{i:06},kim,2026-01-31,12000" for i in range(120_000)]
    for i, odd in (
        (0, ""),
        (10_000, ""),
        (50_000, 'o050000,"k\nim",2026-01-31,12000'),
        (119_998, "o119998,kim,never,1"),
    ):
        rows[i] = odd
    outcome = read(csv_of(*rows))
    assert outcome.places == [("0.csv", 119_998 + 2 + 1, rows[119_998])]
    assert outcome.counts == (119_998, 119_997, 0, 1)


def test_a_header_repeated_in_the_middle_is_rejected_as_a_row(read: Read) -> None:
    outcome = read(GOOD + GOOD)
    assert outcome.purchases == [KIM]
    assert outcome.places == [("0.csv", 3, PLAIN_HEADER)]
    assert outcome.only_reject.reason.startswith("repeats the header")


def test_a_row_of_totals_is_rejected(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,12000", "합계,,,12000", "Total,,,", ",,,12000"))
    assert outcome.purchases == [KIM]
    assert [reject.line for reject in outcome.rejects] == [3, 4, 5]


def test_an_order_of_the_future_is_read(read: Read) -> None:
    assert read(csv_of("o1,kim,2099-12-31,1")).purchases == [("kim", "2099-12-31", 1, True)]


# ---- quotation marks and line ends ---------------------------------------------------------------------------


def test_quoted_values_may_hold_delimiters_quotes_and_line_breaks(read: Read) -> None:
    outcome = read(csv_of('"o,1","the ""k""\nsecond line",2026-01-31,"12,000"', "o2,lee,never,1"))
    assert outcome.purchases == [('the "k"\nsecond line', "2026-01-31", 12000, True)]
    assert outcome.only_reject.line == 4


def test_blanks_around_quotation_marks_are_not_part_of_the_value(read: Read) -> None:
    rows = ['o1, "k\nim" ,2026-01-31,12000', 'o2, "k\nim" ,never,1', 'o3 , "k""im" , "2026-02-01" , "5" ', "o4"]
    outcome = read(csv_of(*rows))
    assert outcome.purchases == [("k\nim", "2026-01-31", 12000, True), ('k"im', "2026-02-01", 5, True)]
    assert outcome.places == [("0.csv", 4, rows[1]), ("0.csv", 7, "o4")]
    assert outcome.rejects[0].cells["ordered_at"] == "never"


def test_text_behind_a_closing_mark_costs_its_row_only(read: Read) -> None:
    bad = ['o1,"ki"m,2026-01-31,1', '"o3"x,"k\nim",2026-01-31,1', 'o4,"a"b"c",2026-01-31,1', "o5"]
    outcome = read(csv_of(bad[0], "o2,kim,2026-01-31,12000", *bad[1:]))
    assert outcome.purchases == [KIM]
    assert outcome.places == [("0.csv", line, row) for line, row in zip((2, 4, 6, 7), bad, strict=True)]


def test_a_mark_that_is_closed_in_no_line_after_it_costs_its_own_line_only(read: Read) -> None:
    rows = ['o1,"kim,2026-01-31,1', 'o2,"kim,2026-01-31,1', 'o3,"k\nim",2026-01-31,1', "o4,kim,2026-01-31,12000"]
    outcome = read(csv_of(*rows))
    assert outcome.places == [("0.csv", 2, rows[0]), ("0.csv", 3, rows[1])]
    assert outcome.counts == (4, 2, 0, 2)


def test_a_quotation_mark_inside_a_bare_value_is_part_of_it(read_orders: Read) -> None:
    header = PLAIN_HEADER + ",product_name"
    outcome = read_orders(csv_of('o1,kim,2026-01-31,1,TV 55"', 'o2,kim,2026-01-31,1,5" x 7"', header=header))
    assert [order["lines"][0]["product_name"] for order in outcome.orders] == ['TV 55"', '5" x 7"']


def test_an_open_quotation_mark_costs_its_own_row_only(read: Read) -> None:
    rows = ["o1,kim,2026-01-31,12000", 'o2,"kim,2026-01-31,1', "o3,lee,2026-02-01,5", 'o4,"lee",2026-02-01,5']
    outcome = read(csv_of(*rows))
    assert outcome.places == [("0.csv", 3, rows[1])]
    assert "quotation mark" in outcome.only_reject.reason
    assert outcome.counts == (4, 3, 0, 1)


def test_an_open_quotation_mark_does_not_swallow_the_rest_of_a_long_file(read: Read) -> None:
    rows = [f"o{i},kim,2026-01-31,1" for i in range(100_000)]
    rows[10] = 'o10,"kim,2026-01-31,1'
    rows[70_000] = 'o70000,kim,2026-01-31,"1'
    outcome = read(csv_of(*rows))
    assert outcome.places == [("0.csv", 12, rows[10]), ("0.csv", 70_002, rows[70_000])]
    assert outcome.counts == (100_000, 99_998, 0, 2)


def test_an_open_quotation_mark_in_the_last_row_is_found(read: Read) -> None:
    outcome = read(csv_of("o1,kim,2026-01-31,12000") + 'o2,kim,2026-01-31,"1')
    assert outcome.purchases == [KIM]
    assert outcome.places == [("0.csv", 3, 'o2,kim,2026-01-31,"1')]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("inner", ["\n", "\r\n"])
def test_line_breaks_in_values_do_not_shift_the_lines_of_rejects(read: Read, newline: str, inner: str) -> None:
    note = f'"one{inner}two{inner}three"'
    rows = [f"o1,kim,2026-01-31,12000,{note}", "o2,kim", f"o3,kim,never,1,{note}", f"o4,kim,2026-01-31,{note}", "o5"]
    outcome = read(newline.join([PLAIN_HEADER + ",memo", *rows, ""]))
    assert outcome.purchases == [KIM]
    assert outcome.places == [("0.csv", line, row) for line, row in zip((5, 6, 9, 12), rows[1:], strict=True)]


def test_a_carriage_return_in_a_value_does_not_lose_the_rows_after_it(read: Read) -> None:
    outcome = read(csv_of('o1,"k\rim",2026-01-31,1', "o2,kim,never,1", "o3,kim,2026-01-31,12000", "o4"))
    assert [row for _, _, row in outcome.places] == ["o2,kim,never,1", "o4"]
    assert outcome.counts == (4, 2, 0, 2)


def test_a_file_that_mixes_line_ends_is_read_with_its_line_numbers(read: Read) -> None:
    text = f"{PLAIN_HEADER}\no1,kim,2026-01-31,12000\r\no2,kim,never,1\ro3,kim\r\no4,lee,2026-02-01,5\n"
    outcome = read(text)
    assert outcome.purchases == [KIM, ("lee", "2026-02-01", 5, True)]
    assert outcome.places == [("0.csv", 3, "o2,kim,never,1"), ("0.csv", 4, "o3,kim")]


def test_the_last_line_needs_no_line_end(read: Read) -> None:
    assert read(GOOD.rstrip("\n")).purchases == [KIM]


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_characters_that_only_python_takes_for_line_ends_are_text(read: Read, odd: str) -> None:
    header = f"me{odd}mo,{PLAIN_HEADER}"
    outcome = read(csv_of(f"a{odd}b,o1,kim,2026-01-31,12000", f"a{odd}b,o2,kim,never,1", header=header))
    assert outcome.purchases == [KIM]
    assert outcome.only_reject.value == "never"
    assert outcome.only_reject.cells[f"me{odd}mo"] == f"a{odd}b"


def test_a_header_may_hold_a_line_break_in_quotes(read: Read) -> None:
    outcome = read(csv_of("x,o1,kim,2026-01-31,12000", "y,o2,kim,never,1", header=f'"me\nmo",{PLAIN_HEADER}'))
    assert outcome.purchases == [KIM]
    assert outcome.places == [("0.csv", 4, "y,o2,kim,never,1")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(read: Read, delimiter: str) -> None:
    rows = ["o1,kim,2026-01-31,12000", "o2,kim,2026-01-31", "o3,kim,never,1"]
    outcome = read(csv_of(*rows).replace(",", delimiter))
    assert outcome.purchases == [KIM]
    assert [line for _, line, _ in outcome.places] == [3, 4]


def test_a_comma_in_a_value_does_not_decide_on_the_delimiter(read: Read) -> None:
    assert read(
        csv_of("o1;kim;2026-01-31;12,000;a,b,c,d,e", header="order_id;customer_id;ordered_at;amount;memo")
    ).purchases == [KIM]


# ---- large values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["x" * 10_000_000, '"' + "x" * 10_000_000 + '"', '"' + "line\n" * 1_000_000 + '"'])
def test_a_field_of_ten_megabytes_costs_its_row_only(read: Read, value: str) -> None:
    rows = ["o1,kim,2026-01-31,12000,x", f"o2,kim,2026-01-31,1,{value}", "o3,kim,never,1,x"]
    outcome = read(csv_of(*rows, header=PLAIN_HEADER + ",memo"))
    assert outcome.purchases == [KIM]
    assert [reject.line for reject in outcome.rejects] == [3, 4 + value.count("\n")]
    assert outcome.rejects[0].row == rows[1]


def test_a_long_value_with_line_breaks_is_shown_whole_when_its_row_is_rejected(read: Read) -> None:
    note = '"' + "a line of a long description\n" * 1_000 + '"'
    rows = [f"o1,kim,2026-01-31,{note}", "o2,kim,2026-01-31,12000,x", f"o3,kim,never,1,{note}"]
    outcome = read(csv_of(*rows, header=PLAIN_HEADER + ",memo"))
    assert outcome.purchases == [KIM]
    assert outcome.places == [("0.csv", 2, rows[0]), ("0.csv", 1_004, rows[2])]


# ---- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "with space.csv",
        "주문 내역.csv",
        unicodedata.normalize("NFD", "주문.csv"),
        'it\'s "quoted".csv',
        "*.csv",
        "[0-9]?.csv",
        "a;b|c,d.csv",
        "-rf.csv",
        "{x}%s$HOME.csv",
    ],
)
def test_a_file_may_have_any_name_and_is_reported_by_it(tmp_path: Path, read: Read, name: str) -> None:
    (tmp_path / "other.csv").write_text(csv_of("o9,nobody,2026-01-31,1"))
    outcome = read(csv_of("o1,kim,2026-01-31,12000", "o2"), names=[name])
    assert outcome.purchases == [KIM]
    assert outcome.places == [(name, 3, "o2")]
    assert outcome.receipt.files == (name,)


def test_two_files_of_one_name_in_different_folders_are_both_read(tmp_path: Path, read: Read) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    outcome = read(GOOD, csv_of("o2,lee,2026-02-01,5"), names=["a/orders.csv", "b/orders.csv"])
    assert outcome.purchases == [KIM, ("lee", "2026-02-01", 5, True)]


def test_a_plain_file_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(GOOD)
    assert open_export(path, "orders.csv", tmp_path).path == path
