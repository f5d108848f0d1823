"""Promise 12: accounts merge. Orders, consents and interests go to the other account; no order counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from dangol.ledger.layout import shard_of
from dangol.segments.policy import load_policy

from tests.fakes import RightAfter
from tests.world import FIRST_DAY, Row, World, compacting_at

POLICY = """
rfm:
  - {id: buyer, where: "orders_lifetime >= 1"}
segments:
  - {id: reachable, where: "accepts_email"}
  - {id: women, where: "gender == 'female'"}
  - {id: with_cart, where: "cart_items >= 1"}
"""
SHARDS = 3
OLD, NEW, OTHER = (next(f"c{n}" for n in range(99) if shard_of(f"c{n}", SHARDS) == shard) for shard in range(SHARDS))


@pytest.fixture(params=[SHARDS, 1], ids=["another shard", "the same shard"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with World(request.param, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        yield world


def drop(world: World, kind: str, text: str, second: int) -> None:
    world.ingest(world.drop(text, second, f"incoming/{kind}/{second}.csv"))
    world.work_off()


def orders(world: World, second: int, *rows: Row) -> None:
    world.drop_and_ingest(rows, second, f"incoming/orders/{second}.csv")
    world.work_off()


def merge(world: World, second: int, old: str = OLD, new: str = NEW, **columns: str) -> None:
    header, values = ",".join(["customer_id", "merged_into", *columns]), ",".join([old, new, *columns.values()])
    drop(world, "customers", f"{header}\n{values}\n", second)


def revenue(world: World) -> dict[str, float]:
    return {who: one.revenue_lifetime for who, one in world.tables.customers.items()}


def test_orders_go_to_the_other_account(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100), Row("o2", NEW, 0, 10), Row("o3", OTHER, 0, 1))
    merge(world, 2)
    assert revenue(world) == {NEW: 110, OTHER: 1}
    assert {customer for _, customer in world.tables.memberships} == {NEW, OTHER}


def test_orders_that_come_later_go_there_too(world: World) -> None:
    merge(world, 1)
    orders(world, 2, Row("o1", OLD, 0, 100))
    assert revenue(world) == {NEW: 100}
    orders(world, 3, Row("o2", OLD, 0, 50), Row("o3", NEW, 0, 5))
    assert revenue(world) == {NEW: 155}


def test_a_newer_version_of_an_order_replaces_the_one_handed_over(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100))
    merge(world, 2)
    orders(world, 3, Row("o1", OLD, 0, 70))
    assert revenue(world) == {NEW: 70}
    orders(world, 4, Row("o1", NEW, 0, 60))
    assert revenue(world) == {NEW: 60}
    orders(world, 5, Row("o1", OLD, 0, 50))
    assert revenue(world) == {NEW: 50}


def test_an_order_handed_over_that_turns_out_to_be_another_persons_counts_once(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100), Row("o2", OLD, 0, 10))
    merge(world, 2)
    orders(world, 3, Row("o1", OTHER, 0, 100))
    assert revenue(world) == {NEW: 10, OTHER: 100}


def test_an_account_that_was_merged_into_may_be_merged_again(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100), Row("o2", NEW, 0, 10), Row("o3", OTHER, 0, 1))
    merge(world, 2)
    merge(world, 3, NEW, OTHER)
    assert revenue(world) == {OTHER: 111}
    orders(world, 4, Row("o4", OLD, 0, 1_000))
    assert revenue(world) == {OTHER: 1_111}


@pytest.mark.parametrize(
    ("old", "new", "reachable"),
    [("yes", "yes", True), ("no", "yes", False), ("yes", "no", False), ("", "yes", True), ("yes", "", True)],
)
def test_of_consents_the_stricter_wins(world: World, old: str, new: str, reachable: bool) -> None:
    drop(world, "customers", f"customer_id,accepts_email\n{OLD},{old}\n{NEW},{new}\n", 1)
    merge(world, 2)
    assert ("reachable" in world.tables.customers[NEW].segments) is reachable
    drop(world, "customers", f"customer_id,accepts_email\n{NEW},{new}\n", 3)  # as every day
    assert ("reachable" in world.tables.customers[NEW].segments) is reachable


def test_what_the_other_account_says_of_itself_comes_first_and_the_rest_is_filled_in(world: World) -> None:
    drop(world, "customers", f"customer_id,gender\n{NEW},M\n", 1)
    merge(world, 2, gender="F")
    assert "women" not in world.tables.customers[NEW].segments
    merge(world, 3, OLD, OTHER, gender="F")  # the newer word on where it belongs
    drop(world, "customers", f"customer_id,city\n{OTHER},서울\n", 4)
    assert "women" in world.tables.customers[OTHER].segments


def test_interests_go_to_the_other_account(world: World) -> None:
    drop(world, "interests", f"customer_id,kind,product_id,happened_at\n{OLD},cart,p1,2026-01-01\n", 1)
    orders(world, 2, Row("o1", NEW, 0, 100))
    merge(world, 3)
    assert "with_cart" in world.tables.customers[NEW].segments


def test_nothing_is_handed_over_twice_and_a_second_refresh_writes_nothing(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100), Row("o2", NEW, 0, 10))
    merge(world, 2)
    written, objects = len(world.tables.written), world.store.keys("ledger/orders/")
    world.refresh_all(FIRST_DAY)
    world.refresh_all(date(2026, 1, 2))
    world.work_off()
    assert len(world.tables.written) == written
    assert world.store.keys("ledger/orders/") == objects


def test_it_all_outlives_compactions_and_a_rebuild(world: World) -> None:
    drop(world, "customers", f"customer_id,accepts_email\n{OLD},no\n{NEW},yes\n", 1)
    orders(world, 2, Row("o1", OLD, 0, 100), Row("o2", NEW, 0, 10))
    merge(world, 3)
    with compacting_at(orders=1, owners=0):
        for second in range(4, 8):
            orders(world, second, Row(f"n{second}", NEW, 0, 1), Row(f"p{second}", OLD, 0, 1))
            drop(world, "customers", f"customer_id,accepts_email\n{NEW},yes\n", 20 + second)
        world.refresh_all(FIRST_DAY)
        world.work_off()
    assert revenue(world) == {NEW: 118}
    assert "reachable" not in world.tables.customers[NEW].segments
    before: Any = world.tables.customers[NEW]
    with world.copy() as rebuilt:
        rebuilt.refresh_all(FIRST_DAY, "rebuild")
        assert rebuilt.tables.customers == {NEW: before}


def test_an_account_merged_into_itself_stays(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100))
    merge(world, 2, OLD, OLD)
    assert revenue(world) == {OLD: 100}


def test_an_order_that_becomes_another_persons_while_it_is_handed_over_counts_once(world: World) -> None:
    orders(world, 1, Row("o1", OLD, 0, 100))
    text = f"customer_id,merged_into\n{OLD},{NEW}\n"
    world.ingest(world.drop(text, 2, "incoming/customers/2.csv"))
    file = world.drop_rows([Row("o1", OTHER, 0, 100)], 3, "incoming/orders/3.csv")
    world.crash = RightAfter(
        "FolderStore.download", lambda: world.ingest(file)
    )  # the shard is read, and o1 still OLD's
    world.work_off()
    assert {who: one for who, one in revenue(world).items() if one} == {OTHER: 100}


@pytest.mark.parametrize("again", [False, True])
def test_an_account_that_was_merged_into_the_wrong_one_counts_for_the_right_one_only(again: bool) -> None:
    """Also where its orders' file comes a second time after they were handed over."""
    with World(SHARDS, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        orders(world, 1, Row("o1", OLD, 0, 100))
        merge(world, 2)
        if again:
            world.runs.noted.clear()
            orders(world, 1, Row("o1", OLD, 0, 100))
        merge(world, 3, OLD, OTHER)
        assert {who: one for who, one in revenue(world).items() if one} == {OTHER: 100}


def test_an_account_whose_orders_were_handed_on_can_still_be_merged_elsewhere() -> None:
    last = next(f"c{n}" for n in range(99) if shard_of(f"c{n}", SHARDS) == 1 and f"c{n}" != NEW)
    with World(SHARDS, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        orders(world, 1, Row("o1", OLD, 0, 100))
        merge(world, 2)
        merge(world, 3, NEW, OTHER)
        merge(world, 4, OLD, last)
        assert {who: one for who, one in revenue(world).items() if one} == {last: 100}


def test_an_account_that_is_merged_on_can_still_be_merged_elsewhere() -> None:
    """What was handed over of its own does not take the orders from it."""
    last = next(f"c{n}" for n in range(99) if shard_of(f"c{n}", SHARDS) == 0 and f"c{n}" != OLD)
    with World(SHARDS, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        orders(world, 1, Row("o1", OLD, 0, 100))
        merge(world, 2)
        merge(world, 3, NEW, OTHER)
        orders(world, 4, Row("o2", OLD, 0, 10))  # all is handed over once more
        merge(world, 5, NEW, last)
        assert {who: one for who, one in revenue(world).items() if one} == {last: 110}
