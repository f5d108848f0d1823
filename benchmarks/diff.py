"""`dangol segments diff` over a million customers on local files, as whole processes; the bar is ten seconds.

The files are ten million orders (see benchmarks.generate), a customers file with a row for each of their million
customers, and two configurations: the one shipped with Dangol, and one in which four rules are edited, one is added and
one is removed. The first measurement is of orders alone, the second of both files.

    python -m benchmarks.diff [--rows 10_000_000] [--runs 3] [--data build/bench]
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from benchmarks.files import LAST_DAY, add_data_option, order_file
from benchmarks.timing import in_turns, peak, progress, wall

BAR = 10.0  # seconds
EDITS = (
    ("recency_days <= 10 and 1 <= orders_90d", "recency_days <= 14 and 1 <= orders_90d"),
    ("30 <= recency_days <= 60", "25 <= recency_days <= 60"),
    ("orders_lifetime >= 10", "orders_lifetime >= 8"),
    ("near('Seoul', 20)", "near('Seoul', 40)"),
    ("- id: male\n", "- id: men\n"),  # one that goes and one that comes
)
PEOPLE = """
COPY (
    SELECT
        format('C{{:07d}}', i) AS customer_id,
        (['female', 'male', ''])[1 + (hash(i, 1) % 3)::INTEGER] AS gender,
        (['Seoul', '부산', 'Daegu', '수원', 'Incheon', ''])[1 + (hash(i, 2) % 6)::INTEGER] AS city,
        CASE WHEN hash(i, 3) % 3 > 0 THEN 'yes' ELSE 'no' END AS accepts_email,
        DATE '{last_day}' - (hash(i, 4) % 900)::INTEGER AS subscribed_on
    FROM range({customers}) AS customers(i)
) TO '{path}' (HEADER)
"""


def customers_file(data: Path, rows: int) -> Path:
    """The customers of an order file; written by another process, as order_file does."""
    path = data / f"customers_of_{rows}.csv"
    if not path.exists():
        progress(f"writing {path}")
        unfinished = path.with_suffix(".part")
        statement = PEOPLE.format(customers=rows // 10, path=unfinished, last_day=LAST_DAY)
        subprocess.run([sys.executable, "-c", f"import duckdb; duckdb.execute({statement!r})"], check=True)
        unfinished.rename(path)
    return path


def edited(data: Path) -> Path:
    """A folder with the edited configuration."""
    folder = data / "edited"
    folder.mkdir(parents=True, exist_ok=True)
    text = (files("dangol") / "defaults" / "segments.yaml").read_text(encoding="utf-8")
    for old, new in EDITS:
        assert old in text, old
        text = text.replace(old, new)
    (folder / "segments.yaml").write_text(text, encoding="utf-8")
    return folder


def described(output: str) -> str:
    found = json.loads(output)
    noticed = [one for one in found["segments"] if one["entered"] or one["left"]]
    moved = sum(one["customers"] for one in found["moves"])
    return f"{found['customers']:,} customers, {len(noticed)} segments change, {moved:,} customers move"


def command(orders: Path, data: Path, *more: str) -> list[str]:
    # The status of a difference is 1, which would look like a failure.
    script = "import sys; from dangol.cli.main import main; sys.exit(main(sys.argv[1:]) != 1)"
    about = ["--config", str(edited(data)), "--as-of", LAST_DAY.isoformat(), "--json"]
    return [sys.executable, "-c", script, "segments", "diff", str(orders), *about, *more]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure `dangol segments diff` on local files.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="orders; a tenth as many customers")
    parser.add_argument("--runs", type=int, default=3, help="turns that count, after a warm-up (default: %(default)s)")
    add_data_option(parser)
    given = parser.parse_args(arguments)
    orders, people = order_file(given.data, given.rows), customers_file(given.data, given.rows)
    results = in_turns(
        {
            "orders": command(orders, given.data),
            "orders and customers": command(orders, given.data, "--customers", str(people)),
        },
        runs=given.runs,
    )
    for name, runs in results.items():
        print(f"{name:>22} {wall(runs):6.2f} s {peak(runs):5.2f} GiB   {described(runs[0].output)}")
    slowest = max(map(wall, results.values()))
    print("PASS" if slowest < BAR else "OVER", f"{slowest:.2f} s (bar {BAR:.0f} s)")
    return 0 if slowest < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
