"""Good order files, damaged in every way that files are: the same ones for the same seed."""

import gzip
import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tests.workbooks import workbook

HEADER = "order_id,customer_id,ordered_at,amount,status,product_name"
ROWS = tuple(f"o{i},손님{i % 7},2026-01-{1 + i % 28:02},{1_009 * i},paid,코트 {i}호" for i in range(1, 31))
ORDERS = {f"o{i}": (f"손님{i % 7}", f"2026-01-{1 + i % 28:02}", 1_009 * i) for i in range(1, 31)}
"""order_id → (customer_id, date, amount) of the good file."""
_ALL = frozenset(range(len(ROWS)))


@dataclass(frozen=True, slots=True)
class Damage:
    """A damaged file."""

    name: str
    content: bytes
    untouched: frozenset[str]
    """Orders whose rows are as they were and must be read; with any the file as a whole must be readable."""


Damager = Callable[[random.Random], tuple[bytes, frozenset[int]]]
"""Makes a file, and tells which of ROWS are as they were."""


def variants(seed: int) -> Iterator[tuple[str, bytes]]:
    """More than 200 damaged files as (name, content)."""
    for damage in damages(seed):
        yield damage.name, damage.content


def damages(seed: int) -> Iterator[Damage]:
    """The same with what is left of each."""
    for damager, times in _DAMAGERS.items():
        for number in range(times):
            name = f"{damager.__name__.strip('_')} {number}"
            content, untouched = damager(random.Random(f"{seed} {name}"))
            yield Damage(name, content, frozenset(f"o{i + 1}" for i in untouched))


def _file(rows: Sequence[str | bytes], header: str = HEADER, newline: bytes = b"\n") -> bytes:
    lines = (line if isinstance(line, bytes) else line.encode() for line in (header, *rows))
    return b"".join(line + newline for line in lines)


def _with(index: int, *rows: str | bytes) -> bytes:
    """The good file with other rows in place of one."""
    return _file([*ROWS[:index], *rows, *ROWS[index + 1 :]])


def _one(rnd: random.Random) -> tuple[int, str, frozenset[int]]:
    """A row to damage: its index, its text, and the others."""
    index = rnd.randrange(len(ROWS))
    return index, ROWS[index], _ALL - {index}


def _cells(rnd: random.Random, change: Callable[[list[str]], list[str]]) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    return _with(index, ",".join(change(row.split(",")))), others


# ---- the file as a whole ---------------------------------------------------------------------------------


