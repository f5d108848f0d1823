"""A shop that sends and is measured: the real moves, with a folder for the bucket and fakes for the rest of AWS."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
from dangol.campaigns.assignment import in_holdout
from dangol.campaigns.definition import Campaign
from dangol.campaigns.settings import Settings
from dangol.engagement.events import CUSTOMER_TAG, RUN_TAG, unsubscribe_event
from dangol.engine import connect
from dangol.moves.campaign.messages import CAMPAIGN_RESULT, CAMPAIGN_TOTAL, Run
from dangol.moves.engage import EngagementRecorder
from dangol.moves.measure import Doors, Measurer

from tests.fakes import FakeRuns
from tests.senders import NOON, FakeCampaigns, SendingWorld, settings
from tests.world import SHOP, World

RUN = "hello-20261124T0300Z"
SEOUL = timedelta(hours=9)
NOON_DAY = SHOP.date_of(NOON)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"


class MeasuredRuns(FakeRuns):
    """Runs, of which all of a kind can be listed."""

    def all_of(self, kind: str) -> Iterable[dict[str, Any]]:
        return [{"id": run_id, **facts} for (known, run_id), facts in self.noted.items() if known == kind]


class MeasuredCampaigns(FakeCampaigns):
    def all_runs(self) -> Sequence[Run]:
        return list(self.runs.values())


class MeasuredWorld(SendingWorld):
    """Launch, send, sell, open and click, and measure a day."""

    def __init__(self, *campaigns: Campaign, shards: int = 2, rules: Settings | None = None) -> None:
        super().__init__(*campaigns)
        self.ledger = World(shards=shards)
        self.settings = rules or settings()
        self.campaigns: Any = MeasuredCampaigns()
        self.recipients = self.ledger.store
        self.results = MeasuredRuns()
        self._files = 0

    def __enter__(self) -> MeasuredWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.__exit__()

    def run(self) -> None:
        """Launch what is due and send it."""
        self.launch()
        self.work_off()
        self.launch()

    def sell(self, *orders: tuple[str, str, datetime | date, int] | tuple[str, str, datetime | date, int, int]) -> None:
        """Orders (order, customer, when, amount, refunded) arrive with a file; a moment is in the shop's zone."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["order_id", "customer_id", "ordered_at", "amount", "refunded_amount"])
        for order in orders:
            writer.writerow([*order[:2], order[2].isoformat(), order[3], order[4] if len(order) > 4 else ""])
        self._files += 1
        key = f"incoming/orders/{self._files}.csv"
        receipt = self.ledger.ingest(self.ledger.drop(text.getvalue(), self._files, key))
        assert receipt["rows_rejected"] == 0, receipt
        self.ledger.queue.waiting.clear()

    def tell(self, *events: dict[str, Any]) -> None:
        """Events of SES arrive in the ledger."""
        with tempfile.TemporaryDirectory() as folder:
            connection = connect(SHOP, Path(folder))
            recorder = EngagementRecorder(connection, self.ledger.store, self.ledger.shards, Path(folder))
            recorder.take({str(n): json.dumps(event) for n, event in enumerate(events)})
            connection.close()

    def mail(self, kind: str, person: str, at: datetime, link: str | None = None) -> dict[str, Any]:
        """An event of the first e-mail of the run of NOON to a person, as SES tells it."""
        tags = {CUSTOMER_TAG: [person], RUN_TAG: [RUN]}
        mail = {"timestamp": NOON.isoformat(), "messageId": f"m-{person}", "tags": tags}
        details = {"timestamp": at.isoformat(), "userAgent": PHONE} | ({"link": link} if link else {})
        return {"eventType": kind, "mail": mail, kind.lower(): details}

    def unsubscribe(self, person: str, at: datetime, run: str = RUN) -> None:
        self.tell(unsubscribe_event(person, at, run))

    def measure(self, days: int = 0) -> dict[str, Any]:
        """Measure so many days after NOON; what the function answers."""
        doors = Doors(*map(self.door, (self.ledger.store, self.campaigns, self.deliveries, self.results, self.bus)))
        with tempfile.TemporaryDirectory() as folder:
            connection = connect(SHOP, Path(folder))
            try:
                measurer = Measurer(doors, SHOP, self.ledger.shards)
                return measurer.measure(connection, NOON_DAY + timedelta(days=days), Path(folder))
            finally:
                connection.close()

    def result(self, run: str = RUN) -> dict[str, Any]:
        return dict(self.results.noted[CAMPAIGN_RESULT, run])

    def total(self, campaign: str = "hello") -> dict[str, Any]:
        return dict(self.results.noted[CAMPAIGN_TOTAL, campaign])

    def table(self, name: str) -> list[dict[str, Any]]:
        """An analysts' table, read in place."""
        files = f"{self.ledger.bucket}/analytics/{name}/*/*/*.parquet"
        found = duckdb.sql(f"FROM read_parquet('{files}', hive_partitioning = true) ORDER BY ALL")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def held_out(people: Iterable[str], share: float, campaign: str = "hello") -> list[str]:
    """Who of them is in the holdout of a campaign."""
    return [person for person in people if in_holdout(person, campaign, share)]


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment in the shop; the run is on the 24th of November at 12:00."""
    return datetime.combine(date(2026, month, day), time(hour, minute))


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """The same moment as services tell it."""
    return (at(day, hour, minute) - SEOUL).replace(tzinfo=UTC)


def arms(row: dict[str, Any]) -> dict[str, tuple[int, int, float]]:
    """People, those who reached the goal, and revenue, by arm."""
    return {name: (arm["people"], arm["reached"], arm["revenue"]) for name, arm in row["arms"].items()}
