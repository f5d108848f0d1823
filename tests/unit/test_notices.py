"""The law's notices of consents are sent: to whom they are due, once, whatever crashes or runs at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dangol.campaigns.law import Answer, Consent
from dangol.campaigns.notices import notices_campaign
from dangol.campaigns.settings import default_settings
from dangol.engagement.events import unsubscribe_event
from dangol.engine import connect
from dangol.moves.campaign.messages import RunState
from dangol.moves.campaign.posts import NotNow, Sent
from dangol.moves.engage import EngagementRecorder
from dangol.moves.messages import REBUILD, REPLAY
from dangol.moves.notices import NoticeDesk

from tests.fakes import Crash, Crashed, Meanwhile
from tests.schemas import problems
from tests.senders import FakeNoticeList, FakeProfiles, SendingWorld, settings
from tests.world import FIRST_DAY, SHOP, World

TEN = datetime(2026, 11, 24, 1, tzinfo=UTC)
"""In Seoul; when notices are launched."""
RUN = "law-notices-20261124T0100Z"
GIVEN = {"answer": "given", "on": "2026-11-23", "at": int(datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp())}


def to_send(number: int = 1, **row: Any) -> SendingWorld:
    """So many people who consented to e-mail yesterday are on the list; `row` changes their profiles."""
    world = SendingWorld(notices_campaign("Asia/Seoul"))
    world.now = TEN
    people = world.people(number, **{"consents": {"email": GIVEN}, **row})
    world.notices.put("2026-11-24#0000#0a1b2c3d4e5f#0000", people)
    return world


def sent(world: SendingWorld) -> Counter[str]:
    """How often each person was written to, on any channel."""
    return Counter(person for _, person, _ in world.email.out + world.push.out)


def the_day(world: SendingWorld) -> None:
    world.launch()
    world.work_off()
    world.launch()


# ---- sending ---------------------------------------------------------------------------------------------


def test_a_consent_is_confirmed_by_e_mail_once_and_the_next_day_nothing_is_sent() -> None:
    world = to_send(2)
    the_day(world)
    assert sent(world) == {"c00": 1, "c01": 1}
    assert world.email.out[0][2] == "[단골상점] 광고성 정보 수신동의 처리 결과 안내"
    assert (world.status("c00", run=RUN), world.status("c00", "push", run=RUN)) == ("sent", "skipped by_email")
    assert world.notices.parts == {}
    assert world.campaigns.runs[RUN].state is RunState.COMPLETED
    (event,) = world.bus.of("Campaign Completed")
    assert problems("campaign-completed", [event]) == []
    world.now += timedelta(days=1)
    the_day(world)
    assert (list(world.campaigns.runs), sum(sent(world).values())) == ([RUN], 2)


def test_who_is_on_the_list_again_is_told_nothing_twice_but_what_is_new() -> None:
    world = to_send()
    the_day(world)
    for day in (1, 2):
        world.now = TEN + timedelta(days=day)
        world.notices.put(f"{day}", ["c00"])
        the_day(world)
    assert sent(world) == {"c00": 1}
    assert world.status("c00", run="law-notices-20261125T0100Z") == "skipped not_due"
    world.now = TEN + timedelta(days=3)
    world.profiles.unsubscribe("c00", "email", world.now - timedelta(hours=2))
    world.notices.put("3", ["c00"])
    the_day(world)
    assert [title for _, _, title in world.email.out][1:] == [
        "[단골상점] 광고성 정보 수신거부(동의 철회) 처리 결과 안내"
    ]


@pytest.mark.parametrize(
    ("row", "by"),
    [
        ({}, "email"),
        ({"email": ""}, "push"),
        ({"dead_email": "c00@example.com"}, "push"),
        ({"email": "", "push_token": ""}, None),
        ({"email": "", "dead_push": "token-c00"}, None),
    ],
)
def test_a_notice_goes_by_e_mail_else_by_push_else_it_is_skipped_with_the_reason(
    row: dict[str, str], by: str | None
) -> None:
    world = to_send(**row)
    the_day(world)
    assert {channel: len(post.out) for channel, post in (("email", world.email), ("push", world.push))} == {
        "email": int(by == "email"),
        "push": int(by == "push"),
    }
    if by is None:
        reasons = {world.status("c00", channel, run=RUN) for channel in ("email", "push")}
        assert reasons <= {"skipped no_address", "skipped suppressed"}


def test_a_refusal_is_confirmed_too_although_nothing_may_be_advertised() -> None:
    world = to_send(consents={"email": GIVEN | {"answer": "withdrawn"}, "push": GIVEN | {"answer": "withdrawn"}})
    world.settings = replace(world.settings, global_holdout=1.0)
    the_day(world)
    assert sent(world) == {"c00": 1}


def test_who_was_erased_gets_none() -> None:
    world = to_send()
    del world.profiles.rows["c00"]
    the_day(world)
    assert (sent(world), world.status("c00", run=RUN)) == ({}, "skipped no_profile")


def test_a_notice_by_push_waits_for_the_morning_whatever_was_consented_to_at_night() -> None:
    world = to_send(email="", consents={"push": GIVEN, "night_push": GIVEN})
    world.launch()
    world.now = datetime(2026, 11, 24, 13, tzinfo=UTC)  # 22:00 in Seoul
    world.work_off()
    assert (world.push.out, world.status("c00", "push", run=RUN)) == ([], "deferred quiet_hours")
    world.until(datetime(2026, 11, 24, 23, 15, tzinfo=UTC))
    assert sent(world) == {"c00": 1}


def test_what_the_account_cannot_send_now_waits_and_is_still_told() -> None:
    world = to_send()
    world.email.answers = lambda letter: NotNow("daily quota", soon=False)
    world.launch()
    world.work_off()
    assert (world.status("c00", run=RUN), world.profiles.rows["c00"]["claims"]) == ("deferred quota", {})
    world.email.answers = lambda letter: Sent("m")
    world.until(TEN + timedelta(hours=1))
    assert sent(world) == {"c00": 1}


def test_what_must_be_mended_first_keeps_the_list() -> None:
    world = to_send()
    world.obstacle = "SES has not verified the sender"
    world.launch()
    assert (world.campaigns.runs[RUN].state, len(world.notices.parts)) == (RunState.REFUSED, 1)
    world.obstacle, world.now = None, TEN + timedelta(days=1)
    the_day(world)
    assert sent(world) == {"c00": 1}


@pytest.mark.parametrize("halfway", [False, True])
def test_a_kill_anywhere_doubles_nothing_and_loses_nothing(halfway: bool) -> None:
    count = Crash()
    whole = to_send(5)
    whole.crash = count
    the_day(whole)
    assert len(count.calls) > 30
    for at in range(len(count.calls)):
        world = to_send(5)
        world.crash = Crash(at, halfway)
        for day in range(3):  # a part that stayed on the list comes again
            for _ in range(3):
                try:
                    the_day(world)
                except Crashed:
                    world.now += timedelta(minutes=1)
            world.now = TEN + timedelta(days=day + 1)
        unsure = {key[1] for key, one in world.deliveries.rows.items() if one.status == "unknown"}
        assert set(sent(world).values()) == {1}, world.crash.struck
        assert set(sent(world)) | unsure == {f"c{n:02d}" for n in range(5)}, world.crash.struck
        assert world.notices.parts == {}


def test_two_launchers_and_redelivered_batches_tell_once() -> None:
    count = Crash()
    world = to_send(5)
    world.crash = count
    world.launch()
    for at in range(len(count.calls)):
        world = to_send(5)
        world.notices.put("2026-11-24#0001#ffffffffffff#0000", ["c00", "c01"])

        def other(world: SendingWorld = world) -> None:
            world.crash = None
            world.launch()

        world.crash = Meanwhile(at, other)
        world.launch()
        world.crash = None
        world.queue.waiting *= 2
        world.work_off()
        for day in (1, 2):
            world.now = TEN + timedelta(days=day)
            the_day(world)
        assert sent(world) == {f"c{n:02d}": 1 for n in range(5)}, at
        assert world.campaigns.runs[RUN].state is RunState.COMPLETED


def test_a_new_address_between_the_two_batches_does_not_bring_a_second_notice() -> None:
    world = to_send(email="")
    world.launch()
    by_channel = {json.loads(body)["channel"]: body for body in world.queue.waiting}
    world.queue.waiting = [by_channel["push"]]
    world.work_off()
    world.profiles.note("c00", email="new@example.com")
    world.queue.waiting = [by_channel["email"]]
    world.work_off()
    assert (sent(world), world.status("c00", run=RUN)) == ({"c00": 1}, "skipped not_due")


# ---- who is put on the list ------------------------------------------------------------------------------

PEOPLE = "customer_id,email,accepts_email,email_consent_at\n"


@pytest.fixture
def shop() -> Iterator[World]:
    with World(shards=1) as made:
        made.profiles = FakeProfiles()
        made.notices = NoticeDesk.of(settings(), FakeNoticeList(), "Asia/Seoul")
        yield made


def listed(world: World) -> list[str]:
    """Who is on the list; it is empty afterwards."""
    people = [person for part in world.notices.waiting.parts.values() for person in part]
    world.notices.waiting.parts.clear()
    return sorted(people)


def drop(world: World, text: str, second: int) -> None:
    world.ingest(world.drop(PEOPLE + text, second, "incoming/customers/people.csv"))
    world.work_off()


def test_who_answers_is_put_on_the_list_once(shop: World) -> None:
    drop(shop, "c1,a@example.com,yes,2025-12-31 10:00\nc2,b@example.com,,\n", 1)
    assert listed(shop) == ["c1"]
    shop.refresh_all(FIRST_DAY)
    shop.refresh_all(FIRST_DAY, REBUILD)
    shop.refresh_all(FIRST_DAY + timedelta(days=1))
    assert listed(shop) == []
    drop(shop, "c1,new@example.com,no,2026-01-02 10:00\n", 2)
    assert listed(shop) == ["c1"]


def test_a_first_load_of_old_and_of_undated_answers_lists_nobody(shop: World) -> None:
    drop(shop, "c1,a@example.com,yes,2025-12-17 10:00\nc2,b@example.com,yes,\nc3,c@example.com,no,\n", 1)
    assert listed(shop) == []
    assert noted(shop) == [(0, 1)]


def test_the_run_of_a_refresh_says_how_many_were_listed_and_how_many_came_too_late(shop: World) -> None:
    drop(shop, "c1,a@example.com,yes,2025-12-17 10:00\nc2,b@example.com,yes,2025-12-18 10:00\n", 1)
    drop(shop, "c1,new@example.com,yes,2025-12-17 10:00\nc3,c@example.com,no,2025-11-01 10:00\n", 2)
    assert noted(shop) == [(1, 1), (0, 1)]
    runs = [{"kind": kind, "id": name, "expires_at": 1, **facts} for (kind, name), facts in shop.runs.noted.items()]
    assert problems("runs-refresh", [run for run in runs if run["kind"] == "refresh"]) == []


def noted(world: World) -> list[tuple[int, int]]:
    """Listed and too late, of each refresh in turn."""
    found = [facts for (kind, _), facts in world.runs.noted.items() if kind == "refresh"]
    return [(facts["notices_listed"], facts["answers_too_late"]) for facts in found]


def test_a_dated_answer_on_pushes_at_night_is_listed_as_well(shop: World) -> None:
    text = (
        "customer_id,push_token,push_platform,accepts_night_push,night_push_consent_at\nc1,t,ios,no,2025-12-31 10:00\n"
    )
    shop.ingest(shop.drop(text, 1, "incoming/customers/people.csv"))
    shop.work_off()
    assert listed(shop) == ["c1"]


def test_from_the_day_that_the_shop_names_on_undated_answers_count_as_well(shop: World) -> None:
    shop.notices = replace(shop.notices, since=FIRST_DAY)
    drop(shop, "c1,a@example.com,yes,2025-12-31 10:00\nc2,b@example.com,yes,\n", 1)
    assert listed(shop) == ["c2"]


def test_a_reminder_is_listed_when_its_time_comes_and_not_in_a_replay(shop: World) -> None:
    drop(shop, "c1,a@example.com,yes,2024-03-01 10:00\nc2,b@example.com,no,2024-03-01 10:00\n", 1)
    found = {}
    for day in ("2026-01-29", "2026-01-30", "2026-01-31", "2026-03-01", "2026-03-02"):
        shop.refresh_all(date.fromisoformat(day))
        found |= {day: people} if (people := listed(shop)) else {}
    assert found == {"2026-01-30": ["c1"]}
    shop.refresh_all(date(2026, 2, 1), REPLAY)
    assert listed(shop) == []
    shop.refresh_all(date(2028, 2, 1))
    assert listed(shop) == ["c1"]


def test_a_word_by_a_link_is_listed(shop: World) -> None:
    drop(shop, "c1,a@example.com,yes,2025-06-01 10:00\n", 1)
    word = json.dumps(unsubscribe_event("c1", datetime(2026, 1, 1, 3, tzinfo=UTC)))
    with connect(SHOP, shop.bucket) as connection:
        EngagementRecorder(connection, shop.store, 1, shop.bucket).take({"m1": word})
    shop.refresh_all(FIRST_DAY)
    assert listed(shop) == ["c1"]


def test_a_crash_anywhere_in_a_refresh_lists_everybody(shop: World) -> None:
    shop.ingest(shop.drop(PEOPLE + "c1,a@example.com,yes,2025-12-31 10:00\n", 1, "incoming/customers/people.csv"))
    crash = Crash()
    assert after(shop, crash) == ["c1"]
    for at in range(len(crash.calls)):
        assert set(after(shop, Crash(at))) == {"c1"}, crash.calls[at]


def after(world: World, crash: Crash) -> list[str]:
    with world.copy() as twin:
        twin.profiles, twin.crash = FakeProfiles(), crash
        twin.notices = replace(world.notices, waiting=crash.watch(FakeNoticeList()))
        twin.work_off()
        return [person for part in twin.notices.waiting._door.parts.values() for person in part]


def test_a_second_refresh_of_the_day_writes_nothing(shop: World) -> None:
    drop(shop, "c1,a@example.com,yes,2025-12-31 10:00\n", 1)
    kept = shop.bucket / "ledger/notices/shard=0000/listed.json"
    before = kept.stat().st_mtime_ns
    shop.crash = Crash()
    drop(shop, "c2,b@example.com,,\n", 2)
    assert kept.stat().st_mtime_ns == before
    assert json.loads(kept.read_text()) == [["c1", "answered#email#given#2026-01-14"]]


def test_elsewhere_switched_off_or_not_filled_in_there_is_nobody_to_list() -> None:
    waiting = FakeNoticeList()
    for other in (replace(settings(), country="US"), replace(settings(), notices=False), default_settings()):
        assert NoticeDesk.of(other, waiting, "Asia/Seoul") is None
    assert NoticeDesk.of(settings(), waiting, "Asia/Seoul") is not None


def test_the_list_and_the_senders_see_the_same_answers(shop: World) -> None:
    """What a refresh finds due is what the gate finds due of the row it wrote."""
    drop(shop, "c1,a@example.com,yes,2025-12-31 10:00\nc2,b@example.com,no,2025-12-19 10:00\n", 1)
    rules = settings().send_rules("Asia/Seoul")
    moment = datetime(2026, 1, 1, 3, tzinfo=UTC)
    due = {
        person: [n.key for n in rules.notices_for(profile.recipient("r", "Asia/Seoul"), moment)]
        for person, profile in shop.profiles.read(["c1", "c2"]).items()
    }
    kept = json.loads((shop.bucket / "ledger/notices/shard=0000/listed.json").read_text())
    assert sorted([person, key] for person, keys in due.items() for key in keys) == kept
    assert len(kept) == 2
    assert shop.profiles.read(["c1"])["c1"].consents["email"] == Consent(Answer.GIVEN, date(2025, 12, 31))
