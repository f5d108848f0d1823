"""Promises 7 and 8: a message goes out once at most, and what may not go is recorded with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from dangol.campaigns.caps import Cap
from dangol.campaigns.gate import Profile
from dangol.moves.campaign.messages import Batch, Grant, RunState
from dangol.moves.campaign.posts import Letter, NotNow, Outcome, Refused, Sent, Unsure
from dangol.moves.campaign.sending import FIRST_WAIT, TRIES

from tests.delivering import RUN, SECOND, STEPS, hello_batch, launched, twice
from tests.fakes import Meanwhile
from tests.senders import NOON, Allowance, SendingWorld, hello


def test_everybody_gets_every_message_once_in_calls_that_are_full() -> None:
    world = launched()
    world.work_off()
    assert sorted(person for _, person, _ in world.email.out) == [f"c{n:02d}" for n in range(7)]
    assert world.email.out[0][2] == "손님c00님, 안녕하세요"
    assert world.email.calls == world.push.calls == [3, 3, 1]
    assert world.campaigns.runs[RUN].counts == {"sent": 14}
    delivery = world.deliveries.rows[RUN, "c00", "email", 0]
    assert (delivery.variant, delivery.message_id) == ("a", "m-c00")


def test_a_batch_that_comes_again_sends_nothing() -> None:
    world = launched()
    batches = list(world.queue.waiting)
    world.work_off()
    written = world.deliveries.written
    world.queue.waiting = batches * 2
    world.work_off()
    assert (len(world.email.out), len(world.push.out), world.deliveries.written) == (7, 7, written)
    assert world.campaigns.runs[RUN].counts == {"sent": 14}


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"email": None}, "skipped no_address"),
        ({"dead_email": "c00@example.com"}, "skipped suppressed"),
        ({"dead_email": "before@example.com"}, "sent"),
        ({"consents": {}}, "skipped no_consent"),
        ({"unsubscribed_email": int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())}, "skipped no_consent"),
        ({"name": None}, "skipped no_variant"),
    ],
)
def test_who_may_not_get_it_is_skipped_with_the_reason(row: dict[str, object], status: str) -> None:
    world = launched(people=1, **row)
    for name, value in row.items():
        if value is None:
            del world.profiles.rows["c00"][name]
    world.work_off()
    assert (world.status("c00"), len(world.email.out)) == (status, int(status == "sent"))


def test_who_is_in_no_profile_is_skipped() -> None:
    world = launched(people=2)
    del world.profiles.rows["c01"]
    world.work_off()
    assert [world.status(person) for person in ("c00", "c01")] == ["sent", "skipped no_profile"]


def test_a_link_to_unsubscribe_wins_over_older_consents_and_loses_to_a_newer_one() -> None:
    march = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    for at, status in ((march - 1, "skipped no_consent"), (march + 1, "sent")):
        consents = {"email": {"answer": "given", "on": "2026-03-01", "at": at}}
        world = launched(people=1, consents=consents, unsubscribed_email=march)
        world.work_off()
        assert world.status("c00") == status


def test_a_withdrawal_between_reading_and_claiming_is_heeded() -> None:
    world = launched(people=1)
    world.crash = Meanwhile(3, lambda: world.profiles.unsubscribe("c00", "email", NOON))
    world.deliver()
    assert world.crash.calls[3][0] == "FakeProfiles.read"
    assert (world.status("c00"), world.email.out) == ("skipped no_consent", [])


def test_at_night_a_push_waits_for_the_morning_and_an_e_mail_does_not() -> None:
    world = SendingWorld()
    world.people(1, consents={name: {"answer": "given", "on": "2026-01-01"} for name in ("email", "push")})
    world.launch()
    world.now = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)  # 22:30 in Seoul
    world.work_off()
    assert (world.status("c00"), world.status("c00", "push")) == ("sent", "deferred quiet_hours")
    ((minute, _),) = world.campaigns.waiting
    assert minute == datetime(2026, 11, 24, 23, tzinfo=UTC)  # 08:00
    world.until(minute)
    assert (world.status("c00", "push"), len(world.push.out)) == ("sent", 1)
    assert world.campaigns.runs[RUN].state is RunState.SENDING
    world.launch()
    assert world.campaigns.runs[RUN].state is RunState.COMPLETED


def test_a_night_that_is_nearly_over_is_waited_for_to_the_minute() -> None:
    world = launched(people=1, consents={"push": {"answer": "given", "on": "2026-01-01"}})
    world.now = datetime(2026, 11, 24, 22, 55, tzinfo=UTC)  # five to eight in the morning
    world.work_off()
    ((minute, _),) = world.campaigns.waiting
    assert minute == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_a_place_under_a_cap_that_is_nearly_free_is_looked_for_no_sooner_than_in_a_quarter_of_an_hour() -> None:
    world = SendingWorld(cap=Cap(1, timedelta(hours=1)))
    world.people(1, sent={"email": [int(NOON.timestamp()) - 55 * 60]})
    world.launch()
    world.deliver()
    ((minute, _),) = world.campaigns.waiting
    assert (world.status("c00"), minute) == ("deferred frequency_cap", NOON + timedelta(minutes=15))


def test_a_cap_defers_until_it_frees_a_place_and_skips_what_would_then_be_stale() -> None:
    for window, status in ((timedelta(hours=3), "sent"), (timedelta(hours=40), "skipped frequency_cap")):
        world = SendingWorld(cap=Cap(1, window))
        world.people(1, sent={"email": [int((NOON - timedelta(hours=1)).timestamp())]})
        world.launch()
        world.work_off()
        if status == "sent":
            assert world.status("c00") == "deferred frequency_cap"
            world.until(NOON + timedelta(hours=2, minutes=15))
        assert world.status("c00") == status


def test_what_is_throttled_is_sent_again_more_slowly() -> None:
    world, seen = launched(), Counter[str]()

    def throttled(letter: Letter) -> Outcome:
        seen[letter.profile.customer_id] += 1
        return Sent("m") if seen[letter.profile.customer_id] == 3 else NotNow("account_throttled", soon=True)

    world.email.answers = throttled
    world.work_off()
    assert (len(world.email.out), twice(world.email.out)) == (7, [])
    assert world.slept == 3 * (FIRST_WAIT + 2 * FIRST_WAIT)


def test_what_stays_throttled_gives_its_claim_back_and_is_sent_later() -> None:
    world = SendingWorld(cap=Cap(1, timedelta(days=1)))
    world.people(2)
    world.launch()
    world.email.answers = lambda letter: NotNow("account_throttled", soon=True)
    world.work_off()
    assert (world.status("c00"), len(world.email.calls)) == ("deferred quota", TRIES)
    assert world.profiles.rows["c00"]["sent"]["email"] == []
    world.email.answers = lambda letter: Sent("m")
    world.until(world.now + timedelta(minutes=30))
    assert (world.status("c00"), world.status("c01"), len(world.email.out)) == ("sent", "sent", 2)


def test_a_throttled_push_is_not_sent_again_into_the_night() -> None:
    world = launched(people=1, consents={"push": {"answer": "given", "on": "2026-01-01"}})
    world.now = datetime(2026, 11, 24, 11, 58, tzinfo=UTC)  # two minutes to nine in the evening

    def throttled(letter: Letter) -> Outcome:
        world.now += timedelta(minutes=2) - timedelta(seconds=FIRST_WAIT)
        return NotNow("Throttled", soon=True)

    world.push.answers = throttled
    world.work_off()
    assert (world.push.calls, world.status("c00", "push")) == ([1], "deferred quota")
    world.push.answers = lambda letter: Sent("m")
    world.until(datetime(2026, 11, 24, 22, 59, tzinfo=UTC))
    assert (world.push.out, world.status("c00", "push")) == ([], "deferred quiet_hours")


def test_a_campaign_with_few_an_hour_sends_no_more_than_those_at_once() -> None:
    world = launched(hello(more="per_hour: 2"))
    asked: list[int] = []

    class Asked(Allowance):
        def take(self, wanted: int, now: datetime, latest: datetime) -> Grant:
            asked.append(wanted)
            return super().take(wanted, now, latest)

    world.quotas = [Asked(100, SECOND)]
    world.deliver()
    assert (asked, world.email.calls) == ([2, 2, 2, 1], [2, 2, 2, 1])


def test_what_the_service_refuses_is_failed_and_a_dead_address_is_retired() -> None:
    world = launched(people=1)
    world.push.answers = lambda letter: Refused("endpoint_disabled", dead=True)
    world.email.answers = lambda letter: Refused("message_rejected")
    world.work_off()
    assert (world.status("c00"), world.status("c00", "push")) == ("failed message_rejected", "failed endpoint_disabled")
    assert world.profiles.rows["c00"]["dead_push"] == "token-c00"
    assert "dead_email" not in world.profiles.rows["c00"]


def test_a_call_that_broke_off_is_not_made_again() -> None:
    world = launched(people=1)
    world.email.answers = lambda letter: Unsure()
    world.work_off()
    world.queue.waiting = [world.queue.waiting[0]] if world.queue.waiting else []
    assert (world.status("c00"), world.email.calls) == ("unknown", [1])


def test_a_used_up_quota_defers_the_rest() -> None:
    world = launched()
    allowance = Allowance(4, SECOND)
    world.quotas = [allowance]
    world.deliver()
    assert Counter(world.status(person) for person in world.profiles.rows) == {"sent": 4, "deferred quota": 3}
    assert world.slept == 4
    allowance.left = 100
    world.until(world.now + timedelta(minutes=30))
    assert (len(world.email.out), twice(world.email.out)) == (7, [])


def test_a_sender_that_runs_out_of_time_leaves_the_rest_to_the_next() -> None:
    world = launched()
    batch = Batch.from_dict({**hello_batch(), "customers": [f"c{n:02d}" for n in range(7)]})
    world.queue.waiting = []
    world.deliverer().take(batch, timedelta(seconds=1))
    assert (world.email.out, len(world.queue.waiting)) == ([], 1)
    world.work_off()
    assert len(world.email.out) == 7


def test_a_later_step_goes_to_who_got_the_first_and_did_not_answer() -> None:
    world = launched(hello(more=STEPS + "again_after: 30 days"), people=4)
    world.profiles.note("c01", unsubscribed_email=int(NOON.timestamp()) - 60)
    world.profiles.rows["c01"]["push_token"] = ""
    world.work_off()
    row = (RUN, "c02", "email", 0)
    world.deliveries.rows[row] = replace(world.deliveries.rows[row], answers=frozenset({"clicked"}))
    world.bought["c03"] = date(2026, 11, 25)
    world.until(NOON + timedelta(days=2))
    assert [world.status(f"c0{n}", step=1) for n in range(4)] == [
        "sent",
        "skipped not_started",
        "skipped answered",
        "skipped answered",
    ]
    assert [title for _, person, title in world.email.out if person == "c00"] == [
        "손님c00님, 안녕하세요",
        "다시 인사드려요",
    ]


def test_a_message_that_is_under_way_when_a_person_is_erased_is_not_sent() -> None:
    world = launched(people=3)
    world.profiles.block(["c00", "c01"])
    world.profiles.unblock(["c00"])
    world.work_off()
    assert {customer for _, customer, _ in world.email.out + world.push.out} == {"c02"}
    assert world.status("c00") == world.status("c01") == "skipped no_profile"


def test_whoever_is_erased_between_reading_and_claiming_is_not_written_to() -> None:
    world = launched(people=1)
    mark = world.profiles.mark

    def erased_just_before(profile: Profile) -> Profile:
        world.profiles.block(["c00"])
        return mark(profile)

    world.profiles.mark = erased_just_before  # type: ignore[method-assign]
    world.work_off()
    assert (world.email.out, world.push.out) == ([], [])
    assert world.status("c00") == "skipped no_profile"
