"""The customers that segments are applied to: of files on this machine, or of a deployed stack."""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dangol.cli.folder import configuration_in
from dangol.cli.local import a_date, add_files_to, add_shop_to, check_files, read_files, shop_of, tell_rejected
from dangol.cli.stack import Stack, add_stack_to, open_stack
from dangol.errors import DangolError
from dangol.shop import Shop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.configuration import Configuration
    from dangol.ledger.store import ObjectStore
    from dangol.segments.compute import Sources
    from dangol.segments.policy import Needs, Policy


@dataclass(frozen=True, slots=True)
class Base:
    """Every customer, in table `features`, with what the policies need (see make_features)."""

    connection: "DuckDBPyConnection"
    as_of: date
    shop: Shop
    rejected: int
    """Rows of the files that could not be used."""


def add_base_to(parser: argparse.ArgumentParser) -> None:
    """Declare where customers come from, and the day to look from."""
    add_files_to(parser, orders="*")
    add_shop_to(parser)
    add_stack_to(parser)
    parser.add_argument(
        "--as-of", type=a_date, metavar="DATE", help="the day to look from, e.g. 2026-11-22 (default: today)"
    )


def stack_of(options: argparse.Namespace) -> Stack | None:
    """The stack to ask, if one is named. Raises DangolError where it is not clear whom to ask."""
    files = [*options.files, *options.customers, *options.products, *options.interests]
    if options.stack and files:
        raise DangolError(f"read {files[0]}, or ask --stack {options.stack}? give one of them")
    if not options.stack and not options.files:
        raise DangolError("give order files, or --stack NAME to ask a deployed stack; put the files before the options")
    return open_stack(options.stack) if options.stack else None


def configuration_of(options: argparse.Namespace, stack: Stack | None) -> "Configuration":
    """That of the folder given; else what is live in the stack; else the one shipped with Dangol."""
    if options.config is not None:
        return configuration_in(options.config)
    from dangol.configuration import Configuration
    from dangol.moves.configure import live_configuration

    return live_configuration(stack.bucket()) if stack else Configuration.default()


@contextmanager
def open_base(
    options: argparse.Namespace, stack: Stack | None, policies: Iterable["Policy"], also: Iterable[str] = ()
) -> Iterator[Base]:
    """Compute the features that any of these policies needs, and those in `also`; the tables end with the context."""
    from dangol.engine import connect

    needs = _together([policy.needs for policy in policies], also)
    shop = stack.shop if stack else shop_of(options)
    as_of = options.as_of or (stack.today() if stack else shop.date_of(datetime.now(UTC)))
    with tempfile.TemporaryDirectory(prefix="dangol-") as scratch:
        connection = connect(shop, Path(scratch))
        try:
            if stack:
                rejected, sources = 0, _ledger(connection, stack, options.cache, Path(scratch))
            else:
                rejected, sources = _files(connection, options, Path(scratch), needs)
            _compute(connection, sources, as_of, needs)
            yield Base(connection, as_of, shop, rejected)
        finally:
            connection.close()


def _together(needs: "list[Needs]", also: Iterable[str]) -> "Needs":
    from dangol.segments.policy import Needs

    features = frozenset(also).union(*(one.features for one in needs))
    return Needs(features, any(one.interactions for one in needs))


def _ledger(connection: "DuckDBPyConnection", stack: Stack, cache: Path | None, folder: Path) -> "Sources":
    from dangol.ledger.shard import ShardLedger

    def of(store: "ObjectStore") -> ShardLedger:
        return ShardLedger(connection, store, None, folder)

    ledger = of(stack.ledger(cache, lambda store: of(store).keys()))
    ledger.load(ledger.keys())
    return replace(ledger.sources(), whole=True)


def _files(
    connection: "DuckDBPyConnection", options: argparse.Namespace, folder: Path, needs: "Needs"
) -> "tuple[int, Sources]":
    """(rows rejected, the sources)."""
    check_files(options)
    local = read_files(connection, options, folder, needs)
    return tell_rejected(local), local.sources


def _compute(connection: "DuckDBPyConnection", sources: "Sources", as_of: date, needs: "Needs") -> None:
    from dangol.segments.compute import make_features, make_interactions

    if needs.interactions or sources.interests:
        make_interactions(connection, sources, as_of)
    make_features(connection, sources, as_of, needs.features)
