"""From dropped products, orders and interests to what messages can show: refreshed like everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from dangol.campaigns.items import Shelves
from dangol.engine import connect
from dangol.ledger.layout import shard_of
from dangol.ledger.sales import keep_sales, sales_of
from dangol.ledger.shelves import SHELVES_KEY, read_shelves
from dangol.ledger.store import FolderStore
from dangol.moves.messages import DAILY, FILE, RefreshRequest

from tests.fakes import Crash, Meanwhile
from tests.schemas import problems
from tests.senders import FakeProfiles
from tests.world import FIRST_DAY, SHOP, World, compacting_at

DAY = 86400
PRODUCTS = """product_id,product_name,category,price,url,launched_on,limited,in_stock
p1,울 코트,아우터,300000,https://dangol.kr/p1,2025-12-20,,yes
p2,다운 재킷,아우터,500000,https://dangol.kr/p2,,yes,no
p3,머플러,소품,9000,,2025-11-01,yes,
p4,봄 코트,아우터,200000,,2026-01-04,,yes
"""
PEOPLE = "customer_id,email,accepts_email\nc1,kim@example.com,yes\nc2,lee@example.com,yes\n"
ORDERS = "order_id,customer_id,ordered_at,amount,product_id,product_name\n"
INTERESTS = "customer_id,kind,product_id,product_name,happened_at,removed\n"


@pytest.fixture
def world() -> Iterator[World]:
    with World(shards=1) as made:
        made.profiles = FakeProfiles()
        yield made


def drop(world: World, kind: str, text: str, day: int = 0) -> None:
    """Upload a file on a day and work it off; each is newer than the ones before."""
    world.today = FIRST_DAY + timedelta(days=day)
    world.ingest(world.drop(text, day * DAY + len(world.incoming.objects), f"incoming/{kind}/{text[:3]}{day}.csv"))
    world.work_off()


def own(world: World, customer_id: str = "c1") -> Any:
    row = world.profiles.rows[customer_id]
    assert problems("profiles", [row]) == []
    return row.get("products")


def shelves(world: World) -> Shelves:
    return read_shelves(world.store)


def test_a_person_keeps_what_they_bought_and_what_they_want(world: World) -> None:
    drop(world, "products", PRODUCTS)
    drop(world, "customers", PEOPLE)
    drop(world, "orders", ORDERS + "o1,c1,2026-01-01 10:00,100,p1,\no2,c1,2026-01-01 12:00,100,,머플러\n")
    drop(
        world,
        "interests",
        INTERESTS
        + "c1,cart,p1,,2026-01-01 13:00,\nc1,wishlist,,머플러,2026-01-01 09:00,\n"
        + "c2,cart,p3,,2026-01-01 09:00,\nc2,cart,p2,,2026-01-01 09:00,\nc2,wishlist,p1,,2026-01-01 09:00,\n",
    )
    # Known by name as well; bought from the wish list; p2 is out of stock.
    assert own(world, "c1") == {"last": "p3", "bought": ["p3", "p1"], "cart": ["p1"]}
    assert own(world, "c2") == {"cart": ["p3"], "wishlist": ["p1"]}


def test_the_shelves_hold_what_is_sold_and_in_stock(world: World) -> None:
    drop(world, "products", PRODUCTS)
    found = shelves(world)
    assert list(found.products) == ["p1", "p3"]
    assert found.products["p1"].name == "울 코트"
    assert (found.new, found.limited) == (("p1",), ("p3",))
    assert found.categories == {"소품": ("p3",), "아우터": ("p1",)}
    world.refresh_all(date(2026, 1, 4))  # p4 is launched
    assert shelves(world).new == ("p4", "p1")
    assert shelves(world).categories["아우터"] == ("p4", "p1")
    world.refresh_all(date(2026, 1, 18))
    assert shelves(world).new == ("p4", "p1")
    world.refresh_all(date(2026, 1, 19))  # p1 is thirty days old
    assert shelves(world).new == ("p4",)


def test_a_product_with_an_endless_id_is_neither_kept_nor_shown(world: World) -> None:
    long, longer = "p" * 40, "p" * 41
    drop(world, "products", f"product_id,product_name\n{long},울 코트\n{longer},다운 재킷\n")
    drop(world, "customers", PEOPLE)
    drop(world, "orders", ORDERS + f"o1,c1,2026-01-01 10:00,100,{long},\no2,c1,2026-01-01 11:00,100,{longer},\n")
    assert own(world) == {"bought": [long]}
    assert list(shelves(world).products) == [long]


def test_a_second_refresh_of_the_day_writes_neither_people_nor_shelves(world: World) -> None:
    drop(world, "products", PRODUCTS)
    drop(world, "customers", PEOPLE)
    drop(world, "orders", ORDERS + "o1,c1,2026-01-01 10:00,100,p1,\n")
    written, file = list(world.profiles.written), world.bucket / SHELVES_KEY
    before = file.stat().st_mtime_ns
    world.refresh_all(FIRST_DAY)
    world.refresh_all(FIRST_DAY + timedelta(days=1))  # a day on which nothing of it changes
    assert (world.profiles.written, file.stat().st_mtime_ns) == (written, before)


def test_a_product_of_the_catalogue_that_changes_writes_nobody(world: World) -> None:
    drop(world, "products", PRODUCTS)
    drop(world, "customers", PEOPLE)
    before = list(world.profiles.written)
    drop(world, "products", "product_id,product_name,category\np9,새 모자,소품\n", day=1)
    assert world.profiles.written == before
    assert "p9" in shelves(world).products


def test_what_was_bought_is_forgotten_after_ninety_days_but_for_the_last_order(world: World) -> None:
    drop(world, "products", PRODUCTS)
    drop(world, "customers", PEOPLE)
    drop(world, "orders", ORDERS + "o1,c1,2026-01-01,100,p1,\no2,c1,2026-01-02,100,p3,\n", day=1)
    world.refresh_all(date(2026, 3, 31))
    assert own(world) == {"last": "p3", "bought": ["p3", "p1"]}
    world.refresh_all(date(2026, 4, 1))
    assert own(world) == {"last": "p3", "bought": ["p3"]}
    world.refresh_all(date(2027, 4, 1))
    assert own(world) == {"last": "p3", "bought": ["p3"]}


def test_what_is_dated_later_is_not_bought_yet(world: World) -> None:
    drop(world, "products", PRODUCTS)
    drop(world, "customers", PEOPLE)
    drop(world, "orders", ORDERS + "o1,c1,2026-01-01,100,p1,\no2,c1,2026-01-02,100,p3,\n")
    assert own(world) == {"last": "p1", "bought": ["p1"]}
    world.refresh_all(date(2026, 1, 2))
    assert own(world) == {"last": "p3", "bought": ["p3", "p1"]}


def test_what_they_looked_for_and_came_back_is_told_for_two_weeks(world: World) -> None:
    drop(world, "products", PRODUCTS)
    drop(world, "customers", PEOPLE)
    drop(world, "interests", INTERESTS + "c1,view,p2,,2026-01-01 09:00,\nc2,view,p2,,2026-01-11 09:00,\n", day=10)
    assert own(world) is None
    drop(world, "products", "product_id,product_name,in_stock\np2,다운 재킷,yes\n", day=9)
    assert own(world) == {"restocked": ["p2"]}
    assert own(world, "c2") is None  # they looked at it when it was there again
    world.refresh_all(date(2026, 1, 23))
    assert own(world) == {"restocked": ["p2"]}
    world.refresh_all(date(2026, 1, 24))
    assert own(world) is None


def test_a_shop_may_say_itself_when_a_product_came_back(world: World) -> None:
    drop(world, "products", "product_id,product_name,restocked_on\np1,울 코트,2026-01-05\n")
    drop(world, "customers", PEOPLE)
    drop(world, "interests", INTERESTS + "c1,wishlist,p1,,2026-01-02 09:00,\n", day=3)
    assert own(world) == {"wishlist": ["p1"]}
    world.refresh_all(date(2026, 1, 5))
    assert own(world) == {"wishlist": ["p1"], "restocked": ["p1"]}


@pytest.mark.parametrize("compact_at", [1, 100])
def test_the_past_of_a_product_survives_compaction(world: World, compact_at: int) -> None:
    header = "product_id,product_name,in_stock\n"
    with compacting_at(compact_at, 100):
        drop(world, "customers", PEOPLE)
        drop(world, "interests", INTERESTS + "c1,view,p1,,2026-01-01 09:00,\n")
        for day, stock in enumerate(("yes", "no", "no", "yes", "yes")):
            drop(world, "products", f"{header}p1,울 코트,{stock}\np2,자라남 {day},\n", day)
        drop(world, "products", f"{header}p7,새 모자,yes\n", 5)
        assert own(world) == {"restocked": ["p1"]}
        world.refresh_all(date(2026, 1, 17))  # it came back on the 4th
        assert own(world) == {"restocked": ["p1"]}
        world.refresh_all(date(2026, 1, 18))
        assert own(world) is None
        # Nobody told when it was launched: the first file had p1 and p2, p7 came later, on the 6th.
        assert shelves(world).new == ("p7",)
        world.refresh_all(date(2026, 2, 5))
        assert shelves(world).new == ()


def test_a_refresh_that_crashes_anywhere_leaves_the_same_shelves_after_a_retry(world: World) -> None:
    world.ingest(world.drop(PRODUCTS, 1, "incoming/products/a.csv"))
    crash, expected = Crash(), None
    for at in range(-1, 12, 2):
        with world.copy() as twin:
            twin.profiles, twin.crash = FakeProfiles(), crash if at < 0 else Crash(at)
            twin.work_off()
            found = (twin.bucket / SHELVES_KEY).read_bytes()
            expected = expected or found
            assert found == expected


def count(world: World, store: FolderStore | None = None) -> bool:
    with TemporaryDirectory() as scratch, connect(SHOP, Path(scratch)) as connection:
        return keep_sales(connection, store or world.store, FIRST_DAY, Path(scratch))


def baskets(*orders: tuple[str, str, str]) -> str:
    """(order, customer, products by letters)."""
    rows = (f"{order},{customer},2026-01-01,100,p{product},\n" for order, customer, ps in orders for product in ps)
    return ORDERS + "".join(rows)


def test_what_three_people_bought_together_belongs_together(world: World) -> None:
    drop(world, "products", PRODUCTS.replace("2026-01-04", "2026-01-01"))
    pairs = baskets(("a", "x1", "13"), ("b", "x2", "13"), ("c", "x3", "134"), ("d", "x4", "14"), ("e", "x4", "14"))
    drop(world, "orders", pairs)
    assert count(world)
    world.refresh_all(FIRST_DAY + timedelta(days=1))
    found = shelves(world)
    # p4 stands beside p1 in three orders too, but of two people.
    assert found.together == {"p1": ("p3",), "p3": ("p1",)}
    assert found.categories["아우터"] == ("p1", "p4")  # four people bought p1


def test_large_baskets_orders_of_other_years_and_refunds_tell_nothing(world: World) -> None:
    rows = "".join(f"q{n},상품 {n}\n" for n in range(21))
    drop(world, "products", "product_id,product_name\n" + rows)
    large = [f"o{n},x{n},2026-01-01,100,q{q},paid\n" for n in range(3) for q in range(21)]
    old = [f"y{n},x{n},2025-01-01,100,q{q},paid\n" for n in range(3) for q in (1, 2)]
    later = [f"w{n},x{n},2026-01-02,100,q{q},paid\n" for n in range(3) for q in (3, 4)]
    cancelled = [f"z{n},x{n},2026-01-01,100,q{q},cancelled\n" for n in range(3) for q in (1, 2)]
    header = "order_id,customer_id,ordered_at,amount,product_id,status\n"
    drop(world, "orders", header + "".join(large + old + later + cancelled))
    count(world)
    world.refresh_all(FIRST_DAY + timedelta(days=1))
    assert shelves(world).together == {}


def test_counting_ends_when_enough_orders_were_seen_and_outlives_a_merge_of_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Merging(FolderStore):
        """Another shard's refresh removes an object between the list and the copy."""

        lost = False

        def download(self, keys: Sequence[str], folder: Path) -> list[Path]:
            self.lost, before = True, self.lost
            if not before:
                raise FileNotFoundError(keys)
            return super().download(keys, folder)

    with World(shards=4) as world:
        drop(world, "products", PRODUCTS)
        drop(world, "orders", baskets(*((f"o{n}", f"x{n}", "1") for n in range(40))))
        people = []
        for enough in (1, 500_000):
            monkeypatch.setattr("dangol.ledger.sales.ENOUGH_ORDERS", enough)
            assert count(world, store=Merging(world.bucket))
            with connect(SHOP, world.bucket) as connection:
                found = connection.execute(f"SELECT people FROM {sales_of(world.store, world.bucket)}").fetchall()
            people += [one for (one,) in found]
        assert 0 < people[0] < people[1] == 40


