"""Fills the relations of whom runs set out to address and what became of their messages (outcomes.py)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import duckdb

from dangol.engine import literal
from dangol.ledger.store import ObjectStore
from dangol.measurement.plan import Plan, folder_of, people_in_lines
from dangol.measurement.sources import downloaded, names_of, parquet
from dangol.moves.campaign.messages import Delivery
from dangol.shop import Shop

_MESSAGE = ("run", "customer_id", "step", "channel", "status", "reason", "variant", "message_id", "noted_at")
_TYPES = {**dict.fromkeys(_MESSAGE, "VARCHAR"), "step": "INTEGER", "noted_at": "TIMESTAMPTZ"}


class DeliveryBook(Protocol):
    """Table `Deliveries`, to read."""

    def read(self, run: str, step: int, channel: str, customers: Sequence[str]) -> dict[str, Delivery]:
        """What is known of one message, by customer."""


class Addressed:
    """Reads what was kept at launch, and table `Deliveries`, into the relations of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, store: ObjectStore, shop: Shop, folder: Path) -> None:
        self._connection = connection
        self._store = store
        self._shop = shop
        self._folder = folder

    def add_plans(self, plans: Iterable[tuple[Plan, bool]]) -> None:
        """The runs to measure, each with whether it was cancelled."""
        zone = ZoneInfo(self._shop.time_zone)
        for plan, cancelled in plans:
            starts_at = plan.run_at.astimezone(zone).replace(tzinfo=None)
            row = [plan.run, plan.campaign, starts_at, plan.last_day(self._shop), plan.goal.segment, cancelled]
            self._connection.execute("INSERT INTO plans VALUES (?, ?, ?, ?, ?, ?, ?)", [*row, plan.global_holdout])
            for channel, window in plan.attribution.items():
                seconds = int(window.total_seconds())
                self._connection.execute("INSERT INTO windows VALUES (?, ?, ?)", [plan.run, channel, seconds])

    def add_recipients(self, plans: Iterable[Plan]) -> None:
        """Whom all runs of these campaigns set out to address; and temp table `people` of those of these runs."""
        for campaign in sorted({plan.campaign for plan in plans}):
            for run, keys in self._parts(campaign).items():
                self._insert_people(campaign, run, keys)
        self._connection.execute("""
            CREATE OR REPLACE TEMP TABLE people AS
            SELECT DISTINCT customer_id FROM recipients SEMI JOIN plans USING (run)""")

    def add_messages(self, plan: Plan, book: DeliveryBook, as_of: date) -> None:
        """What table `Deliveries` has of a run's messages that are due by now."""
        file = self._folder / f"messages-{plan.run}.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for key in self._parts(plan.campaign).get(plan.run, []):
                people = tuple(people_in_lines(self._store.read(key)))
                lines.writelines(_line(one) for one in self._read(plan, book, people, as_of))
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in _TYPES.items())
        self._connection.execute(f"""
            INSERT INTO messages BY NAME
            SELECT DISTINCT ON (customer_id, step, channel) * REPLACE (noted_at AT TIME ZONE 'UTC' AS noted_at)
            FROM read_json({literal(str(file))}, format = 'newline_delimited', columns = {{{columns}}})""")
        file.unlink()

    def add_kept_messages(self, key: str) -> None:
        """What was kept of a run's messages, once all of them were sent or skipped."""
        with downloaded(self._store, [key], self._folder) as files:
            self._connection.execute(f"INSERT INTO messages BY NAME SELECT {', '.join(_MESSAGE)} FROM {parquet(files)}")

    def _parts(self, campaign: str) -> dict[str, list[str]]:
        """Keys of people by run."""
        found: dict[str, list[str]] = {}
        for key in self._store.keys(folder_of(campaign)):
            if key.endswith(".jsonl.gz"):
                found.setdefault(key.partition("/run=")[2].partition("/")[0], []).append(key)
        return found

    def _insert_people(self, campaign: str, run: str, keys: Sequence[str]) -> None:
        with downloaded(self._store, keys, self._folder) as files:
            self._connection.execute(f"""
                INSERT INTO recipients
                SELECT DISTINCT ON (customer_id) {literal(run)}, {literal(campaign)}, customer_id, arm
                FROM read_json([{names_of(files)}], format = 'newline_delimited', compression = 'gzip',
                    columns = {{customer_id: 'VARCHAR', arm: 'VARCHAR'}})""")

    def _read(self, plan: Plan, book: DeliveryBook, people: Sequence[str], as_of: date) -> Iterator[Delivery]:
        for step, (due_at, channels) in enumerate(plan.steps):
            for channel in channels if self._shop.date_of(due_at) <= as_of else ():
                yield from book.read(plan.run, step, channel, people).values()


def _line(delivery: Delivery) -> str:
    found = {name: getattr(delivery, name) for name in _MESSAGE[:-1]}
    return json.dumps(found | {"noted_at": delivery.at.isoformat()}, ensure_ascii=False) + "\n"
