"""`dangol report`: the report of files on this machine, or the newest of a deployed stack."""

import argparse
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dangol.cli.base import stack_of
from dangol.cli.local import (
    LocalFiles,
    a_date,
    add_files_to,
    add_language_to,
    add_shop_to,
    check_files,
    policy_of,
    quality_of_files,
    read_files,
    shop_of,
    tell_rejected,
)
from dangol.cli.stack import Stack, telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.reports.contents import Contents
    from dangol.reports.news import Before
    from dangol.reports.traits import Traits
    from dangol.segments.policy import Policy


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "report",
        usage="dangol report [FILE ...] [options]",
        help="one page on who the customers are, how they move, and what to look into",
        description="Write one HTML file that needs no network: segments, moves since yesterday, last week and last "
        "month, distributions, what each segment does, the unclassified, data quality. Of order files on this "
        "machine, or with --stack NAME the newest one that its daily run built.",
        epilog="example: dangol report orders.csv --customers people.csv --products products.csv --out report.html. "
        "exit status: 0 done, 1 done with rejected rows, 2 unusable input",
    )
    add_files_to(parser, orders="*")
    add_shop_to(parser)
    parser.add_argument("--stack", metavar="NAME", help="fetch the report of the deployed stack of this name")
    parser.add_argument(
        "--as-of",
        "--date",
        dest="as_of",
        type=a_date,
        metavar="DATE",
        help="the day to look from, e.g. 2026-11-22 (default: today; with --stack that of the newest report)",
    )
    add_language_to(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE", help="where to write it (default: %(default)s)"
    )
    parser.set_defaults(run=telling_of_aws(run))


def run(options: argparse.Namespace) -> int:
    """Do it; the status is 1 when rows were rejected."""
    stack = stack_of(options)
    if options.out.is_dir():
        raise DangolError(f"cannot write {options.out}: it is a folder; name a file")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    page, rejected = _fetched(stack, options) if stack else _made(options)
    options.out.write_bytes(page)
    print(f"written to {options.out}")
    return 1 if rejected else 0


def _fetched(stack: Stack, options: argparse.Namespace) -> tuple[bytes, int]:
    from dangol.reports.html import alone
    from dangol.reports.places import PREFIX, SUMMARY, days_with, page_key

    bucket = stack.bucket()
    days = days_with(SUMMARY, bucket.keys(PREFIX))
    day = options.as_of or max(days, default=None)
    if day not in days:
        known = f"; the newest is of {max(days)}" if days else "; the daily run builds one each night"
        raise DangolError(f"stack '{options.stack}' has no report{f' of {day}' if day else ''}{known}")
    print(f"report of {day}", file=sys.stderr)
    return alone(bucket.read(page_key(day, options.language)).decode()).encode(), 0


def _made(options: argparse.Namespace) -> tuple[bytes, int]:
    from dangol.engine import connect
    from dangol.reports.html import report_html

    check_files(options)
    shop, policy = shop_of(options), policy_of(options.config)
    as_of = options.as_of or shop.date_of(datetime.now(UTC))
    with tempfile.TemporaryDirectory(prefix="dangol-") as scratch:
        connection = connect(shop, Path(scratch))
        try:
            print(f"reading {len(options.files)} file(s)", file=sys.stderr)
            local = read_files(connection, options, Path(scratch), policy.needs, whole=True)
            rejected = tell_rejected(local)
            contents = _contents(connection, options, policy, local, as_of)
        finally:
            connection.close()
    return report_html(contents, options.language).encode(), rejected


def _contents(
    connection: "DuckDBPyConnection", options: argparse.Namespace, policy: "Policy", local: LocalFiles, as_of: date
) -> "Contents":
    from dangol.reports.contents import contents_of
    from dangol.reports.flows import PERIODS, Flow, changed_sql, days_of, flow
    from dangol.reports.news import news

    begin = _first_day(connection, local)
    known = {period: day for period, day in days_of(as_of).items() if begin is not None and begin <= day}
    before: Before | None = None
    for period in reversed(PERIODS):  # yesterday last: what is there then is what `before` speaks of
        if period in known:
            print(f"segmenting as of {known[period]}", file=sys.stderr)
            _classify(connection, local, policy, known[period])
            before = _before(connection, policy, known[period])
            connection.execute(f"CREATE TEMP TABLE before_{period} AS SELECT customer_id, segment FROM customers")
    print(f"segmenting as of {as_of}", file=sys.stderr)
    _classify(connection, local, policy, as_of)
    contents = contents_of(connection, policy, as_of, shop_of(options).currency)
    flows = tuple(
        flow(connection, period, day, changed_sql(f"before_{period}")) if period in known else Flow(period, day, None)
        for period, day in days_of(as_of).items()
    )
    quality = quality_of_files(connection, options, local.readings)
    return replace(
        contents,
        flows=flows,
        flows_begin=begin,
        traits=_traits(connection, options, policy, as_of),
        observed=contents.summary.customers,
        quality=quality,
        news=news(contents.summary, policy.version, before, flows[0], quality),
    )


def _first_day(connection: "DuckDBPyConnection", local: LocalFiles) -> date | None:
    row = connection.execute(f"SELECT min(ordered_on) FROM {local.sources.purchases} WHERE counted").fetchone()
    return row[0] if row else None


def _classify(connection: "DuckDBPyConnection", local: LocalFiles, policy: "Policy", as_of: date) -> None:
    """Make relation `customers` as of a day."""
    from dangol.segments.classify import classify
    from dangol.segments.compute import make_features, make_interactions

    make_interactions(connection, local.sources, as_of)
    make_features(connection, local.sources, as_of, {"days_between_orders", *policy.needs.features})
    classify(connection, policy, as_of)


def _before(connection: "DuckDBPyConnection", policy: "Policy", day: date) -> "Before":
    """What a report of an earlier day would have said."""
    from dangol.reports.news import Before
    from dangol.reports.summary import summarise

    summary = summarise(connection, policy, day)
    return Before(day, summary.customers, summary.orders, summary.revenue, policy.version, records={})


def _traits(
    connection: "DuckDBPyConnection", options: argparse.Namespace, policy: "Policy", as_of: date
) -> "tuple[Traits, ...]":
    from dangol.reports.observation import Orders, begin, observe
    from dangol.reports.traits import traits

    begin(connection)
    products = "all_products" if options.products else None
    observe(connection, Orders("customers", "orders", "order_lines", products), as_of)
    return traits(connection, policy.rfm_ids)
