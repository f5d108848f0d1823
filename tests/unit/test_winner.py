"""The winner of variants: tried on a share, chosen once, sent to the rest; never twice, whatever crashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from dangol.campaigns import winner
from dangol.campaigns.definition import Campaign
from dangol.campaigns.winner import in_test
from dangol.moves.campaign import launch
from dangol.moves.campaign.contest import PATIENCE
from dangol.moves.campaign.messages import RunState, Status

from tests.fakes import Crash, Crashed, Meanwhile
from tests.senders import NOON, SendingWorld, contest

RUN = "hello-20261124T0300Z"
OVER = NOON + timedelta(hours=4)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, and a contest that few can decide."""
    monkeypatch.setattr(launch, "PART", 10)
    monkeypatch.setattr(winner, "MIN_SENT", 2)
    monkeypatch.setattr(winner, "MIN_ANSWERS", 1)


def tried(world: SendingWorld) -> list[str]:
    return [person for person in world.profiles.rows if in_test(person, world.definitions["hello"])]


def answer(world: SendingWorld, variant: str) -> None:
    """Everybody who got a variant clicks."""
    for key, one in world.deliveries.rows.items():
        if one.status is Status.SENT and one.channel == "email" and one.variant == variant:
            world.deliveries.rows[key] = replace(one, answers=frozenset({"clicked"}))


def variants(world: SendingWorld, people: list[str]) -> set[str | None]:
    return {world.deliveries.rows[RUN, person, "email", 0].variant for person in people}


def to_test(people: int = 40, made: Campaign | None = None) -> SendingWorld:
    """A world in which the test was sent."""
    world = SendingWorld(made or contest())
    world.people(people)
    world.launch()
    world.work_off()
    return world


def end(world: SendingWorld) -> None:
    while world.campaigns.runs[RUN].state is not RunState.COMPLETED:
        world.now += timedelta(minutes=2)
        world.launch()
        world.work_off()


def test_the_rest_gets_the_variant_on_which_more_clicked() -> None:
    world = to_test()
    first = tried(world)
    assert {person for _, person, _ in world.email.out} == set(first)
    assert {person for _, person, _ in world.push.out} == set(first)
    assert variants(world, first) == {"a", "b"}
    answer(world, "b")
    world.until(OVER - timedelta(minutes=15))
    assert len(world.email.out) == len(first)
    world.now = OVER
    end(world)
    rest = [person for person in world.profiles.rows if person not in first]
    assert variants(world, rest) == {"b"}
    run = world.campaigns.runs[RUN]
    assert (run.winners, run.tallies) == ({"email": "b"}, 0)
    assert sum(number for name, number in run.tally.items() if name.endswith("sent")) == len(first)
    assert Counter(person for _, person, _ in world.email.out) == dict.fromkeys(world.profiles.rows, 1)
    assert run.counts == {"sent": 80}


def test_without_a_winner_the_rest_gets_the_variants_by_weight() -> None:
    world = to_test()
    world.now = OVER
    end(world)
    rest = [person for person in world.profiles.rows if not in_test(person, world.definitions["hello"])]
    assert (variants(world, rest), world.campaigns.runs[RUN].winners) == ({"a", "b"}, {})


def test_purchases_count_from_the_day_of_the_run() -> None:
    world = to_test(made=contest("purchases"))
    for person in tried(world):
        got_b = world.deliveries.rows[RUN, person, "email", 0].variant == "b"
        world.bought[person] = date(2026, 11, 24) if got_b else date(2026, 11, 23)
    world.now = OVER
    end(world)
    assert world.campaigns.runs[RUN].winners == {"email": "b"}


def test_the_rest_waits_until_all_is_counted_but_not_for_ever() -> None:
    world = to_test()
    answer(world, "b")
    world.now = OVER
    world.launch()
    tallies = [body for body in world.queue.waiting if '"tally"' in body]
    world.queue.waiting = [body for body in world.queue.waiting if '"tally"' not in body]
    world.work_off()
    assert len(world.email.out) == len(tried(world))
    world.until(OVER + PATIENCE + timedelta(minutes=15))
    assert len(world.email.out) == 40
    assert world.campaigns.runs[RUN].winners == {}
    world.queue.waiting = tallies
    world.work_off()
    assert world.campaigns.runs[RUN].winners == {}


def test_later_messages_and_expiry_of_the_rest_count_from_its_own_beginning() -> None:
    steps = "steps: [{after: 2 days, channels: {email: [{id: c, subject: 다, body: 또 만나요.}]}}]\n"
    world = to_test(made=contest(steps=steps))
    second = {at for at, batch in world.campaigns.waiting if "#1#" in batch}
    assert second == {NOON + timedelta(days=2), OVER + timedelta(days=2)}
    world.now = OVER + timedelta(hours=23)
    end(world)
    got = Counter(person for run, person, _ in world.email.out if run == RUN)
    assert got == dict.fromkeys(world.profiles.rows, 2)


def test_a_cancelled_run_counts_and_sends_no_more() -> None:
    world = to_test()
    world.campaigns.runs[RUN] = replace(world.campaigns.runs[RUN], state=RunState.CANCELLED)
    world.now = OVER
    for _ in range(4):
        world.launch()
        world.work_off()
    assert len(world.email.out) == len(tried(world))
    assert world.bus.of("Campaign Completed")[0]["state"] == "cancelled"


def test_a_contest_that_was_taken_out_meanwhile_sends_by_weight() -> None:
    world = to_test()
    world.definitions["hello"] = replace(contest(), winner=None)
    world.now = OVER
    end(world)
    assert set(Counter(person for _, person, _ in world.email.out).values()) == {1}


@pytest.mark.parametrize("halfway", [False, True])
def test_a_kill_anywhere_doubles_nothing_and_all_of_the_rest_get_the_same(halfway: bool) -> None:
    whole = to_test(16)
    answer(whole, "b")
    whole.now, whole.crash = OVER, Crash()
    end(whole)
    for at in range(len(whole.crash.calls)):
        world = to_test(16)
        answer(world, "b")
        world.now, world.crash = OVER, Crash(at, halfway)
        while world.campaigns.runs[RUN].state is not RunState.COMPLETED:
            try:
                end(world)
            except Crashed:
                continue
        assert set(Counter(person for _, person, _ in world.email.out).values()) == {1}, world.crash.struck
        first = tried(world)
        rest = [person for person in world.profiles.rows if person not in first]
        assert variants(world, rest) <= {"b", None}, world.crash.struck
        assert world.campaigns.runs[RUN].winners == {"email": "b"}


def test_two_senders_of_the_rest_use_one_choice() -> None:
    count = Crash()
    world = to_test()
    answer(world, "b")
    world.now, world.crash = OVER, count
    end(world)
    stored = [n for n, (name, _) in enumerate(count.calls) if name == "FakeCampaigns.choose"]
    assert len(stored) == 1 + sum(name == "FakeCampaigns.choose" for name, _ in count.calls[stored[0] + 1 :])
    world = to_test()
    answer(world, "b")

    def other(world: SendingWorld = world) -> None:
        world.campaigns.choose(RUN, {"email": "a"})

    world.now, world.crash = OVER, Meanwhile(stored[0] - 1, other)
    end(world)
    rest = [person for person in world.profiles.rows if person not in tried(world)]
    assert variants(world, rest) == {"a"}
