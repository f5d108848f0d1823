"""A made-up year of a Korean fashion store, as the files that a shop would drop.

An order export a month, and its customers, products and interests. The same arguments write the same bytes.

    python -m examples.sandbox.fashion_store FOLDER [--today 2026-11-22] [--seed 29] [--orders 20000]
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from examples.sandbox.fashion_orders import write_orders
from examples.sandbox.fashion_people import Person, make_people, write_customers
from examples.sandbox.fashion_shelves import write_interests, write_products
from examples.sandbox.fashion_year import TODAY, Year, make_year


@dataclass(frozen=True, slots=True)
class Store:
    """The files of a store, and whom they are about."""

    year: Year
    people: Sequence[Person]
    orders: Sequence[Path]
    """Oldest first."""
    customers: Path
    products: Path
    interests: Path


def write_store(folder: Path, year: Year) -> Store:
    """Write all files into the folder."""
    orders, people = write_orders(folder, year), make_people(year)
    return Store(
        year=year,
        people=people,
        orders=orders,
        customers=write_customers(folder, people),
        products=write_products(folder, year),
        interests=write_interests(folder, year, people),
    )


def main() -> None:
    """Write a store from the command line."""
    parser = argparse.ArgumentParser(description="Write a made-up year of a Korean shop as the files it would drop.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY, help="day of the last orders")
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--orders", type=int, default=20_000, help="about how many (default: 20000)")
    options = parser.parse_args()
    store = write_store(options.folder, make_year(options.today, options.seed, options.orders))
    for path in (*store.orders, store.customers, store.products, store.interests):
        print(path)


if __name__ == "__main__":
    main()
