"""Launching: each due tick once, its whole audience, whatever crashes or runs at once."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from dangol.moves.campaign import launch
from dangol.moves.campaign.messages import RunState

from tests.fakes import Crash, Crashed, Meanwhile, RightAfter
from tests.schemas import problems
from tests.senders import NOON, SendingWorld, hello

RUN = "hello-20261124T0300Z"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "PART", 4)


def asked_for(world: SendingWorld) -> Counter[tuple[str, str]]:
    """How often the batches on the queue name each person, by channel."""
    batches = map(json.loads, world.queue.waiting)
    return Counter((batch["channel"], person) for batch in batches for person in batch["customers"])


def test_a_due_campaign_is_launched_once_for_everybody_in_its_segment() -> None:
    world = SendingWorld()
    people = world.people(11)
    assert world.launch() == {"created": 1, "launched": 1}
    assert asked_for(world) == {(channel, person): 1 for channel in ("email", "push") for person in people}
    assert {len(json.loads(body)["customers"]) for body in world.queue.waiting} == {4, 3}
    run = world.campaigns.runs[RUN]
    assert (run.state, run.recipients, run.batches) == (RunState.SENDING, 11, 6)
    assert world.launch() == {"under way": 1}
    assert len(world.queue.waiting) == 6


def test_before_its_time_and_after_its_catch_up_nothing_is_launched() -> None:
    world = SendingWorld()
    world.people(1)
    world.now = NOON - timedelta(minutes=1)
    assert world.launch() == {}
    world.now = NOON + timedelta(hours=7)  # a launcher that stood still
    assert world.launch() == {}
    assert world.campaigns.runs == {}


def test_a_missed_tick_is_caught_up_and_the_next_day_is_another_run() -> None:
    world = SendingWorld()
    world.people(1)
    world.campaigns.looks["hello"] = NOON - timedelta(hours=1)
    world.now = NOON + timedelta(hours=3)
    world.launch()
    world.now = NOON + timedelta(days=1)
    world.launch()
    assert list(world.campaigns.runs) == [RUN, "hello-20261125T0300Z"]


def test_a_campaign_that_has_just_gone_live_does_not_run_what_was_before_it() -> None:
    world = SendingWorld()
    world.now = NOON + timedelta(hours=1)
    assert world.launch() == {}


def test_two_launchers_at_once_launch_once() -> None:
    count = Crash()
    world = SendingWorld()
    world.people(11)
    world.crash = count
    world.launch()
    for at in range(len(count.calls)):
        world = SendingWorld()
        people = world.people(11)

        def other(world: SendingWorld = world) -> None:
            world.crash = None
            world.launch()

        world.crash = Meanwhile(at, other)
        world.launch()
        world.crash = None
        world.work_off()
        world.launch()
        world.launch()
        assert Counter(person for _, person, _ in world.email.out) == dict.fromkeys(people, 1)
        assert list(world.campaigns.runs) == [RUN]
        assert world.campaigns.runs[RUN].state is RunState.COMPLETED
        assert world.campaigns.runs[RUN].recipients == 11
        assert world.campaigns.runs[RUN].counts == {"sent": 22}


def test_a_run_that_another_launcher_created_and_senders_worked_off_meanwhile_is_not_created_anew() -> None:
    world = SendingWorld()
    people = world.people(3)

    def others() -> None:
        world.launch()
        world.work_off()

    world.crash = RightAfter("FakeCampaigns.looked_at", others)
    world.launch()
    world.work_off()
    world.launch()
    run = world.campaigns.runs[RUN]
    assert (run.state, run.batches, run.counts) == (RunState.COMPLETED, 0, {"sent": 2 * len(people)})


def test_a_launcher_whose_run_is_cancelled_meanwhile_hands_out_no_further_part() -> None:
    world = SendingWorld()
    world.people(11)
    world.crash = RightAfter("FakeCampaigns.advance", lambda: world.campaigns.cancel(world.campaigns.runs[RUN]))
    assert world.launch() == {"created": 1, "launched by another": 1}
    assert len(world.queue.waiting) == 4  # by e-mail and push, the first part and the one under way
    world.work_off()
    assert (world.email.out, world.push.out) == ([], [])


@pytest.mark.parametrize("halfway", [False, True])
def test_a_launcher_killed_anywhere_is_finished_by_the_next(halfway: bool) -> None:
    count = Crash()
    world = SendingWorld()
    world.people(11)
    world.crash = count
    world.launch()
    world.work_off()
    world.launch()
    for at in range(len(count.calls)):
        world = SendingWorld()
        people = world.people(11)
        world.crash = Crash(at, halfway)
        for _ in range(4):
            try:
                world.launch()
                world.work_off()
            except Crashed:
                world.now += timedelta(minutes=1)
        got = Counter(person for _, person, _ in world.email.out)
        unsure = [key[1] for key, one in world.deliveries.rows.items() if one.status == "unknown" and key[2] == "email"]
        assert set(got) | set(unsure) == set(people)
        assert set(got.values()) == {1}
        assert world.campaigns.runs[RUN].state is RunState.COMPLETED
        told = world.bus.of("Campaign Completed")
        assert {event["sent"] for event in told} == {world.campaigns.runs[RUN].counts["sent"]}


def test_who_left_a_segment_between_two_launchers_gets_what_is_put_off_or_an_end_to_it() -> None:
    """The first one handed out a part with them and died; in the next one's they were not."""
    world = SendingWorld()
    world.people(3, consents={"push": {"answer": "given", "on": "2026-01-01"}})

    def dies(*_: object) -> bool:
        raise Crashed

    world.campaigns.advance = dies  # type: ignore[method-assign]
    with pytest.raises(Crashed):
        world.launch()
    del world.campaigns.advance
    world.audience.members["loyal"] = ["c01", "c02"]
    world.launch()
    world.now = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # half past nine in the evening
    world.work_off()
    world.until(datetime(2026, 11, 24, 23, 15, tzinfo=UTC))
    assert Counter(person for _, person, _ in world.push.out) == {"c00": 1, "c01": 1, "c02": 1}


