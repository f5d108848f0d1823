"""Measuring all campaigns together against the global holdout: who enters when, and what counts from then on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.engine import connect
from dangol.measurement.erasing import erase, naming
from dangol.measurement.layout import FIRST_ADDRESSED_KEY
from dangol.measurement.totals import final_months
from dangol.moves.campaign.messages import CAMPAIGNS_TOGETHER, RunState

from tests.fakes import Crash, Crashed
from tests.measuring import MeasuredWorld
from tests.schemas import problems
from tests.senders import NOON, hello, settings
from tests.world import SHOP

WEEK = "goal: {reach: purchase, within: 7 days}\nholdout: 0.5"
HOLDOUT = ["c02", "c03", "c04", "c06", "c07", "c09"]
"""Of c00 to c09, who hears from no campaign when half of all do not."""
NOVEMBER = "2026-11@0.5"
FINAL_ON = 103
"""Days after the run of the 24th of November: the 7th of March, 97 days after the month's last."""
HALF = replace(settings(), global_holdout=0.5)


def at(year: int, month: int, day: int, hour: int = 9) -> datetime:
    return datetime.combine(date(year, month, day), time(hour))


@pytest.fixture
def world() -> Iterator[MeasuredWorld]:
    with MeasuredWorld(hello(more=WEEK), rules=HALF) as made:
        made.people(10)
        yield made


def cohorts(world: MeasuredWorld) -> dict[str, Any]:
    return {cohort: facts for (kind, cohort), facts in world.results.noted.items() if kind == CAMPAIGNS_TOGETHER}


def arms(world: MeasuredWorld, cohort: str = NOVEMBER) -> dict[str, tuple[int, int, float]]:
    """People, buyers, and revenue, by arm."""
    found = cohorts(world)[cohort]["arms"]
    return {arm: (one["people"], one["reached"], one["revenue"]) for arm, one in found.items()}


def entered(world: MeasuredWorld) -> dict[str, str]:
    """Who entered, and with which run."""
    rows = duckdb.sql(f"SELECT customer_id, run FROM read_parquet('{world.ledger.bucket / FIRST_ADDRESSED_KEY}')")
    return dict(rows.fetchall())


def test_what_people_buy_in_ninety_days_is_compared_by_the_lot_of_the_shop_and_not_of_a_campaign(
    world: MeasuredWorld,
) -> None:
    world.run()
    world.sell(
        ("o1", "c00", at(2026, 11, 25), 10_000),
        ("o2", "c00", at(2027, 2, 22, 23), 5_000),  # the ninetieth day
        ("o3", "c01", at(2026, 12, 25), 7_000),  # campaign `hello` leaves them out; other campaigns do not
        ("o4", "c08", at(2027, 2, 23), 9_000),  # too late
        ("o5", "c05", at(2026, 11, 24, 11), 9_000),  # before the run
        ("o6", "c02", at(2027, 1, 1), 3_000),
        ("o7", "c99", at(2027, 1, 1), 3_000),  # no campaign's
    )
    for day in range(0, FINAL_ON, 20):
        world.measure(day)
        assert cohorts(world)[NOVEMBER]["state"] == "open"
    world.measure(FINAL_ON)
    assert arms(world) == {"treated": (4, 2, 22_000.0), "holdout": (6, 1, 3_000.0)}
    found = cohorts(world)[NOVEMBER]
    assert (found["state"], found["final_on"], found["goal"]["within_days"]) == ("final", "2027-03-07", 90)
    assert found["lift"]["difference"] == pytest.approx(1 / 2 - 1 / 6, abs=1e-6)
    row = {"kind": CAMPAIGNS_TOGETHER, "id": NOVEMBER, "expires_at": 1, **found}
    assert problems("runs-campaigns-together", [row]) == []


def test_numbers_that_are_final_stand_and_later_days_are_not_undone_by_earlier_ones(world: MeasuredWorld) -> None:
    world.run()
    world.measure(50)
    world.sell(("o1", "c00", at(2026, 11, 25), 10_000))
    world.measure(40)
    assert arms(world)["treated"] == (4, 0, 0.0)
    world.measure(51)
    assert arms(world)["treated"] == (4, 1, 10_000.0)
    world.now, world.definitions = NOON + timedelta(days=99), {"other": replace(hello(more=WEEK), id="other")}
    world.run()
    world.measure(FINAL_ON)
    world.sell(("o2", "c01", at(2026, 11, 25), 10_000))
    assert world.measure(FINAL_ON + 1)["runs"] == 1
    assert arms(world)["treated"] == (4, 1, 10_000.0)


def test_a_row_that_has_expired_is_not_made_again(world: MeasuredWorld) -> None:
    world.run()
    world.measure(20)
    world.results.noted.clear()
    world.campaigns.runs.clear()
    world.measure(600)
    assert cohorts(world) == {}


