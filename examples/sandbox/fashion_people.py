"""Who the customers of the made-up fashion store are: `customers.csv`, with subscribers who never bought."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from examples.sandbox.fashion_words import GIVEN_NAMES_OF_MEN, cities, names
from examples.sandbox.fashion_year import ARCHETYPES, Customer, Order, Year

COLUMNS = (
    "고객번호", "고객명", "이메일", "휴대전화", "성별", "생년월일", "도시", "가입일",
    "이메일 수신동의", "이메일 동의일시", "푸시 수신동의", "푸시 동의일시", "야간 푸시 수신동의",
    "푸시토큰", "푸시플랫폼",
)  # fmt: skip
BROWSING = tuple(kind for kind in ARCHETYPES if kind.name in ("occasional", "one-time"))
"""What subscribers who never bought look at."""
PER_BUYER = 0.2
"""Subscribers who never bought."""
GUESTS = 0.08
"""Of the buyers, those who never became members: they are in the order files only."""
UNKNOWN = 0.12
"""Of the members, those who do not say their gender; as many do not say their birthday, or where they live."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the store. An empty text is what the person does not say."""

    customer: Customer
    gender: str
    birthday: date | None
    city: str
    subscribed_on: date
    accepts_email: bool
    accepts_push: bool
    accepts_night_push: bool
    platform: str
    """The telephone's: android or ios."""


def make_people(year: Year) -> list[Person]:
    """The members: most buyers, since their first order or somewhat before, and subscribers who never bought."""
    rng = np.random.default_rng([year.seed, 1])
    first = _first_orders(year.orders)
    buyers = [order.customer for order in first.values()]
    count = max((int(buyer.id[1:]) for buyer in buyers), default=0)
    members = [(buyer, _joined(rng, first[buyer.id].at.date())) for buyer in buyers if rng.random() >= GUESTS]
    subscribers = _subscribers(rng, count + 1, round(PER_BUYER * count))
    members += [(subscriber, year.today - timedelta(int(rng.integers(401)))) for subscriber in subscribers]
    places = cities(rng, len(members))
    return [
        _person(rng, customer, on, place, year.today) for (customer, on), place in zip(members, places, strict=True)
    ]


def _first_orders(orders: Sequence[Order]) -> dict[str, Order]:
    """The first order of each customer, by customer id."""
    first = {order.customer.id: order for order in reversed(orders)}
    return {customer_id: first[customer_id] for customer_id in sorted(first)}


def _joined(rng: np.random.Generator, first_order: date) -> date:
    return first_order - timedelta(int(rng.choice((0, 0, 0, 1, 7, 30, 60))))


def _subscribers(rng: np.random.Generator, first: int, count: int) -> Iterator[Customer]:
    """So many who never bought, with the ids after those of the buyers."""
    for number, (name, latin) in enumerate(names(rng, count), start=first):
        kind = BROWSING[number % len(BROWSING)]
        email, phone = f"{latin}{number}@example.com", f"010-0000-{number % 10_000:04d}"
        yield Customer(f"C{number:05d}", name, email, phone, kind, kind.basket)


def _person(rng: np.random.Generator, customer: Customer, subscribed_on: date, city: str, today: date) -> Person:
    says_gender, says_birthday, says_city = rng.random(3) >= UNKNOWN
    accepts_push = bool(rng.random() < 0.55)
    return Person(
        customer=customer,
        gender=("남" if customer.name.endswith(GIVEN_NAMES_OF_MEN) else "여") if says_gender else "",
        birthday=today - timedelta(int(rng.integers(19 * 365, 62 * 365))) if says_birthday else None,
        city=city if says_city else "",
        subscribed_on=subscribed_on,
        accepts_email=bool(rng.random() < 0.7),
        accepts_push=accepts_push,
        accepts_night_push=accepts_push and bool(rng.random() < 0.2),
        platform=str(rng.choice(("android", "ios"))),
    )


def write_customers(folder: Path, people: Sequence[Person]) -> Path:
    """Write `customers.csv`, as a shop's software exports its members."""
    path = folder / "customers.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(_row(person) for person in people)
    return path


def _row(person: Person) -> Mapping[str, object]:
    who, decided = person.customer, datetime.combine(person.subscribed_on, time(12))
    token, platform = (f"app-{who.id}", person.platform) if person.accepts_push else ("", "")
    values = (
        who.id, who.name, who.email, who.phone, person.gender, person.birthday or "", person.city, person.subscribed_on,
        _yes(person.accepts_email), decided, _yes(person.accepts_push), decided, _yes(person.accepts_night_push),
        token, platform,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _yes(consented: bool) -> str:
    return "동의" if consented else "거부"