def waiting_for_the_morning() -> SendingWorld:
    """A push that the night has deferred, at eight o'clock."""
    world = SendingWorld()
    world.people(1, consents={"push": {"answer": "given", "on": "2026-01-01"}})
    world.launch()
    world.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    world.work_off()
    ((world.now, _),) = world.campaigns.waiting
    return world


def test_a_launcher_killed_anywhere_wakes_what_waits_once() -> None:
    whole = waiting_for_the_morning()
    whole.crash = Crash()
    whole.launch()
    for at in range(len(whole.crash.calls)):
        world = waiting_for_the_morning()
        world.crash = Crash(at)
        with pytest.raises(Crashed):
            world.launch()
        world.crash = None
        world.launch()
        world.work_off()
        assert [person for _, person, _ in world.push.out] == ["c00"]


def test_a_run_that_is_over_tells_with_its_numbers() -> None:
    world = SendingWorld(hello(more="holdout: 0.5"))
    people = world.people(8)
    del world.profiles.rows["c03"]
    world.launch()
    world.work_off()
    world.launch()
    (event,) = world.bus.of("Campaign Completed")
    assert problems("campaign-completed", [event]) == []
    held_out = event["skipped"]["holdout"]
    assert event["skipped"] == {"no_profile": 2, "holdout": held_out}
    assert event["sent"] + held_out + 2 == 2 * len(people)
    assert (event["recipients"], event["failed"], event["unknown"], event["state"]) == (8, 0, 0, "completed")
    assert world.launch() == {}
    assert len(world.bus.events) == 1


def test_what_a_person_must_mend_first_refuses_the_run_with_the_reason() -> None:
    world = SendingWorld()
    world.people(2)
    world.obstacle = "SES has not verified the sender"
    assert world.launch() == {"created": 1, "refused": 1}
    run = world.campaigns.runs[RUN]
    assert (run.state, run.reason, world.queue.waiting) == (RunState.REFUSED, "SES has not verified the sender", [])
    assert world.launch() == {}


def test_what_another_launcher_launched_meanwhile_is_not_refused_any_more() -> None:
    world = SendingWorld()
    people = world.people(2)

    def other() -> None:
        world.launch()
        world.obstacle = "SES cannot be asked"

    world.crash = RightAfter("FakeCampaigns.open_runs", other)
    world.launch()
    world.obstacle = None
    world.work_off()
    world.launch()
    assert (world.campaigns.runs[RUN].state, world.campaigns.runs[RUN].reason) == (RunState.COMPLETED, None)
    assert Counter(person for _, person, _ in world.email.out) == dict.fromkeys(people, 1)
    assert len(world.bus.of("Campaign Completed")) == 1


def test_a_run_that_a_launcher_refused_before_it_died_stays_refused() -> None:
    world = SendingWorld()
    world.obstacle = "SES has not verified the sender"
    world.launch()
    world.campaigns.opened.add(RUN)  # taken off last
    assert world.launch() == {"refused": 1}
    assert (world.campaigns.runs[RUN].state, world.campaigns.opened, world.bus.events) == (RunState.REFUSED, set(), [])


def test_a_sender_that_is_not_filled_in_refuses_the_run() -> None:
    from dangol.campaigns.settings import default_settings

    world = SendingWorld()
    world.people(2)
    world.settings = default_settings()
    world.launch()
    assert "fill in the sender's email, phone, address, url" in (world.campaigns.runs[RUN].reason or "")
    assert world.queue.waiting == []


def test_a_paused_campaign_is_not_launched_and_does_not_catch_up_when_it_goes_on() -> None:
    world = SendingWorld()
    world.people(2)
    world.campaigns.paused.add("hello")
    assert world.launch() == {}
    world.campaigns.paused.clear()
    world.now += timedelta(minutes=5)
    assert world.launch() == {}


def test_an_empty_segment_makes_a_run_without_messages() -> None:
    world = SendingWorld()
    world.launch()
    world.launch()
    assert (world.campaigns.runs[RUN].state, world.bus.of("Campaign Completed")[0]["recipients"]) == ("completed", 0)


def test_a_campaign_that_was_removed_ends_its_run() -> None:
    world = SendingWorld()
    world.people(2)
    world.launcher().look(timedelta(seconds=1))  # no time to read the audience
    world.definitions.clear()
    world.launch()
    assert world.campaigns.runs[RUN].reason == "there is no such campaign any more"
