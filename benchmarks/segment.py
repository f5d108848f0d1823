"""`dangol segment` against a bare DuckDB script: time, memory, and how both grow with the rows.

The two take turns as whole processes on the same file and must agree on every customer. The last lines say
whether the project's promises hold; the exit status is 1 if one does not.

    python -m benchmarks.segment [--rows 100_000 1_000_000 10_000_000] [--runs 5] [--data build/bench]
"""

import argparse
import math
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.files import LAST_DAY, add_data_option, order_file
from benchmarks.timing import Command, CommandFailedError, Ratios, Run, in_turns, peak, progress, run, wall

SIZES = (100_000, 1_000_000, 10_000_000)
# By rows: how many times the bare script's time, at most and aimed at.
TIME_BARS = {1_000_000: (2.8, 1.8), 10_000_000: (2.0, 1.4)}
PEAK_BAR = 1.2  # GiB, whatever the rows
SLOPE_BAR = 1.0  # of log seconds over log rows: time grows no faster than the rows
BARE = Path(__file__).with_name("bare.py")
DANGOL = f"{shlex.quote(sys.executable)} -m dangol segment"


@dataclass(frozen=True, slots=True)
class Measured:
    """Both programs on one file."""

    rows: int
    bare: Sequence[Run]
    dangol: Sequence[Run]

    @property
    def ratios(self) -> Ratios:
        return Ratios.of(self.dangol, self.bare)

    def __str__(self) -> str:
        programs = (f"{wall(runs):8.2f} s {peak(runs):5.2f} GiB" for runs in (self.bare, self.dangol))
        return f"{self.rows:>12,} {'  '.join(programs)}   {self.ratios}"


def measure(rows: int, *, dangol: Command, data: Path, runs: int) -> Measured:
    file = order_file(data, rows)
    progress(f"{rows:,} rows")
    commands = {"bare": [sys.executable, str(BARE)], "dangol": [*dangol]}
    for name, command in commands.items():
        out = data / "out" / name
        shutil.rmtree(out, ignore_errors=True)
        command += [str(file), "--as-of", LAST_DAY.isoformat(), "--out", str(out)]
    results = in_turns(commands, runs=runs)
    progress("  " + agreement(data / "out", commands))
    return Measured(rows, results["bare"], results["dangol"])


def agreement(out: Path, names: Mapping[str, object]) -> str:
    """How many customers agree; ends the benchmark if not all do, for then its times mean nothing."""
    outputs = [str(out / name / "customers.parquet") for name in names]
    try:
        return run([sys.executable, "-m", "benchmarks.agree", *outputs]).output.strip()
    except CommandFailedError as failed:
        sys.exit(f"the programs disagree, or their outputs cannot be compared\n{failed.output}{failed.errors}")


def slope(measured: Sequence[Measured]) -> float:
    """Least squares of log(median seconds) over log(rows)."""
    xs = [math.log(one.rows) for one in measured]
    ys = [math.log(wall(one.dangol)) for one in measured]
    x, y = (sum(values) / len(values) for values in (xs, ys))
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def verdicts(measured: Sequence[Measured]) -> list[tuple[bool, str]]:
    """Each promise that these sizes can decide: whether it holds, and in words."""
    found = []
    for one in measured:
        if one.rows in TIME_BARS:
            bar, aim = TIME_BARS[one.rows]
            times = one.ratios.median
            found.append((times <= bar, f"{one.rows:,} rows: {times:.2f} times bare (bar {bar}, aim {aim})"))
    highest = max(peak(one.dangol) for one in measured)
    found.append((highest < PEAK_BAR, f"peak memory {highest:.2f} GiB (bar {PEAK_BAR})"))
    if len(measured) > 1:
        steep = slope(measured)
        found.append((steep <= SLOPE_BAR, f"log-log slope of time over rows {steep:.2f} (bar {SLOPE_BAR})"))
    return found


def options(description: str, *, sizes: Sequence[int], runs: int) -> argparse.ArgumentParser:
    """What every measurement of `dangol segment` lets one choose."""
    parser = argparse.ArgumentParser(description=description)
    own = parser.add_argument
    own("--rows", type=int, nargs="+", default=sizes, help="sizes of file (default: %(default)s)")
    own("--runs", type=int, default=runs, help="turns that count, after a warm-up (default: %(default)s)")
    own("--dangol", type=shlex.split, default=DANGOL, help="command to measure (default: %(default)s)")
    add_data_option(parser)
    return parser


def main() -> int:
    parser = options("Measure `dangol segment` against a bare DuckDB script.", sizes=SIZES, runs=5)
    given = parser.parse_args()
    measured = [measure(rows, dangol=given.dangol, data=given.data, runs=given.runs) for rows in sorted(given.rows)]
    print(f"{'rows':>12}{'bare':>11}{'dangol':>22}{'':12}   times bare: median (lowest to highest)")
    print(*measured, sep="\n")
    results = verdicts(measured)
    print(*(f"{'PASS' if holds else 'OVER'}  {words}" for holds, words in results), sep="\n")
    return 0 if all(holds for holds, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
