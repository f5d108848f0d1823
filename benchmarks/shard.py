"""What `benchmarks.shards` measures, in a process of its own.

Refresh shards of a ledger in a folder, or do the bare minimum with the same files:

    python -m benchmarks.shard LEDGER --as-of 2026-11-22 --shards 0 1 2 [--bare]

The refresh is the deployed one, its state log included; only the tables and the bus take everything and keep
nothing. It prints the seconds that went into writing: the state, the head, and what the tables and the bus are given.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from dangol.ledger.layout import ORDERS, shard_prefix
from dangol.shop import Shop

BARE = """
    SELECT customer_id, max(ordered_on), min(ordered_on), count(*), sum(amount),
        count(*) FILTER (ordered_on > DATE '{as_of}' - 90), sum(amount) FILTER (ordered_on > DATE '{as_of}' - 90)
    FROM (SELECT customer_id, ordered_at::DATE AS ordered_on, amount FROM read_parquet('{files}') WHERE status = 'paid')
    WHERE ordered_on <= DATE '{as_of}' GROUP BY customer_id
"""


class Stopwatch:
    """Adds up the seconds that functions take."""

    seconds = 0.0

    def on(self, owner: Any, *names: str) -> None:
        """Time the functions of these names from now on."""
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


class Nowhere:
    """Tables and a bus that keep nothing."""

    def put_customers(self, customers: Sequence[object]) -> None:
        pass

    def delete_customers(self, customer_ids: Sequence[str]) -> None:
        pass

    def put_memberships(self, memberships: Sequence[object]) -> None:
        pass

    def delete_memberships(self, memberships: Sequence[tuple[str, str]]) -> None:
        pass

    def ask(self, requests: Sequence[object]) -> None:
        pass

    def publish(self, kind: str, details: Sequence[Mapping[str, object]]) -> None:
        pass


def refresh(ledger: Path, shards: Sequence[int], as_of: date) -> float:
    """Refresh the shards one after the other; the seconds spent on writing."""
    import dangol.moves.refresh
    from dangol.engine import connect
    from dangol.ledger.state import StateLog
    from dangol.ledger.store import FolderStore
    from dangol.moves.messages import DAILY, RefreshRequest
    from dangol.moves.refresh import Refresher
    from dangol.segments.policy import default_policy

    policy, nowhere, writing = default_policy(), Nowhere(), Stopwatch()
    writing.on(StateLog, "save", "point", "forget_before")
    writing.on(dangol.moves.refresh, "serve")
    for shard in shards:
        with TemporaryDirectory() as folder:
            connection = connect(Shop(), Path(folder))
            refresher = Refresher(connection, FolderStore(ledger), nowhere, nowhere, nowhere, Path(folder))
            refresher.refresh(RefreshRequest(shard, as_of, DAILY, "benchmark"), policy)
            connection.close()
    return writing.seconds


def bare(ledger: Path, shards: Sequence[int], as_of: date) -> float:
    """Scan and aggregate the shards' orders, one after the other; writes nothing."""
    for shard in shards:
        connection = duckdb.connect()
        files = ledger / shard_prefix(ORDERS, shard) / "*.parquet"
        connection.execute(BARE.format(as_of=as_of, files=files)).fetchnumpy()
        connection.close()
    return 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Refresh shards of a ledger in a folder.")
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--shards", type=int, nargs="+", required=True)
    parser.add_argument("--bare", action="store_true", help="scan and aggregate only")
    given = parser.parse_args()
    print((bare if given.bare else refresh)(given.ledger, given.shards, given.as_of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
