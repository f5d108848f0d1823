"""Promise 7 in any order of things: senders, launchers and others side by side, of whom some die, call by call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from dangol.campaigns.caps import Cap
from dangol.ledger.contact import Contact
from dangol.moves.campaign import launch, sending
from dangol.moves.campaign.messages import Batch, Delivery, Overtaken, RunState
from dangol.moves.campaign.posts import Letter, NotNow, Outcome, Refused, Sent, Terms, Unsure
from dangol.moves.campaign.rounds import LIFE, LOOK_AGAIN
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.interleaving import ENDS, TURNS, Turn, Turns
from tests.senders import NOON, Allowance, FakePost, SendingWorld, hello

BY_EMAIL = "\n  email: [{id: a, subject: 안녕하세요, body: 반가워요.}]\n"
IDS = ("hello", "again")
OVER = NOON + timedelta(hours=20)
"""By then all is told of a run; a message stays fresh for longer."""


@dataclass(frozen=True)
class Scene:
    """What goes on at once."""

    takes: tuple[int, ...]
    """Senders: which batch of the queue each takes."""
    others: frozenset[str]
    """What else happens, each as a process of its own."""
    turns: list[Turn]
    end: str
    """What becomes of who has not come to an end."""
    until_next: timedelta


@dataclass(frozen=True)
class Play:
    """A run, or two of two campaigns, with all that happens to it."""

    people: int
    campaigns: int
    capped: bool
    launched: bool
    """Before all else."""
    quota: int
    """What there is leave for, until the last scene is over."""
    answers: list[str]
    """Of the mail service, to one message after the other; later ones are sent."""
    scenes: list[Scene]


NOBODY: frozenset[str] = frozenset()
PAUSES = st.sampled_from([timedelta(seconds=1), LIFE + timedelta(seconds=2), LOOK_AGAIN + timedelta(minutes=1)])
TAKES = st.lists(st.sampled_from([0, 0, 1]), min_size=1, max_size=3).map(tuple)
OTHERS = st.frozensets(st.sampled_from(["launch", "launch as well", "unsubscribe", "refresh", "cancel"]), max_size=2)
SENDERS = st.builds(Scene, st.sampled_from([(0,), (0, 0), (0, 0, 0)]), st.just(NOBODY), TURNS, ENDS, PAUSES)
ONE_BATCH = st.builds(
    Play,
    people=st.integers(1, 2),
    campaigns=st.just(1),
    capped=st.just(False),
    launched=st.just(True),
    quota=st.just(100),
    answers=st.just([]),
    scenes=st.lists(SENDERS, min_size=2, max_size=3),
)
"""Senders of one batch and nobody else, again and again."""
EVERYTHING = st.builds(
    Play,
    people=st.integers(1, 3),
    campaigns=st.integers(1, 2),
    capped=st.booleans(),
    launched=st.sampled_from([True, True, False]),
    quota=st.sampled_from([100, 100, 2]),
    answers=st.lists(st.sampled_from(["sent", "sent", "not now", "soon", "lost", "refused"]), max_size=6),
    scenes=st.lists(st.builds(Scene, TAKES, OTHERS, TURNS, ENDS, PAUSES), min_size=1, max_size=3),
)
ANSWERS: dict[str, Outcome] = {
    "sent": Sent("m"),
    "not now": NotNow("quota", soon=False),
    "soon": NotNow("throttled", soon=True),
    "lost": Unsure(),
    "refused": Refused("message_rejected"),
}


class MailService(FakePost):
    """Keeps the letters that it took, also those of which it could not tell any more."""

    def __init__(self, says: list[str]) -> None:
        super().__init__()
        self._says = list(says)
        self.took: list[tuple[tuple[str, str], Letter]] = []
        """With (run, customer)."""
        self.untold: set[tuple[str, str]] = set()

    def send(self, letters: list[Letter], terms: Terms) -> list[Outcome]:
        outcomes = []
        for letter in letters:
            said, message = self._says.pop(0) if self._says else "sent", (terms.run, letter.profile.customer_id)
            outcomes.append(ANSWERS[said])
            if said in ("sent", "lost"):
                self.took.append((message, letter))
            if said == "lost":
                self.untold.add(message)
        return outcomes


class Stage:
    """A shop in which a play is performed."""

    def __init__(self, play: Play) -> None:
        self.play = play
        campaigns = [hello(name, channels=BY_EMAIL) for name in IDS[: play.campaigns]]
        self.world = SendingWorld(*campaigns, cap=Cap(1, timedelta(days=3)) if play.capped else None)
        self.people = self.world.people(play.people)
        self.turns, self.mail, self.allowance = Turns(), MailService(play.answers), Allowance(play.quota)
        self.slow = False
        """Whether a sender lived longer than one can."""
        self.world.campaigns.looks = dict.fromkeys(self.world.definitions, NOON - timedelta(hours=1))
        if play.launched:
            self.world.launch()
        self.world.crash, self.world.email = self.turns, self.mail
        self.world.quotas = [self.turns.watch(self.allowance)]

    def perform(self) -> None:
        for scene in self.play.scenes:
            for which in scene.takes:
                self.turns.start(self._sender(which))
            for other in sorted(scene.others):
                self.turns.start(self._other(other))
            self.turns.run(scene.turns, scene.end)
            self.slow |= self.turns.going_on and scene.until_next > LIFE
            self.world.now += scene.until_next
        self.turns.finish()

    def wind_up(self) -> None:
        """Nothing happens any more but what the schedule and the queue do."""
        self.world.now += LIFE
        self.allowance.left = 1000
        while self.world.campaigns.opened or not self.world.campaigns.runs:
            assert self.world.now < OVER, "a run that has no end"
            self.world.launch()
            self.world.work_off()
            self.world.now += timedelta(minutes=15)
        self.world.launch()

    def _sender(self, which: int) -> Callable[[], None]:
        deliverer, queue = self.world.deliverer(), self.turns.watch(self.world.queue)

        def work() -> None:
            if waiting := self.world.queue.waiting:
                body = waiting[which % len(waiting)]
                with suppress(Overtaken):
                    deliverer.take(Batch.from_dict(json.loads(body)), LIFE)
                    queue.delete(body)

        return work

    def _other(self, what: str) -> Callable[[], object]:
        launcher, profiles = self.world.launcher(), self.turns.watch(self.world.profiles)
        campaigns = self.turns.watch(self.world.campaigns)
        values = {"name": "새 이름", "email": "c00@example.com", "email_answer": "given", "email_on": "2026-01-01"}
        happens: dict[str, Callable[[], object]] = {
            "launch": lambda: launcher.look(LIFE),
            "launch as well": lambda: launcher.look(LIFE),
            "unsubscribe": lambda: profiles.unsubscribe("c00", "email", NOON),
            "refresh": lambda: profiles.put_contacts([Contact("c00", values)]),
            "cancel": lambda: [campaigns.cancel(run) for run in campaigns.open_runs()],
        }
        return happens[what]


def check(stage: Stage) -> None:
    """What promise 7 promises."""
    world, took = stage.world, Counter(message for message, _ in stage.mail.took)
    assert stage.turns.errors == []
    happened = {call.name.partition(".")[2] for call in stage.turns.made}
    assert not [message for message, times in took.items() if times > 1], "twice"
    assert all(letter.profile.unsubscribed == {} for _, letter in stage.mail.took), "to whom had unsubscribed"
    rows = {(one.run, one.customer_id): one for one in world.deliveries.rows.values()}
    began = {call.arguments[0]: call.process for call in stage.turns.made if call.name == "FakeCampaigns.begin"}
    for run in world.campaigns.runs.values():
        told = world.bus.of("Campaign Completed")
        assert {event["state"] for event in told if event["run_id"] == run.id} == {run.state.value}
        if stage.play.launched or run.state is RunState.COMPLETED:
            assert all((run.id, person) in rows for person in stage.people), "vanished"
        if not stage.slow and "cancel" not in happened:
            assert run.state is RunState.COMPLETED
            assert run.counts == Counter(how(one) for one in rows.values() if one.run == run.id), "counts"
    for message, one in rows.items():
        status, (run_id, person) = how(one), message
        expected = {"sent", "unknown", "failed message_rejected"}
        expected |= {"skipped no_consent"} if person == "c00" and "unsubscribe" in happened else set()
        expected |= {"skipped frequency_cap"} if stage.play.capped and stage.play.campaigns > 1 else set()
        expected |= {"skipped cancelled"} if "cancel" in happened else set()
        assert status in expected
        if status != "unknown":
            assert took[message] == (status == "sent"), status
        elif not stage.slow:
            call = world.profiles.rows[person]["claims"][f"{run_id}#0#email"][0]
            assert message in stage.mail.untold or began[call] in stage.turns.dead, "unknown for no reason"
    if stage.play.capped:
        assert max(Counter(person for _, person in took).values(), default=0) <= 1, "more than the cap"


def how(delivery: Delivery) -> str:
    return " ".join(filter(None, (delivery.status, delivery.reason)))


def perform(play: Play) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "PART", 2)
        patch.setattr(sending.logger, "disabled", True)
        stage = Stage(play)
        patch.setattr(sending, "ThreadPoolExecutor", stage.turns.pool)
        stage.perform()
        stage.wind_up()
    check(stage)


@settings(max_examples=300, deadline=None)
@given(ONE_BATCH)
def test_senders_of_one_batch_that_die_and_take_over_send_each_message_once_or_say_that_it_is_unknown(
    play: Play,
) -> None:
    perform(play)


@settings(max_examples=300, deadline=None)
@given(EVERYTHING)
def test_whatever_happens_meanwhile_a_message_goes_out_once_at_most_and_never_vanishes(play: Play) -> None:
    perform(play)
