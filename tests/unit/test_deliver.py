"""Promises 7 and 8: a message goes out once at most, and what may not go is recorded with its reason."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from dangol.campaigns.caps import Cap
from dangol.campaigns.gate import Profile
from dangol.moves.campaign.messages import Batch, Delivery, Grant, Overtaken, RunState, Status
from dangol.moves.campaign.posts import Letter, NotNow, Outcome, Refused, Sent, Unsure
from dangol.moves.campaign.rounds import LIFE
from dangol.moves.campaign.sending import FIRST_WAIT, TRIES

from tests.fakes import Crash, Crashed, Meanwhile, RightAfter
from tests.senders import NOON, Allowance, SendingWorld, hello

RUN = "hello-20261124T0300Z"
SECOND = timedelta(seconds=1)


def launched(*args: object, people: int = 7, **row: object) -> SendingWorld:
    """A world in which campaign `hello` is launched and nothing is sent yet."""
    world = SendingWorld(*args)  # type: ignore[arg-type]
    world.people(people, **row)
    world.launch()
    return world


def twice(sent: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Who got something of a run more than once."""
    return [key for key, times in Counter((run, person) for run, person, _ in sent).items() if times > 1]


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


@pytest.mark.parametrize("halfway", [False, True])
def test_a_sender_killed_anywhere_loses_nothing_and_doubles_nothing(halfway: bool) -> None:
    whole = launched(people=24)
    whole.crash = Crash()
    whole.work_off()
    points = len(whole.crash.calls)
    assert points > 100
    for at in range(points):
        world = launched(people=24)
        world.crash = Crash(at, halfway)
        world.work_off()
        assert twice(world.email.out) == twice(world.push.out) == []
        recorded = {(channel, person): world.status(person, channel) for channel, person in everybody(world)}
        assert set(recorded.values()) <= {"sent", "unknown"}
        unsure = [key for key, status in recorded.items() if status == "unknown"]
        # Only who was in a call that had begun is not known of; all others have it.
        began = world.crash.struck in ("FakePost.send", "FakeDeliveries.write", "FakeCampaigns.begin")
        assert len(unsure) <= (3 if began else 0), world.crash.struck
        for channel, sent in (("email", world.email.out), ("push", world.push.out)):
            got = {person for _, person, _ in sent}
            assert {person for c, person in recorded if c == channel and recorded[c, person] == "sent"} <= got
        assert sum(world.campaigns.runs[RUN].counts.values()) == 48


def everybody(world: SendingWorld) -> list[tuple[str, str]]:
    return [(channel, person) for channel in ("email", "push") for person in world.profiles.rows]


def take(world: SendingWorld, batch: Batch) -> None:
    """A sender goes at a batch, at which another may be as well."""
    with suppress(Overtaken):
        world.deliverer().take(batch, LIFE)


def test_a_slow_sender_whose_call_was_given_up_does_not_make_it() -> None:
    for at in range(30):
        world = launched()
        batch = Batch.from_dict(json.loads(world.queue.waiting.pop(0)))

        def other_sender(world: SendingWorld = world, batch: Batch = batch) -> None:
            world.crash = None
            world.now += LIFE + timedelta(seconds=1)
            take(world, batch)

        world.crash = Meanwhile(at, other_sender)
        take(world, batch)
        world.now += LIFE + timedelta(seconds=1)
        world.deliverer().take(batch, LIFE)
        assert twice(world.email.out) == []
        unsure = [person for person in world.profiles.rows if world.status(person) == "unknown"]
        assert len(world.email.out) + len(unsure) >= 7


def left_by_a_dead_sender() -> tuple[SendingWorld, Batch]:
    """A batch whose sender claimed messages, and died before it began to send them, longer ago than a sender lives."""
    rehearsal = launched()
    rehearsal.crash = Crash()
    rehearsal.work_off()
    world = launched()
    world.crash = Crash([name for name, _ in rehearsal.crash.calls].index("FakeCampaigns.begin"))
    with pytest.raises(Crashed):
        world.deliver()
    world.crash = None
    world.now += LIFE + timedelta(seconds=1)
    return world, Batch.from_dict(json.loads(world.queue.waiting[0]))


