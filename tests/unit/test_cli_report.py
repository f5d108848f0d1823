"""`dangol report` over files on this machine."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dangol.cli.main import main

from tests.builders import csv_of

ORDERS = csv_of(
    *(f"n{number},new{number},2026-11-{20 + number % 3},{10 + number}000" for number in range(6)),
    *(f"m{number},mover{number},2026-10-23,20000" for number in range(5)),
    "r1,regular,2026-08-01,50000",
    "f1,future,2026-11-23,50000",
)
"""Five whom 30 days since their order have led from unclassified to at_risk on the 22nd of November."""


@dataclass(frozen=True)
class Ran:
    status: int
    page: str
    out: str
    err: str

    @property
    def text(self) -> str:
        """What stands in the page."""
        body = re.sub(r"<svg.*?</svg>", "", self.page.split("</style>")[1], flags=re.DOTALL)
        return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))


Report = Callable[..., Ran]


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Report:
    """Run the command in a folder with orders.csv."""
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text(ORDERS)

    def run(*arguments: str, as_of: str = "2026-11-22") -> Ran:
        status = main(["report", *arguments, "--as-of", as_of])
        page = Path("report.html")
        return Ran(status, page.read_text(encoding="utf-8") if page.exists() else "", *capsys.readouterr())

    return run


def test_what_no_file_tells_is_said_to_be_unknown(report: Report) -> None:
    assert "파일에 적혀 있지 않아 알 수 없는 것: 자주 사는 분류, 쿠폰 사용, 시간대." in report("orders.csv").text


def test_a_page_is_written_that_tells_segments_moves_and_traits(report: Report) -> None:
    ran = report("orders.csv")
    assert (ran.status, ran.out) == (0, "written to report.html\n")
    assert "고객 12 확정 주문 12" in ran.text
    assert "잠재 이탈 고객 5명 · 41.7%" in ran.text
    assert "2026년 11월 21일보다 고객이 2명 늘어 12명입니다." in ran.text
    assert "미분류에서 잠재 이탈 고객으로 5명" in ran.text
    assert "어제부터 옮긴 고객 5명 · 그대로 5명 · 새 고객 2명" in ran.text
    assert "지난 30일 옮긴 고객 5명 · 그대로 1명 · 새 고객 6명" in ran.text
    assert "과거에는 자주 구매했으나 최근 활동 없음" in ran.text
    assert "주문 1 13 13 0 0" in ran.text


def test_flows_that_the_files_do_not_reach_back_to_are_not_made_up(report: Report) -> None:
    ran = report("orders.csv", as_of="2026-08-08")
    assert "지난 7일 옮긴 고객 1명 · 그대로 0명" in ran.text  # a week before was the first order
    assert "2026년 8월 1일부터 기록이 있어 2026년 8월 31일부터 볼 수 있습니다." in ran.text


def test_products_and_customers_are_read_as_well(report: Report) -> None:
    Path("people.csv").write_text("customer_id,gender\nnew0,female\neom,male\n")
    Path("products.csv").write_text("product_id,product_name,category,limited\np1,Coat,Outer,yes\n")
    ran = report("orders.csv", "--customers", "people.csv", "--products", "products.csv", "--language", "en")
    assert "Customers 13" in ran.text
    assert "Products 1 1 1 0 0" in ran.text
    assert '<html lang="en">' in ran.page


def test_rejected_rows_are_findings(report: Report) -> None:
    Path("orders.csv").write_text(csv_of("1,ahn,2026-11-21,1000", "2,bae,someday,1000"))
    ran = report("orders.csv")
    assert ran.status == 1
    assert "2 rows read = 1 accepted + 0 superseded + 1 rejected" in ran.err
    assert "rejected for: ordered_at 1" in ran.err
    assert "확인 필요 파일의 2행 가운데 1행을 쓰지 못했습니다." in ran.text
    assert "ordered_at 1" in ran.text


def test_files_without_a_customer_make_a_page_as_well(report: Report) -> None:
    ran = report("orders.csv", as_of="2026-01-01")
    assert ran.status == 0
    assert "고객 0 확정 주문 0 누적 매출 0 원 마지막 주문 없음" in ran.text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing.csv"], "nothing.csv: does not exist or is not a file"),
        ([], "give order files, or --stack NAME"),
        (["orders.csv", "--stack", "shop"], "give one of them"),
        (["orders.csv", "--out", "."], "it is a folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(report: Report, arguments: list[str], reason: str) -> None:
    ran = report(*arguments)
    assert (ran.status, ran.page) == (2, "")
    assert reason in ran.err
