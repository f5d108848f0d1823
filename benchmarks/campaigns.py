"""Campaigns under load on the local AWS: nothing doubled, nothing lost, and what it costs.

DynamoDB is the local AWS's, through the adapters that are deployed; SES and SNS are stand-ins that keep what they were
given, so that every message can be accounted for, and that throttle when told to. With `--services` they hand it on to
the SES and SNS of the local AWS, and what SES then has is counted too.

    python -m benchmarks.campaigns --people 10000 [--services]
"""

import argparse
import json
import random
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from threading import Lock
from typing import Any, ClassVar

from dangol.aws.batch_queue import DynamoAudience
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.deliveries import DynamoDeliveries
from dangol.aws.mail import SesMailer
from dangol.aws.profiles import DynamoProfiles
from dangol.aws.pushes import SnsPusher
from dangol.aws.tables import DynamoServingTables
from dangol.campaigns.caps import Cap
from dangol.campaigns.content import Item
from dangol.campaigns.definition import Campaign
from dangol.campaigns.items import Shelves
from dangol.moves.campaign.deliver import Deliverer
from dangol.moves.campaign.launch import Doors, Launcher
from dangol.moves.campaign.messages import Batch, Overtaken
from dangol.moves.campaign.posts import EmailPost, Letter, NotNow, Outcome, Post, PushPost, Sent, Terms
from dangol.moves.campaign.rounds import Clock, Outside
from dangol.moves.campaign.sending import LIFE
from dangol.moves.messages import Membership
from dangol.shop import Shop

from examples.sandbox.local_aws import LocalAws
from tests.fakes import FakeBus
from tests.senders import NOON, FakeBatches, FakeNoticeList, FakeRecipients, hello, profile_row, settings

TABLES = {
    "memberships": ("segment_bucket", "customer_id"),
    "runs": ("kind", "id"),
    "profiles": ("customer_id",),
    "deliveries": ("run_customer", "channel"),
}
SENDERS = 4
CATEGORY = "아우터"
SHOWN = """
  email: [{id: a, subject: "[고객명]님, 안녕하세요", body: 반가워요., items: last_category}]
  push: [{id: a, title: 안녕하세요, body: "{{ items }}", items: cart}]
"""


def shelves() -> Shelves:
    """Ten thousand products, through the object that senders read."""
    products = {
        f"P{n:08d}": Item(f"P{n:08d}", f"캐시미어 코트 {n}", f"https://dangol.kr/{n}", "", Decimal(n), CATEGORY)
        for n in range(10_000)
    }
    return Shelves.from_bytes(Shelves(products, categories={CATEGORY: tuple(products)[:24]}).to_bytes())


class Killed(Exception):
    """The sender died here."""


@dataclass
class Service:
    """SES or SNS: keeps what it took; throttles a share of its calls."""

    throttled: float = 0.0
    size: int = 50
    took: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (run, customer)."""
    calls: int = 0
    items: Counter[str] = field(default_factory=Counter)
    """Shown, by customer."""
    lock: Any = field(default_factory=Lock)
    inner: Post | None = None
    """Where messages are handed on to."""

    def send(self, letters: list[Letter], terms: Terms) -> list[Outcome]:
        with self.lock:
            self.calls += 1
            if random.random() < self.throttled:
                return [NotNow("throttled", soon=True)] * len(letters)
        outcomes = self.inner.send(letters, terms) if self.inner else [Sent("m") for _ in letters]
        taken = [letter for letter, outcome in zip(letters, outcomes, strict=True) if isinstance(outcome, Sent)]
        with self.lock:
            self.took.update((terms.run, letter.profile.customer_id) for letter in taken)
            self.items.update({letter.profile.customer_id: len(letter.content.items) for letter in taken})
        return outcomes


class Fate:
    """Kills senders: at one call of `every` on average, whatever it is to, before or after it took effect."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.kills = 0

    def watch(self, door: Any) -> Any:
        return _Fated(door, self)


class _Fated:
    def __init__(self, door: Any, fate: Fate) -> None:
        self.__dict__.update({"_door": door, "_fate": fate, "size": getattr(door, "size", 0)})

    def __getattr__(self, name: str) -> Any:
        method, fate = getattr(self._door, name), self._fate
        if not callable(method):
            return method

        def call(*arguments: Any) -> Any:
            doomed = random.random() * fate.every < 1
            if doomed and random.random() < 0.5:
                fate.kills += 1
                raise Killed(name)
            answer = method(*arguments)
            if doomed:
                fate.kills += 1
                raise Killed(name)
            return answer

        return call


