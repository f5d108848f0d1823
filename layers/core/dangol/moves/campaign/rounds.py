"""One go at a batch: what is known of its messages, what is noted of them, and what is left for later."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dangol.campaigns.decision import Reason
from dangol.campaigns.definition import Campaign
from dangol.campaigns.gate import Calls, Profile, ProfileBook, is_fresh, message_id_of
from dangol.campaigns.items import Shelves
from dangol.moves.campaign.messages import (
    Batch,
    BatchQueue,
    Campaigns,
    Deliveries,
    Delivery,
    Overtaken,
    Profiles,
    Quota,
    Status,
)
from dangol.moves.campaign.posts import Post

LIFE = timedelta(minutes=5)
"""The longest that a sender lives: the function's timeout."""
LOOK_AGAIN = timedelta(minutes=15)
"""Whom a cap or a quota stops is looked at no more often."""

Purchases = Callable[[Sequence[str]], Mapping[str, date]]
"""The day of the last order of customers, as far as known."""


@dataclass(frozen=True, slots=True)
class Outside:
    """The doors of a deliverer."""

    campaigns: Campaigns
    profiles: Profiles
    book: ProfileBook
    deliveries: Deliveries
    calls: Calls
    posts: Mapping[str, Post]
    """By channel."""
    quota: Callable[[Campaign, str], Sequence[Quota]]
    """What messages of a campaign on a channel are counted against."""
    queue: BatchQueue
    purchases: Purchases
    shelves: Callable[[], Shelves]
    """What messages can show, as last written."""
    links: Callable[[Batch, str], Mapping[str, str]]
    """A person's signed links to answer the invitation of a campaign, by name; none where it has none or it is over."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, which tests have run as they want."""

    now: Callable[[], datetime]
    sleep: Callable[[float], object]


class Round:
    """One go at a batch: what is known of its messages, and what is left."""

    def __init__(self, outside: Outside, batch: Batch, clock: Clock) -> None:
        self._outside, self._batch, self._clock = outside, batch, clock
        self._known = outside.deliveries.read(batch.run, batch.step, batch.channel, batch.customers)
        self._notes: list[Delivery] = []
        self._left: dict[str, datetime] = {}
        """Who is asked again, and when."""
        self._overtaken = False
        """Whether another sender has claimed a message, and may still be at it."""

    def cancel(self) -> Mapping[str, int]:
        """Skip all who have not got it. Of whom a dead sender may have sent it to, that is recorded."""
        people = self._open()
        profiles = self._outside.profiles.read(people)
        for person in people:
            self._cancel_one(person, profiles.get(person))
        return self._finish(())

    def _cancel_one(self, person: str, profile: Profile | None) -> None:
        batch = self._batch
        claim = profile.claims.get(message_id_of(batch.run, batch.step, batch.channel)) if profile else None
        if claim and is_fresh(claim, self._clock.now(), LIFE):
            self._overtaken = True
        elif claim and not self._outside.calls.give_up(claim.call):
            self._note(person, Status.UNKNOWN)
        else:
            self._note(person, Status.SKIPPED, Reason.CANCELLED)

    def _open(self) -> list[str]:
        """Those about whom nothing final is known."""
        known = self._known
        people = dict.fromkeys(self._batch.customers)
        return [p for p in people if p not in known or known[p].status is Status.DEFERRED]

    def _note(
        self,
        person: str,
        status: Status,
        reason: str | None = None,
        variant: str | None = None,
        message_id: str | None = None,
        until: datetime | None = None,
    ) -> None:
        batch, before = self._batch, self._known.get(person)
        about = (batch.run, person, batch.channel, batch.step, status, self._clock.now())
        found = Delivery(*about, reason, variant, message_id, until)
        if before is None or replace(before, at=found.at) != found:
            self._known[person] = found
            self._notes.append(found)

    def _write_notes(self) -> None:
        """Write what was noted. What became of a message stays if the sender who claimed it recorded it meanwhile."""
        self._outside.deliveries.write([one for one in self._notes if one.variant])  # which only that sender knows
        for found in self._outside.deliveries.note([one for one in self._notes if not one.variant]):
            self._known[found.customer_id] = found
            if found.status is not Status.DEFERRED:
                self._left.pop(found.customer_id, None)
        self._notes = []

    def _finish(self, unseen: Iterable[str]) -> Mapping[str, int]:
        """Record everything, keep who is left for later, and count the batch once nobody is.

        Raises Overtaken when another sender is at some: they are looked at when the batch comes again.
        """
        self._write_notes()
        if self._overtaken:
            raise Overtaken
        now, batch = self._clock.now(), self._batch
        left = dict.fromkeys(unseen, now) | self._left
        final = [self._known[person] for person in batch.customers if person not in left]
        counts = Counter(batch.counts) + Counter(" ".join(filter(None, (d.status, d.reason))) for d in final)
        if not left:
            self._outside.campaigns.settle(batch, counts)
            return counts
        rest = replace(batch, customers=tuple(left), counts=counts)
        until = min(left.values())
        self._outside.queue.put([rest]) if until <= now else self._outside.campaigns.wait([rest], until)
        return counts
