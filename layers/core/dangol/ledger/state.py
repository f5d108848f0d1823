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

from dangol.engine import literal, literals
from dangol.ledger import layout
from dangol.ledger.store import ObjectStore
from dangol.segments.state import EMPTY_STATE, STATE_COLUMNS, Stamp, changes_sql

STATE = "state"
_HEAD = "head.json"


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
    customers: int
    """How many the state has."""
    merged: str = ""
    """What was handed over of accounts that became part of others (see dangol.ledger.merges)."""

    @property
    def date(self) -> date:
        """`as_of` as a date."""
        return date.fromisoformat(self.as_of)


FIRST_HEAD = Head(0, 0, "0001-01-01", "", (), 0)
_TRIES = 5


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
        return _head(self._store.read(self._head_key))

    def point(self, head: Head) -> None:
        """Move the head; the one step that takes effect or does not."""
        self._store.write(self._head_key, json.dumps(asdict(head)).encode())

    def load(self, generation: int) -> str:
        """SQL: the state of a generation."""
        if generation == 0:
            return f"({EMPTY_STATE})"
        return _rows(self._store.download([self._key(generation)], self._folder))

    def save(self, generation: int, state: str) -> None:
        """Write the state `state` (a relation) as a generation, beside the others."""
        path = self._folder / f"state-{generation}.parquet"
        self._copy(f"SELECT {', '.join(STATE_COLUMNS)} FROM {state}", path)
        self._store.upload([(path, self._key(generation))])

    def keep_changes(self, state: str, stamp: Stamp) -> None:
        """Write the changes that led to a generation, with the columns of changes_sql.

        They are kept for ever, by day (`ledger/changes/as_of=…/`). So not before the head points at the generation: one
        of another day may come in its place.
        """
        path = self._folder / f"changes-{stamp.generation}.parquet"
        self._copy(f"FROM ({changes_sql(state, stamp)}) ORDER BY customer_id, segment", path)
        self._store.upload([(path, layout.changes_key(stamp.as_of, stamp.shard, stamp.generation))])

    def _copy(self, query: str, path: Path) -> None:
        self._connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")

    def forget_before(self, generation: int) -> None:
        """Remove states older than a generation."""
        states = self._store.keys(f"{self._prefix}customers-")
        self._store.delete([key for key in states if key < self._key(generation)])

    @property
    def _head_key(self) -> str:
        return f"{self._prefix}{_HEAD}"

    def _key(self, generation: int) -> str:
        return _key(self._prefix, generation)


def last_states_sql(store: ObjectStore, folder: Path) -> str:
    """SQL: every shard's last state, copied into `folder`.

    A refresh beside us may have removed one by the time we copy it: then look again.
    """
    for attempt in range(_TRIES):
        heads = [key for key in store.keys(f"ledger/{STATE}/") if key.endswith(f"/{_HEAD}")]
        found = zip(heads, store.download(heads, folder), strict=True)
        reached = [(key.removesuffix(_HEAD), _head(path.read_bytes()).generation) for key, path in found]
        keys = [_key(prefix, generation) for prefix, generation in reached if generation]
        try:
            return _rows(store.download(keys, folder)) if keys else f"({EMPTY_STATE})"
        except FileNotFoundError:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("not reached")


def _rows(files: list[Path]) -> str:
    names = literals(map(str, files))
    read = f"read_parquet([{names}], union_by_name = true, hive_partitioning = false)"
    return f"(FROM ({EMPTY_STATE}) UNION ALL BY NAME FROM {read})"  # states written by earlier versions lack columns


def _head(data: bytes) -> Head:
    found = json.loads(data)
    return Head(**{**found, "objects": tuple(found["objects"])})


def _key(prefix: str, generation: int) -> str:
    return f"{prefix}customers-{generation:09d}.parquet"
