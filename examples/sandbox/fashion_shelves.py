"""What the made-up fashion store sells, and what people look at: `products.csv` and `interests.csv`."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np

from examples.sandbox.fashion_people import Person
from examples.sandbox.fashion_words import Product, new_collection
from examples.sandbox.fashion_year import Order, Year

PRODUCT_COLUMNS = ("상품번호", "상품명", "카테고리", "판매가", "출시일", "한정수량", "재고여부", "재입고일")
INTEREST_COLUMNS = ("고객번호", "구분", "상품번호", "상품명", "카테고리", "일시", "삭제")
NEW = 24
"""Products of the new collection, which nobody has bought yet."""
RECENT = 60
"""Days for which the store keeps what people looked at."""
CART, WISH, VIEW = "장바구니", "찜", "조회"


@dataclass(frozen=True, slots=True)
class Interest:
    """Somebody looked at a product, or put it somewhere."""

    customer_id: str
    kind: str
    product: Product
    at: datetime  # Seoul time
    removed: bool = False


def write_products(folder: Path, year: Year) -> Path:
    """Write `products.csv`: all that was sold, launched before its first sale, and the new collection."""
    rng = np.random.default_rng([year.seed, 2])
    first_sold = {product: order.at.date() for order in reversed(year.orders) for product, _ in order.lines}
    path = folder / "products.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(PRODUCT_COLUMNS)
        for product in (product for shelf in year.shelves.values() for product in shelf):
            launched = first_sold.get(product, year.today) - timedelta(int(rng.integers(1, 200)))
            writer.writerow((*_plain(product), launched, *_stock(rng, year)))
        for product in new_collection(rng, NEW):
            limited = "Y" if rng.random() < 0.25 else "N"
            writer.writerow((*_plain(product), year.today - timedelta(int(rng.integers(21))), limited, "Y", ""))
    return path


def _plain(product: Product) -> tuple[str, str, str, int]:
    return product.id, product.name, product.category, product.price


def _stock(rng: np.random.Generator, year: Year) -> tuple[str, str, object]:
    """Whether few were made, whether there are any, and when they came back."""
    limited, luck = "Y" if rng.random() < 0.05 else "N", rng.random()
    back = year.today - timedelta(int(rng.integers(14))) if luck < 0.06 else ""
    return limited, "N" if luck > 0.94 else "Y", back


def write_interests(folder: Path, year: Year, people: Sequence[Person]) -> Path:
    """Write `interests.csv`, oldest first: what led to orders, and carts and wish lists that wait."""
    rng = np.random.default_rng([year.seed, 3])
    bought = (one for order in year.orders for one in _before(rng, order, year))
    waiting = (one for person in people for one in _waiting(rng, person, year))
    path = folder / "interests.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, INTEREST_COLUMNS)
        writer.writeheader()
        writer.writerows(_row(one) for one in sorted((*bought, *waiting), key=lambda one: (one.at, one.customer_id)))
    return path


def _before(rng: np.random.Generator, order: Order, year: Year) -> Iterator[Interest]:
    """A recent order's products, as they were looked at and put into the cart."""
    if (year.today - order.at.date()).days >= RECENT or rng.random() < 0.5:
        return
    for product, _ in order.lines:
        carted = order.at - timedelta(minutes=int(rng.integers(2, 90)))
        yield Interest(order.customer.id, VIEW, product, carted - timedelta(minutes=int(rng.integers(1, 30))))
        yield Interest(order.customer.id, CART, product, carted)


def _waiting(rng: np.random.Generator, person: Person, year: Year) -> Iterator[Interest]:
    """What a member looked at without buying it then; some of it was taken out again."""
    if rng.random() < 0.6:
        return
    first = max(person.subscribed_on, year.today - timedelta(RECENT - 1))
    for kind in rng.choice((CART, WISH, VIEW), size=rng.integers(1, 4), p=(0.3, 0.3, 0.4)):
        shelf = year.shelves[rng.choice(person.customer.archetype.categories.split())]
        product = shelf[int(rng.integers(len(shelf)))]
        day = first + timedelta(int(rng.integers((year.today - first).days + 1)))
        at = datetime.combine(day, time(int(rng.integers(7, 23)), int(rng.integers(60))))
        yield Interest(person.customer.id, str(kind), product, at)
        if kind != VIEW and rng.random() < 0.2:
            yield Interest(person.customer.id, str(kind), product, at + timedelta(minutes=30), removed=True)


def _row(one: Interest) -> Mapping[str, object]:
    product = one.product
    values = (one.customer_id, one.kind, product.id, product.name, product.category, one.at, "Y" if one.removed else "")
    return dict(zip(INTEREST_COLUMNS, values, strict=True))
