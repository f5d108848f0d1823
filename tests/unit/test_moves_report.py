"""What the daily run tells at its end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dangol.engine import connect
from dangol.errors import LedgerMismatch
from dangol.ledger.layout import shard_of
from dangol.moves.report import Report
from dangol.reports.html import alone
from dangol.reports.record import before_of

from tests.schemas import problems
from tests.world import FIRST_DAY, SHOP, Row, World

Build = Callable[..., dict[str, Any]]
ORDERS = [Row("o1", "c1", 0, 100), Row("o2", "c3", 0, 300), Row("o3", "c3", 0, 300)]


def day_of(number: int) -> date:
    return FIRST_DAY + timedelta(number)


def summary(world: World, day: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.store.read(f"reports/{day_of(day)}/summary.json"))
    assert problems("report", [found]) == []
    return found


def words(world: World, day: int = 0, page: str = "report.html") -> str:
    """What stands in a page, without its tags."""
    text = world.store.read(f"reports/{day_of(day)}/{page}").decode()
    return " ".join(re.sub(r"<[^>]*>", " ", text.split("</style>")[1]).split())


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(
        world: World, shards: int | None = None, refreshed: list[int | None] | None = None, day: int = 0
    ) -> dict[str, Any]:
        shards = shards or world.shards
        run = {
            "as_of": day_of(day).isoformat(),
            "reason": "daily",
            "run_id": "run-1",
            "shards": shards,
            "refreshed": list(range(shards)) if refreshed is None else refreshed,
        }
        connection = connect(SHOP, tmp_path)
        try:
            return Report(world.store, world.runs, world.bus, "KRW").build(connection, run, world.policy, tmp_path)
        finally:
            connection.close()

    return build


def test_a_run_ends_with_a_report_of_all_shards(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(FIRST_DAY)
        world.bus.events.clear()
        facts = build(world)
        assert facts == {
            "run_id": "run-1",
            "as_of": "2026-01-01",
            "reason": "daily",
            "shards": 3,
            "failed": 0,
            "customers": 2,
            "report_key": "reports/2026-01-01/report.html",
        }
        assert world.runs.noted["daily", "run-1"] == facts
        assert world.bus.events == [("Refresh Completed", {"scope": "all", **facts})]
        found = summary(world)
        assert (found["customers"], found["orders"], found["revenue"]) == (2, 3, 700)
        sizes = {line["id"]: line["customers"] for line in found["rfm"]}
        assert sizes == {"vip": 0, "new": 1, "fading": 0, "unclassified": 1}
        assert {segment: size for segment, _, size in found["segments"]} == {"repeat": 1, "one_time": 1}
        assert b"<html" in world.store.read(facts["report_key"])


def test_a_shop_without_a_customer_has_a_report_as_well(build: Build) -> None:
    """The first night after deployment."""
    with World(shards=3) as world:
        assert build(world)["customers"] == 0


def test_a_shard_that_has_seen_orders_but_no_customer_yet_is_no_hindrance(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest([Row("o1", "c1", 0, 100), Row("o2", "c3", 5, 100)], second=1)
        world.refresh_all(FIRST_DAY)
        assert build(world)["customers"] == 1


@pytest.mark.parametrize("refreshed", [[0, 2], [0, None, 2]])
def test_shards_that_were_not_refreshed_are_counted(build: Build, refreshed: list[int | None]) -> None:
    with World(shards=3) as world:
        assert build(world, refreshed=refreshed)["failed"] == 1


def test_a_run_over_another_number_of_shards_than_the_ledger_has_fails_in_the_open(build: Build) -> None:
    """It would leave out, or look in vain for, some customers every night."""
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        with pytest.raises(LedgerMismatch, match="NumberOfShards=3"):
            build(world, shards=2)
        assert world.bus.of("Refresh Completed") == []


# ---- what the pages tell -----------------------------------------------------------------------------------


def test_there_is_a_page_in_each_language_and_each_leads_to_the_other(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(FIRST_DAY)
        build(world)
        assert 'href="report.en.html"' in world.store.read("reports/2026-01-01/report.html").decode()
        assert 'href="report.html"' in world.store.read("reports/2026-01-01/report.en.html").decode()
        assert "고객 2 확정 주문 3 누적 매출 700 원 마지막 주문 오늘" in words(world)
        assert "Customers 2 Counted orders 3 Lifetime revenue 700 KRW Newest order today" in words(
            world, page="report.en.html"
        )


def test_the_first_report_says_so_and_the_next_what_changed(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(FIRST_DAY)
        build(world)
        assert "첫 리포트입니다" in words(world)
        world.drop_and_ingest([Row("o4", "c9", 6, 1_000)], second=2, key="incoming/orders/b.csv")
        world.refresh_all(day_of(6))
        build(world, day=6)
        told = words(world, 6, "report.en.html")
        assert "Customers: 3, 1 more than on 1 Jan 2026." in told
        assert "Counted orders: 1 more; revenue: 1K KRW more." in told
        assert "Moved to another segment: 1. new to Unclassified: 1" in told
        assert "2026년 1월 1일보다 고객이 1명 늘어 3명입니다." in words(world, 6)
        assert "new에서 미분류로 1명" in words(world, 6)


def test_a_report_built_again_on_the_same_day_says_the_same(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(FIRST_DAY)
        build(world)
        world.refresh_all(day_of(6))
        build(world, day=6)
        pages = {key: world.store.read(key) for key in world.store.keys("reports/2026-01-07/")}
        build(world, day=6)
        assert {key: world.store.read(key) for key in world.store.keys("reports/2026-01-07/")} == pages
        assert len(pages) == 3


def test_moves_are_told_as_far_as_the_ledger_reaches_back(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        for day in (0, 6, 7):
            world.refresh_all(day_of(day))
        build(world, day=7)
        moves = {flow["period"]: flow for flow in summary(world, 7)["moves"]}
        assert moves.keys() == {"day", "week"}
        assert moves["week"]["since"] == "2026-01-01"
        assert moves["week"]["cells"] == [
            {"from": "new", "to": "unclassified", "customers": 1},
            {"from": "unclassified", "to": "unclassified", "customers": 1},
        ]
        assert "2026년 1월 1일부터 기록이 있어 2026년 1월 31일부터 볼 수 있습니다." in words(world, 7)


def test_files_since_the_last_report_are_accounted_for_and_those_before_are_not(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(FIRST_DAY)
        build(world)
        assert [source["rows_read"] for source in summary(world)["quality"]["sources"]] == [3]
        bad = "order_id,customer_id,ordered_at,amount\no8,,2026-01-01,5\no9,c1,someday,5\no10,c1,2026-01-02,5\n"
        world.ingest(world.drop(bad, 2, "incoming/orders/bad.csv"))
        world.ingest(world.drop("nothing of use\n", 3, "incoming/orders/worse.csv"))
        world.refresh_all(day_of(1))
        build(world, day=1)
        quality = summary(world, 1)["quality"]
        assert quality["sources"] == [
            {"kind": "orders", "files": 1, "rows_read": 3, "rows_accepted": 1, "rows_superseded": 0, "rows_rejected": 2}
        ]
        assert quality["reasons"] == {"customer_id": 1, "ordered_at": 1}
        assert [key for key, _ in quality["refused"]] == ["incoming/orders/worse.csv"]
        assert "주문 행의 33.3%에는 누구의 주문인지 적혀 있지 않습니다." in words(world, 1)
        assert "확인 필요 파일 1개를 전혀 읽지 못했습니다." in words(world, 1)
        world.refresh_all(day_of(2))
        build(world, day=2)
        assert summary(world, 2)["quality"]["sources"] == []
        assert summary(world, 2)["files_until"] == summary(world, 1)["files_until"]


def test_stale_data_and_shards_that_failed_are_to_be_looked_into(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        world.refresh_all(day_of(3))
        build(world, day=3, refreshed=[0, 2])
        assert "확인 필요 마지막 주문이 3일 전(2026년 1월 1일)입니다." in words(world, 3)
        assert "확인 필요 고객을 나눈 3묶음 가운데 1묶음은" in words(world, 3)


def test_the_traits_of_all_shards_are_those_of_all_orders(build: Build) -> None:
    with World(shards=3) as world:
        rows = [Row(f"o{n}", f"c{n}", 0, 100 * (1 + n % 3)) for n in range(12)]
        world.drop_and_ingest(rows, second=1)
        world.refresh_all(FIRST_DAY)
        build(world)
        (found,) = summary(world)["traits"]
        assert (found["segment"], found["customers"], found["orders"], found["basket_amount"]) == ("new", 12, 12, 200)


def test_of_a_large_shop_some_shards_stand_for_all(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dangol.moves.observing.MOST_CUSTOMERS", 15)
    with World(shards=4) as world:
        world.drop_and_ingest([Row(f"o{n}", f"c{n}", 0, 100) for n in range(40)], second=1)
        world.refresh_all(FIRST_DAY)
        build(world)
        (found,) = summary(world)["traits"]
        looked_at = sum(shard_of(f"c{n}", 4) < 2 for n in range(40))
        assert found["customers"] == found["orders"] == looked_at
        assert f"고객 {looked_at}명을 무작위로 골라 살펴보았습니다." in words(world)


def test_no_person_is_in_a_report(build: Build) -> None:
    with World(shards=3) as world:
        world.drop_and_ingest([Row(f"order-{n}", f"kim-minji-{n}", 0, 100) for n in range(6)], second=1)
        people = "customer_id,name,email,city\nkim-minji-1,김민지,minji@example.com,Seoul\n"
        world.ingest(world.drop(people, 2, "incoming/customers/a.csv"))
        bad = "order_id,customer_id,ordered_at,amount\no1,kim-minji-9,김민지,5\n"
        world.ingest(world.drop(bad, 3, "incoming/orders/bad.csv"))
        world.refresh_all(FIRST_DAY)
        build(world)
        for key in world.store.keys("reports/"):
            told = world.store.read(key).decode()
            assert not re.search(r"kim-minji|김민지|example.com|order-\d", told), key


def test_what_campaigns_did_is_a_link_away_where_there_is_such_a_page(build: Build) -> None:
    with World(shards=3) as world:
        build(world)
        assert "campaigns.html" not in world.store.read("reports/2026-01-01/report.html").decode()
        for day in ("2025-12-30", "2025-12-31", "2026-01-02"):  # measured behind the report of the day; one of a replay
            world.store.write(f"reports/{day}/campaigns.html", b"")
        build(world)
        assert 'href="../2025-12-31/campaigns.html"' in world.store.read("reports/2026-01-01/report.html").decode()
        assert "2025년 12월 31일까지의 성과 보기" in words(world)
        fetched = alone(world.store.read("reports/2026-01-01/report.html").decode())
        assert "<a " not in fetched
        assert "<code>reports/2025-12-31/campaigns.html</code>" in fetched  # it still says where to look


def test_reports_of_earlier_versions_can_be_compared_with() -> None:
    with World(shards=3) as world:
        old = {"as_of": "2026-01-01", "customers": 2, "revenue": 700.0, "rfm": [{"id": "new", "customers": 1}]}
        world.store.write("reports/2026-01-01/summary.json", json.dumps(old).encode())
        before = before_of(world.store.read("reports/2026-01-01/summary.json"))
        assert (before.customers, before.orders, before.records) == (2, None, {"new": (1, FIRST_DAY)})
