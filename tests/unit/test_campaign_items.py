"""Which products a message shows to a person."""

from __future__ import annotations

from decimal import Decimal

import pytest
from dangol.campaigns.content import Item
from dangol.campaigns.items import OwnProducts, Shelves, choose_items

from tests.senders import CHANNELS, SendingWorld, hello, profile_row

COAT = Item("p1", "울 코트", "https://dangol.kr/p1", "https://dangol.kr/p1.jpg", Decimal(300000), "아우터")
DOWN = Item("p2", "다운", price=Decimal(500000), category="아우터")
SCARF = Item("p3", "머플러", category="소품")
SHELVES = Shelves(
    products={item.product_id: item for item in (COAT, DOWN, SCARF)},
    new=("p3", "p1"),
    limited=("p2",),
    categories={"아우터": ("p2", "p1"), "소품": ("p3",)},
    together={"p1": ("p3", "p2")},
)


def names(kind: str, own: OwnProducts, last_category: str | None = None) -> list[str]:
    found = choose_items([kind], own, last_category, SHELVES)
    assert list(found) in ([], [kind])  # what there is none of is left out
    return [item.name for item in found.get(kind, ())]


def test_each_kind_comes_from_the_person_or_from_the_shelves() -> None:
    own = OwnProducts(last="p1", bought=("p1",), cart=("p3", "p2"), wishlist=("p2",), restocked=("p3",))
    assert names("cart", own) == ["머플러", "다운"]
    assert names("wishlist", own) == ["다운"]
    assert names("restocked", own) == ["머플러"]
    assert names("last_category", own, "아우터") == ["다운"]
    assert names("bought_together", own) == ["머플러", "다운"]
    assert names("limited", own) == ["다운"]


@pytest.mark.parametrize("kind", ["cart", "wishlist", "restocked", "last_category", "bought_together", "new"])
def test_what_they_bought_is_never_shown(kind: str) -> None:
    own = OwnProducts("p1", ("p3",), cart=("p3", "p1"), wishlist=("p3", "p1"), restocked=("p3", "p1"))
    assert "머플러" not in names(kind, own, "소품")


def test_what_is_not_on_sale_any_more_is_not_shown() -> None:
    assert names("cart", OwnProducts(cart=("gone", "p3"))) == ["머플러"]
    assert names("cart", OwnProducts(cart=("gone",))) == []


def test_of_new_products_those_of_their_last_category_come_first() -> None:
    assert names("new", OwnProducts()) == ["머플러", "울 코트"]
    assert names("new", OwnProducts(), "아우터") == ["울 코트", "머플러"]


def test_nothing_is_known_without_a_catalogue_or_a_purchase() -> None:
    kinds = ("cart", "wishlist", "restocked", "last_category", "bought_together", "new", "limited")
    assert choose_items(kinds, OwnProducts("p1", cart=("p1",)), "아우터", Shelves()) == {}
    assert choose_items(("last_category", "bought_together"), OwnProducts(), None, SHELVES) == {}


def test_six_are_shown_at_most() -> None:
    products = {f"p{n}": Item(f"p{n}", f"상품 {n}") for n in range(10)}
    found = choose_items(["new"], OwnProducts(bought=("p0",)), None, Shelves(products, new=tuple(products)))
    assert [item.product_id for item in found["new"]] == ["p1", "p2", "p3", "p4", "p5", "p6"]


def test_the_shelves_are_the_same_after_a_journey_as_an_object() -> None:
    data = SHELVES.to_bytes()
    assert Shelves.from_bytes(data) == SHELVES
    assert SHELVES.to_bytes() == data


VARIANTS = """
  email:
    - {id: shown, subject: 골라 보았어요, body: "{{ items }}", items: last_category}
    - {id: plain, weight: 0, subject: 새 상품이 들어왔어요, body: 둘러보세요.}
"""


def test_a_sender_shows_items_to_who_has_some_and_falls_back_for_the_others() -> None:
    world = SendingWorld(hello(channels=VARIANTS))
    world.shelves = SHELVES
    world.audience.members["loyal"] = ["c00", "c01", "c02"]
    bought = {"last_category": "아우터", "products": {"last": "p2", "bought": ["p2"]}}
    world.profiles.rows = {"c00": profile_row("c00") | bought, "c01": profile_row("c01")}
    world.profiles.rows["c02"] = profile_row("c02") | {"last_category": "소품", "products": {"bought": ["p3"]}}
    world.launch()
    world.work_off()
    assert {person: (title, items) for _, person, title, items in world.email.shown} == {
        "c00": ("골라 보았어요", ("울 코트",)),
        "c01": ("새 상품이 들어왔어요", ()),
        "c02": ("새 상품이 들어왔어요", ()),
    }


@pytest.mark.parametrize(("channels", "times"), [(VARIANTS, 1), (CHANNELS, 0)])
def test_the_shelves_are_read_once_a_batch_that_shows_some(channels: str, times: int) -> None:
    world = SendingWorld(hello(channels=channels))
    world.people(5)
    world.launch()
    world.work_off()
    assert world.status("c00") == "sent"
    assert world.shelves_read == times
