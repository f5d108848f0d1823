"""The report of a daily run: time, memory and size, of a million customers by default.

A ledger of the generated orders is built first (see benchmarks.shards) and refreshed on the days that the report looks
back to; that takes many minutes and is not measured. The report is built by the code of function `report`, in a process
of its own, of the ledger in a folder.

    python -m benchmarks.report [--rows 10_000_000] [--shards 16] [--runs 3] [--data build/bench]
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.files import LAST_DAY, add_data_option
from benchmarks.shards import DUE, ledger, refresh_command
from benchmarks.timing import peak, progress, run, wall

TIME_BAR = 10  # seconds
PEAK_BAR = 1.0  # GiB
SIZE_BAR = 1_000_000  # bytes of a page
DAYS = (0, 23, 29, 30)  # of refreshes; the last is LAST_DAY


class Nothing:
    """Runs and a bus of which nobody knows anything."""

    def find(self, kind: str, run_id: str) -> None:
        pass

    def since(self, kind: str, run_id: str) -> list[Mapping[str, Any]]:
        del kind, run_id
        return []

    def note(self, kind: str, run_id: str, facts: Mapping[str, Any]) -> None:
        pass

    def publish(self, kind: str, details: Sequence[Mapping[str, object]]) -> None:
        pass


def build(folder: Path, shards: int) -> None:
    """Write the report of LAST_DAY into the ledger's folder."""
    from dangol.engine import connect
    from dangol.ledger.store import FolderStore
    from dangol.moves.report import Report
    from dangol.segments.policy import default_policy
    from dangol.shop import Shop

    nothing = Nothing()
    day = {"as_of": LAST_DAY.isoformat(), "reason": "daily", "run_id": "benchmark"}
    with TemporaryDirectory() as scratch:
        connection = connect(Shop(), Path(scratch))
        report = Report(FolderStore(folder), nothing, nothing, "KRW")
        told = report.build(
            connection, {**day, "shards": shards, "refreshed": [*range(shards)]}, default_policy(), Path(scratch)
        )
        connection.close()
    print(told["customers"])


def refreshed(data: Path, rows: int, shards: int) -> Path:
    """The ledger, as of every day that the report looks back to."""
    folder = ledger(data, rows, shards)
    done = folder / "report_days"
    for day in DAYS[int(done.read_text()) if done.exists() else 1 :]:
        progress(f"refresh of day {day}")
        run(refresh_command(folder, shards=range(shards), as_of=LAST_DAY - timedelta(days=DUE - day)))
        done.write_text(str(DAYS.index(day) + 1))
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the report of a daily run.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="orders; a tenth as many customers")
    parser.add_argument("--shards", type=int, default=16, help="of the ledger (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="reports built (default: %(default)s)")
    parser.add_argument("--build", type=Path, metavar="LEDGER", help="only build the report of this ledger")
    add_data_option(parser)
    given = parser.parse_args()
    if given.build:
        build(given.build, given.shards)
        return 0
    folder = refreshed(given.data, given.rows, given.shards)
    (folder / "reports").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.report", "--build", str(folder), "--shards", str(given.shards)]
    runs = [run(command) for _ in range(given.runs)]
    size = max(page.stat().st_size for page in (folder / "reports").rglob("*.html"))
    print(f"{int(runs[0].output):,} customers")
    results = [
        (wall(runs) < TIME_BAR, f"{wall(runs):.2f} s (bar {TIME_BAR})"),
        (peak(runs) < PEAK_BAR, f"peak memory {peak(runs) * 1024:.0f} MiB (bar {PEAK_BAR * 1024:.0f})"),
        (size < SIZE_BAR, f"the larger page {size:,} bytes (bar {SIZE_BAR:,})"),
    ]
    print(*(f"{'PASS' if holds else 'OVER'}  {words}" for holds, words in results), sep="\n")
    return 0 if all(holds for holds, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
