"""How many times faster `dangol segment` is than the known libraries, which do less.

pymc-marketing's rfm_segments and lifetimes' summary_data_from_transaction_data get the same file, read by
pandas; neither checks a row, knows a status or writes a result. All take turns as whole processes. The
libraries are heavy and live in an environment of their own (benchmarks/requirements.txt), whose Python is
named by --python.

    python -m benchmarks.libraries --python ENVIRONMENT/bin/python [--rows 1_000_000 10_000_000] [--runs 3]
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.files import LAST_DAY, order_file
from benchmarks.segment import options
from benchmarks.timing import Command, Ratios, Run, in_turns, peak, progress, wall

SIZES = (1_000_000,)
BARS = {  # rows: how many times faster, at least
    "pymc-marketing": {1_000_000: 3.0, 10_000_000: 10.0},
    "lifetimes": {1_000_000: 2.5, 10_000_000: 6.0},
}
LIBRARY = Path(__file__).with_name("library.py")


def require_libraries(python: str) -> None:
    """End with instructions unless this Python can import both."""
    script = "from importlib.util import find_spec as f; assert f('lifetimes') and f('pymc_marketing')"
    try:
        found = subprocess.run([python, "-c", script], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        found = False
    if not found:
        sys.exit(
            f"{python} does not have the libraries. Make an environment and name its Python:\n"
            f"  python -m venv build/bench/libraries\n"
            f"  build/bench/libraries/bin/pip install -r benchmarks/requirements.txt\n"
            f"  python -m benchmarks.libraries --python build/bench/libraries/bin/python"
        )


def measure(rows: int, *, dangol: Command, python: str, data: Path, runs: int) -> dict[str, list[Run]]:
    file = str(order_file(data, rows))
    progress(f"{rows:,} rows")
    as_of = ["--as-of", LAST_DAY.isoformat()]
    commands = {"dangol": [*dangol, file, *as_of, "--out", str(data / "out" / "dangol")]}
    for library in BARS:
        commands[library] = [python, "-W", "ignore", str(LIBRARY), library, file, *as_of]
    return in_turns(commands, runs=runs)


def parts(runs: Sequence[Run]) -> str:
    """Where a library's time goes, by what it printed."""
    printed = [json.loads(run.output) for run in runs]
    return ", ".join(f"{part} {median(one[part] for one in printed):.2f} s" for part in printed[0])


def report(rows: int, results: Mapping[str, Sequence[Run]]) -> bool:
    """Print one size; whether all bars hold."""
    dangol = results["dangol"]
    print(f"{rows:,} rows\n  {'dangol segment':<16}{wall(dangol):8.2f} s {peak(dangol):6.2f} GiB")
    verdicts = []
    for library, bars in BARS.items():
        runs, bar = results[library], bars.get(rows, 0)
        ratios = Ratios.of(runs, dangol)
        print(f"  {library:<16}{wall(runs):8.2f} s {peak(runs):6.2f} GiB   {parts(runs)}")
        verdicts.append((ratios.median >= bar, f"{ratios} times faster than {library} (bar {bar:g})"))
    print(*(f"{'PASS' if holds else 'UNDER'}  {words}" for holds, words in verdicts), sep="\n")
    return all(holds for holds, _ in verdicts)


def main() -> int:
    parser = options("Measure `dangol segment` against pymc-marketing and lifetimes.", sizes=SIZES, runs=3)
    parser.add_argument("--python", default=sys.executable, help="Python of the environment that has them")
    given = parser.parse_args()
    require_libraries(given.python)
    within = []
    for rows in sorted(given.rows):
        results = measure(rows, dangol=given.dangol, python=given.python, data=given.data, runs=given.runs)
        within.append(report(rows, results))
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
