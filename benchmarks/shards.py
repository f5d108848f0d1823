"""The refresh of shards: one from a cold process, and all of a ledger against DuckDB's bare scan of the same files.

A ledger of the generated orders is built first, by the same code that ingests files; building it takes a few minutes
and is not measured. Every refresh is of the day after the shard's last one, as in the daily run: it loads the state of
the day before, computes the new one and what changed, and writes it to the folder. With `--orders`, orders of the day
come due in each, as after a file. The bars are about a refresh without its writes, whose seconds it tells and which are
taken off.

    python -m benchmarks.shards [--rows 10_000_000] [--shards 64] [--orders] [--data build/bench]
"""

import argparse
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.files import LAST_DAY, add_data_option, order_file
from benchmarks.timing import Ratios, Run, in_turns, peak, progress, run, wall

ONE_BAR = 1.2  # seconds, a shard of 160,000 orders from a cold process
ALL_BAR, ALL_AIM = 2.5, 1.5  # times the bare scan
PEAK_BAR = 300 / 1024  # GiB
PART_ROWS = 1_000_000
DUE = 30  # days before the last order, at which the ledger is refreshed first
BUILD = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from dangol.engine import connect
from dangol.ledger.store import FolderStore
from dangol.moves.append import Appender
from dangol.orders.reader import OrderReader
from dangol.shop import Shop
ledger, part, version, shards = sys.argv[1:]
with TemporaryDirectory() as folder:
    connection = connect(Shop(), Path(folder))
    reader = OrderReader(connection, Shop(), Path(folder))
    appender = Appender(connection, FolderStore(Path(ledger)), int(shards), Path(folder))
    appender.orders(reader, [(Path(part), part)], version)
"""


def ledger(data: Path, rows: int, shards: int) -> Path:
    """The ledger of the generated orders in a folder; made when it is not there yet, and refreshed once."""
    folder = data / f"ledger_{rows}_{shards}"
    done = folder / "done"
    if done.exists():
        return folder
    with order_file(data, rows).open(encoding="utf-8") as source, TemporaryDirectory() as scratch:
        header, part = next(source), Path(scratch) / "part.csv"
        for number, first in enumerate(range(0, rows, PART_ROWS)):
            progress(f"ledger: {first:,} of {rows:,} orders")
            with part.open("w", encoding="utf-8") as out:
                out.write(header)
                out.writelines(islice(source, PART_ROWS))
            moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)
            version = f"{moment:%Y%m%dT%H%M%SZ}-{number:024d}-00000000"
            run([sys.executable, "-c", BUILD, str(folder), str(part), version, str(shards)])
    progress("ledger: first refresh of every shard, which merges its parts")
    run(refresh_command(folder, shards=range(shards), as_of=LAST_DAY - timedelta(days=DUE)))
    done.touch()
    return folder


def refresh_command(folder: Path, *, shards: range, as_of: date, bare: bool = False) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.shard", str(folder), "--as-of", str(as_of)]
    return [*command, *(["--bare"] if bare else []), "--shards", *map(str, shards)]


def next_day(folder: Path, *, orders: bool) -> date:
    """A day after all that were measured; after the last order, or with `orders` before it."""
    noted = folder / "day"
    first = LAST_DAY - timedelta(days=DUE) if orders else LAST_DAY
    last = max(first, date.fromisoformat(noted.read_text()) if noted.exists() else first)
    day = last + timedelta(days=1)
    if orders and day > LAST_DAY:
        sys.exit(f"every order of {folder} has come due: remove the folder")
    noted.write_text(day.isoformat())
    return day


def measure(folder: Path, shards: range, runs: int, *, orders: bool) -> tuple[list[Run], list[Run]]:
    """(refreshes, bare scans) of some shards in turns; every refresh is of a day later than the last."""
    refreshes: list[Run] = []
    scans: list[Run] = []
    for turn in range(-1, runs):
        day = next_day(folder, orders=orders)
        commands = {
            "refresh": refresh_command(folder, shards=shards, as_of=day),
            "bare": refresh_command(folder, shards=shards, as_of=day, bare=True),
        }
        found = in_turns(commands, runs=1, warm_ups=0)
        if turn >= 0:
            refreshes += found["refresh"]
            scans += found["bare"]
    return refreshes, scans


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the refresh of one shard and of a whole ledger.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="orders of the ledger (default: %(default)s)")
    parser.add_argument("--shards", type=int, default=64, help="its shards (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="turns that count, after a warm-up (default: %(default)s)")
    parser.add_argument("--orders", action="store_true", help="orders come due in every refresh")
    add_data_option(parser)
    given = parser.parse_args()
    folder = ledger(given.data, given.rows, given.shards)
    one, _ = measure(folder, range(1), given.runs, orders=given.orders)
    every, scans = measure(folder, range(given.shards), given.runs, orders=given.orders)
    computing = [replace(run, wall=run.wall - float(run.output)) for run in every]
    ratios, whole = Ratios.of(computing, scans), Ratios.of(every, scans)
    each = given.rows // given.shards
    print(f"one shard of about {each:,} orders, cold process: {wall(one):.2f} s, {peak(one) * 1024:.0f} MiB")
    print(f"all {given.shards} shards, one after the other: {wall(every):.2f} s, {peak(every) * 1024:.0f} MiB")
    print(f"  bare scan and aggregation of the same files: {wall(scans):.2f} s")
    print(f"  times bare: {ratios} without the writes, {whole} with the state's")
    results = [
        (wall(one) < ONE_BAR, f"one shard {wall(one):.2f} s (bar {ONE_BAR})"),
        (ratios.median <= ALL_BAR, f"all shards {ratios.median:.2f} times bare (bar {ALL_BAR}, aim {ALL_AIM})"),
        (peak(every) < PEAK_BAR, f"peak memory {peak(every) * 1024:.0f} MiB (bar {PEAK_BAR * 1024:.0f})"),
    ]
    print(*(f"{'PASS' if holds else 'OVER'}  {words}" for holds, words in results), sep="\n")
    return 0 if all(holds for holds, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
