"""Measuring runs of campaigns, from launch to result: who is compared by what, what is put down to which message."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from dangol.campaigns.definition import CLICKS, Winner
from dangol.campaigns.settings import Settings
from dangol.engine import connect
from dangol.measurement.erasing import erase, naming
from dangol.measurement.plan import plan_of
from dangol.moves.campaign.messages import CAMPAIGN_MEASURED, CAMPAIGN_TOTAL, RunState
from dangol.reports.campaigns import campaigns_html

from tests.fakes import Crash, Crashed
from tests.measuring import RUN, MeasuredWorld, arms, at, held_out, utc
from tests.schemas import problems
from tests.senders import NOON, hello, settings
from tests.world import SHOP

PUSH_ONLY = "\n  push: [{id: a, title: 안녕하세요, body: 반가워요.}]\n"
WEEK = "goal: {reach: purchase, within: 7 days}\nholdout: 0.5"
TEN = ["c01", "c02", "c03", "c05", "c06", "c08"]
"""Of c00 to c09, whom campaign `hello` leaves out when it leaves out half."""


@pytest.fixture
def world() -> Iterator[MeasuredWorld]:
    with MeasuredWorld(hello(more=WEEK)) as made:
        yield made


def test_those_addressed_are_compared_with_those_left_out_by_what_they_bought_in_time(world: MeasuredWorld) -> None:
    assert held_out(world.people(10), 0.5) == TEN
    world.run()
    world.sell(
        ("o1", "c00", at(24, 12, 1), 10_000),
        ("o2", "c00", at(30, 9), 20_000, 5_000),  # net of refunds
        ("o3", "c04", at(24, 11, 59), 10_000),  # before the run
        ("o4", "c07", date(2026, 11, 24), 10_000),  # without an hour: at the end of its day
        ("o5", "c09", at(1, 23, month=12), 10_000),  # the seventh day
        ("o6", "c01", at(25, 9), 7_000),
        ("o7", "c02", at(25, 9), 9_000, 9_000),  # refunded in full: no order
        ("o8", "c03", at(2, 0, 1, month=12), 10_000),  # too late
        ("o9", "c99", at(25, 9), 10_000),  # not of the audience
    )
    done = {"as_of": "2026-12-14", "runs": 1, "final": 1, "page_key": "reports/2026-12-14/campaigns.html"}
    assert world.measure(20) == done
    found = world.result()
    assert arms(found) == {"treated": (4, 3, 45_000.0), "holdout": (6, 1, 7_000.0)}
    assert (found["recipients"], found["reachable"]) == (10, 10)
    assert found["bought"] == {"people": 3, "orders": 4, "revenue": 45_000.0}
    assert found["messages"]["skipped"] == {"holdout": 12}
    assert found["lift"]["verdict"] == "too small to tell"
    assert found["lift"]["difference"] == pytest.approx(0.75 - 1 / 6, abs=1e-6)
    assert problems("runs-campaign-result", [{"kind": "campaign-result", "id": RUN, "expires_at": 1, **found}]) == []


def test_who_cannot_be_reached_is_in_no_group_and_whoever_can_be_is_whatever_became_of_the_message(
    world: MeasuredWorld,
) -> None:
    world.people(10)
    refused = {"answer": "refused", "on": "2026-01-01"}
    for person in ("c00", "c01"):
        world.profiles.rows[person]["consents"] = {"email": refused, "push": refused}
    world.profiles.rows["c04"]["consents"]["email"] = refused  # but push
    del world.profiles.rows["c02"]
    world.profiles.rows["c07"]["name"] = None  # the e-mail has no variant for them
    world.run()
    world.measure(20)
    assert arms(world.result()) == {"treated": (3, 0, 0.0), "holdout": (4, 0, 0.0)}
    assert world.result()["reachable"] == 7


def test_a_campaign_without_a_holdout_is_told_in_numbers_and_not_compared() -> None:
    with MeasuredWorld(hello(purpose="transactional", more="holdout: 0.5")) as world:
        world.people(10)
        world.run()
        world.sell(("o1", "c01", at(25, 9), 10_000))
        world.measure(30)
        found = world.result()
        assert (found["lift"], found["goal"]) == ({"verdict": "no holdout"}, {"reach": "purchase", "within_days": 14})
        assert found["messages"]["sent"] == 20
        assert found["bought"] == {"people": 1, "orders": 1, "revenue": 10_000.0}


def test_the_global_holdout_hears_from_no_other_campaign_either_and_is_not_compared() -> None:
    with MeasuredWorld(hello(more=WEEK), rules=replace(settings(), global_holdout=0.2)) as world:
        world.people(10)
        world.run()
        world.measure(20)
        assert arms(world.result()) == {"treated": (4, 0, 0.0), "holdout": (5, 0, 0.0)}  # c03 is in neither
        (row,) = (row for row in world.table("outcomes") if row["customer_id"] == "c03")
        assert (row["arm"], row["reachable"], row["compared"]) == ("global_holdout", True, False)


def test_a_person_is_compared_in_the_first_run_that_addressed_them_and_runs_add_up(world: MeasuredWorld) -> None:
    world.people(8)
    world.run()
    world.now = NOON + timedelta(days=1)
    world.people(10)
    world.run()
    world.sell(("o1", "c00", at(26, 9), 10_000), ("o2", "c09", at(26, 9), 10_000), ("o3", "c01", at(26, 9), 10_000))
    world.measure(30)
    assert arms(world.result()) == {"treated": (3, 1, 10_000.0), "holdout": (5, 1, 10_000.0)}
    second = world.result("hello-20261125T0300Z")
    assert arms(second) == {"treated": (1, 1, 10_000.0), "holdout": (1, 0, 0.0)}
    assert second["bought"]["people"] == 2
    total = world.total()
    assert (total["runs"], arms(total)) == (2, {"treated": (4, 2, 20_000.0), "holdout": (6, 1, 10_000.0)})
    assert problems("runs-campaign-total", [{"kind": "campaign-total", "id": "hello", "expires_at": 1, **total}]) == []


def test_runs_with_another_holdout_are_not_added_to_the_newest(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.definitions = {"hello": replace(world.definitions["hello"], holdout=0.2)}
    world.now = NOON + timedelta(days=1)
    world.run()
    world.measure(30)
    assert world.total()["runs"] == 1
    assert arms(world.total()) == {"treated": (0, 0, 0.0), "holdout": (0, 0, 0.0)}


def test_the_goal_of_a_membership_is_to_enter_the_segment_in_time() -> None:
    goal = "goal: {reach: member_of, segment: one_time, within: 7 days}\nholdout: 0.5"
    with MeasuredWorld(hello(more=goal)) as world:
        world.people(10)
        world.run()
        for person, day in (("c00", at(24, 18)), ("c04", at(30, 9)), ("c01", at(25, 9)), ("c07", at(2, 9, month=12))):
            world.sell((f"o-{person}", person, day, 10_000))
            world.ledger.refresh_all(day.date())  # who bought once is in the segment, c07 too late
        world.measure(20)
        assert arms(world.result()) == {"treated": (4, 2, 20_000.0), "holdout": (6, 1, 10_000.0)}
        assert world.result()["goal"] == {"reach": "member_of", "segment": "one_time", "within_days": 7}
        reached = {row["customer_id"]: row["reached_on"] for row in world.table("outcomes") if row["reached_on"]}
        assert reached == {"c00": date(2026, 11, 24), "c01": date(2026, 11, 25), "c04": date(2026, 11, 30)}


def test_an_order_counts_once_where_an_account_became_part_of_another() -> None:
    with MeasuredWorld(hello(more=WEEK), shards=3) as world:  # c00 and c07 lie in two of them
        world.people(10)
        world.run()
        bought = at(24, 18)
        world.sell(("o1", "c00", bought, 10_000), ("o2", "c07", bought, 5_000), ("o3", "c09", bought, 1_000))
        merges = world.ledger.drop("customer_id,merged_into\nc00,c07\n", 90, "incoming/customers/merges.csv")
        world.ledger.ingest(merges)
        world.ledger.queue.waiting.clear()
        world.ledger.refresh_all(bought.date())
        world.measure(20)
        assert arms(world.result())["treated"] == (4, 2, 16_000.0)
        assert world.result()["attributed"] == {"orders": 3, "revenue": 16_000.0}
        revenue = {row["customer_id"]: row["revenue"] for row in world.table("outcomes") if row["orders"]}
        assert revenue == {"c07": 15_000.0, "c09": 1_000.0}


def test_a_run_is_measured_by_the_goal_it_had_and_by_the_lots_that_were_drawn_when_it_was_launched(
    world: MeasuredWorld,
) -> None:
    world.people(10)
    world.run()
    world.definitions = {}
    world.sell(("o1", "c00", at(25, 9), 10_000))
    world.measure(20)
    assert arms(world.result()) == {"treated": (4, 1, 10_000.0), "holdout": (6, 0, 0.0)}


def test_numbers_are_open_until_late_files_had_time_and_told_once_they_are_final(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.sell(("o1", "c00", at(25, 9), 10_000))
    assert world.measure(0)["runs"] == 1
    assert (world.result()["state"], arms(world.result())["treated"]) == ("open", (4, 0, 0.0))
    assert world.results.find(CAMPAIGN_TOTAL, "hello") is None
    world.measure(7)
    assert world.results.find(CAMPAIGN_TOTAL, "hello") is None  # it is the last day that counts
    world.measure(13)
    assert world.total()["runs"] == 1
    assert (world.result()["state"], world.result()["final_on"]) == ("open", "2026-12-08")
    assert arms(world.result())["treated"] == (4, 1, 10_000.0)
    assert world.bus.of(CAMPAIGN_MEASURED) == []
    world.measure(14)
    (event,) = world.bus.of(CAMPAIGN_MEASURED)
    assert problems("campaign-measured", [event]) == []
    assert event == {"run_id": RUN, **world.result()}
    world.sell(("o2", "c04", at(25, 9), 10_000))
    assert world.measure(15)["runs"] == 0
    assert len(world.bus.of(CAMPAIGN_MEASURED)) == 1
    assert arms(world.result())["treated"] == (4, 1, 10_000.0)


def test_what_came_since_counts_when_the_same_day_is_measured_again(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(5)
    world.sell(("o1", "c00", at(25, 9), 10_000))
    assert world.measure(5)["runs"] == 1
    assert arms(world.result())["treated"] == (4, 1, 10_000.0)


def test_numbers_are_not_final_before_what_is_put_down_to_the_last_message_is_known() -> None:
    again = "steps: [{after: 20 days, channels: {email: [{id: b, subject: 또 만나요, body: 반가워요.}]}}]"
    plan = plan_of(hello(more=f"{WEEK}\n{again}"), RUN, NOON, settings())
    assert plan.last_day(SHOP) == date(2026, 12, 1)
    assert plan.sent_by(SHOP) == date(2026, 12, 15)
    assert plan.final_on(SHOP) == date(2026, 12, 27)  # five days for e-mail, and seven for late files


def test_a_replay_of_the_past_takes_nothing_back(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(5)
    before = world.result()
    assert world.measure(2)["runs"] == 0
    assert world.result() == before
    assert world.measure(-1)["runs"] == 0


def test_a_replay_of_the_past_leaves_a_campaigns_runs_added_up(world: MeasuredWorld) -> None:
    world.people(8)
    world.run()
    world.now = NOON + timedelta(days=1)
    world.people(10)
    world.run()
    world.measure(30)
    before = world.total()
    assert before["runs"] == 2
    world.measure(8)  # the second was not over then
    assert world.total() == before


def test_messages_are_kept_before_the_table_forgets_them(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(2)
    before = world.result()["messages"]
    world.deliveries.rows.clear()
    world.tell(world.mail("Open", "c00", utc(27, 13)))
    world.measure(10)
    assert before["sent"] == 8
    assert world.result()["messages"] == before | {"opened": 1}


def test_messages_are_asked_for_until_no_more_can_be_sent(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    asked = []
    for day in (0, 1, 2, 3):  # they expire in the course of day 1, so that day 2 is the first to see all of them
        world.crash = Crash()
        world.measure(day)
        asked.append("FakeDeliveries.read" in [name for name, _ in world.crash.calls])
    assert asked == [True, True, True, False]


def test_a_run_that_is_still_being_launched_is_not_measured(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.campaigns.runs[RUN] = replace(world.campaigns.runs[RUN], state=RunState.LAUNCHING)
    assert world.measure(1)["runs"] == 0


def test_what_is_not_due_yet_is_not_asked_for() -> None:
    again = "steps: [{after: 4 days, channels: {email: [{id: b, subject: 또 만나요, body: 반가워요.}]}}]"
    with MeasuredWorld(hello(more=f"{WEEK}\n{again}")) as world:
        world.people(10)
        world.run()
        reads = []
        for day in (1, 4):
            world.crash = Crash()
            world.measure(day)
            reads.append([name for name, _ in world.crash.calls].count("FakeDeliveries.read"))
        assert reads == [2, 3]


def test_with_a_winner_to_be_found_the_rest_is_sent_later() -> None:
    plain = hello(more=WEEK)
    contest = replace(plain, winner=Winner(by=CLICKS, after=timedelta(days=3), share=0.5))
    plans = [plan_of(campaign, RUN, NOON, settings()) for campaign in (plain, contest)]
    assert [plan.sent_by(SHOP) for plan in plans] == [date(2026, 11, 25), date(2026, 11, 28)]


def test_a_cancelled_run_is_not_compared(world: MeasuredWorld) -> None:
    world.people(10)
    world.launch()
    world.campaigns.runs[RUN] = replace(world.campaigns.runs[RUN], state=RunState.CANCELLED)
    world.work_off()
    world.measure(20)
    assert world.result()["lift"] == {"verdict": "cancelled"}
    assert arms(world.result()) == {"treated": (0, 0, 0.0), "holdout": (0, 0, 0.0)}
    assert world.result()["messages"]["skipped"] == {"cancelled": 20}
    assert world.results.find(CAMPAIGN_TOTAL, "hello") is None


def test_who_unsubscribes_by_a_message_of_the_run_is_counted_with_it(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.unsubscribe("c00", utc(25, 9))
    world.unsubscribe("c04", utc(25, 9), run="another-20261124T0300Z")
    world.measure(20)
    assert world.result()["unsubscribed"] == 1


def test_a_shop_without_runs_has_a_page_and_the_sizes_of_its_segments(world: MeasuredWorld) -> None:
    assert world.measure(0)["runs"] == 0
    page = (world.ledger.bucket / "reports/2026-11-24/campaigns.html").read_text("utf-8")
    assert "아직 실행된 캠페인이 없습니다" in page
    assert (world.ledger.bucket / "analytics/segments/as_of=2026-11-24/segments.parquet").is_file()


def test_the_page_says_it_in_both_languages_and_lets_nothing_in(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(20)
    page = (world.ledger.bucket / "reports/2026-12-14/campaigns.html").read_text("utf-8")
    for said in (
        "홀드아웃 6명 중 0명",
        "0 of 6 in the holdout",
        "7일 안에 구매",
        "확정",
        "보내지 않음: 홀드아웃 12",
        "not sent: holdout 12",
    ):
        assert said in page
    assert "http" not in page  # it needs no network
    row = {"id": RUN, **world.result(), "names": {"ko": "<script>", "en": "&"}}
    waiting = row | {"messages": row["messages"] | {"skipped": {}, "deferred": 34, "unknown": 2}}
    assert "보내지 않음: —; 대기 중 34; 결과 알 수 없음 2<br>" in campaigns_html(
        [waiting], {}, [], date(2026, 12, 14), SHOP
    )
    assert "<script>" not in campaigns_html([row], {}, [], date(2026, 12, 14), SHOP)


def test_the_page_dates_a_run_by_the_day_in_the_shop(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(20)
    early = {"id": RUN, **world.result(), "run_at": utc(24, 8, 30).isoformat()}  # still the 23rd in UTC
    page = campaigns_html([early], {}, [], date(2026, 12, 14), SHOP)
    assert "<h3>2026-11-24 <span" in page


def test_a_crash_anywhere_then_a_retry_ends_as_without_it() -> None:
    def finished(crash: Crash | None) -> tuple[Any, ...]:
        with MeasuredWorld(hello(more=WEEK)) as world:
            world.people(10)
            world.run()
            world.sell(("o1", "c00", at(25, 9), 10_000))
            world.crash = crash
            while True:
                try:
                    world.measure(20)
                    break
                except Crashed:
                    continue
            world.crash = None
            tables = [world.table(name) for name in ("deliveries", "outcomes", "results")]
            return world.result(), world.total(), tables, {str(one) for one in world.bus.of(CAMPAIGN_MEASURED)}

    count = Crash()
    expected = finished(count)
    writes = [
        n for n, (name, _) in enumerate(count.calls) if name.split(".")[1] in ("upload", "write", "note", "publish")
    ]
    assert len(writes) == 8
    for n in writes:
        assert finished(Crash(n)) == expected


def test_results_and_analysts_tables_hold_no_personal_data(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(20)
    written = [*(world.ledger.bucket / "analytics").rglob("*.*"), *(world.ledger.bucket / "reports").rglob("*.*")]
    held = b"".join(path.read_bytes() for path in written if path.is_file()) + str(world.results.noted).encode()
    assert b"c00" in held
    assert not [word for word in ("@example.com", "token-c", "손님c") if word.encode() in held]


def test_whoever_is_erased_is_in_nothing_that_is_kept_to_measure(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.measure(5)
    with tempfile.TemporaryDirectory() as folder, connect(SHOP, Path(folder)) as connection:
        where = (connection, world.ledger.store, ["c00", "c01"], Path(folder))
        kept = ["outcomes", "deliveries", "recipients"]
        assert len(erased := erase(*where)) == 3
        assert [kind for kind in kept if not any(kind in key for key in erased)] == []
        assert list(naming(*where)) == []
        assert erase(*where) == ()
    assert {row["customer_id"] for row in world.table("outcomes")} == {f"c{n:02d}" for n in range(2, 10)}
    world.measure(6)
    assert world.result()["recipients"] == 8


def test_a_known_effect_on_a_simulated_campaign_is_recovered() -> None:
    with MeasuredWorld(hello(more=WEEK), rules=Settings("KR", settings().sender, {})) as world:
        people, dice = world.people(3_000), Random(7)
        for person in people:
            del world.profiles.rows[person]["push_token"]
        world.email.size = 50
        world.run()
        left_out = set(held_out(people, 0.5))
        buys = [person for person in people if dice.random() < (0.10 if person in left_out else 0.16)]
        world.sell(*((f"o{person}", person, at(26, 9), 10_000) for person in buys))
        world.measure(20)
        lift = world.result()["lift"]
        assert lift["verdict"] == "lift"
        assert lift["low"] < 0.06 < lift["high"]
        assert lift["revenue_per_person"]["low"] < 600 < lift["revenue_per_person"]["high"]
