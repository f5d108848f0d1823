"""Campaign `hello`, launched, and its senders: one after the other, beside each other, and dead."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from dangol.moves.campaign.messages import Batch, Overtaken
from dangol.moves.campaign.rounds import LIFE

from tests.fakes import Crash, Crashed
from tests.senders import NOON, SendingWorld

RUN = "hello-20261124T0300Z"
SECOND = timedelta(seconds=1)
STEPS = """
steps:
  - after: 2 days
    unless: [clicked, purchased]
    channels: {email: [{id: b, subject: 다시 인사드려요, body: 반가워요.}]}
"""


def launched(*args: object, people: int = 7, **row: object) -> SendingWorld:
    """A world in which campaign `hello` is launched and nothing is sent yet."""
    world = SendingWorld(*args)  # type: ignore[arg-type]
    world.people(people, **row)
    world.launch()
    return world


def twice(sent: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Who got something of a run more than once."""
    return [key for key, times in Counter((run, person) for run, person, _ in sent).items() if times > 1]


def everybody(world: SendingWorld) -> list[tuple[str, str]]:
    return [(channel, person) for channel in ("email", "push") for person in world.profiles.rows]


def take(world: SendingWorld, batch: Batch) -> None:
    """A sender goes at a batch, at which another may be as well."""
    with suppress(Overtaken):
        world.deliverer().take(batch, LIFE)


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


def hello_batch() -> dict[str, object]:
    about = {"run": RUN, "campaign": "hello", "run_at": NOON.isoformat(), "step": 0, "channel": "email"}
    return about | {"part": "p", "customers": [], "counts": {}}