def test_of_two_senders_that_take_over_at_once_one_sends_and_nothing_is_lost() -> None:
    whole, batch = left_by_a_dead_sender()
    whole.crash = Crash()
    whole.deliverer().take(batch, LIFE)
    for at in range(len(whole.crash.calls)):
        world, batch = left_by_a_dead_sender()

        def other_sender(world: SendingWorld = world, batch: Batch = batch) -> None:
            take(world, batch)

        world.crash = Meanwhile(at, other_sender)
        take(world, batch)
        world.now += LIFE + timedelta(seconds=1)
        world.work_off()
        assert twice(world.email.out) == twice(world.push.out) == [], at
        assert {world.status(person, channel) for channel, person in everybody(world)} == {"sent"}, at


def test_two_senders_at_one_batch_send_what_each_has_claimed() -> None:
    """Neither waits for the other with messages in its hands: else both might, again and again."""
    world = launched()
    batch = Batch.from_dict(json.loads(world.queue.waiting[0]))
    claimed = 2

    def other_sender() -> None:
        with pytest.raises(Overtaken):
            world.deliverer().take(batch, LIFE)

    class AfterClaims(Crash):
        """Lets the other sender come in between two claims."""

        marks = 0

        def passes(self, name: str, method: object, arguments: tuple[object, ...]) -> object:
            answer = super().passes(name, method, arguments)
            if name == "FakeProfiles.mark":
                self.marks += 1
                if self.marks == claimed:
                    world.crash = None
                    other_sender()
            return answer

    world.crash = AfterClaims()
    with pytest.raises(Overtaken):
        world.deliverer().take(batch, LIFE)
    assert twice(world.email.out) == []
    assert len(world.email.out) == 7  # without anybody's coming again


def test_what_a_sender_has_recorded_is_not_put_off_by_another_one_who_finds_no_quota_left() -> None:
    world = launched(people=1)
    world.quotas = [Allowance(1, SECOND)]
    batch = Batch.from_dict(json.loads(world.queue.waiting.pop(0)))
    world.crash = RightAfter("FakeDeliveries.read", lambda: world.deliverer().take(batch, LIFE))
    world.deliverer().take(batch, LIFE)
    assert (world.status("c00"), len(world.email.out)) == ("sent", 1)
    world.quotas = []
    world.work_off()
    world.until(world.now + timedelta(minutes=30))
    assert (world.status("c00"), world.campaigns.runs[RUN].counts) == ("sent", {"sent": 2})


def test_two_senders_at_one_batch_leave_it_to_the_first() -> None:
    world = launched()
    world.crash = Crash(at=4)
    with pytest.raises(Crashed):
        world.deliver()
    world.crash = None
    with pytest.raises(Overtaken, match="looked at again later"):
        world.deliver()
    world.work_off()
    assert len(world.email.out) == 7


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


def hello_batch() -> dict[str, object]:
    about = {"run": RUN, "campaign": "hello", "run_at": NOON.isoformat(), "step": 0, "channel": "email"}
    return about | {"part": "p", "customers": [], "counts": {}}


def test_a_paused_campaign_waits_and_a_cancelled_run_skips_the_rest() -> None:
    world = launched(people=2)
    world.campaigns.paused.add("hello")
    world.work_off()
    assert (world.email.out, len(world.campaigns.waiting)) == ([], 2)
    world.campaigns.paused.clear()
    world.campaigns.runs[RUN] = replace(world.campaigns.runs[RUN], state=RunState.CANCELLED)
    world.until(world.now + timedelta(minutes=30))
    assert {world.status(person, channel) for channel, person in everybody(world)} == {"skipped cancelled"}
    assert world.campaigns.runs[RUN].counts == {"skipped cancelled": 4}


