"""Stand-ins for what senders write to, and the rows that they would find there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from threading import Lock
from typing import Any

from dangol.aws.profiles import BLOCKED, contact_item, marks_of, profile_of
from dangol.campaigns.caps import Cap
from dangol.campaigns.definition import Campaign
from dangol.campaigns.gate import Profile, ProfileChanged
from dangol.campaigns.items import Shelves
from dangol.campaigns.loading import load_campaign
from dangol.campaigns.settings import Settings
from dangol.ledger.contact import Contact
from dangol.moves.campaign.deliver import Deliverer
from dangol.moves.campaign.launch import Doors, Launcher
from dangol.moves.campaign.messages import Batch, Delivery, Grant, Overtaken, Quota, Run, RunState, Status
from dangol.moves.campaign.posts import Letter, Outcome, Sent, Terms
from dangol.moves.campaign.rounds import LIFE, Clock, Outside
from dangol.shop import Shop

from tests.fakes import Crash, Crashed, FakeBus
from tests.messages import SENDER, known


class FakeProfiles:
    """Table `Profiles` in memory; conditional writes are, as in DynamoDB, one at a time."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.written: list[str] = []
        """Whom `put_contacts` and `remove` were told, in order."""
        self._lock = Lock()

    def put_contacts(self, contacts: Sequence[Contact]) -> None:
        for contact in contacts:
            if BLOCKED in self._row(contact.customer_id):
                continue
            kept = {name: value for name, value in self._row(contact.customer_id).items() if name in _OWN}
            self.rows[contact.customer_id] = {**kept, **contact_item(contact), "customer_id": contact.customer_id}
            self._raise_revision(contact.customer_id)
            self.written.append(contact.customer_id)

    def remove(self, customer_ids: Sequence[str]) -> None:
        for customer_id in customer_ids:
            if BLOCKED not in self._row(customer_id):
                self.rows.pop(customer_id, None)
            self.written.append(f"-{customer_id}")

    def block(self, customer_ids: Sequence[str]) -> int:
        replaced = sum(BLOCKED not in self._row(one) and one in self.rows for one in customer_ids)
        self.rows |= {one: {"customer_id": one, BLOCKED: True} for one in customer_ids}
        return replaced

    def unblock(self, customer_ids: Sequence[str]) -> None:
        for customer_id in customer_ids:
            self.rows.pop(customer_id, None)

    def read(self, customer_ids: Sequence[str]) -> dict[str, Profile]:
        there = [one for one in customer_ids if one in self.rows and BLOCKED not in self.rows[one]]
        return {customer_id: profile_of(self.rows[customer_id]) for customer_id in there}

    def mark(self, profile: Profile) -> Profile:
        with self._lock:
            row = self.rows.get(profile.customer_id)
            if row is None or BLOCKED in row:
                raise ProfileChanged(None)
            if row["revision"] != profile.revision:
                raise ProfileChanged(profile_of(row))
            self.rows[profile.customer_id] = row | {name[1:]: value for name, value in marks_of(profile).items()}
            self._raise_revision(profile.customer_id)
            return profile_of(self.rows[profile.customer_id])

    def note(self, customer_id: str, **values: Any) -> None:
        """Set attributes as unsubscribing and suppressing do."""
        with self._lock:
            self.rows[customer_id] |= values
            self._raise_revision(customer_id)

    def _is_known(self, customer_id: str) -> bool:
        return BLOCKED not in self.rows.get(customer_id, {BLOCKED: True})

    def _row(self, customer_id: str) -> dict[str, Any]:
        return self.rows.get(customer_id, {})

    def _raise_revision(self, customer_id: str) -> None:
        row = self.rows[customer_id]
        row["revision"] = row.get("revision", 0) + 1

    def unsubscribe(self, customer_id: str, channel: str, at: datetime) -> None:
        seconds, name = int(at.timestamp()), f"unsubscribed_{channel}"
        if self._is_known(customer_id) and self.rows[customer_id].get(name, 0) < seconds:
            self.note(customer_id, **{name: seconds})

    def retire(self, customer_id: str, channel: str, address: str) -> None:
        if self._is_known(customer_id):
            self.note(customer_id, **{f"dead_{channel}": address})


_OWN = (
    *("revision", "claims", "sent", "reached"),
    *("unsubscribed_email", "unsubscribed_push", "dead_email", "dead_push"),
)
"""Attributes that are not the ledger's."""