def test_a_person_enters_with_the_first_run_that_could_reach_them_and_only_once(world: MeasuredWorld) -> None:
    refused = {"answer": "refused", "on": "2026-01-01"}
    agreed = world.profiles.rows["c00"]["consents"]
    world.profiles.rows["c00"]["consents"] = {"email": refused, "push": refused}
    world.run()
    world.measure(1)
    assert (entered(world).get("c00"), arms(world)) == (None, {"treated": (3, 0, 0.0), "holdout": (6, 0, 0.0)})
    world.profiles.rows["c00"]["consents"] = agreed
    world.now, world.definitions = NOON + timedelta(days=9), {"other": replace(hello(more=WEEK), id="other")}
    world.run()
    world.sell(("o1", "c01", at(2026, 11, 26), 10_000))
    for day in (30, 31):  # on the second the first run's own numbers are final, and those of the month are not
        world.measure(day)
        assert arms(world) == {"treated": (3, 1, 10_000.0), "holdout": (6, 0, 0.0)}
    assert arms(world, "2026-12@0.5") == {"treated": (1, 0, 0.0), "holdout": (0, 0, 0.0)}
    assert entered(world)["c00"].startswith("other-20261203")
    assert entered(world)["c01"].startswith("hello-20261124")


def test_whoever_entered_by_a_run_that_was_broken_off_enters_by_the_next(world: MeasuredWorld) -> None:
    world.run()
    world.measure(0)
    (run,) = world.campaigns.runs.values()
    world.campaigns.runs[run.id] = replace(run, state=RunState.CANCELLED)
    world.measure(1)
    assert (arms(world), entered(world)) == ({"treated": (0, 0, 0.0), "holdout": (0, 0, 0.0)}, {})
    world.now, world.definitions = NOON + timedelta(days=2), {"other": replace(hello(more=WEEK), id="other")}
    world.run()
    world.measure(3)
    assert {run.partition("-")[0] for run in entered(world).values()} == {"other"}


def test_who_entered_with_another_share_stays_where_they_were(world: MeasuredWorld) -> None:
    world.run()
    world.measure(1)
    world.now, world.settings = NOON + timedelta(days=2), replace(settings(), global_holdout=0.2)
    world.definitions = {"other": replace(hello(more=WEEK), id="other")}
    world.people(12)
    world.run()
    world.measure(3)
    assert arms(world) == {"treated": (4, 0, 0.0), "holdout": (6, 0, 0.0)}
    people = arms(world, "2026-11@0.2")
    assert people["treated"][0] + people["holdout"][0] == 2


def test_nobody_enters_by_a_run_that_is_cancelled_nor_without_a_holdout_nor_by_what_is_no_advertising() -> None:
    cases = (
        (hello(more=WEEK), settings(), False),
        (hello(purpose="transactional", more="holdout: 0.5"), HALF, False),
        (hello(more=WEEK), HALF, True),
    )
    for campaign, rules, cancelled in cases:
        with MeasuredWorld(campaign, rules=rules) as world:
            world.people(10)
            if cancelled:
                world.launch()
                (run,) = world.campaigns.runs.values()
                world.campaigns.cancel(run)
                world.work_off()
            else:
                world.run()
            world.measure(20)
            assert cohorts(world) == {}
            assert not (world.ledger.bucket / FIRST_ADDRESSED_KEY).exists()


def test_a_crash_anywhere_then_a_retry_ends_as_without_it(world: MeasuredWorld) -> None:
    world.run()
    world.sell(("o1", "c00", at(2026, 11, 25), 10_000))
    world.crash = Crash()
    world.measure(2)
    whole, calls = cohorts(world), len(world.crash.calls)
    for call in range(calls):
        world.results.noted.clear()
        (world.ledger.bucket / FIRST_ADDRESSED_KEY).unlink()
        world.crash = Crash(call)
        with pytest.raises(Crashed):
            world.measure(2)
        world.crash = None
        world.measure(2)
        assert cohorts(world) == whole


def test_an_erased_person_is_not_among_those_who_entered(world: MeasuredWorld) -> None:
    world.run()
    world.measure(1)
    with tempfile.TemporaryDirectory() as folder:
        connection = connect(SHOP, Path(folder))
        arguments = (connection, world.ledger.store, ["c00"], Path(folder))
        assert FIRST_ADDRESSED_KEY in erase(*arguments)
        assert list(naming(*arguments)) == []
        connection.close()
    assert len(entered(world)) == 9
    assert "c00" not in entered(world)


def test_months_that_are_final_are_told_together_if_they_are_alike() -> None:
    def month(name: str, share: float, state: str = "final") -> dict[str, Any]:
        arm = {"people": 100, "reached": 10, "buyers": 10, "orders": 12, "revenue": 5.0, "squares": 2.5}
        return {"month": name, "global_holdout": share, "state": state, "arms": {"treated": arm, "holdout": arm}}

    rows = [month("2026-12", 0.1), month("2026-11", 0.1), month("2026-10", 0.2), month("2027-01", 0.1, "open")]
    found = final_months(rows)
    assert found is not None
    assert (found["months"], found["arms"]["holdout"]["people"], found["lift"]["difference"]) == (2, 200, 0.0)
    assert final_months(rows[1:]) is None
    assert final_months([]) is None


def test_the_page_tells_of_all_campaigns_first(world: MeasuredWorld) -> None:
    world.run()
    world.measure(5)
    page = (world.ledger.bucket / "reports/2026-11-29/campaigns.html").read_text("utf-8")
    assert page.index("모든 캠페인") < page.index("hello-20261124T0300Z")
    assert "4명 중 0명 (0.0%); 홀드아웃 6명 중 0명 (0.0%)" in page
    assert "90일 안에 구매" in page
    assert "전체 홀드아웃 50%" in page
    assert "잠정, 2027-03-07 확정" in page
