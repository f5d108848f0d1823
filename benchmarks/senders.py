"""Senders of a made-up shop on the local AWS, for benchmarks.campaigns: tables, services, and who kills them."""

import json
import random
import urllib.request
from collections import Counter
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
from dangol.moves.campaign.rounds import LIFE, Clock, Outside
from dangol.moves.messages import Membership
from dangol.shop import Shop

from examples.sandbox.local_aws import LocalAws
from tests.fakes import FakeBus
from tests.senders import NOON, FakeBatches, FakeNoticeList, FakeRecipients, profile_row, settings

TABLES = {
    "memberships": ("segment_bucket", "customer_id"),
    "runs": ("kind", "id"),
    "profiles": ("customer_id",),
    "deliveries": ("run_customer", "channel"),
}
SENDERS = 4
CATEGORY = "아우터"


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
        self._before = self._all()

    def begin(self) -> None:
        """Count from here on."""
        self._before = self._all()

    def mails(self) -> int:
        """How many mails SES has taken since."""
        return self._all() - self._before

    def _all(self) -> int:
        with urllib.request.urlopen(f"{self._aws.endpoint}/_ministack/ses/messages") as answer:
            found = json.loads(answer.read())
        return sum(len(mails) for mails in found["messages"].values())


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
        if services:
            services.begin()
        self.email = Service(inner=services.email if services else None)
        self.push = Service(inner=services.push if services else None)
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
