"""The system of one shop in memory: a folder for the bucket, fakes for everything else of AWS, the real moves."""

from __future__ import annotations

import atexit
import csv
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.engine import connect
from dangol.identity import LOCAL_KEY
from dangol.ledger.store import FolderStore
from dangol.moves.ingest import DroppedFile, Ingest, Limits, Secrets
from dangol.moves.messages import DAILY, RefreshRequest
from dangol.moves.refresh import Refresher, refresh_and_tell
from dangol.segments.policy import Policy, load_policy
from dangol.shop import Shop

from tests.fakes import Crash, Crashed, FakeBus, FakeIncoming, FakeQueue, FakeRuns, FakeTables

SHOP = Shop()
FIRST_DAY = date(2026, 1, 1)

SMALL_POLICY = """
rfm:
  - {id: vip, where: "recency_days <= 3 and orders_90d >= 3 and aov_90d >= 200"}
  - {id: new, where: "recency_days <= 5 and orders_90d == 1 and orders_lifetime == 1"}
  - {id: fading, where: "30 <= recency_days <= 60 and orders_90d <= 2"}
segments:
  - {id: repeat, where: "orders_lifetime >= 2"}
  - {id: one_time, where: "orders_lifetime == 1"}
"""
"""Segments that few orders and few days lead through; `Expected` knows them by heart."""


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    database = connect(SHOP, Path(tempfile.gettempdir()), 500)
    atexit.register(_engine.cache_clear)
    return database


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with temporary tables of its own, as a function has; cheaper than a database of its own."""
    with _engine().cursor() as session:
        session.execute(f"SET TimeZone = '{SHOP.time_zone}'")
        yield session


def small_policy() -> Policy:
    return load_policy(SMALL_POLICY.encode(), "config/segments.yaml")


@dataclass(frozen=True)
class Row:
    """One order of a file. `day` counts from FIRST_DAY."""

    order_id: str
    customer_id: str
    day: int
    amount: int
    status: str = "paid"


def csv_of(rows: Iterable[Row]) -> str:
    """A file of the plain dialect."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["order_id", "customer_id", "ordered_at", "amount", "status"])
    for row in rows:
        on = FIRST_DAY + timedelta(days=row.day)
        writer.writerow([row.order_id, row.customer_id, on.isoformat(), row.amount, row.status])
    return text.getvalue()


@contextmanager
def compacting_at(orders: int, owners: int) -> Iterator[None]:
    """Merge so many objects of a shard's orders, and more than so many of its owners, rather than the usual number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dangol.ledger.shard.COMPACT_AT", orders)
        patch.setattr("dangol.ledger.owners.COMPACT_AT", owners)
        yield


class World:
    """Drop files, ingest them, work the queue off, and look at the tables."""

    def __init__(self, shards: int = 3, policy: Policy | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="dangol-world-")
        self.bucket = Path(self._scratch.name)
        self.shards = shards
        self.policy = policy or small_policy()
        self.today = FIRST_DAY
        self.tables = FakeTables()
        self.bus = FakeBus()
        self.runs = FakeRuns()
        self.queue = FakeQueue()
        self.profiles: Any = None
        self.notices: Any = None
        self.incoming = FakeIncoming()
        self.limits = Limits(text_bytes=1_000_000, memory_mb=500)
        self.crash: Crash | None = None

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def copy(self) -> World:
        """Another world that stands where this one does."""
        twin = World(self.shards, self.policy)
        shutil.copytree(self.bucket, twin.bucket, dirs_exist_ok=True)
        twin.today, twin.limits = self.today, self.limits
        for name in ("tables", "bus", "runs", "queue", "incoming"):
            setattr(twin, name, deepcopy(getattr(self, name)))
        return twin

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.bucket)

    def drop(
        self, text: str | bytes, second: int, key: str = "incoming/orders/a.csv", sequencer: str = "00"
    ) -> DroppedFile:
        """Upload a file so many seconds after the beginning; what the event says of it."""
        data = text.encode() if isinstance(text, str) else text
        etag = f"{second:032x}"
        self.incoming.objects[key] = (etag, data)
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        return DroppedFile(key, etag, len(data), at, sequencer)

    def ingest(self, file: DroppedFile) -> Any:
        """Deliver the event of an upload once."""
        door = self._watched
        ingest = Ingest(
            door(self.incoming),
            door(self.store),
            door(self.queue),
            door(self.runs),
            door(self.bus),
            SHOP,
            self.shards,
            lambda: self.today,
            self.limits,
            Secrets(LOCAL_KEY),
        )
        return ingest.take(file)

    def deliver(self, file: DroppedFile) -> Any:
        """Deliver it again when it crashes, as SQS does."""
        while True:
            try:
                return self.ingest(file)
            except Crashed:
                continue

    def drop_rows(self, rows: Iterable[Row], second: int, key: str = "incoming/orders/a.csv") -> DroppedFile:
        return self.drop(csv_of(rows), second, key)

    def drop_and_ingest(self, rows: Iterable[Row], second: int, key: str = "incoming/orders/a.csv") -> Any:
        return self.ingest(self.drop_rows(rows, second, key))

    def refresh(self, request: RefreshRequest) -> dict[str, Any]:
        """Work on one request."""
        door = self._watched
        with tempfile.TemporaryDirectory(prefix="dangol-") as scratch, _database() as connection:
            doors = (door(one) for one in (self.store, self.tables, self.bus, self.queue))
            profiles = self.profiles and door(self.profiles)
            refresher = Refresher(connection, *doors, Path(scratch), profiles, self.notices)
            return refresh_and_tell(refresher, request, self.policy, door(self.runs), door(self.bus))

    def work_off(self) -> None:
        """Work on what waits in the queue until it is empty; a request that crashes is tried again, as FIFO does."""
        while self.queue.waiting:
            try:
                self.refresh(self.queue.waiting[0])
            except Crashed:
                continue
            del self.queue.waiting[0]

    def refresh_all(self, as_of: date, reason: str = DAILY) -> list[dict[str, Any]]:
        """What the daily run asks for: each shard once."""
        run_id = f"{reason}-{as_of}"
        return [self.refresh(RefreshRequest(shard, as_of, reason, run_id)) for shard in range(self.shards)]

    def _watched(self, door: Any) -> Any:
        return self.crash.watch(door) if self.crash else door
