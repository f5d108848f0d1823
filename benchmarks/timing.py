"""Whole processes, timed side by side: from the start of the interpreter to its exit, imports included.

Two programs take turns (A B A B …), so that whatever else the machine is doing disturbs both alike, and
ratios are taken pair by pair. Import nothing large here: the peak memory that Linux reports for a child
begins at what its parent held when it was started.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import IO

Command = Sequence[str]

GIB = 2**30
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in one ru_maxrss


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process."""

    wall: float  # seconds
    peak: int  # bytes resident at most
    output: str  # what it printed


class CommandFailedError(Exception):
    """A measured process ended with something else than 0."""

    def __init__(self, command: Command, status: int, output: str, errors: str) -> None:
        super().__init__(f"exit {status}: {' '.join(command)}\n{output}{errors}")
        self.output = output
        self.errors = errors


def run(command: Command) -> Run:
    """Run a command to its end; its standard error is shown only if it fails."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        # wait4 rather than wait: it alone tells what this child used, apart from all other children.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise CommandFailedError(command, process.returncode, _text(output), _text(errors))
        return Run(wall, usage.ru_maxrss * _MAXRSS_UNIT, _text(output))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def in_turns(commands: Mapping[str, Command], *, runs: int, warm_ups: int = 1) -> dict[str, list[Run]]:
    """Run each command so many times in turns, after warm-ups that fill caches and do not count."""
    results: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(-warm_ups, runs):
        for name, command in commands.items():
            result = run(command)
            if turn >= 0:
                results[name].append(result)
            label = f"run {turn + 1} of {runs}" if turn >= 0 else "warm-up"
            progress(f"  {name}, {label}: {result.wall:.2f} s")
    return results


def progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def wall(runs: Sequence[Run]) -> float:
    """Median seconds."""
    return median(run.wall for run in runs)


def peak(runs: Sequence[Run]) -> float:
    """The highest peak, GiB."""
    return max(run.peak for run in runs) / GIB


@dataclass(frozen=True, slots=True)
class Ratios:
    """How many times longer the one took than the other, pair by pair."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, slower: Sequence[Run], faster: Sequence[Run]) -> "Ratios":
        pairs = sorted(a.wall / b.wall for a, b in zip(slower, faster, strict=True))
        return cls(pairs[0], median(pairs), pairs[-1])

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"
