"""Olist's parts, dropped one by one: they wait for each other and end as if they had been dropped together."""

from functools import partial
from itertools import permutations
from pathlib import Path

import duckdb
import pytest

from tests.fakes import RightAfter
from tests.world import World

EXPORTS = Path(__file__).resolve().parents[2] / "examples" / "exports"
PARTS = ("orders", "items", "payments", "customers")
ORDERS = [("a1", "u1", 120, 2), ("a2", "u2", 105, 1), ("a3", "u2", 105, 1), ("a5", "u1", 24.5, 1)]
"""(order, customer, amount, items), of the newest version of each."""


def drop(world: World, part: str, second: int, replaced: tuple[str, str] = ("", "")) -> str:
    text = (EXPORTS / f"olist_{part}.csv").read_text("utf-8").replace(*replaced)
    receipt = world.ingest(world.drop(text, second, f"incoming/orders/{part}.csv"))
    return str(receipt["status"])


def orders_of(world: World) -> list[tuple[object, ...]]:
    pattern = f"{world.bucket}/ledger/orders/*/*.parquet"
    return duckdb.execute(f"""
        SELECT order_id, arg_max(customer_id, version), arg_max(amount, version)::DOUBLE, arg_max(len(lines), version)
        FROM read_parquet('{pattern}', hive_partitioning = false) GROUP BY order_id ORDER BY order_id
    """).fetchall()


@pytest.mark.parametrize("parts", list(permutations(PARTS))[::5], ids="-".join)
def test_parts_in_any_order_end_as_the_orders_they_make(parts: tuple[str, ...]) -> None:
    with World() as world:
        statuses = [drop(world, part, second) for second, part in enumerate(parts)]
        assert statuses[-1] == "ingested"
        assert statuses[:2] == ["waiting", "waiting"]
        assert orders_of(world) == ORDERS


def test_a_part_that_waits_says_for_what() -> None:
    with World() as world:
        receipt = world.ingest(world.drop((EXPORTS / "olist_items.csv").read_bytes(), 0))
        assert (
            receipt["reason"]
            == "is kept until orders and payments and customers of the same data set are dropped as well"
        )
        assert world.queue.waiting == []


def test_a_newer_upload_of_a_part_replaces_the_older_one() -> None:
    with World() as world:
        for second, part in enumerate(PARTS):
            drop(world, part, second)
        assert drop(world, "payments", 9, ("voucher,1,20.00", "voucher,1,30.00")) == "ingested"
        assert orders_of(world)[0] == ("a1", "u1", 130, 2)


def test_an_older_upload_that_is_told_of_late_changes_nothing() -> None:
    with World() as world:
        for second, part in enumerate(PARTS, 5):
            drop(world, part, second)
        drop(world, "payments", 1, ("voucher,1,20.00", "voucher,1,30.00"))
        assert orders_of(world) == ORDERS


def test_a_newer_upload_of_a_part_counts_though_a_still_newer_part_came_before_it() -> None:
    """What the first made of the older upload is refreshed already, and may even be written once more."""
    with World() as world:
        for second, part in enumerate(PARTS):
            drop(world, part, second)
        drop(world, "items", 9)
        world.work_off()
        spent = sum(one.revenue_lifetime for one in world.tables.customers.values())
        drop(world, "payments", 7, ("voucher,1,20.00", "voucher,1,30.00"))
        assert orders_of(world)[0] == ("a1", "u1", 130, 2)
        newest = world.store.keys("ledger/orders/")[-1].rpartition("/")[2]
        assert newest.startswith("part-20260101T000009Z"), "as new as its newest part"
        world.work_off()
        assert sum(one.revenue_lifetime for one in world.tables.customers.values()) == spent + 10


def test_parts_that_were_read_before_a_newer_one_came_do_not_take_its_place() -> None:
    with World() as world:
        for second, part in enumerate(PARTS):
            drop(world, part, second)
        newer = partial(drop, world, "payments", 7, ("voucher,1,20.00", "voucher,1,30.00"))
        world.crash = RightAfter("FolderStore.download", newer)
        drop(world, "items", 9)
        assert orders_of(world)[0] == ("a1", "u1", 130, 2)