class FakeCampaigns:
    """Campaigns and Calls in memory. Each call takes effect whole or not at all, as in DynamoDB."""

    def __init__(self) -> None:
        self.looks: dict[str, datetime] = {}
        self.paused: set[str] = set()
        self.runs: dict[str, Run] = {}
        self.opened: set[str] = set()
        self.settled: set[str] = set()
        self.waiting: dict[tuple[datetime, str], str] = {}
        self.calls: dict[str, str] = {}
        self._lock = Lock()

    def looked_at(self, campaign: str) -> datetime | None:
        return self.looks.get(campaign)

    def look(self, campaign: str, at: datetime) -> None:
        self.looks[campaign] = at

    def is_paused(self, campaign: str) -> bool:
        return campaign in self.paused

    def create(self, run: Run) -> bool:
        with self._lock:
            if run.id in self.runs:
                return False
            self.runs[run.id] = run
            self.opened.add(run.id)
            return True

    def find(self, run_id: str) -> Run | None:
        return self.runs.get(run_id)

    def open_runs(self) -> list[Run]:
        return [self.runs[run_id] for run_id in sorted(self.opened)]

    def advance(self, before: Run, after: Run) -> bool:
        with self._lock:
            now = self.runs[before.id]
            if (now.bucket, now.after, now.state) != (before.bucket, before.after, RunState.LAUNCHING):
                return False
            added = {"batches": now.batches + after.batches, "tallies": now.tallies + after.tallies}
            self.runs[before.id] = replace(now, state=after.state, bucket=after.bucket, after=after.after)
            self.runs[before.id] = replace(self.runs[before.id], recipients=after.recipients, **added)
            return True

    def settle(self, batch: Batch, counts: Mapping[str, int]) -> None:
        with self._lock:
            if batch.id not in self.settled:
                self.settled.add(batch.id)
                run = self.runs[batch.run]
                total = Counter(run.counts) + Counter(counts)
                self.runs[batch.run] = replace(run, batches=run.batches - 1, counts=dict(total))

    def count(self, batch: Batch, tally: Mapping[str, int]) -> None:
        with self._lock:
            if batch.id not in self.settled:
                self.settled.add(batch.id)
                run = self.runs[batch.run]
                total = dict(Counter(run.tally) + Counter(tally))
                self.runs[batch.run] = replace(run, batches=run.batches - 1, tallies=run.tallies - 1, tally=total)

    def choose(self, run_id: str, winners: Mapping[str, str]) -> Mapping[str, str]:
        with self._lock:
            run = self.runs[run_id]
            if run.winners is None:
                self.runs[run_id] = run = replace(run, winners=dict(winners))
            return run.winners or {}

    def close(self, run: Run) -> None:
        with self._lock:
            now = self.runs[run.id]
            if (now.bucket, now.after) == (run.bucket, run.after):
                self.runs[run.id] = replace(now, state=run.state, reason=run.reason or now.reason)
                self.opened.discard(run.id)

    def cancel(self, run: Run) -> bool:
        with self._lock:
            now = self.runs[run.id]
            if now.state is not RunState.LAUNCHING and not (now.state is RunState.SENDING and now.batches > 0):
                return False
            self.runs[run.id] = replace(now, state=RunState.CANCELLED)
            return True

    def wait(self, batches: Sequence[Batch], until: datetime) -> None:
        minute = (until + timedelta(seconds=59)).replace(second=0, microsecond=0)
        for batch in batches:
            self.waiting[minute, batch.rest_id] = json.dumps(batch.as_dict())

    def due(self, now: datetime) -> list[tuple[object, Batch]]:
        ripe = sorted(key for key in self.waiting if key[0] <= now)
        return [(key, Batch.from_dict(json.loads(self.waiting[key]))) for key in ripe]

    def forget(self, key: Any) -> None:
        self.waiting.pop(key, None)

    def begin(self, call: str) -> bool:
        with self._lock:
            return self.calls.setdefault(call, "begun") == "begun"

    def give_up(self, call: str) -> bool:
        with self._lock:
            return self.calls.setdefault(call, "given up") == "given up"


