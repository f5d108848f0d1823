"""Files of a shop on this machine: the options that name them, and what they say as sources of features."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dangol.errors import DangolError, UnreadableFile
from dangol.shop import Shop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.files.reading import Reading
    from dangol.orders.reader import OrderReader
    from dangol.reports.quality import Quality
    from dangol.segments.compute import Sources
    from dangol.segments.policy import Needs, Policy

_OF_ORDERS = frozenset(("favorite_category", "last_category", "last_product", "coupon_orders", "coupon_share"))
"""Features for which whole orders are read, which takes longer."""
_KINDS = ("customers", "products", "interests")


def add_files_to(parser: argparse.ArgumentParser, *, orders: str = "+") -> None:
    """Declare the files; `orders` says how many order files there may be."""
    parser.add_argument("files", metavar="FILE", nargs=orders, type=Path, help="order export; older files first")
    parser.add_argument("--customers", metavar="FILE", nargs="+", type=Path, default=[], help="customers files")
    parser.add_argument("--products", metavar="FILE", nargs="+", type=Path, default=[], help="products files")
    parser.add_argument("--interests", metavar="FILE", nargs="+", type=Path, default=[], help="interests files")
    parser.add_argument(
        "--identity-key-env",
        metavar="NAME",
        help="environment variable with the secret that keys the hash of e-mail addresses and phone numbers, to get "
        "the same customer ids as a deployed stack (default: one for this machine only)",
    )
    parser.add_argument("--password-env", metavar="NAME", help="environment variable with the password of workbooks")


def add_shop_to(parser: argparse.ArgumentParser) -> None:
    """Declare what the shop is like."""
    parser.add_argument("--config", type=Path, metavar="DIR", help="the configuration's folder (default: built in)")
    parser.add_argument("--time-zone", default="Asia/Seoul", type=_zone, help="the shop's (default: %(default)s)")
    parser.add_argument("--currency", default="KRW", type=_currency, help="the shop's (default: %(default)s)")


def add_language_to(parser: argparse.ArgumentParser) -> None:
    """Declare the language of a report."""
    parser.add_argument(
        "--language", choices=("ko", "en"), default="ko", help="of the report: Korean or English (default: %(default)s)"
    )


def shop_of(options: argparse.Namespace) -> Shop:
    """The shop that the options describe."""
    return Shop(options.time_zone, options.currency)


def policy_of(folder: Path | None) -> "Policy":
    """The policy of a configuration folder; the one shipped with Dangol where none is given."""
    from dangol.configuration import files_of
    from dangol.segments.policy import POLICY_FILE, default_policy, load_policy

    if folder is None:
        return default_policy()
    path = folder / POLICY_FILE
    if path.is_file():
        return load_policy(path.read_bytes(), str(path))
    if not files_of(folder):
        raise UnreadableFile(str(path), "does not exist; --config names a folder that holds it")
    return default_policy()


def identity_key(options: argparse.Namespace) -> bytes:
    """The secret that keys the hash of contacts."""
    from dangol.identity import LOCAL_KEY

    return LOCAL_KEY if options.identity_key_env is None else _secret(options.identity_key_env).encode()


def _secret(variable: str) -> str:
    if not (found := os.environ.get(variable)):
        raise DangolError(f"environment variable {variable} is not set or empty; put the secret there")
    return found


def _password(options: argparse.Namespace) -> str | None:
    return _secret(options.password_env) if options.password_env else None


def order_reader(connection: "DuckDBPyConnection", options: argparse.Namespace, folder: Path) -> "OrderReader":
    """A reader of order files, with what the configuration says of dialects and rates."""
    from dangol.orders.describe import dialects_of
    from dangol.orders.rates import rates_of
    from dangol.orders.reader import OrderReader

    return OrderReader(
        connection,
        shop_of(options),
        folder,
        key=identity_key(options),
        own=dialects_of(options.config) if options.config else (),
        rates=rates_of(options.config) if options.config else (),
        password=_password(options),
    )


def check_files(options: argparse.Namespace) -> None:
    """Raise UnreadableFile for the first file that is not there."""
    for path in (*options.files, *(path for kind in _KINDS for path in getattr(options, kind))):
        if not path.is_file():
            raise UnreadableFile(str(path), "does not exist or is not a file")


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """What the files hold, in a database."""

    sources: "Sources"
    readings: tuple["Reading", ...]
    """Of the orders, and of each other kind given."""


def tell_rejected(local: LocalFiles) -> int:
    """Say what could not be used, if anything; how many rows that are."""
    from dangol.reports.text import receipt_text

    receipt = sum((reading.receipt for reading in local.readings[1:]), local.readings[0].receipt)
    if receipt.rows_rejected:
        print(f"{receipt_text(receipt)}\n  `dangol segment` writes the rejected rows to a file", file=sys.stderr)
    return receipt.rows_rejected


def read_files(
    connection: "DuckDBPyConnection", options: argparse.Namespace, folder: Path, needs: "Needs", *, whole: bool = False
) -> LocalFiles:
    """Read the files that the options name; only as much of the orders as `needs` asks for, unless `whole`."""
    from dangol.ledger.orders import lines_sql, purchases_sql
    from dangol.segments.compute import Sources
    from dangol.segments.profiles import make_profiles

    others = {kind: _read_table(connection, options, kind, folder) for kind in _KINDS if getattr(options, kind)}
    orders = order_reader(connection, options, folder)
    files = _named(options.files)
    whole = whole or needs.interactions or "interests" in others or not _OF_ORDERS.isdisjoint(needs.features)
    if whole:
        reading = orders.read_orders(files)
        products = "all_products" if "products" in others else None
        connection.execute(f"CREATE TEMP TABLE order_lines AS {lines_sql('orders', products)}")
    else:
        reading = orders.read_purchases(files)
    sources = Sources(
        purchases=purchases_sql("orders") if whole else "purchases",
        reduced=whole,
        lines="order_lines" if whole else None,
        profiles=make_profiles(connection, "all_customers") if "customers" in others else None,
        interests="all_interests" if "interests" in others else None,
        whole=True,
    )
    return LocalFiles(sources, (reading, *others.values()))


def quality_of_files(
    connection: "DuckDBPyConnection", options: argparse.Namespace, readings: "Sequence[Reading]"
) -> "Quality":
    """What a report says of the files; reads relation `customers`."""
    from dangol.reports.quality import newest_order, quality_of

    kinds = ["orders", *(kind for kind in _KINDS if getattr(options, kind))]
    receipts = [(kind, reading.receipt.as_dict()) for kind, reading in zip(kinds, readings, strict=True)]
    return quality_of(receipts, newest_order(connection))


def _read_table(connection: "DuckDBPyConnection", options: argparse.Namespace, kind: str, folder: Path) -> "Reading":
    """Make temp table `all_<kind>`."""
    from dangol.inputs import TABLES
    from dangol.inputs.reader import RECORDS, TableReader

    shop, key = shop_of(options), identity_key(options)
    reader = TableReader(connection, TABLES[kind], shop, folder, key, password=_password(options))
    reading = reader.read(_named(getattr(options, kind)))
    connection.execute(f"CREATE TEMP TABLE all_{kind} AS SELECT *, '' AS version FROM {RECORDS}")
    return reading


def _named(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    return [(path, str(path)) for path in paths]


def a_date(text: str) -> date:
    """An argument that is a date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date; write it as 2026-11-22") from error


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time zone; use one like Asia/Seoul") from error
    if not text[:1].isupper():  # "localtime" is the machine's, not the shop's
        raise argparse.ArgumentTypeError(f"'{text}' is not a time zone; use one like Asia/Seoul")
    return text


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a currency; use an ISO 4217 code like KRW")
    return text.upper()
