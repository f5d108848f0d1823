"""The stand-ins that tests of senders rely on answer as DynamoDB does, whatever is done in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import boto3
import pytest
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.deliveries import DynamoDeliveries
from dangol.aws.profiles import DynamoProfiles
from dangol.campaigns.gate import Claim, ProfileChanged
from dangol.ledger.contact import Contact
from dangol.moves.campaign.launch import new_run
from dangol.moves.campaign.messages import Batch, Delivery, RunState, Status

from tests.integration.conftest import Aws
from tests.senders import NOON, FakeCampaigns, FakeDeliveries, FakeProfiles

NUMBERS = count()
"""Tables are kept from one example to the next: each has people and runs of its own."""


def both(fake: Any, table: Any, do: Callable[[Any, list[Any]], object], seen: tuple[list[Any], list[Any]]) -> None:
    """Do the same to both, each with what it answered before; they answer the same."""
    answers = [do(door, known) for door, known in zip((fake, table), seen, strict=True)]
    assert answers[0] == answers[1]


def test_profiles(aws: Aws) -> None:
    steps = [
        *[("put", 0), ("unsubscribe", 1), ("unsubscribe", 0), ("unsubscribe", 2), ("unsubscribe", 2)],
        *[("mark", 0), ("mark", 1), ("mark", 2), ("retire", 0), ("mark", 1), ("mark", 0), ("put", 1), ("mark", 1)],
        *[("block", 0), ("unsubscribe", 3), ("retire", 1), ("put", 2), ("mark", 0), ("remove", 0), ("block", 0)],
        *[("unblock", 0), ("unsubscribe", 3), ("retire", 0), ("mark", 0), ("put", 0), ("mark", 0), ("remove", 0)],
        *[("mark", 0), ("put", 3), ("mark", 1), ("unsubscribe", 0)],
    ]
    person, doors = f"c{next(NUMBERS)}", (FakeProfiles(), DynamoProfiles(boto3.resource("dynamodb"), aws.profiles))
    contact = {"email": "a@example.com", "email_answer": "given", "email_on": "2026-01-01"}
    seen: tuple[list[Any], list[Any]] = ([], [])
    for what, number in steps:
        at = NOON + timedelta(minutes=number)

        def mark(book: Any, known: list[Any], at: Any = at, number: int = number) -> object:
            """With a row that was read at some time before."""
            if len(known) <= number:
                return None
            claims = {f"m{number}": Claim("call", at, at)}
            try:
                return book.mark(replace(known[-1 - number], claims=claims, sent={"email": (at,)}, reached={}))
            except ProfileChanged as changed:
                return changed.now

        does: dict[str, Callable[[Any, list[Any]], object]] = {
            "put": lambda book, _, n=number: book.put_contacts([Contact(person, {**contact, "name": f"이름{n}"})]),
            "mark": mark,
            "unsubscribe": lambda book, _, at=at: book.unsubscribe(person, "email", at),
            "retire": lambda book, _, n=number: book.retire(person, "email", f"{n}@example.com"),
            "remove": lambda book, _: book.remove([person]),
            "block": lambda book, _: book.block([person]),
            "unblock": lambda book, _: book.unblock([person]),
        }
        both(*doors, does[what], seen)
        both(*doors, lambda book, known: known.extend(book.read([person]).values()) or known[-1:], seen)


@pytest.mark.parametrize("before", [None, *Status])
def test_deliveries(aws: Aws, before: Status | None) -> None:
    steps = [(0, before, True)] if before else []
    steps += [(who, status, certain) for status in Status for certain in (False, True) for who in (0, 1)]
    number, table = next(NUMBERS), DynamoDeliveries(boto3.resource("dynamodb"), aws.deliveries)
    doors, people = (FakeDeliveries(), table), [f"a{number}", f"b{number}"]
    for who, status, certain in steps:
        one = Delivery("hello-1", people[who], "email", 0, status, NOON, message_id=f"m{status}")
        write: Callable[[Any, list[Any]], object] = lambda book, _, one=one: book.write([one])  # noqa: E731
        note: Callable[[Any, list[Any]], object] = lambda book, _, one=one: book.note([one])  # noqa: E731
        both(*doors, write if certain else note, ([], []))
        both(*doors, lambda book, _: book.read("hello-1", 0, "email", people), ([], []))


TWO_PARTS = [("create", 0), ("advance", 0), ("advance", 1), ("close", 2), ("choose", 0), ("choose", 1), ("advance", 2)]


@pytest.mark.parametrize(
    "steps",
    [
        [*TWO_PARTS, ("advance", 0), ("settle", 0), ("settle", 2), ("cancel", 0), ("cancel", 1), ("close", 2)],
        [*TWO_PARTS, ("settle", 0), ("settle", 1), ("settle", 0), ("cancel", 0), ("close", 0), ("cancel", 0)],
        [*TWO_PARTS, ("count", 0), ("count", 2), ("count", 1), ("cancel", 0), ("advance", 1), ("close", 0)],
        [("create", 0), ("create", 1), ("cancel", 0), ("advance", 0), ("cancel", 0), ("close", 2), ("close", 1)],
        [("create", 0), ("close", 1), ("advance", 0), ("create", 0), ("cancel", 0), ("close", 0), ("settle", 0)],
        [(what, number) for number in (0, 1) for what in ("begin", "give_up", "begin")],
        [("give_up", 0), ("begin", 0), ("give_up", 0), ("begin", 1), ("begin", 1), ("give_up", 2), ("give_up", 2)],
        [("wait", 0), ("wait", 0), ("wait", 1), ("wait", 2), ("forget", 0), ("forget", 0), ("wait", 2)],
    ],
)
def test_campaigns_and_calls(aws: Aws, steps: list[tuple[str, int]]) -> None:
    name, doors = f"hello_{next(NUMBERS)}", (FakeCampaigns(), DynamoCampaigns(boto3.resource("dynamodb"), aws.runs))
    run = new_run(name, NOON)
    seen: tuple[list[Any], list[Any]] = ([run], [run])
    states = (RunState.LAUNCHING, RunState.LAUNCHING, RunState.SENDING)
    ends = (RunState.COMPLETED, RunState.REFUSED, RunState.CANCELLED)
    for what, number in steps:

        def read(known: list[Any], number: int = number) -> Any:
            """The run as it was read at some time before."""
            return known[max(-1 - number, -len(known))]

        def moved(known: list[Any], number: int = number, read: Any = read) -> Any:
            now = read(known)
            return replace(now, bucket=now.bucket + 1, after=f"c{number}", batches=1, state=states[number])

        batch = Batch(run.id, name, NOON, 0, "email", f"p{number % 2}", (f"c{number}",))
        due = NOON + timedelta(seconds=30 * (number % 2))
        does: dict[str, Callable[[Any, list[Any]], object]] = {
            "create": lambda book, _: book.create(run),
            "advance": lambda book, known, read=read, moved=moved: book.advance(read(known), moved(known)),
            "settle": lambda book, _, batch=batch: book.settle(batch, {"sent": 1, "skipped no_consent": 2}),
            "count": lambda book, _, batch=batch: book.count(replace(batch, channel="push"), {"email a sent": 1}),
            "choose": lambda book, _, n=number: book.choose(run.id, {"email": f"v{n}"}),
            "close": lambda book, known, read=read, n=number: book.close(replace(read(known), state=ends[n])),
            "cancel": lambda book, known, read=read: book.cancel(read(known)),
            "begin": lambda book, _, n=number: book.begin(f"{name} {n}"),
            "give_up": lambda book, _, n=number: book.give_up(f"{name} {n}"),
            "wait": lambda book, _, batch=batch, due=due: book.wait([batch], due),
            "forget": lambda book, _, due=due: book.forget(next((key for key, _ in book.due(due)), "nothing")),
        }
        both(*doors, does[what], seen)
        both(*doors, lambda book, known: known.append(book.find(run.id)) or known[-1], seen)
    both(*doors, lambda book, _: [one.id for one in book.open_runs() if one.id == run.id], seen)
    for seconds in (0, 60):
        both(*doors, lambda book, _, at=NOON + timedelta(seconds=seconds): waiting(book, name, at), seen)


def waiting(book: Any, campaign: str, until: datetime) -> list[str]:
    return sorted(batch.rest_id for _, batch in book.due(until) if batch.campaign == campaign)
