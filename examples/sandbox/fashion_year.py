"""What happened in a year of a made-up Korean fashion store, before any file told of it.

Everything follows from a seed. Nobody in it is real: e-mail addresses end in @example.com, telephone numbers begin
010-0000. Who buys how often, for how much and until when is the table ARCHETYPES; the six segments of the default RFM
policy, and the customers outside them, follow from it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from examples.sandbox.fashion_words import Product, catalogue, names

TODAY = date(2026, 11, 22)
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Archetype:
    """A kind of customer. Days are counted back from today, and both ends of a range are possible."""

    name: str
    share: float  # of all customers
    rate: float  # orders in 90 days, between the first and the last; 0 for a single order
    basket: int  # median amount of an order, KRW
    joined: tuple[int, int]  # days since the first order
    quiet: tuple[int, int]  # days since the last order
    categories: str


ARCHETYPES = (
    # Mostly vip_loyal: buys for her clients every third day and misses no new collection.
    Archetype("personal shopper", 0.014, 31, 2_900_000, (95, 170), (0, 4), "아우터 가방 원피스 슈즈 가구"),
    # Mostly loyal: opens the app every day, small things in great number.
    Archetype("beauty regular", 0.019, 31, 780_000, (95, 200), (0, 4), "뷰티 액세서리 리빙 니트"),
    # big_spender for a week after each order: a sofa, a handbag, seldom more.
    Archetype("collector", 0.040, 2.2, 3_300_000, (20, 356), (0, 14), "가구 가방 아우터"),
    # new for five days after the only order.
    Archetype("newcomer", 0.090, 0, 110_000, (0, 16), (0, 16), "니트 데님 액세서리 뷰티 원피스"),
    # potential_loyal for ten days after the last order.
    Archetype("occasional", 0.180, 1.6, 140_000, (20, 300), (0, 32), "니트 데님 원피스 슈즈 액세서리 뷰티"),
    # at_risk: bought often until a month or two ago.
    Archetype("drifting", 0.230, 2.1, 160_000, (90, 356), (20, 75), "아우터 니트 데님 원피스 슈즈 뷰티"),
    # Unclassified: gone for good, or came once.
    Archetype("lapsed", 0.250, 1.0, 130_000, (100, 356), (62, 330), "니트 데님 슈즈 가방 리빙"),
    Archetype("one-time", 0.177, 0, 90_000, (17, 356), (17, 356), "액세서리 뷰티 리빙 데님"),
)
ORDERS_PER_CUSTOMER = 5.0  # what the table comes to

# How busy the store is: by month from January (sales in November, a slow summer), by weekday from Monday, by
# hour in Seoul.
BY_MONTH = (0.9, 0.8, 1.0, 1.05, 1.05, 0.9, 0.75, 0.75, 1.05, 1.2, 1.4, 1.3)
BY_WEEKDAY = (1.15, 1.1, 1.05, 1.0, 0.95, 0.8, 0.95)
BY_HOUR = np.array((5, 3, 1.5, 0.8, 0.5, 0.6, 1, 2, 3, 4, 5, 5.5, 6.5, 6, 5, 5, 5, 5, 5, 5.5, 6.5, 8, 9, 8))
STATUSES = {"paid": 0.93, "cancelled": 0.03, "partially_refunded": 0.02, "refunded": 0.012, "pending": 0.008}
LINES = (0.62, 0.26, 0.12)  # orders of one, two and three line items


Lines = tuple[tuple[Product, int], ...]  # each product with its quantity


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who bought, or who has only subscribed: then `archetype` says what they look at."""

    id: str
    name: str
    email: str
    phone: str
    archetype: Archetype
    basket: float  # this person's own median amount, KRW


@dataclass(frozen=True, slots=True)
class Order:
    """One order of one customer; its amount is the sum of its lines."""

    at: datetime  # Seoul time
    customer: Customer
    lines: Lines
    status: str

    @property
    def amount(self) -> int:
        return sum(product.price * quantity for product, quantity in self.lines)

    @property
    def refunded(self) -> int:
        """KRW given back: for a partial refund, the last line."""
        if self.status == "partially_refunded":
            product, quantity = self.lines[-1]
            return product.price * quantity
        return self.amount if self.status == "refunded" else 0


