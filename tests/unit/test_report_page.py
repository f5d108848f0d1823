"""The page as people see it: in words, in pictures, and in a browser."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from dangol.reports.borders import Band, Border
from dangol.reports.charts import WIDTH, histogram, peak, sankey
from dangol.reports.contents import Contents
from dangol.reports.distributions import Bar, Distribution
from dangol.reports.flows import Flow
from dangol.reports.gaps import Suggestion
from dangol.reports.html import alone, fitting, report_html, with_pages
from dangol.reports.news import Sentence
from dangol.reports.quality import Quality, Source
from dangol.reports.summary import SegmentLine, Summary
from dangol.reports.traits import Traits
from dangol.reports.words import EXPECTED
from dangol.segments.policy import default_policy

TODAY = date(2026, 11, 22)
EVIL = "<img src=x onerror=alert(1)>\"'&"
LONG = "아주아주아주 긴 이름을 가진 세그먼트와 그 밖의 여러 가지 사정"

CELLS: dict[tuple[str | None, str | None], int] = {
    ("vip", "vip"): 40,
    ("vip", "rest"): 7,
    ("rest", "vip"): 3,
    ("rest", "unclassified"): 2,
    (None, "rest"): 5,
    ("rest", None): 1,
    ("unclassified", "unclassified"): 900,
}


def contents(name: str = "VIP 고객", source: str = "a.csv") -> Contents:
    """A report with everything in it."""
    lines = [
        SegmentLine("vip", name, 43, 0.043, 0.6, 1, 22, 2_500_000),
        SegmentLine("rest", LONG, 12, 0.012, 0.1, 40, 1, 90_000),
        SegmentLine("unclassified", "미분류", 945, 0.945, 0.3, None, 0, None),
    ]
    bands = {"0": 5, "1": 0, "2–5": 940, "6–19": 0, "20+": 0}
    names = {"vip": name, "rest": LONG, "unclassified": "미분류", "women": name, "nobody": name}
    recency = Distribution(
        "recency_days",
        tuple(Bar(day, day + 1, day) for day in range(91)),
        7,
        0,
        3,
        (Border(3, True), Border(5, True), Border(60, True)),
        ((Band(None, Border(3, True)), 6), (Band(Border(3, True), None), 9)),
    )
    amount = Distribution(
        "aov_90d",
        (Bar(1e4, 1e5, 5), Bar(1e5, 1e6, 9)),
        0,
        1,
        2,
        (Border(500_000, False),),
        ((Band(None, Border(500_000, False)), 5), (Band(Border(500_000, False), None), 9)),
    )
    empty = Distribution("orders_90d", (), 0, 0, 0, (), ())
    traits = Traits(
        "vip",
        43,
        99,
        150_000.0,
        2.5,
        12.0,
        ((name, 0.4), ("가방", 0.2)),
        0.31,
        None,
        0.2,
        (0,) * 20 + (5, 6, 7, 0),
        (1, 2, 3, 4, 5, 6, 70),
    )
    return Contents(
        summary=Summary(
            TODAY, 1_000, 123_456_789.0, lines, [("women", name, 600), ("nobody", name, 0)], [("—", bands)], 2_000
        ),
        currency="KRW",
        policy_version="0" * 12,
        names={"ko": names, "en": names},
        descriptions={"vip": source},
        distributions=(recency, empty, amount),
        suggestions=(Suggestion("recency_days >= 61", 900, 0.95),),
        flows=(
            Flow("day", date(2026, 11, 21), CELLS),
            Flow("week", date(2026, 11, 15), {("vip", "vip"): 1}),
            Flow("month", date(2026, 10, 23), None),
        ),
        flows_begin=date(2026, 11, 10),
        traits=(traits, Traits("rest", 12)),
        observed=500,
        quality=Quality(
            (Source("orders", 2, 100, 90, 4, 6),), {source: 5, "customer_id": 1}, ((source, source),), TODAY, 1, 4
        ),
        news=(
            Sentence("stale", {"days": 4, "day": TODAY}, warning=True),
            Sentence("moved", {"origin": "vip", "target": "rest", "customers": 7}),
        ),
        campaigns=date(2026, 11, 21),
    )


def text_of(page: str) -> str:
    """What a screen reader reads of it, but for the pictures."""
    body = re.sub(r"<svg.*?</svg>", "", page.split("</style>")[1], flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))


def test_the_page_tells_everything_in_both_languages() -> None:
    korean, english = (text_of(report_html(contents(), language)) for language in ("ko", "en"))
    assert "고객 1,000 확정 주문 2,000 누적 매출 1.2억 원 마지막 주문 오늘 미분류 94.5%" in korean
    assert "1 VIP 고객 43명 · 4.3% 60.0%" in korean
    assert "옮긴 고객 12명 · 그대로 940명 · 새 고객 5명" in korean
    assert "자주 사는 분류 VIP 고객 40.0% · 가방 20.0%" in korean
    assert "최근 1년 주문 99건 평균 주문 15만 원 · 2.5개" in korean
    assert "20–23시에 100.0%" in korean
    assert "요일 일요일에 76.9%" in korean
    assert '900명 · 미분류의 95.0% - {id: gap_1, where: "recency_days >= 61"}' in korean
    assert "고객 500명을 무작위로 골라" in korean
    assert "주문 2 100 90 4 6" in korean
    assert "1 VIP 고객 43 · 4.3% 60.0%" in english
    assert "Orders 2 100 90 4 6" in english
    assert "Sunday" in english
    assert "See what they did up to 21 Nov 2026" in english


def test_nobody_has_no_bar() -> None:
    full = contents()
    vip, *others = full.summary.rfm
    nobody = replace(vip, customers=0, customer_share=0.0, revenue_share=0.0)
    empty = replace(full, summary=replace(full.summary, rfm=[nobody, *others]))
    assert [report_html(page).count('class="fill ') for page in (full, empty)] == [7, 5]


def test_the_matrix_behind_the_flow_has_totals() -> None:
    found = text_of(report_html(contents(), "en"))
    assert "VIP 고객 40 7 · · 47" in found
    assert f"{LONG} 3 · 2 1 6" in found
    assert "New customers · 5 · · 5" in found
    assert "Total 43 12 902 1 958" in found


def test_what_is_not_known_is_left_out_or_said() -> None:
    bare = replace(
        contents(), flows=(), traits=(), quality=None, news=(), suggestions=(), distributions=(), campaigns=None
    )
    found = text_of(report_html(bare))
    for heading in ("고객의 이동", "세그먼트별 특징", "데이터 품질", "달라진 점", "캠페인 성과", "R, F, M 분포"):
        assert heading not in found
    assert "2026년 11월 10일부터 기록이 있어 2026년 12월 10일부터 볼 수 있습니다." in text_of(report_html(contents()))
    assert "아직 기록이 없습니다." in text_of(report_html(replace(contents(), flows_begin=None)))


def test_a_segment_of_the_shops_own_shows_what_its_policy_says_of_it() -> None:
    assert "기대 우리 단골" in text_of(report_html(contents(source="우리 단골")))
    line = SegmentLine("vip_loyal", "", 9, 1.0, 1.0, 1, 20, 2_000_000)
    summary = replace(contents().summary, rfm=[line])
    default = replace(contents(), summary=summary, traits=(Traits("vip_loyal", 9),))
    assert "브랜드 큐레이션 신뢰도 높음" in text_of(report_html(default))


def test_every_default_segment_has_something_expected_of_it() -> None:
    assert EXPECTED.keys() == {rule.id for rule in default_policy().rfm}


def test_a_page_taken_out_of_the_bucket_leads_nowhere() -> None:
    page = report_html(with_pages(contents()))
    assert page.count("href=") == 2
    assert "href=" not in alone(page)
    assert text_of(alone(page)).startswith("고객 리포트 2026년 11월 22일 기준 고객 1,000")


def test_the_page_needs_no_network_and_no_script() -> None:
    for language in ("ko", "en"):
        page = report_html(with_pages(contents()), language)
        assert not re.search(r"https?://|src=|@import|url\(|<link|<script|\son\w+=", page)


def test_whatever_comes_from_files_and_configurations_is_escaped() -> None:
    page = report_html(contents(EVIL, EVIL))
    assert "<img" not in page
    assert page.count(html.escape(EVIL).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) >= 12


class Outline(HTMLParser):
    """Tags that are open, headings, and pictures with their names."""

    EMPTY = frozenset(("meta", "br", "img", "rect", "line", "path"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.pictures: list[str | None] = []
        self.head_cells: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.EMPTY or (tag == "path" and not self.get_starttag_text().endswith("/>")):  # type: ignore[union-attr]
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag == "svg":
            assert dict(attrs).get("role") == "img"
            self.pictures.append(dict(attrs).get("aria-label"))
        if tag == "th":
            self.head_cells.append(dict(attrs).get("scope"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_readable_without_seeing_it() -> None:
    outline = Outline()
    outline.feed(report_html(with_pages(contents())))
    assert outline.open == []
    assert outline.headings[0] == "h1"
    assert all(int(b[1]) - int(a[1]) <= 1 for a, b in pairwise(outline.headings))
    assert len(outline.pictures) == 4  # a flow, two distributions, a profile of the day
    assert all(outline.pictures)
    assert set(outline.head_cells) == {"col", "row"}


# ---- pictures ----------------------------------------------------------------------------------------------


def test_a_flow_has_a_ribbon_a_move_and_nodes_that_do_not_overlap() -> None:
    moves = Flow("day", TODAY, CELLS).moved
    found = sankey(moves, ["vip", "rest", "unclassified"])
    assert {(one.origin, one.target): one.customers for one in found.ribbons} == {
        (then, now): n for then, now, n in moves
    }
    assert [(node.segment, node.customers) for node in found.left] == [("vip", 7), ("rest", 6), (None, 5)]
    assert [(node.segment, node.customers) for node in found.right] == [
        ("vip", 3),
        ("rest", 12),
        ("unclassified", 2),
        (None, 1),
    ]
    for side in (found.left, found.right):
        assert all(one.y + one.height <= other.y for one, other in pairwise(side))
        assert all(0 <= node.y <= node.y + node.height <= found.height for node in side)


def test_ribbons_are_as_thick_as_customers_are_many() -> None:
    def thickness(path: str) -> float:
        top, bottom = re.search(r" 248,([\d.]+)V([\d.]+)C", path).groups()  # type: ignore[union-attr]
        return float(bottom) - float(top)

    thick = {
        one.customers: thickness(one.path) for one in sankey([("a", "b", 90), ("a", "c", 10)], ["a", "b", "c"]).ribbons
    }
    assert thick[90] == pytest.approx(9 * thick[10], rel=0.02)


def test_a_border_stands_behind_the_last_bar_that_is_below_it() -> None:
    bars = tuple(Bar(day, day + 1, 1) for day in range(10))
    found = histogram(Distribution("recency_days", bars, 0, 0, 0, (Border(3, True), Border(40, True)), ()))
    assert found is not None
    (mark,) = found.borders  # the other is outside
    assert mark.x == pytest.approx(found.columns[4].x)
    assert found.columns[-1].x + found.columns[-1].width == pytest.approx(WIDTH - 8)


def test_borders_of_money_lie_where_their_power_of_ten_does() -> None:
    found = histogram(
        Distribution("aov_90d", (Bar(10, 100, 1), Bar(100, 1_000, 2)), 0, 0, 0, (Border(100, False),), ())
    )
    assert found is not None
    assert found.borders[0].x == pytest.approx(WIDTH / 2)
    assert [mark.value for mark in found.ticks] == [10, 100, 1_000]
    assert found.columns[1].height == 2 * found.columns[0].height


def test_labels_of_borders_beside_each_other_stand_in_rows() -> None:
    bars = tuple(Bar(day, day + 1, 1) for day in range(91))
    found = histogram(
        Distribution("recency_days", bars, 0, 0, 0, tuple(Border(day, True) for day in (3, 5, 7, 60)), ())
    )
    assert found is not None
    assert [mark.row for mark in found.borders] == [0, 1, 2, 0]


def test_the_peak_is_the_neighbouring_hours_with_most_orders() -> None:
    assert peak((1, 0, 4, 4, 1, 0), 2) == (2, 0.8)
    assert peak((0, 0), 1) is None


@pytest.mark.parametrize(
    ("name", "short"), [("VIP 충성 고객", "VIP 충성 고객"), (LONG, "아주아주아주 긴…"), ("A" * 18, "A" * 16 + "…")]
)
def test_long_names_are_cut_in_pictures(name: str, short: str) -> None:
    assert fitting(name) == short


# ---- browser -----------------------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MEASURE = """<!doctype html><body><p id="told">nothing</p>
<iframe src="report.html" style="width: {width}px; height: 900px; border: 0"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {{
  const page = frame.contentDocument;
  for (const hidden of page.querySelectorAll("details")) hidden.open = true;
  const box = one => one.getBoundingClientRect();
  const parts = [...page.querySelectorAll("body *")].filter(one => !one.closest(".scroll, svg, pre"));
  const beyond = parts.filter(one => box(one).right > {width} + 1).length;
  const pictures = [...page.querySelectorAll("svg")].filter(one => box(one).height > 20).length;
  const loaded = frame.contentWindow.performance.getEntriesByType("resource").length;
  const told = [page.documentElement.scrollWidth, beyond, pictures, loaded];
  document.getElementById("told").textContent = told.join(" ");
}});
</script>"""
Browse = Callable[[int], list[int]]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """(width that the page takes, parts beyond the edge, pictures seen, things loaded) in a frame so wide."""

    def browse(width: int) -> list[int]:
        assert CHROMIUM is not None
        (tmp_path / "frame.html").write_text(MEASURE.format(width=width), encoding="utf-8")
        switches = [
            "headless",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "hide-scrollbars",
            "allow-file-access-from-files",
            "virtual-time-budget=2000",
            f"user-data-dir={tmp_path / 'chromium'}",
            "window-size=1400,1000",
            "dump-dom",
        ]
        command = [CHROMIUM, *(f"--{switch}" for switch in switches), (tmp_path / "frame.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=90)
        told = re.search(r'<p id="told">([^<]*)</p>', done.stdout)
        assert told is not None
        return [int(number) for number in told[1].split()]

    return browse


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [1280, 360])
def test_in_a_browser_nothing_is_wider_than_the_screen_and_nothing_is_loaded(
    browse: Browse, tmp_path: Path, width: int
) -> None:
    """With names as long as they can be, and every table opened."""
    page = report_html(contents(name=LONG, source="가" * 200 + "x" * 200))
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    assert browse(width) == [width, 0, 4, 0]
