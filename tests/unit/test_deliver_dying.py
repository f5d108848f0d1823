"""Deliver: senders that die or meet others, and runs that are stopped; whatever happens a message goes out once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from dangol.moves.campaign.messages import Batch, Delivery, Overtaken, RunState, Status
from dangol.moves.campaign.rounds import LIFE

from tests.delivering import RUN, SECOND, STEPS, everybody, launched, left_by_a_dead_sender, take, twice
from tests.fakes import Crash, Crashed, Meanwhile, RightAfter
from tests.senders import NOON, Allowance, SendingWorld, hello


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
