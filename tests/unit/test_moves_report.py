"""What the daily run tells at its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dangol.engine import connect
from dangol.errors import LedgerMismatch
from dangol.moves.report import Report

from tests.world import FIRST_DAY, SHOP, Row, World

Build = Callable[..., dict[str, Any]]
ORDERS = [Row("o1", "c1", 0, 100), Row("o2", "c3", 0, 300), Row("o3", "c3", 0, 300)]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(world: World, shards: int | None = None, refreshed: list[int | None] | None = None) -> dict[str, Any]:
        shards = shards or world.shards
        run = {
            "as_of": FIRST_DAY.isoformat(),
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
        summary = json.loads(world.store.read("reports/2026-01-01/summary.json"))
        assert summary["customers"] == 2
        assert summary["revenue"] == 700
        sizes = {line["id"]: line["customers"] for line in summary["rfm"]}
        assert sizes == {"vip": 0, "new": 1, "fading": 0, "unclassified": 1}
        assert {segment: size for segment, _, size in summary["segments"]} == {"repeat": 1, "one_time": 1}
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
