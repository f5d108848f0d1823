"""Where the benchmarks keep their files. Standard library only, so that measuring processes stay small."""

import argparse
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

LAST_DAY = date(2026, 11, 22)  # of the orders in the generated files
DEFAULT_FOLDER = Path("build/bench")


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_FOLDER,
        help="folder for files and outputs (default: %(default)s)",
    )


def order_path(folder: Path, rows: int) -> Path:
    return folder / f"orders_{rows}.csv"


def order_file(folder: Path, rows: int) -> Path:
    """The CSV file of so many orders, generated if it is not there yet.

    Another process does it: the memory it takes would count as the peak of every program measured afterwards.
    And nothing is measured while the file is still on its way to the disk.
    """
    path = order_path(folder, rows)
    if not path.exists():
        command = [sys.executable, "-m", "benchmarks.generate", str(rows), "--data", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        os.sync()
    return path