class FakeDeliveries:
    """Table `Deliveries` in memory: by (run, customer, channel, step)."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str, int], Delivery] = {}
        self.written = 0

    def read(self, run: str, step: int, channel: str, customers: Sequence[str]) -> dict[str, Delivery]:
        keys = {person: (run, person, channel, step) for person in customers}
        return {person: self.rows[key] for person, key in keys.items() if key in self.rows}

    def write(self, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            self.rows[one.run, one.customer_id, one.channel, one.step] = one
            self.written += 1

    def note(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        return [self._note(one) for one in deliveries]

    def _note(self, one: Delivery) -> Delivery:
        key = (one.run, one.customer_id, one.channel, one.step)
        if key not in self.rows or self.rows[key].status is Status.DEFERRED:
            self.write([one])
        return self.rows[key]


class FakeNoticeList:
    """NoticeList in memory."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[str, ...]] = {}

    def put(self, part: str, people: Sequence[str]) -> None:
        self.parts[part] = tuple(people)

    def waiting(self, after: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield from [(part, self.parts[part]) for part in sorted(self.parts) if after is None or part > after]

    def forget(self, part: str) -> None:
        self.parts.pop(part, None)


class FakePost:
    """A way out that keeps what went out, and answers as it is told."""

    def __init__(self, size: int = 3) -> None:
        self.size = size
        self.out: list[tuple[str, str, str]] = []
        """(run, customer, title) of each message that the service took."""
        self.shown: list[tuple[str, str, str, tuple[str, ...]]] = []
        """The same with the names of the items in it."""
        self.calls: list[int] = []
        """Letters of each call."""
        self.answers: Callable[[Letter], Outcome] = lambda letter: Sent(f"m-{letter.profile.customer_id}")

    def send(self, letters: list[Letter], terms: Terms) -> list[Outcome]:
        self.calls.append(len(letters))
        outcomes = [self.answers(letter) for letter in letters]
        took = [letter for letter, outcome in zip(letters, outcomes, strict=True) if isinstance(outcome, Sent)]
        self.out += [(terms.run, letter.profile.customer_id, letter.content.title) for letter in took]
        names = (tuple(item.name for item in letter.content.items) for letter in took)
        self.shown += [(*one, items) for one, items in zip(self.out[-len(took) :], names, strict=True)] if took else []
        return outcomes


class FakeAudience:
    """Who is in which segment, in four parts."""

    buckets = 4

    def __init__(self) -> None:
        self.members: dict[str, list[str]] = {}

    def page(self, segment: str, bucket: int, after: str | None, limit: int) -> tuple[list[str], bool]:
        people = sorted(self.members.get(segment, []))[bucket :: self.buckets]
        rest = [person for person in people if after is None or person > after]
        return rest[:limit], len(rest) > limit


class FakeBatches:
    """BatchQueue: what waits, as JSON, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def put(self, batches: Sequence[Batch]) -> None:
        self.waiting += [json.dumps(batch.as_dict()) for batch in batches]

    def delete(self, body: str) -> None:
        """A sender is done with it; it may have come to others as well."""
        if body in self.waiting:
            self.waiting.remove(body)


class Allowance:
    """Quota of so many in all, each a `pace` after the other."""

    def __init__(self, left: int, pace: timedelta = timedelta()) -> None:
        self.left = left
        self._pace = pace

    def take(self, wanted: int, now: datetime, latest: datetime) -> Grant:
        count = min(wanted, self.left)
        self.left -= count
        return Grant(count, now + count * self._pace)


HELLO = """
id: {id}
name: {{ko: 인사, en: Hello}}
segment: loyal
purpose: {purpose}
schedule: {{every: day, at: "12:00", time_zone: Asia/Seoul}}
channels:
  email: [{{id: a, subject: "[고객명]님, 안녕하세요", body: 반가워요.}}]
  push: [{{id: a, title: 안녕하세요, body: 반가워요.}}]
{more}
"""
CHANNELS = """
  email: [{id: a, subject: "[고객명]님, 안녕하세요", body: 반가워요.}]
  push: [{id: a, title: 안녕하세요, body: 반가워요.}]
"""
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""In Seoul; when campaign `hello` is due."""


@cache
def hello(campaign: str = "hello", purpose: str = "advertising", more: str = "", channels: str = CHANNELS) -> Campaign:
    """A small campaign by e-mail and push."""
    text = HELLO.format(id=campaign, purpose=purpose, more=more).replace(CHANNELS, channels)
    return load_campaign(text.encode(), f"config/campaigns/{campaign}.yaml", known(NOON - timedelta(days=1)))


TWO_MAILS = """
  email: [{id: a, subject: 가, body: 반가워요.}, {id: b, subject: 나, body: 반가워요.}]
"""


def contest(by: str = "clicks", share: float = 0.5, steps: str = "") -> Campaign:
    """`hello` with two variants of its e-mail, of which the better one goes to the rest after four hours."""
    more = f"winner: {{by: {by}, after: 4 hours, share: {share}}}\n{steps}"
    return hello(more=more, channels=f"{TWO_MAILS.rstrip()}\n{CHANNELS.strip().splitlines()[1]}\n")


def settings(cap: Cap | None = None) -> Settings:
    """A shop that has filled in who writes."""
    return Settings("KR", SENDER, {"email": cap, "push": cap} if cap else {})


class FakeRecipients:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data


class SendingWorld:
    """A shop that sends: everything of AWS in memory, the real launcher and deliverer, and a clock of its own."""

    def __init__(self, *campaigns: Campaign, cap: Cap | None = None) -> None:
        self.definitions = {campaign.id: campaign for campaign in campaigns or (hello(),)}
        self.settings = settings(cap)
        self.now = NOON
        self.profiles = FakeProfiles()
        self.campaigns = FakeCampaigns()
        self.deliveries = FakeDeliveries()
        self.audience = FakeAudience()
        self.notices = FakeNoticeList()
        self.queue = FakeBatches()
        self.bus = FakeBus()
        self.recipients: Any = FakeRecipients()
        self.email, self.push = FakePost(), FakePost()
        self.quotas: list[Quota] = []
        self.bought: dict[str, Any] = {}
        self.shelves, self.shelves_read = Shelves(), 0
        self.obstacle: str | None = None
        self.crash: Crash | None = None
        self.slept = 0.0
        self._calls = count()

    def people(self, number: int, **row: Any) -> list[str]:
        """So many members of segment `loyal` who consent to everything; `row` changes their profiles."""
        ids = [f"c{n:02d}" for n in range(number)]
        self.audience.members["loyal"] = ids
        for person in ids:
            self.profiles.rows[person] = profile_row(person) | row
        return ids

    def door(self, door: Any) -> Any:
        return self.crash.watch(door) if self.crash else door

    def launcher(self) -> Launcher:
        audience = self._with("buckets", self.audience)
        outward = (self.door(self.queue), self.door(self.bus), self.door(self.recipients))
        doors = (self.door(self.campaigns), audience, *outward)
        known = Doors(*doors, lambda campaign: self.obstacle, self.door(self.notices))
        return Launcher(known, self.definitions, self.settings, self._tick)

    def deliverer(self) -> Deliverer:
        outside = Outside(
            campaigns=self.door(self.campaigns),
            profiles=self.door(self.profiles),
            book=self.door(self.profiles),
            deliveries=self.door(self.deliveries),
            calls=self.door(self.campaigns),
            posts={"email": self._post(self.email), "push": self._post(self.push)},
            quota=lambda campaign, channel: self.quotas,
            queue=self.door(self.queue),
            purchases=lambda people: {person: self.bought[person] for person in people if person in self.bought},
            shelves=self._read_shelves,
            links=lambda batch, person: {},
        )
        clock = Clock(self._tick, self._sleep)
        return Deliverer(outside, self.definitions, self.settings, Shop(), clock, lambda: f"call-{next(self._calls)}")

    def launch(self) -> Counter[str]:
        return self.launcher().look(timedelta(minutes=5))

    def deliver(self) -> None:
        """Take the oldest batch of the queue."""
        self.deliverer().take(Batch.from_dict(json.loads(self.queue.waiting[0])), LIFE)
        del self.queue.waiting[0]

    def work_off(self) -> None:
        """Take batches until none is left; who dies or is overtaken comes again when its message reappears."""
        while self.queue.waiting:
            try:
                self.deliver()
            except (Crashed, Overtaken):
                self.now += timedelta(minutes=30)

    def until(self, moment: datetime) -> None:
        """Launch and deliver each quarter of an hour."""
        while self.now < moment:
            self.now += timedelta(minutes=15)
            self.launch()
            self.work_off()

    def status(self, person: str, channel: str = "email", step: int = 0, run: str = "") -> str:
        """What is recorded of a message: 'sent', 'skipped no_consent' and so on."""
        found = self.deliveries.rows[run or "hello-20261124T0300Z", person, channel, step]
        return " ".join(filter(None, (found.status, found.reason)))

    def _post(self, post: FakePost) -> Any:
        return self._with("size", post)

    def _with(self, attribute: str, door: Any) -> Any:
        """A watched door has methods only; this one keeps an attribute as well."""
        watched = self.door(door)
        watched.__dict__[attribute] = getattr(door, attribute)
        return watched

    def _read_shelves(self) -> Shelves:
        self.shelves_read += 1
        return self.shelves

    def _tick(self) -> datetime:
        return self.now

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += timedelta(seconds=seconds)


def profile_row(person: str, name: str | None = None) -> dict[str, Any]:
    """A row of `Profiles`: somebody who consents to everything."""
    given = {"answer": "given", "on": "2026-01-01"}
    return {
        "customer_id": person,
        "name": name or f"손님{person}",
        "email": f"{person}@example.com",
        "push_token": f"token-{person}",
        "push_platform": "fcm",
        "consents": {"email": given, "push": given, "night_push": given},
        "revision": 1,
    }