def test_a_shop_without_products_counts_nothing_and_keeps_no_shelves(world: World) -> None:
    drop(world, "orders", baskets(("a", "x1", "13")))
    assert not count(world)
    assert world.store.keys("ledger/sales/") == world.store.keys("ledger/shelves/") == []
    assert shelves(world) == Shelves()


def test_new_products_that_were_merged_while_a_shard_was_being_read_count_at_once() -> None:
    """Products lie in one shard and go into every refresh; what merges them is another shard's."""
    person = next(name for name in map("c{}".format, range(1, 100)) if shard_of(name, 2) == 1)
    products = "product_id,product_name,category\np1,울 코트,{}\n"

    def daily(day: int) -> RefreshRequest:
        return RefreshRequest(1, FIRST_DAY + timedelta(days=day), DAILY, f"daily-{day}")

    with World(shards=2) as world, compacting_at(2, 32):
        world.profiles = FakeProfiles()
        drop(world, "products", products.format("아우터"))
        drop(world, "orders", ORDERS + f"o1,{person},2026-01-01 10:00,100,p1,\n")
        assert world.tables.customers[person].last_category == "아우터"

        with world.copy() as twin:
            twin.crash = Crash()
            twin.profiles = FakeProfiles()
            twin.refresh(daily(1))
            names = [name for name, _ in twin.crash.calls]
        listed = names.index("FolderStore.download") - 1
        world.crash = Meanwhile(listed, lambda: merged(world, products.format("코트")))
        world.refresh(daily(1))
        world.crash = None
        world.work_off()
        assert world.tables.customers[person].last_category == "코트"


def merged(world: World, products: str) -> None:
    """A products file comes, and the shard in which products lie merges them."""
    world.ingest(world.drop(products, 100, "incoming/products/b.csv"))
    world.refresh(RefreshRequest(0, world.today, FILE, "b"))
