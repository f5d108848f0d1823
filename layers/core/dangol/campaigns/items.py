"""Which products a message shows to a person: what concerns them, put together with what the shop can show today.

A person's own products change when the person does something, what the shop shows whenever the shop does. So each is
kept where it changes alone (docs/adr/0016).
"""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from dangol.campaigns.content import Item

MAX_SHOWN = 6
"""Items of one kind."""


@dataclass(frozen=True, slots=True)
class OwnProducts:
    """Products that concern one person, by id."""

    last: str | None = None
    """What they bought last."""
    bought: tuple[str, ...] = ()
    """What they bought lately, and all of their last day with an order: never shown to them."""
    cart: tuple[str, ...] = ()
    """Newest first, as are the others."""
    wishlist: tuple[str, ...] = ()
    restocked: tuple[str, ...] = ()
    """Of cart, wish list and what they looked at, what came back in stock since."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """What the shop can show. Products are named by id, the best first; all of them are in `products`."""

    products: Mapping[str, Item] = field(default_factory=dict)
    """All that is sold and not known to be out of stock."""
    new: tuple[str, ...] = ()
    limited: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    together: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By product: what is often bought together with it."""

    def to_bytes(self) -> bytes:
        """As an object in the bucket: the same bytes for the same content."""
        products = {
            product: [
                item.name,
                item.category,
                None if item.price is None else str(item.price),
                item.url,
                item.image_url,
            ]
            for product, item in self.products.items()
        }
        lists = {"new": self.new, "limited": self.limited, "categories": self.categories, "together": self.together}
        text = json.dumps({"products": products, **lists}, ensure_ascii=False, separators=(",", ":"))
        return gzip.compress(text.encode(), 5, mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Shelves":
        """What to_bytes wrote."""
        found = json.loads(gzip.decompress(data))
        products = {
            product: Item(product, name, url, image_url, None if price is None else Decimal(price), category)
            for product, (name, category, price, url, image_url) in found["products"].items()
        }
        by_name = (
            {name: tuple(products) for name, products in found[kind].items()} for kind in ("categories", "together")
        )
        return cls(products, tuple(found["new"]), tuple(found["limited"]), *by_name)


def choose_items(
    kinds: Iterable[str], own: OwnProducts, last_category: str | None, shelves: Shelves
) -> dict[str, tuple[Item, ...]]:
    """Items by kind (definition.ITEM_KINDS), the best first; a kind of which there is none is left out.

    Of what is new and limited, products of the category they bought from last come first. What they bought lately is
    never among them, nor what is out of stock.
    """
    found = {kind: _shown(_of_kind(kind, own, last_category, shelves), own, shelves) for kind in kinds}
    return {kind: items for kind, items in found.items() if items}


def _of_kind(kind: str, own: OwnProducts, last_category: str | None, shelves: Shelves) -> tuple[str, ...]:
    match kind:
        case "cart" | "wishlist" | "restocked":
            return tuple(getattr(own, kind))
        case "last_category":
            return shelves.categories.get(last_category or "", ())
        case "bought_together":
            return shelves.together.get(own.last or "", ())
    shelf: tuple[str, ...] = getattr(shelves, kind)
    return tuple(sorted(shelf, key=lambda product: shelves.products[product].category != last_category))


def _shown(products: Iterable[str], own: OwnProducts, shelves: Shelves) -> tuple[Item, ...]:
    left = (product for product in products if product not in own.bought and product in shelves.products)
    return tuple(shelves.products[product] for product in left)[:MAX_SHOWN]