class Services:
    """SES and SNS of the local AWS, through the adapters that are deployed."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        ses, sns = aws.client("sesv2"), aws.client("sns")
        ses.create_email_identity(EmailIdentity="dangol.kr")
        ses.create_configuration_set(ConfigurationSetName="benchmark")
        app = sns.create_platform_application(Name="b", Platform="GCM", Attributes={"PlatformCredential": "k"})
        url = "https://example.lambda-url.ap-northeast-2.on.aws/"
        self.email = EmailPost(SesMailer(ses, "benchmark"), url, b"k" * 32)
        self.push = PushPost(SnsPusher(sns, {"fcm": app["PlatformApplicationArn"]}), lambda: NOON)
        self._seen: Counter[str] = Counter()

    def mails(self) -> Counter[str]:
        """How many mails SES has for each address that it had not when asked last."""
        with urllib.request.urlopen(f"{self._aws.endpoint}/_ministack/ses/messages") as answer:
            found = json.loads(answer.read())
        every = Counter(mail["To"][0] for mails in found["messages"].values() for mail in mails)
        new, self._seen = every - self._seen, every
        return new


class World:
    """The tables of one shop on the local AWS."""

    services: ClassVar[Services | None] = None

    def __init__(
        self,
        aws: LocalAws,
        people: int,
        *campaigns: Campaign,
        cap: Cap | None = None,
        own: dict[str, Any] | None = None,
    ) -> None:
        self.resource = aws.resource("dynamodb")
        self.units: Counter[str] = Counter()
        for table, keys in TABLES.items():
            self._make(table, keys)
        self.resource.meta.client.meta.events.register("before-parameter-build.dynamodb", _ask_for_capacity)
        self.resource.meta.client.meta.events.register("after-call.dynamodb", self._count)
        self.campaigns = DynamoCampaigns(self.resource, "runs")
        self.profiles, self.deliveries = (
            DynamoProfiles(self.resource, "profiles"),
            DynamoDeliveries(self.resource, "deliveries"),
        )
        self.definitions = {campaign.id: campaign for campaign in campaigns}
        self.settings, self.queue, self.bus = settings(cap), FakeBatches(), FakeBus()
        services = self.services
        self.email = Service(inner=services.email if services else None)
        self.push = Service(inner=services.push if services else None)
        self.counted = 0
        self.now, self.fate = NOON, None
        self.people = [f"customer-{n:06d}" for n in range(people)]
        self.shelves = shelves() if own else Shelves()
        self._fill({"products": own, "last_category": CATEGORY} if own else {})
        self.units.clear()

    def _make(self, table: str, keys: tuple[str, ...]) -> None:
        client = self.resource.meta.client
        if table in client.list_tables()["TableNames"]:
            client.delete_table(TableName=table)
        schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
        attributes = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
        client.create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=attributes, KeySchema=schema
        )

    def _fill(self, more: dict[str, Any]) -> None:
        serving = DynamoServingTables(self.resource, "customers", "memberships")
        serving.put_memberships([Membership("loyal", person, NOON.date()) for person in self.people])
        with self.resource.Table("profiles").batch_writer() as writer:
            for person in self.people:
                writer.put_item(Item=profile_row(person, "김단골") | more)

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        """Write units that DynamoDB says a call took, or, where it does not say, as many as its rules make of it."""
        if "Get" in model.name or model.name == "Query":
            return
        found = parsed.get("ConsumedCapacity") or []
        for one in found if isinstance(found, list) else [found]:
            self.units[one["TableName"]] += one["CapacityUnits"]

    def door(self, door: Any) -> Any:
        return self.fate.watch(door) if self.fate else door

    def launcher(self) -> Launcher:
        audience = DynamoAudience(self.resource.Table("memberships"))
        doors = Doors(self.campaigns, audience, self.queue, self.bus, FakeRecipients(), _nothing, FakeNoticeList())
        return Launcher(doors, self.definitions, self.settings, lambda: self.now)

    def deliverer(self) -> Deliverer:
        door = self.door
        outside = Outside(
            door(self.campaigns),
            door(self.profiles),
            door(self.profiles),
            door(self.deliveries),
            door(self.campaigns),
            {"email": door(self.email), "push": door(self.push)},
            _no_quota,
            door(self.queue),
            lambda _: {},
            lambda: self.shelves,
            lambda *_: {},
        )
        names = count()
        return Deliverer(
            outside,
            self.definitions,
            self.settings,
            Shop(),
            Clock(lambda: self.now, _nothing),
            lambda: f"{random.getrandbits(64):x}-{next(names)}",
        )

    def launch(self) -> None:
        self.launcher().look(timedelta(hours=1))

    def work_off(self, senders: int = SENDERS) -> None:
        """All senders at once take batches until none is left; who dies comes again when its message reappears."""
        while self.queue.waiting:
            bodies, self.queue.waiting = self.queue.waiting, []
            with ThreadPoolExecutor(senders) as pool:
                again = [body for body in pool.map(self._take, bodies) if body]
            if again:
                self.now += LIFE + timedelta(minutes=1)
            self.queue.waiting += again

    def _take(self, body: str) -> str | None:
        try:
            self.deliverer().take(Batch.from_dict(json.loads(body)), LIFE)
        except (Killed, Overtaken):
            return body
        return None

    def statuses(self) -> Counter[str]:
        """Recorded outcomes, all campaigns together."""
        pages = self.resource.meta.client.get_paginator("scan").paginate(TableName="deliveries")
        return Counter(
            " ".join(filter(None, (item["status"], item.get("reason")))) for page in pages for item in page["Items"]
        )

    def doubled(self) -> int:
        """Messages that went out more than once."""
        return sum(times > 1 for service in (self.email, self.push) for times in service.took.values())


def _nothing(_: object) -> None:
    """Nothing is wrong, and nobody sleeps."""


def _no_quota(*_: object) -> tuple[()]:
    return ()


def _ask_for_capacity(params: dict[str, Any], model: Any, **_: Any) -> None:
    if "ReturnConsumedCapacity" in model.input_shape.members:
        params["ReturnConsumedCapacity"] = "TOTAL"


def report(name: str, world: World, seconds: float, messages: int, **more: object) -> bool:
    """Print what became of a part's messages; whether each went out once at most and all are accounted for."""
    statuses, doubled = world.statuses(), world.doubled()
    out = sum(world.email.took.values()) + sum(world.push.took.values())
    facts = {"went out": out, "doubled": doubled, **dict(statuses), **more, "seconds": round(seconds, 1)}
    agree = True
    if world.services:
        mails = world.services.mails()
        agree = mails.total() == world.email.took.total() - world.counted and len(mails) in (0, len(world.people))
        world.counted = world.email.took.total()
        facts["mails that SES has"] = mails.total()
    print(f"{name}: {', '.join(f'{key} {value}' for key, value in facts.items())}", flush=True)
    return (
        not doubled
        and agree
        and statuses.total() == messages
        and statuses["sent"] <= out <= statuses["sent"] + statuses["unknown"]
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def once(aws: LocalAws, people: int) -> bool:
    """Everybody, then every message of the queue twice more."""
    world = World(aws, people, hello())
    world.launch()
    bodies, before = list(world.queue.waiting), world.units.total()
    seconds = timed(world.work_off)
    calls, units = world.email.calls / people * 1000, (world.units.total() - before) / (2 * people) * 1000
    costs = {"SES calls per 1,000": round(calls, 1), "write units per 1,000": round(units)}
    kept = report("once", world, seconds, 2 * people, **costs)
    world.queue.waiting = bodies * 2
    again = report("every message of the queue twice more", world, timed(world.work_off), 2 * people)
    return kept and again and calls <= 21 and units <= 3500


def shown(aws: LocalAws, people: int) -> bool:
    """The same with items in every message, for people who did something and for people who did all there is."""
    kept = True
    for words, bought, wanted in (("five products bought, two wanted", 5, 2), ("forty bought, eighteen wanted", 40, 6)):
        own = {kind: [f"P{n:08d}" for n in range(wanted)] for kind in ("cart", "wishlist", "restocked")[: wanted // 2]}
        own["bought"] = [f"P{n:08d}" for n in range(1000, 1000 + bought)]
        world = World(aws, people, hello(channels=SHOWN), own={"last": "P00001000", **own})
        world.launch()
        before = world.units.total()
        seconds = timed(world.work_off)
        units = (world.units.total() - before) / (2 * people) * 1000
        items = sum(world.email.items.values()) / people
        costs = {"write units per 1,000": round(units), "items a mail": items}
        kept = report(f"items, {words}", world, seconds, 2 * people, **costs) and units <= 3500 and kept
    return kept


def killed(aws: LocalAws, people: int) -> bool:
    """Senders that die at random points."""
    world = World(aws, people, hello())
    world.launch()
    world.fate = Fate(100)
    seconds = timed(world.work_off)
    kept = report("senders killed at random", world, seconds, 2 * people, kills=world.fate.kills)
    return kept and world.fate.kills >= min(200, people // 100)


def throttled(aws: LocalAws, people: int) -> bool:
    """A third of the calls to SES and SNS throttled."""
    world = World(aws, people, hello())
    world.email.throttled = world.push.throttled = 1 / 3
    world.launch()
    seconds = timed(world.work_off)
    return report("a third of the calls throttled", world, seconds, 2 * people, calls=world.email.calls)


def launched_twice(aws: LocalAws, people: int) -> bool:
    """Two launchers at once."""
    world = World(aws, people, hello())
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: world.launch(), range(2)))
    world.work_off()
    return report("two launchers at once", world, time.perf_counter() - began, 2 * people)


def capped(aws: LocalAws, people: int) -> bool:
    """Ten campaigns at once against a cap of five, for a tenth of the people."""
    people //= 10
    world = World(aws, people, *(hello(f"campaign_{n}") for n in range(10)), cap=Cap(5, timedelta(days=7)))
    world.launch()
    random.shuffle(world.queue.waiting)
    seconds = timed(lambda: world.work_off(10))
    mails = Counter(person for _, person in world.email.took)
    each = sorted(set(mails.values()))
    kept = report("ten campaigns, a cap of five", world, seconds, 20 * people, **{"mails per person": each})
    return kept and each == [5] and len(mails) == people


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--services", action="store_true", help="send through SES and SNS of the local AWS")
    options = parser.parse_args()
    random.seed(1)
    with LocalAws.start() as aws:
        World.services = Services(aws) if options.services else None
        kept = [part(aws, options.people) for part in (once, shown, killed, throttled, launched_twice, capped)]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
