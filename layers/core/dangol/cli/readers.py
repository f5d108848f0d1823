"""Who a preview is written to: an example, or a customer of files."""

import argparse
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from dangol.cli.local import add_files_to, check_files, read_files, shop_of
from dangol.errors import DangolError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.campaigns.content import Facts, Item
    from dangol.segments.compute import Sources

_SHOP = "https://shop.example.com"
_LINKS = {name: f"{_SHOP}/invitation?token={name}" for name in ("accept", "decline")}


def add_reader_to(parser: argparse.ArgumentParser) -> None:
    """Declare who it is."""
    add_files_to(parser, orders="*")
    parser.add_argument("--customer", metavar="ID", help="somebody in the files given, instead of an example")
    parser.add_argument("--name", default="김단골", help="the example's name; '' for none (default: %(default)s)")
    parser.add_argument(
        "--product", default="울 코트", help="what they bought last; '' for none (default: %(default)s)"
    )
    parser.add_argument("--no-items", action="store_true", help="as if there were no catalogue")


def reader_of(options: argparse.Namespace, as_of: date) -> "Facts":
    """What is known of the person on a day. Raises DangolError where it is not clear whom to write to."""
    given = [*options.files, *options.customers, *options.products, *options.interests]
    if bool(given) != bool(options.customer):
        raise DangolError("give --customer ID and the files that know of them, or neither for an example")
    if not given:
        return _example(options)
    if not options.files:
        raise DangolError(f"give order files as well, before the options; {given[0]} tells of no purchase")
    return _customer(options, as_of)


def _example(options: argparse.Namespace) -> "Facts":
    from dangol.campaigns.content import Facts, Item
    from dangol.campaigns.definition import ITEM_KINDS

    items = (
        Item("p1", "캐시미어 머플러", f"{_SHOP}/p1", price=Decimal(89_000)),
        Item("p2", "Merino Wool Cardigan", f"{_SHOP}/p2", price=Decimal(129_000)),
    )
    return Facts(
        customer_name=options.name or None,
        last_product=options.product or None,
        last_category="아우터" if options.product else None,
        items={} if options.no_items else dict.fromkeys(ITEM_KINDS, items),
        links=_LINKS,
    )


def _customer(options: argparse.Namespace, as_of: date) -> "Facts":
    from dangol.campaigns.content import Facts
    from dangol.engine import connect
    from dangol.segments.compute import make_features, make_interactions
    from dangol.segments.policy import Needs

    check_files(options)
    needs = Needs(frozenset({"last_product", "last_category"}), interactions=True)
    with (
        tempfile.TemporaryDirectory(prefix="dangol-") as scratch,
        connect(shop_of(options), Path(scratch)) as connection,
    ):
        sources = read_files(connection, options, Path(scratch), needs).sources
        make_interactions(connection, sources, as_of)
        make_features(connection, sources, as_of, needs.features)
        found = connection.execute(_PERSON, [options.customer]).fetchone()
        if found is None:
            raise DangolError(
                f"no customer '{options.customer}' in the files by {as_of}; `dangol segments members` lists ids"
            )
        product, category = found
        shown = options.products and not options.no_items
        items = _items(connection, sources, options.customer, category, as_of) if shown else {}
        return Facts(_name(connection, options), product, category, items, _LINKS)


_PERSON = "SELECT last_product, last_category FROM features WHERE customer_id = ?"


def _name(connection: "DuckDBPyConnection", options: argparse.Namespace) -> str | None:
    """What messages call the person: as customers files say, else the newest order."""
    sources = [("orders", "ordered_at"), *([("all_customers", "version")] if options.customers else [])]
    for relation, newest in reversed(sources):
        rows = f"(SELECT NULL::VARCHAR AS customer_name WHERE false UNION ALL BY NAME FROM {relation})"
        newest_name = f"SELECT arg_max(customer_name, {newest}) FILTER (customer_name IS NOT NULL) FROM {rows}"
        (name,) = connection.execute(f"{newest_name} WHERE customer_id = ?", [options.customer]).fetchall()[0]
        if name is not None:
            return str(name)
    return None


def _items(
    connection: "DuckDBPyConnection", sources: "Sources", customer: str, last_category: str | None, as_of: date
) -> "dict[str, tuple[Item, ...]]":
    """What may be shown to the person, of every kind."""
    from dangol.campaigns.definition import ITEM_KINDS
    from dangol.campaigns.items import OwnProducts, choose_items
    from dangol.ledger.catalogue import make_catalogue
    from dangol.ledger.own_products import COLUMNS, OWN, make_own_products
    from dangol.ledger.sales import SALES, add_baskets
    from dangol.ledger.shelving import shelves_of

    make_catalogue(connection, "all_products")
    make_own_products(connection, sources.lines, as_of, interests=sources.interests is not None)
    add_baskets(connection, "order_lines", as_of)
    shelves = shelves_of(connection, f"({SALES})", as_of)
    query = f"SELECT {', '.join(COLUMNS)} FROM {OWN} WHERE customer_id = ?"
    last, *lists = connection.execute(query, [customer]).fetchone() or (None,) * len(COLUMNS)
    return choose_items(ITEM_KINDS, OwnProducts(last, *(tuple(one or ()) for one in lists)), last_category, shelves)
