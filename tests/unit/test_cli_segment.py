"""`dangol segment`: files in, four files out, and an exit status for scripts (design §4)."""

import csv
import gzip
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol import __version__
from dangol.cli.main import main

from tests.builders import csv_of, rows_of

CDNOW = Path(__file__).parents[3] / "shared" / "data" / "cdnow.csv.gz"
OUTPUTS = ["customers.parquet", "receipt.json", "rejects.csv", "report.html"]
POLICY = """\
rfm:
  - {id: recent, name: Recent <b>buyers</b>, where: recency_days <= 7}
segments:
  - {id: spent_much, name: "Spent & \\"spent\\"", where: revenue_lifetime >= 1_000}
"""


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    status: int
    out: Path

    @property
    def customers(self) -> dict[str, dict[str, Any]]:
        """Customer → row of customers.parquet."""
        with duckdb.connect() as connection:
            rows = rows_of(connection, f"FROM read_parquet('{self.out / 'customers.parquet'}')")
        return {row["customer_id"]: row for row in rows}

    @property
    def segments(self) -> dict[str, str]:
        return {customer: row["segment"] for customer, row in self.customers.items()}

    @property
    def receipt(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.out / "receipt.json").read_text(encoding="utf-8"))
        return loaded

    @property
    def rejects(self) -> list[dict[str, str]]:
        with (self.out / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def report(self) -> str:
        return (self.out / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a file and return its path."""

    def write(content: str, name: str = "orders.csv") -> str:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
        return str(tmp_path / name)

    return write


@pytest.fixture
def segment(tmp_path: Path) -> Callable[..., Run]:
    """Run the command in this process."""

    def segment(*arguments: str, as_of: str = "2026-11-22", out: str = "out") -> Run:
        status = main(["segment", *arguments, "--as-of", as_of, "--out", str(tmp_path / out)])
        return Run(status, tmp_path / out)

    return segment


Write = Callable[..., str]
Segment = Callable[..., Run]


# ---- what comes out -------------------------------------------------------------------------------------


def test_the_outputs_are_four_files(write: Write, segment: Segment) -> None:
    run = segment(write(csv_of("o1,kim,2026-11-20,1000")))
    assert run.status == 0
    assert sorted(path.name for path in run.out.iterdir()) == OUTPUTS


def test_customers_have_the_documented_columns_in_their_order(write: Write, segment: Segment) -> None:
    run = segment(write(csv_of("o1,kim,2026-11-20,1000")))
    with duckdb.connect() as connection:
        described = connection.execute(f"DESCRIBE FROM read_parquet('{run.out / 'customers.parquet'}')").fetchall()
    assert [(row[0], row[1]) for row in described] == [
        ("customer_id", "VARCHAR"),
        ("last_order_on", "DATE"),
        ("recency_days", "BIGINT"),
        ("orders_90d", "BIGINT"),
        ("aov_90d", "DOUBLE"),
        ("orders_lifetime", "BIGINT"),
        ("revenue_lifetime", "DOUBLE"),
        ("first_order_on", "DATE"),
        ("segment", "VARCHAR"),
        ("segments", "VARCHAR[]"),
    ]


def test_each_customer_is_a_row_with_features_and_segments(write: Write, segment: Segment) -> None:
    rows = [f"k{i},kim,2026-11-{i:02},1000.5" for i in range(1, 12)]
    run = segment(write(csv_of("l1,lee,2026-11-20,400000", *rows, "p1,park,2020-01-01,5", "f1,future,2026-11-23,5")))
    assert run.customers == {
        "kim": {
            "customer_id": "kim",
            "last_order_on": date(2026, 11, 11),
            "recency_days": 11,
            "orders_90d": 11,
            "aov_90d": 1000.5,
            "orders_lifetime": 11,
            "revenue_lifetime": 11005.5,
            "first_order_on": date(2026, 11, 1),
            "segment": "unclassified",
            "segments": ["vip_10_plus"],
        },
        "lee": {
            "customer_id": "lee",
            "last_order_on": date(2026, 11, 20),
            "recency_days": 2,
            "orders_90d": 1,
            "aov_90d": 400000,
            "orders_lifetime": 1,
            "revenue_lifetime": 400000,
            "first_order_on": date(2026, 11, 20),
            "segment": "new",
            "segments": ["one_time"],
        },
        "park": {
            "customer_id": "park",
            "last_order_on": date(2020, 1, 1),
            "recency_days": (date(2026, 11, 22) - date(2020, 1, 1)).days,
            "orders_90d": 0,
            "aov_90d": None,
            "orders_lifetime": 1,
            "revenue_lifetime": 5,
            "first_order_on": date(2020, 1, 1),
            "segment": "unclassified",
            "segments": ["one_time"],
        },
    }


def test_rejects_begin_with_the_documented_columns(write: Write, segment: Segment) -> None:
    path = write(csv_of("o1,kim,2026-11-20,1000", "o2,kim,someday,7"))
    run = segment(path)
    assert run.status == 1
    assert list(run.rejects[0])[:6] == ["file", "line", "column", "value", "reason", "row"]
    assert [run.rejects[0][name] for name in ("file", "line", "column", "value", "row", "order_id")] == [
        path, "3", "ordered_at", "someday", "o2,kim,someday,7", "o2"
    ]  # fmt: skip


def test_the_receipt_adds_up_and_names_the_files(write: Write, segment: Segment) -> None:
    old = write(csv_of("o1,kim,2026-11-20,1", "o2,kim,2026-11-20,2", "o3,kim,someday,7"), "예전 주문.csv")
    new = write(csv_of("o1,kim,2026-11-20,3", "o4"), "new.csv")
    receipt = segment(old, new).receipt
    assert {name: receipt[name] for name in list(receipt)[:5]} == {
        "files": [old, new],
        "rows_read": 5,
        "rows_accepted": 2,
        "rows_superseded": 1,
        "rows_rejected": 2,
    }


def test_of_an_order_in_several_files_the_file_named_last_counts(write: Write, segment: Segment) -> None:
    first, second = write(csv_of("o1,kim,2026-11-20,1"), "a.csv"), write(csv_of("o1,kim,2026-11-19,2"), "b.csv")
    assert segment(first, second).customers["kim"]["revenue_lifetime"] == 2
    assert segment(second, first).customers["kim"]["revenue_lifetime"] == 1
    assert segment(first, first).customers["kim"]["orders_lifetime"] == 1


def test_a_corrected_rejects_file_is_an_input_like_any_other(write: Write, segment: Segment) -> None:
    path = write(csv_of("o1,kim,2026-11-20,1", "o2,lee,someday,7"))
    rejects = (segment(path).out / "rejects.csv").read_text(encoding="utf-8")
    corrected = write(rejects.replace("someday", "2026-11-21"), "corrected.csv")
    run = segment(path, corrected, out="again")
    assert run.customers.keys() == {"kim", "lee"}
    assert run.receipt["rows_accepted"] == 2


def test_a_day_before_all_orders_has_no_customers(write: Write, segment: Segment) -> None:
    run = segment(write(csv_of("o1,kim,2026-11-20,1")), as_of="2026-11-19")
    assert (run.status, run.customers) == (0, {})
    assert "<dt>고객</dt><dd>0</dd>" in run.report


def test_a_file_of_rejects_only_still_has_all_outputs(write: Write, segment: Segment) -> None:
    run = segment(write(csv_of("o1,kim,someday,1")))
    assert (run.status, run.customers, len(run.rejects)) == (1, {}, 1)
    assert sorted(path.name for path in run.out.iterdir()) == OUTPUTS


def test_outputs_of_an_earlier_run_are_replaced(write: Write, segment: Segment) -> None:
    segment(write(csv_of("o1,kim,someday,1")))
    run = segment(write(csv_of("o1,lee,2026-11-20,1")))
    assert (run.status, list(run.customers), run.rejects) == (0, ["lee"], [])


def test_time_alone_moves_customers(write: Write, segment: Segment) -> None:
    path = write(csv_of("o1,kim,2026-09-01,1000"))
    found = {day: segment(path, as_of=day).segments["kim"] for day in ("2026-09-06", "2026-09-11", "2026-10-31")}
    assert found == {"2026-09-06": "new", "2026-09-11": "potential_loyal", "2026-10-31": "at_risk"}


def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, write: Write, segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    segment(write(csv_of("o1,kim,2026-11-20,1")))
    segment(write("nothing of use"))
    assert list(scratch.iterdir()) == []


# ---- options ---------------------------------------------------------------------------------------------


def test_a_policy_of_ones_own_is_used(write: Write, segment: Segment, tmp_path: Path) -> None:
    write(POLICY, "config/segments.yaml")
    orders = write(csv_of("o1,kim,2026-11-20,999", "o2,lee,2026-11-01,1000"))
    run = segment(orders, "--config", str(tmp_path / "config"))
    assert run.segments == {"kim": "recent", "lee": "unclassified"}
    assert {customer: row["segments"] for customer, row in run.customers.items()} == {"kim": [], "lee": ["spent_much"]}


def test_the_time_zone_decides_on_the_day_of_an_order(write: Write, segment: Segment) -> None:
    path = write(csv_of("o1,kim,2026-11-20T20:00:00Z,1"))
    assert segment(path).customers["kim"]["last_order_on"] == date(2026, 11, 21)
    found = segment(path, "--time-zone", "America/New_York").customers["kim"]
    assert found["last_order_on"] == date(2026, 11, 20)


def test_the_currency_decides_on_the_rows_that_count(write: Write, segment: Segment) -> None:
    header = "order_id,customer_id,ordered_at,amount,currency"
    path = write(csv_of("o1,kim,2026-11-20,1,KRW", "o2,lee,2026-11-20,1,USD", header=header))
    assert list(segment(path).customers) == ["kim"]
    run = segment(path, "--currency", "usd")
    assert list(run.customers) == ["lee"]
    assert "M (USD, 중앙값)" in run.report


def test_the_report_is_in_the_language_asked_for(write: Write, segment: Segment) -> None:
    path = write(csv_of("o1,kim,2026-11-20,1"))
    assert '<html lang="ko">' in segment(path).report
    english = segment(path, "--language", "en").report
    assert '<html lang="en">' in english
    assert "<dt>Customers</dt><dd>1</dd>" in english


def test_progress_goes_to_standard_error_and_the_summary_to_standard_output(
    write: Write, segment: Segment, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(csv_of("o1,kim,2026-11-20,1", "o2,kim,someday,1"))
    segment(path)
    told = capsys.readouterr()
    assert "2 rows read = 1 accepted + 0 superseded + 1 rejected" in told.err
    assert "rejected for: ordered_at 1" in told.err
    assert re.search(r"^new +신규 고객 +1 +100\.0% +100\.0% +2 +1 +1$", told.out, re.MULTILINE)
    segment(path, "--quiet")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["with space.csv", "한글 [주문]*.csv", 'it\'s "q".csv', "a;b.csv.gz"])
def test_a_file_may_have_any_name(write: Write, segment: Segment, name: str) -> None:
    path = write(csv_of("o1,kim,2026-11-20,1"), name)
    assert list(segment(path).customers) == ["kim"]


def test_the_output_folder_may_have_any_name_and_lie_deep(write: Write, segment: Segment) -> None:
    run = segment(write(csv_of("o1,kim,2026-11-20,1")), out="a/b c/결과 [it's]*")
    assert run.status == 0
    assert sorted(path.name for path in run.out.iterdir()) == OUTPUTS


# ---- unusable input: status 2 --------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], run: Run) -> str:
    """The message of a run that could do nothing: one, without a traceback, and nothing written."""
    assert run.status == 2
    assert not run.out.exists() or not any(run.out.glob("customers.parquet"))
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return next(line for line in told.splitlines() if not re.match(r" *\d+\.\d s  ", line))


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str], segment: Segment) -> None:
    assert refused(capsys, segment("/no/such.csv")) == "dangol: /no/such.csv: does not exist or is not a file"


def test_a_folder_is_no_file(capsys: pytest.CaptureFixture[str], segment: Segment, tmp_path: Path) -> None:
    assert "does not exist or is not a file" in refused(capsys, segment(str(tmp_path)))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read even by root")
def test_a_file_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str], segment: Segment) -> None:
    assert re.match(r"dangol: /proc/self/mem: .*Input/output error", refused(capsys, segment("/proc/self/mem")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; export it again"),
        ("a,b\n1,2\n", "line 1, column 'order_id': required column 'order_id' is missing"),
        ("%PDF-1.7", "is a PDF"),
    ],
)
def test_a_file_without_usable_rows_is_named(
    capsys: pytest.CaptureFixture[str], write: Write, segment: Segment, content: str, message: str
) -> None:
    good, bad = write(csv_of("o1,kim,2026-11-20,1"), "good.csv"), write(content, "bad.csv")
    told = refused(capsys, segment(good, bad))
    assert told.startswith(f"dangol: {bad}")
    assert message in told


def test_truncated_gzip_is_named(capsys: pytest.CaptureFixture[str], segment: Segment, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(csv_of(*(f"o{i},kim,2026-11-20,{i}" for i in range(999))).encode())[:-20])
    assert "gzip data is cut off or damaged" in refused(capsys, segment(str(path)))


def test_a_policy_with_a_mistake_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], write: Write, segment: Segment, tmp_path: Path
) -> None:
    path = write("rfm:\n  - {id: often, where: orders > 5}\n", "config/segments.yaml")
    run = segment("/no/such.csv", "--config", str(tmp_path / "config"))
    told = refused(capsys, run)
    assert told.startswith(f"dangol: {path}, line 2: segment 'often', column 1 of its rule: unknown feature 'orders'")
    assert not run.out.exists()


def test_a_configuration_folder_without_policy_is_named(
    capsys: pytest.CaptureFixture[str], write: Write, segment: Segment, tmp_path: Path
) -> None:
    told = refused(capsys, segment(write(csv_of("o1,kim,2026-11-20,1")), "--config", str(tmp_path / "none")))
    assert told == f"dangol: {tmp_path}/none/segments.yaml: does not exist; --config names a folder that holds it"


@pytest.mark.parametrize("blocked", ["out", "out/customers.parquet", "out/rejects.csv", "out/report.html"])
def test_an_output_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], write: Write, segment: Segment, tmp_path: Path, blocked: str
) -> None:
    orders = write(csv_of("o1,kim,2026-11-20,1"))
    if blocked == "out":
        write("a file", "out")
    else:
        (tmp_path / blocked).mkdir(parents=True)
    assert segment(orders).status == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("dangol: ")
    assert str(tmp_path / blocked) in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: FILE, --as-of, --out"),
        (["--as-of", "22.11.2026"], "'22.11.2026' is not a date; write it as 2026-11-22"),
        (["--as-of", "2026-02-30"], "is not a date"),
        (["--time-zone", "Seoul"], "'Seoul' is not a time zone; use one like Asia/Seoul"),
        (["--time-zone", "../../etc/passwd"], "is not a time zone"),
        (["--time-zone", ""], "is not a time zone"),
        (["--time-zone", "localtime"], "is not a time zone"),
        (["--currency", "K'W"], "is not a currency"),
        (["--currency", ""], "is not a currency"),
        (["--currency", "US$"], "is not a currency"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
    ids=str,
)
def test_a_bad_argument_is_status_2_with_the_reason(
    capsys: pytest.CaptureFixture[str], write: Write, tmp_path: Path, arguments: list[str], message: str
) -> None:
    complete = [write(csv_of("o1,kim,2026-11-20,1")), "--as-of", "2026-11-22", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as error:
        main(["segment", *(complete if arguments else []), *arguments])
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["segment", "--help"], ["--version"]])
def test_help_and_version_are_status_0(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 0
    told = capsys.readouterr().out
    assert __version__ in told if "--version" in arguments else "exit status" in told.replace("\n", " ")


def test_no_command_is_status_2() -> None:
    with pytest.raises(SystemExit) as error:
        main([])
    assert error.value.code == 2


def test_python_m_dangol_is_the_command(write: Write, tmp_path: Path) -> None:
    arguments = ["segment", write(csv_of("o1,kim,someday,1")), "--as-of", "2026-11-22", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-m", "dangol", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "1 rejected" in done.stderr


def test_help_does_not_wait_for_what_computes() -> None:
    code = "import sys; from dangol.cli.main import main\ntry: main(['segment', '-h'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "duckdb", "jinja2"} & set(done.stdout.split())


# ---- the report ------------------------------------------------------------------------------------------


def test_the_report_escapes_what_comes_from_files(write: Write, segment: Segment, tmp_path: Path) -> None:
    write(POLICY, "config/segments.yaml")
    run = segment(write(csv_of("o1,<script>,2026-11-20,1", "o2,kim,<i>,1")), "--config", str(tmp_path / "config"))
    assert "Recent &lt;b&gt;buyers&lt;/b&gt;" in run.report
    assert "<b>" not in run.report
    assert "Spent &amp; &#34;spent&#34;" in run.report
    assert "<script" not in run.report


# ---- CDNOW, against a computation of its own --------------------------------------------------------------------

needs_cdnow = pytest.mark.skipif(not CDNOW.exists(), reason=f"{CDNOW} is not here")

DOLLARS = """\
rfm:
  - {id: vip_loyal, where: recency_days <= 7 and orders_90d >= 3 and aov_90d >= 50}
  - {id: loyal, where: recency_days <= 7 and orders_90d >= 3 and 25 <= aov_90d < 50}
  - {id: big_spender, where: recency_days <= 14 and orders_90d <= 3 and aov_90d >= 50}
  - {id: new, where: recency_days <= 10 and orders_90d == 1 and orders_lifetime == 1 and aov_90d <= 50}
  - {id: potential_loyal, where: recency_days <= 20 and 1 <= orders_90d <= 5 and aov_90d <= 50}
  - {id: at_risk, where: 30 <= recency_days <= 60 and orders_90d <= 5 and aov_90d <= 50}
segments:
  - {id: big_baskets, where: aov_90d >= 200}
  - {id: silent, where: missing(aov_90d)}
"""
SIZES = {  # by DOLLARS; the file holds those who first bought in the first quarter of 1997, so nobody is new later on
    "1997-03-15": {"vip_loyal": 89, "loyal": 171, "big_spender": 871, "new": 2642, "potential_loyal": 3937,
                   "at_risk": 6620, "unclassified": 6564},
    "1997-09-01": {"vip_loyal": 33, "loyal": 87, "big_spender": 140, "potential_loyal": 841, "at_risk": 1199,
                   "unclassified": 21270},
    "1998-06-30": {"vip_loyal": 24, "loyal": 66, "big_spender": 87, "potential_loyal": 766, "at_risk": 827,
                   "unclassified": 21800},
}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """The numbers of the seed's table, for a shop of another kind."""

    vip_r: int
    vip_f: int
    large: float
    small: float
    big_r: int
    new_r: int
    potential_r: int
    border: float
    """Up to which amount an order is small in the lower three rows."""

    def segment(self, r: int, f: int, m: float | None, lifetime: int) -> str:
        """The seed's table, row by row; m is None without orders in 90 days."""
        if m is not None:
            if r <= self.vip_r and f >= self.vip_f and m >= self.large:
                return "vip_loyal"
            if r <= self.vip_r and f >= self.vip_f and self.small <= m < self.large:
                return "loyal"
            if r <= self.big_r and f <= self.vip_f and m >= self.large:
                return "big_spender"
            if r <= self.new_r and f == 1 and lifetime == 1 and m <= self.border:
                return "new"
            if r <= self.potential_r and 1 <= f <= 5 and m <= self.border:
                return "potential_loyal"
            if 30 <= r <= 60 and f <= 5 and m <= self.border:
                return "at_risk"
        return "unclassified"


SEED = Scale(3, 20, 2_000_000, 500_000, 7, 5, 10, 500_000)
IN_DOLLARS = Scale(7, 3, 50, 25, 14, 10, 20, 50)
Purchases = dict[str, list[tuple[date, Decimal]]]


@pytest.fixture(scope="module")
def cdnow() -> Purchases:
    """Customer → (day, dollars), read with nothing but the standard library."""
    purchases: Purchases = defaultdict(list)
    with gzip.open(CDNOW, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            purchases[row["customer_id"]].append((date.fromisoformat(row["ordered_at"]), Decimal(row["amount"])))
    assert sum(map(len, purchases.values())) == 69_659
    return purchases


def by_definition(purchases: Purchases, as_of: date, scale: Scale) -> dict[str, tuple[Any, ...]]:
    """Customer → R, F, M, orders, revenue, segment by design §3."""
    found = {}
    for customer, orders in purchases.items():
        known = [(day, amount) for day, amount in orders if day <= as_of]
        if not known:
            continue
        recent = [amount for day, amount in known if day > as_of - timedelta(days=90)]
        r, f = (as_of - max(day for day, _ in known)).days, len(recent)
        m = float(sum(recent)) / f if f else None
        revenue = float(sum(amount for _, amount in known))
        found[customer] = (r, f, m, len(known), revenue, scale.segment(r, f, m, len(known)))
    return found


def told(run: Run) -> dict[str, tuple[Any, ...]]:
    """The same of what the command wrote."""
    columns = ("recency_days", "orders_90d", "aov_90d", "orders_lifetime", "revenue_lifetime", "segment")
    return {customer: tuple(row[name] for name in columns) for customer, row in run.customers.items()}


@needs_cdnow
@pytest.mark.parametrize("as_of", SIZES)
def test_cdnow_by_the_default_policy_equals_an_independent_computation(
    cdnow: Purchases, segment: Segment, as_of: str
) -> None:
    run = segment(str(CDNOW), "--currency", "USD", "--time-zone", "America/New_York", as_of=as_of)
    assert run.status == 0
    assert told(run) == by_definition(cdnow, date.fromisoformat(as_of), SEED)


@needs_cdnow
@pytest.mark.parametrize("as_of", SIZES)
def test_cdnow_by_a_policy_in_dollars_equals_an_independent_computation(
    cdnow: Purchases, write: Write, segment: Segment, tmp_path: Path, as_of: str
) -> None:
    write(DOLLARS, "config/segments.yaml")
    run = segment(str(CDNOW), "--config", str(tmp_path / "config"), "--currency", "USD", as_of=as_of)
    expected = by_definition(cdnow, date.fromisoformat(as_of), IN_DOLLARS)
    assert told(run) == expected
    others = {customer: row["segments"] for customer, row in run.customers.items()}
    assert others == {
        customer: ["big_baskets"] * (m is not None and m >= 200) + ["silent"] * (m is None)
        for customer, (_, _, m, *_) in expected.items()
    }
    assert Counter(row[-1] for row in expected.values()) == SIZES[as_of]
