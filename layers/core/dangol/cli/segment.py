"""`dangol segment`: the main job without AWS."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from dangol.cli.local import (
    a_date,
    add_files_to,
    add_language_to,
    add_shop_to,
    check_files,
    policy_of,
    quality_of_files,
    read_files,
    shop_of,
)
from dangol.errors import DangolError
from dangol.shop import Shop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.files.reading import Reading
    from dangol.files.receipt import Receipt
    from dangol.reports.contents import Contents
    from dangol.segments.compute import Sources
    from dangol.segments.policy import Policy


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "segment",
        help="segment the customers of order files, without AWS",
        description="Read order exports (CSV, also gzipped; UTF-8, UTF-16 or CP949) and write every "
        "customer's features and segments as of a date, what could not be read, a receipt and a report.",
        epilog="Of an order that is in several files, the file named last counts. "
        "exit status: 0 done, 1 done with rejected rows, 2 unusable input",
    )
    add_files_to(parser)
    parser.add_argument(
        "--as-of", required=True, type=a_date, metavar="DATE", help="the day to look from, e.g. 2026-11-22"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the results")
    add_shop_to(parser)
    add_language_to(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; the status is 1 when rows were rejected."""
    # pandas and the templates take a third of a second to import, so they do it beside the reading.
    late = Thread(target=_prepare)
    late.start()
    from dangol.engine import connect
    from dangol.reports.text import receipt_text, summary_text

    say = _quiet if options.quiet else _Progress()
    shop = shop_of(options)
    policy = policy_of(options.config)
    out = _folder(options.out)
    check_files(options)
    with tempfile.TemporaryDirectory(prefix="dangol-") as scratch:
        connection = connect(shop, Path(scratch))
        say(f"reading {len(options.files)} file(s)")
        local = read_files(connection, options, Path(scratch), policy.needs)
        receipt = sum((reading.receipt for reading in local.readings[1:]), local.readings[0].receipt)
        say(receipt_text(receipt))
        late.join()
        contents = _segmented(connection, local.sources, policy, options.as_of, out, shop)
        summary = contents.summary
        say(f"segmented {summary.customers:,} customers as of {options.as_of}")
        _write_account(local.readings, receipt, out)
        quality = quality_of_files(connection, options, local.readings)
        _write_report(replace(contents, quality=quality), options.language, out)
        connection.close()
    if not options.quiet:
        print(summary_text(summary))
        print(f"\nwritten to {out}: customers.parquet, rejects.csv, receipt.json, report.html")
    return 1 if receipt.rows_rejected else 0


def _prepare() -> None:
    """Load what is needed after the reading."""
    import dangol.reports.contents
    import dangol.reports.quality
    import dangol.segments.classify  # noqa: F401
    from dangol.reports.html import page_template

    page_template()


def _segmented(
    connection: "DuckDBPyConnection", sources: "Sources", policy: "Policy", as_of: date, out: Path, shop: Shop
) -> "Contents":
    """Write every customer, and make what the report holds beside it."""
    from dangol.reports.contents import contents_of
    from dangol.segments.classify import classify
    from dangol.segments.compute import make_features, make_interactions

    if sources.lines or sources.interests:
        make_interactions(connection, sources, as_of)
    make_features(connection, sources, as_of, policy.needs.features)
    classify(connection, policy, as_of)
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(_write_customers, connection.cursor(), out / "customers.parquet")
        contents = contents_of(connection, policy, as_of, shop.currency)
        written.result()
    return contents


def _write_customers(connection: "DuckDBPyConnection", path: Path) -> None:
    from dangol.segments.features import FEATURE_COLUMNS

    if path.is_dir():
        raise DangolError(f"cannot write {path}: it is a folder")
    columns = ", ".join((*FEATURE_COLUMNS, "segment", "segments"))
    connection.execute(f"COPY (SELECT {columns} FROM customers) TO ? (FORMAT parquet)", [str(path)])


def _write_account(readings: "Sequence[Reading]", receipt: "Receipt", out: Path) -> None:
    from dangol.files.rejects import write_rejects

    write_rejects([reject for reading in readings for reject in reading.rejects], out / "rejects.csv")
    text = json.dumps(receipt.as_dict(), ensure_ascii=False, indent=2)
    (out / "receipt.json").write_text(text + "\n", encoding="utf-8")


def _write_report(contents: "Contents", language: str, out: Path) -> None:
    from dangol.reports.html import report_html

    (out / "report.html").write_text(report_html(contents, language), encoding="utf-8")


class _Progress:
    """Tells on standard error what is done, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, message: str) -> None:
        print(f"{time.monotonic() - self._start:6.1f} s  {message}", file=sys.stderr, flush=True)


def _quiet(message: str) -> None:
    del message


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DangolError(f"cannot make the folder {path}: {error.strerror}") from error
    return path
