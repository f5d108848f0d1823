"""`dangol segment`: the main job without AWS."""

import argparse
import json
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dangol.errors import DangolError, UnreadableFile
from dangol.shop import Shop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.segments.policy import Policy

_NEEDED_AFTER_READING = ("dangol.segments.classify", "dangol.reports.html")


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
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="order export; older files first")
    parser.add_argument(
        "--as-of", required=True, type=_date, metavar="DATE", help="the day to look from, e.g. 2026-11-22"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--config", type=Path, metavar="DIR", help="folder with segments.yaml (default: built in)")
    parser.add_argument("--time-zone", default="Asia/Seoul", type=_zone, help="the shop's (default: %(default)s)")
    parser.add_argument("--currency", default="KRW", type=_currency, help="the shop's (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; the status is 1 when rows were rejected."""
    # pandas and the templates take a third of a second to import, so they do it beside the reading.
    late = Thread(target=lambda: list(map(import_module, _NEEDED_AFTER_READING)))
    late.start()
    from dangol.engine import connect
    from dangol.files.rejects import write_rejects
    from dangol.orders.reader import OrderReader
    from dangol.reports.text import receipt_text

    say = _quiet if options.quiet else _Progress()
    shop = Shop(options.time_zone, options.currency)
    policy = _policy(options.config)
    out = _folder(options.out)
    _check_files(options.files)
    with tempfile.TemporaryDirectory(prefix="dangol-") as scratch:
        connection = connect(shop, Path(scratch))
        say(f"reading {len(options.files)} file(s)")
        reader = OrderReader(connection, shop, Path(scratch))
        reading = reader.read_purchases([(path, str(path)) for path in options.files])
        say(receipt_text(reading.receipt))
        late.join()
        from dangol.reports.html import report_html
        from dangol.reports.summary import summarise
        from dangol.reports.text import summary_text
        from dangol.segments.classify import classify, make_features

        make_features(connection, "purchases", options.as_of)
        classify(connection, policy, options.as_of)
        with ThreadPoolExecutor(1) as beside:
            written = beside.submit(_write_customers, connection.cursor(), out / "customers.parquet")
            summary = summarise(connection, policy, options.as_of)
            written.result()
        say(f"segmented {summary.customers:,} customers as of {options.as_of}")
        write_rejects(reading.rejects, out / "rejects.csv")
        receipt = json.dumps(reading.receipt.as_dict(), ensure_ascii=False, indent=2)
        (out / "receipt.json").write_text(receipt + "\n", encoding="utf-8")
        (out / "report.html").write_text(report_html(summary, shop.currency, reading.receipt), encoding="utf-8")
        connection.close()
    if not options.quiet:
        print(summary_text(summary))
        print(f"\nwritten to {out}: customers.parquet, rejects.csv, receipt.json, report.html")
    return 1 if reading.receipt.rows_rejected else 0


def _write_customers(connection: "DuckDBPyConnection", path: Path) -> None:
    if path.is_dir():
        raise DangolError(f"cannot write {path}: it is a folder")
    connection.execute("COPY customers TO ? (FORMAT parquet)", [str(path)])


class _Progress:
    """Tells on standard error what is done, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, message: str) -> None:
        print(f"{time.monotonic() - self._start:6.1f} s  {message}", file=sys.stderr, flush=True)


def _quiet(message: str) -> None:
    del message


def _policy(folder: Path | None) -> "Policy":
    from dangol.segments.policy import POLICY_FILE, default_policy, load_policy

    if folder is None:
        return default_policy()
    path = folder / POLICY_FILE
    if not path.is_file():
        raise UnreadableFile(str(path), "does not exist; --config names a folder that holds it")
    return load_policy(path.read_bytes(), str(path))


def _check_files(files: list[Path]) -> None:
    for path in files:
        if not path.is_file():
            raise UnreadableFile(str(path), "does not exist or is not a file")


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DangolError(f"cannot make the folder {path}: {error.strerror}") from error
    return path


def _date(text: str) -> date:
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
