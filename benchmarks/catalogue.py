"""What a catalogue adds to the refresh of a shard: the same shard without one, and with ten thousand products.

Both refresh one shard of the generated orders, all of whose customers can be reached by e-mail, in a process of their
own, the day after its last refresh. With a catalogue they also put together the products that concern each person, and
what messages can show. Also tells how long counting what sells takes, once a day for all shards together.

    python -m benchmarks.catalogue [--rows 156_250] [--runs 5] [--data build/bench]
"""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from dangol.engine import connect
from dangol.identity import LOCAL_KEY
from dangol.inputs import TABLES
from dangol.inputs.reader import TableReader
from dangol.ledger import facts
from dangol.ledger.sales import keep_sales
from dangol.ledger.store import FolderStore
from dangol.moves.append import Appender
from dangol.shop import Shop

from benchmarks.files import LAST_DAY, add_data_option
from benchmarks.shards import ledger
from benchmarks.timing import in_turns, peak, wall

PRODUCTS = 10_000
BAR = 1.2  # seconds, a shard of 156,250 orders from a cold process
FILES = {
    "customers": ("customer_id,email,accepts_email", "C{n:07d},c{n}@example.com,yes"),
    "products": ("product_id,product_name,category,price,launched_on", "P{n:05d},코트 {n},C{c},39000,2026-11-01"),
    "interests": ("customer_id,kind,product_id,happened_at", "C{n:07d},cart,P{p:05d},2026-11-10 10:00"),
}


class Everybody:
    """Table `Profiles` that keeps nothing."""

    def put_contacts(self, contacts: Sequence[object]) -> None:
        pass

    def remove(self, customer_ids: Sequence[str]) -> None:
        pass


def prepared(data: Path, rows: int, *, catalogue: bool) -> Path:
    """The ledger of the generated orders in one shard, with a customers file; refreshed once."""
    folder = data / f"catalogue_{rows}_{catalogue}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ledger(data, rows, 1), folder)
        (folder / "day").unlink(missing_ok=True)
        for kind in FILES if catalogue else ("customers",):
            append(folder, kind, PRODUCTS if kind == "products" else rows // 10)
        refresh(folder, LAST_DAY)
        (folder / "done").touch()
    return folder


def append(folder: Path, kind: str, rows: int) -> None:
    """Append a file of so many rows."""
    header, row = FILES[kind]
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "file.csv"
        lines = (row.format(n=n, c=n % 100, p=n % 360) for n in range(rows))
        path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
        connection = connect(Shop(), Path(scratch))
        reader = TableReader(connection, TABLES[kind], Shop(), Path(scratch), LOCAL_KEY)
        version = f"{datetime(2026, 11, 2, tzinfo=UTC):%Y%m%dT%H%M%SZ}-{'0' * 24}-00000000"
        appender = Appender(connection, FolderStore(folder), 1, Path(scratch))
        appender.facts(reader, facts.BY_NAME[kind], (path, "file.csv"), version)


def refresh(folder: Path, as_of: date) -> None:
    from dangol.moves.messages import DAILY, RefreshRequest
    from dangol.moves.refresh import Refresher
    from dangol.segments.policy import default_policy

    from benchmarks.shard import Nowhere

    nowhere = Nowhere()
    with TemporaryDirectory() as scratch:
        connection = connect(Shop(), Path(scratch))
        doors = (nowhere, nowhere, nowhere)
        refresher = Refresher(connection, FolderStore(folder), *doors, Path(scratch), Everybody())
        refresher.refresh(RefreshRequest(0, as_of, DAILY, "benchmark"), default_policy())


def counting(folder: Path) -> float:
    """Seconds for counting what sells."""
    with TemporaryDirectory() as scratch:
        connection = connect(Shop(), Path(scratch))
        began = time.perf_counter()
        keep_sales(connection, FolderStore(folder), LAST_DAY, Path(scratch))
        return time.perf_counter() - began


def measure(data: Path, rows: int, runs: int) -> int:
    folders = {name: prepared(data, rows, catalogue=name == "with") for name in ("without", "with")}
    print(f"counting what sells, {rows:,} orders: {counting(folders['with']):.2f} s")
    found: dict[str, list[float]] = {name: [] for name in folders}
    day_file = data / "catalogue_day"
    for turn in range(-1, runs):
        day = int(day_file.read_text()) + 1 if day_file.exists() else 1
        day_file.write_text(str(day))
        as_of = LAST_DAY + timedelta(days=day)
        commands = {
            name: [sys.executable, "-m", "benchmarks.catalogue", "--refresh", str(folder), "--as-of", str(as_of)]
            for name, folder in folders.items()
        }
        times = in_turns(commands, runs=1, warm_ups=0)
        for name, one in times.items() if turn >= 0 else ():
            found[name] += [wall(one)]
            print(f"  {name} a catalogue: {wall(one):.2f} s, {peak(one) * 1024:.0f} MiB", flush=True)
    middle = {name: sorted(times)[len(times) // 2] for name, times in found.items()}
    added = middle["with"] - middle["without"]
    print(
        f"refresh, cold: {middle['without']:.2f} s without, {middle['with']:.2f} s with, {added:+.2f} s (bar {BAR} s)"
    )
    return int(middle["with"] > BAR)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=156_250)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--refresh", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--as-of", type=date.fromisoformat, help=argparse.SUPPRESS)
    add_data_option(parser)
    given = parser.parse_args()
    if given.refresh:
        refresh(given.refresh, given.as_of)
        return 0
    return measure(given.data, given.rows, given.runs)


if __name__ == "__main__":
    sys.exit(main())
