"""Where a shard stands: its last state, and one that may not have reached the tables yet.

Generations are numbered. A refresh writes generation n + 1 beside n, points the head at it, brings the
tables from n to n + 1, and then marks it served. Whoever finds a generation that is not served finishes
that first: the difference between the two is written again, with the same ids.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from dangol.engine import literal
from dangol.ledger.store import ObjectStore
from dangol.segments.state import CUSTOMER_COLUMNS, MEMBERSHIP_COLUMNS, State, empty_state, typed_state

STATE = "state"


@dataclass(frozen=True, slots=True)
class Head:
    """Which generation a shard is at, and what it was computed from."""

    generation: int
    """0 before the first refresh."""
    served: int
    """Last generation that the tables are known to hold."""
    as_of: str
    """ISO date in the shop's zone."""
    policy_version: str
    objects: tuple[str, ...]
    """Keys of the shard's orders that went into it."""

    @property
    def date(self) -> date:
        """`as_of` as a date."""
        return date.fromisoformat(self.as_of)


FIRST_HEAD = Head(0, 0, "0001-01-01", "", ())


class StateLog:
    """The states of one shard."""

    def __init__(self, store: ObjectStore, connection: duckdb.DuckDBPyConnection, shard: int, folder: Path) -> None:
        self._store = store
        self._connection = connection
        self._prefix = f"ledger/{STATE}/shard={shard:04d}/"
        self._folder = folder

    def head(self) -> Head:
        """Where the shard stands."""
        if not self._store.keys(self._head_key):
            return FIRST_HEAD
        found = json.loads(self._store.read(self._head_key))
        return Head(**{**found, "objects": tuple(found["objects"])})

    def point(self, head: Head) -> None:
        """Move the head; the one step that takes effect or does not."""
        self._store.write(self._head_key, json.dumps(asdict(head)).encode())

    def load(self, generation: int) -> State:
        """The state of a generation."""
        if generation == 0:
            return empty_state()
        customers, memberships = self._store.download(self._keys(generation), self._folder)
        return typed_state(self._frame(customers), self._frame(memberships))

    def save(self, generation: int, state: State) -> None:
        """Write the state of a generation, beside the others."""
        files = []
        frames = ((CUSTOMER_COLUMNS, state.customers), (MEMBERSHIP_COLUMNS, state.memberships))
        for (columns, frame), key in zip(frames, self._keys(generation), strict=True):
            path = self._folder / f"saved-{key.rpartition('/')[2]}"
            self._connection.register("frame", frame[list(columns)])
            typed = ", ".join(f"{name}::{_SQL_TYPES.get(name, 'VARCHAR')} AS {name}" for name in columns)
            self._connection.execute(
                f"COPY (SELECT {typed} FROM frame) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
            )
            self._connection.unregister("frame")
            files.append((path, key))
        self._store.upload(files)

    def forget_before(self, generation: int) -> None:
        """Remove states older than a generation."""
        old = [key for key in self._store.keys(f"{self._prefix}customers-") if key < self._keys(generation)[0]]
        self._store.delete([*old, *(key.replace("/customers-", "/memberships-") for key in old)])

    @property
    def _head_key(self) -> str:
        return f"{self._prefix}head.json"

    def _keys(self, generation: int) -> list[str]:
        return [f"{self._prefix}{name}-{generation:09d}.parquet" for name in ("customers", "memberships")]

    def _frame(self, path: Path) -> pd.DataFrame:
        query = f"FROM read_parquet({literal(str(path))}, hive_partitioning = false)"
        return self._connection.execute(query).df()


_SQL_TYPES = {
    "orders_90d": "BIGINT",
    "aov_90d": "DOUBLE",
    "orders_lifetime": "BIGINT",
    "revenue_lifetime": "DOUBLE",
    "first_order_on": "DATE",
    "last_order_on": "DATE",
    "as_of": "DATE",
    "since": "DATE",
    "rfm": "BOOLEAN",
}
