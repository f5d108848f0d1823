"""Both ways of reading agree on whatever is left of an example after rows were dropped, doubled, moved and damaged."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.builders import Outcome
from tests.builders import read as read_files

EXPORTS = Path(__file__).resolve().parents[2] / "examples" / "exports"
FILES = ("plain", "shopify", "woocommerce", "magento", "cafe24", "smartstore", "uci")
ODD_CELLS = (
    "",
    " ",
    "?",
    "-1",
    "0",
    "1,000",
    "2026-02-30",
    "취소완료",
    "paid",
    "KRW",
    "x@y.kr",
    "010-1234-5678",
    "C489434",
)

Rows = list[list[str]]


def table(name: str) -> Rows:
    with (EXPORTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


TABLES = {name: table(name) for name in FILES}


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A file of some rows of an example, in any order and number, some with a cell that is another."""
    header, *rows = TABLES[draw(st.sampled_from(FILES))]
    chosen = [[*row] for row in draw(st.lists(st.sampled_from(rows), max_size=12))]
    for row in chosen:
        if draw(st.integers(0, 3)) == 0:
            row[draw(st.integers(0, len(header) - 1))] = draw(st.sampled_from(ODD_CELLS))
    return written([header, *chosen])


def written(rows: Rows) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def both_ways(files: Sequence[str]) -> tuple[Outcome, Outcome]:
    with TemporaryDirectory() as folder:
        orders, purchases = (read_files(Path(folder), *files, how=how) for how in ("read_orders", "read_purchases"))
    return orders, purchases


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(damaged(), min_size=1, max_size=3))
@example([written(TABLES[name]) for name in FILES])
def test_both_ways_of_reading_agree_on_any_rows_of_any_dialect(files: list[str]) -> None:
    orders, purchases = both_ways(files)
    assert orders.purchases == purchases.purchases
    assert orders.receipt == purchases.receipt
    assert orders.rejects == purchases.rejects


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_a_file_twice_says_what_it_says_once(file: str) -> None:
    (once, _), (twice, _) = both_ways([file]), both_ways([file, file])
    assert once.orders == twice.orders
    assert twice.receipt.rows_superseded >= once.receipt.rows_accepted