def _cut_off(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    size = rnd.randrange(len(_file([])), len(_file(ROWS)))
    return _file(ROWS)[:size], frozenset(i for i in _ALL if len(_file(ROWS[: i + 1])) <= size)


def _cut_off_in_the_header(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return _file(ROWS)[: rnd.randrange(len(HEADER) - len(",status,product_name"))], frozenset()


def _gzip_cut_off(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    packed = gzip.compress(_file(ROWS), mtime=0)
    return packed[: rnd.randrange(2, len(packed))], frozenset()


def _beginning_lost(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return _file(ROWS)[rnd.randrange(1, 500) :], frozenset()


def _empty(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return rnd.choice([b"", b"\n\n", b"\xef\xbb\xbf", b" ", gzip.compress(b"", mtime=0)]), frozenset()


def _only_a_header(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return HEADER.encode() + rnd.choice([b"", b"\n", b"\r\n\r\n"]), frozenset()


def _header_of_great_length(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return _file(ROWS, f"{HEADER},{'x' * rnd.randrange(70_000, 90_000)}"), frozenset()


def _line_ends_mixed(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    ends = rnd.choice([[b"\n", b"\r\n"], [b"\n", b"\r\n", b"\r"], [b"\r"], [b"\n\r"]])
    return b"".join(line.encode() + rnd.choice(ends) for line in (HEADER, *ROWS)), _ALL


def _blank_lines(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    rows = [part for row in ROWS for part in (row, *[""] * rnd.choice([0, 0, 1, 3]))]
    return b"\n" * rnd.randrange(3) + _file(rows), _ALL


def _columns_doubled(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index = rnd.randrange(6)
    doubled = [f"{line},{line.split(',')[index]}" for line in (HEADER, *ROWS)]
    return _file(doubled[1:], doubled[0]), _ALL


def _columns_in_other_order(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    order = rnd.sample(range(6), 6)
    moved = [",".join(line.split(",")[i] for i in order) for line in (HEADER, *ROWS)]
    return _file(moved[1:], moved[0]), _ALL


def _delimiters_trailing(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return _file([row + "," for row in ROWS], HEADER + rnd.choice(["", ","])), _ALL


def _titles_before_and_totals_behind(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    total = rnd.choice(["합계,,,469185,,", "Total,,,469185", ",,,469185,,", "469185", "합계:,30건,,469185원,,"])
    return _file([*ROWS, total]), _ALL


def _joined_with_itself(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    middle = rnd.choice([b"", b"\n", b"\xef\xbb\xbf"])
    return _file(ROWS) + middle + _file(ROWS), _ALL


def _web_page_behind(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    page = [
        "<!DOCTYPE html>",
        '<html lang="ko"><body class="error">',
        "<h1>504, Gateway Time-out</h1>",
        "</body></html>",
    ]
    return _file([*ROWS, *page[: rnd.randrange(1, 5)]]), _ALL


# ---- one row ------------------------------------------------------------------------------------------------


def _row_in_another_encoding(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    return _with(index, row.encode(rnd.choice(["cp949", "utf-16-le"]))), others


def _bytes_that_are_no_text(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    place = rnd.randrange(len(row))
    odd = rnd.choice([b"\xed\xa0\x80", b"\xff\xfe", b"\x80", b"\xc3", b"\xf5\x80\x80\x80"])  # a lone surrogate first
    return _with(index, row[:place].encode() + odd + row[place:].encode()), others


def _nul_bytes(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    place = rnd.randrange(len(row))
    return _with(index, row[:place] + "\0" * rnd.choice([1, 4, 4_096]) + row[place:]), others


def _control_characters(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    place = rnd.randrange(len(row))
    return _with(
        index, row[:place] + rnd.choice("\x01\x07\x08\x0b\x0c\x1a\x1b\x7f\x85\u2028\ufeff") + row[place:]
    ), others


def _quotation_mark_open(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    column = rnd.randrange(6)
    return _cells(rnd, lambda cells: [*cells[:column], '"' + cells[column], *cells[column + 1 :]])


def _quotation_mark_astray(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    place = rnd.randrange(len(row))
    return _with(index, row[:place] + rnd.choice(['"', '""', '"x"', '"""']) + row[place:]), others


def _columns_swapped(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    a, b = rnd.sample(range(6), 2)

    def swap(cells: list[str]) -> list[str]:
        cells[a], cells[b] = cells[b], cells[a]
        return cells

    return _cells(rnd, swap)


def _ragged(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    width = rnd.choice([1, 2, 3, 4, 5, 7, 8, 50])
    return _cells(rnd, lambda cells: (cells + ["x"] * width)[:width])


def _another_delimiter(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index, row, others = _one(rnd)
    return _with(index, row.replace(",", rnd.choice(";\t|"))), others


def _header_again(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index = rnd.randrange(len(ROWS))
    return _with(index, HEADER, ROWS[index]), _ALL


def _row_twice(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index = rnd.randrange(len(ROWS))
    return _with(index, ROWS[index], ROWS[index]), _ALL


def _value_beyond_reason(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    odd = rnd.choice(
        ["", " ", "NULL", "nan", "-1", "1e999", "9" * 40, "0x10", "1,2", "12:61", "2026-13-45", "=1+1", "🙂"]
    )
    column = rnd.randrange(5)
    return _cells(rnd, lambda cells: [*cells[:column], f'"{odd}"', *cells[column + 1 :]])


def _ten_megabytes_in_a_field(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    quoted = rnd.random() < 0.5
    value = "x" * 10_000_000
    return _cells(rnd, lambda cells: [*cells[:5], f'"{value}"' if quoted else value])


def _rows_run_together(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    index = rnd.randrange(len(ROWS) - 1)
    rows = [*ROWS[:index], ROWS[index] + ROWS[index + 1], *ROWS[index + 2 :]]
    return _file(rows), _ALL - {index, index + 1}


def _bytes_overwritten(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    content, touched = bytearray(_file(ROWS)), set()
    starts = [len(_file(ROWS[:i])) for i in range(len(ROWS) + 1)]
    place = rnd.randrange(starts[0], starts[-1] - 50)
    size = rnd.choice([1, 1, 2, 40])
    for i in range(len(ROWS)):
        # A line break that is lost takes the next row along, one that appears does not.
        if starts[i] <= place + size and place <= starts[i + 1]:
            touched.add(i)
    fill = rnd.choice([b"\0", b"x", b"\n", b",", b"\xff"])
    content[place : place + size] = fill * size
    return bytes(content), _ALL - touched


# ---- other formats --------------------------------------------------------------------------------------------


def _json_lines(rows: Sequence[str]) -> list[str]:
    names = HEADER.split(",")
    return ["{" + ", ".join(f'"{n}": "{v}"' for n, v in zip(names, row.split(","), strict=True)) + "}" for row in rows]


def _line_of_json(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    lines = _json_lines(ROWS)
    index, _, others = _one(rnd)
    line, place = lines[index], rnd.randrange(len(lines[index]))
    lines[index] = rnd.choice([line[:place], line[place:], "[1, 2]", "null", line.replace('"', "'"), line + "}", "\0"])
    return "\n".join(lines).encode(), others


def _json_cut_off(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    lines = [f"{line}\n".encode() for line in _json_lines(ROWS)]
    size = rnd.randrange(1, sum(map(len, lines)))
    whole = frozenset(i for i in _ALL if sum(map(len, lines[: i + 1])) <= size)
    return b"".join(lines)[:size], whole


def _scratched(content: bytes, rnd: random.Random) -> bytes:
    """Bytes lost, changed or added anywhere."""
    place, size = rnd.randrange(len(content)), rnd.choice([1, 10, 1_000])
    return content[:place] + rnd.choice([b"", rnd.randbytes(size)]) + content[place + rnd.choice([0, size]) :]


def _workbook_scratched(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    return _scratched(workbook({"orders": [line.split(",") for line in (HEADER, *ROWS)]}), rnd), frozenset()


def _gzip_scratched(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    buffer = io.BytesIO(gzip.compress(_file(ROWS), mtime=0))
    return b"\x1f\x8b" + _scratched(buffer.getvalue(), rnd)[2:], frozenset()


def _parquet_scratched(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        csv, parquet = Path(folder, "orders.csv"), Path(folder, "orders.parquet")
        csv.write_bytes(_file(ROWS))
        connection.execute(f"COPY (FROM read_csv('{csv}', all_varchar = true)) TO '{parquet}'")
        return _scratched(parquet.read_bytes(), rnd), frozenset()


def _workbook_of_odd_cells(rnd: random.Random) -> tuple[bytes, frozenset[int]]:
    rows: list[list[object]] = [[*line.split(",")] for line in (HEADER, *ROWS)]
    index, _, others = _one(rnd)
    rows[index + 1][rnd.randrange(5)] = rnd.choice([None, True, 1e300, -0.0, "#N/A", "=1/0", "\n", "x" * 30_000])
    return workbook({"orders": rows}), others


_DAMAGERS: dict[Damager, int] = {
    _cut_off: 20,
    _cut_off_in_the_header: 5,
    _gzip_cut_off: 8,
    _gzip_scratched: 8,
    _beginning_lost: 5,
    _empty: 6,
    _only_a_header: 3,
    _header_of_great_length: 2,
    _line_ends_mixed: 12,
    _blank_lines: 5,
    _columns_doubled: 6,
    _columns_in_other_order: 5,
    _delimiters_trailing: 4,
    _titles_before_and_totals_behind: 8,
    _joined_with_itself: 6,
    _web_page_behind: 6,
    _row_in_another_encoding: 8,
    _bytes_that_are_no_text: 12,
    _nul_bytes: 10,
    _control_characters: 12,
    _quotation_mark_open: 12,
    _quotation_mark_astray: 15,
    _columns_swapped: 10,
    _ragged: 10,
    _another_delimiter: 6,
    _header_again: 5,
    _row_twice: 3,
    _value_beyond_reason: 15,
    _ten_megabytes_in_a_field: 2,
    _rows_run_together: 5,
    _bytes_overwritten: 15,
    _line_of_json: 12,
    _json_cut_off: 8,
    _workbook_scratched: 10,
    _workbook_of_odd_cells: 8,
    _parquet_scratched: 12,
}
"""How to damage a file, and how many times."""