def test_what_a_dead_sender_may_have_sent_before_the_run_was_cancelled_is_unknown_and_not_skipped() -> None:
    world = launched(people=1)
    world.crash = RightAfter("FakePost.send", lambda: world.campaigns.cancel(world.campaigns.runs[RUN]))
    world.deliveries.write = no_more  # type: ignore[assignment, method-assign]
    with pytest.raises(Crashed):
        world.deliver()
    del world.deliveries.write
    with pytest.raises(Overtaken):  # it may still be at it
        world.deliver()
    world.work_off()
    assert (world.status("c00"), world.status("c00", "push")) == ("unknown", "skipped cancelled")
    assert len(world.email.out) == 1


def no_more(*_: object) -> None:
    raise Crashed


def test_what_a_dead_sender_had_only_claimed_when_the_run_was_cancelled_is_skipped() -> None:
    world, _ = left_by_a_dead_sender()
    world.campaigns.cancel(world.campaigns.runs[RUN])
    world.work_off()
    assert {world.status(person, channel) for channel, person in everybody(world)} == {"skipped cancelled"}


def test_who_cancels_a_run_is_heeded_before_the_next_call() -> None:
    world = launched(people=7)
    world.crash = RightAfter("FakePost.send", lambda: world.campaigns.cancel(world.campaigns.runs[RUN]))
    world.deliver()
    assert (len(world.email.out), world.email.calls) == (3, [3])
    assert Counter(world.status(person) for person in world.profiles.rows) == {"sent": 3, "skipped cancelled": 4}
    kept = [row for row in world.profiles.rows.values() if row.get("claims")]
    assert len(kept) == 3  # those that are not sent are given back


def test_what_a_dead_sender_sent_in_the_last_minute_is_unknown_and_not_skipped_as_expired() -> None:
    world = launched(hello(), hello("other"), people=1)
    world.queue.waiting = [body for body in world.queue.waiting if '"email"' in body]
    world.now = NOON + timedelta(hours=24) - timedelta(seconds=30)
    world.deliveries.write = no_more  # type: ignore[assignment, method-assign]
    with pytest.raises(Crashed):
        world.deliver()
    del world.deliveries.write
    world.now += LIFE
    expired = world.queue.waiting.pop(0)
    world.definitions["other"] = hello("other", more="expires: 3 days")
    world.work_off()  # a claim that is written anew drops those that nobody needs
    world.queue.waiting.append(expired)
    world.work_off()
    assert (world.status("c00"), len(world.email.out)) == ("unknown", 2)


def test_what_a_sender_sent_takes_the_place_of_a_note_that_another_skipped_it_meanwhile() -> None:
    world = launched(people=1)
    skipped = Delivery(RUN, "c00", "email", 0, Status.SKIPPED, NOON, "expired")
    world.crash = RightAfter("FakePost.send", lambda: world.deliveries.note([skipped]))
    world.deliver()
    assert world.status("c00") == "sent"


STEPS = """
steps:
  - after: 2 days
    unless: [clicked, purchased]
    channels: {email: [{id: b, subject: 다시 인사드려요, body: 반가워요.}]}
"""


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


def test_a_later_step_that_a_dead_sender_sent_is_not_skipped_because_it_was_answered_meanwhile() -> None:
    world = launched(hello(more=STEPS), people=1)
    world.work_off()
    world.now = NOON + timedelta(days=2)
    world.launch()
    world.queue.waiting = [body for body in world.queue.waiting if json.loads(body)["step"]]
    world.deliveries.write = no_more  # type: ignore[assignment, method-assign]
    with pytest.raises(Crashed):
        world.deliver()
    del world.deliveries.write
    world.bought["c00"] = date(2026, 11, 26)
    world.now += LIFE + timedelta(seconds=1)
    world.deliver()
    assert (len(world.email.out), world.status("c00", step=1)) == (2, "unknown")


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