@dataclass(frozen=True, slots=True)
class Year:
    """What happened in the store, before any file told of it."""

    today: date
    seed: int
    shelves: Mapping[str, Sequence[Product]]
    orders: Sequence[Order]
    """Oldest first."""


def make_year(today: date = TODAY, seed: int = 29, orders: int = 20_000) -> Year:
    """About so many orders of eleven whole months and the current one up to today."""
    rng = np.random.default_rng(seed)
    shelves = catalogue(rng)
    placed = _orders(rng, shelves, today, round(orders / ORDERS_PER_CUSTOMER))
    return Year(today, seed, shelves, sorted(placed, key=lambda order: order.at))


def months_of(today: date) -> list[str]:
    """The twelve months up to today's, as 2026-11, oldest first."""
    newest = today.year * 12 + today.month - 1
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(newest - MONTHS + 1, newest + 1)]


def _orders(
    rng: np.random.Generator, shelves: Mapping[str, Sequence[Product]], today: date, customers: int
) -> Iterator[Order]:
    busy = _busy(today)
    for customer in _customers(rng, customers):
        kind = customer.archetype
        products = sorted((p for c in kind.categories.split() for p in shelves[c]), key=lambda p: p.price)
        for back in _days_back(rng, kind, busy):
            at = datetime.combine(today - timedelta(days=back), _time_of_day(rng))
            lines = _lines(rng, products, customer.basket * rng.lognormal(0, 0.3))
            yield Order(at, customer, lines, _status(rng, len(lines)))


def _customers(rng: np.random.Generator, count: int) -> Iterator[Customer]:
    """So many customers in random order, of each archetype its share."""
    shares = np.cumsum([kind.share for kind in ARCHETYPES])
    kinds = np.searchsorted(shares, (rng.permutation(count) + 0.5) / count * shares[-1])
    for number, (kind, (name, latin)) in enumerate(zip(kinds, names(rng, count), strict=True), start=1):
        yield Customer(
            id=f"C{number:05d}",
            name=name,
            email=f"{latin}{number}@example.com",
            phone=f"010-0000-{number % 10_000:04d}",
            archetype=ARCHETYPES[kind],
            basket=ARCHETYPES[kind].basket * rng.lognormal(0, 0.2),
        )


def _busy(today: date) -> NDArray[np.float64]:
    """How busy the store was on each day, counted back from today to the first of the oldest month."""
    oldest = date.fromisoformat(f"{months_of(today)[0]}-01")
    days = [today - timedelta(days=back) for back in range((today - oldest).days + 1)]
    return np.array([BY_MONTH[day.month - 1] * BY_WEEKDAY[day.weekday()] for day in days])


def _days_back(rng: np.random.Generator, kind: Archetype, busy: NDArray[np.float64]) -> list[int]:
    """The days of one customer's orders, counted back from today: last, first, and busy ones between."""
    last = int(rng.integers(kind.quiet[0], kind.quiet[1] + 1))
    if kind.rate == 0:
        return [last]
    first = min(max(last, int(rng.integers(kind.joined[0], kind.joined[1] + 1))), len(busy) - 1)
    weights = busy[last : first + 1]
    count = rng.poisson(kind.rate * (first - last) / 90)
    between = last + rng.choice(len(weights), size=count, p=weights / weights.sum())
    return [last, first, *between.tolist()]


def _time_of_day(rng: np.random.Generator) -> time:
    hour = rng.choice(24, p=BY_HOUR / BY_HOUR.sum())
    return time(int(hour), int(rng.integers(60)), int(rng.integers(60)))


def _lines(rng: np.random.Generator, products: Sequence[Product], target: float) -> Lines:
    """One to three line items that come to about the target (KRW); the products must be cheapest first."""
    lines: dict[Product, int] = {}
    for share in rng.dirichlet(np.full(rng.choice(len(LINES), p=LINES) + 1, 5.0)) * target:
        near = bisect_left(products, share, key=lambda product: product.price) + int(rng.integers(-4, 4))
        product = products[min(max(near, 0), len(products) - 1)]
        lines[product] = lines.get(product, 0) + max(1, round(share / product.price))
    return tuple(lines.items())


def _status(rng: np.random.Generator, lines: int) -> str:
    status = str(rng.choice(list(STATUSES), p=list(STATUSES.values())))
    return "refunded" if status == "partially_refunded" and lines == 1 else status
