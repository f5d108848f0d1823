"""Engage: what became of messages is appended to the ledger. The next refresh of a shard takes it up."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dangol.engagement.events import EmailEvent, email_event
from dangol.erasure.tombstones import ID, Tombstones
from dangol.ledger import layout
from dangol.ledger.facts import ENGAGEMENT
from dangol.ledger.parts import write_parts
from dangol.ledger.store import ObjectStore

logger = logging.getLogger(__name__)

TOPIC_TEST = "Successfully validated SNS topic for Amazon SES event publishing."
"""What SES tells a topic when it is made its destination: once with each deployment of one, and no event."""
_COLUMNS = ("customer_id", "message_id", "run", "kind", "happened_at", "link", "agent")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one batch of events."""

    events: int
    """Appended to the ledger."""
    of_others: int
    """About messages that the shop sent by other means."""
    unreadable: tuple[str, ...]
    """Ids of what is no event of SES."""


class EngagementRecorder:
    """Takes events of SES. Those that come again, alone or among others, count once: they read the same."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: ObjectStore,
        shards: int,
        folder: Path,
        erased: Callable[[], Tombstones] = Tombstones,
    ) -> None:
        """`erased` tells who was erased: of messages that were sent to them before nothing is kept."""
        self._erased = erased
        self._connection = connection
        self._store = store
        self._shards = shards
        self._folder = folder

    def take(self, bodies: Mapping[str, str]) -> Recorded:
        """Append the events of a batch (id → JSON as SES publishes it)."""
        events: list[EmailEvent] = []
        unreadable, of_others = [], 0
        for message_id, body in bodies.items():
            if body == TOPIC_TEST:
                continue
            try:
                event = email_event(json.loads(body))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                logger.warning("message %s is no event of SES: %s", message_id, type(error).__name__)
                unreadable.append(message_id)
                continue
            if event is None:
                of_others += 1
            else:
                events.append(event)
        if events:
            events = self._of_known(events)
        if events:
            self._append(events)
        return Recorded(len(events), of_others, tuple(unreadable))

    def _of_known(self, events: list[EmailEvent]) -> list[EmailEvent]:
        """Those of people who were not erased since the message was sent."""
        erased = self._erased()

        def stays(event: EmailEvent) -> bool:
            at = erased.erased_at(ID, event.customer_id)
            return at is None or event.sent_at >= at

        return list(filter(stays, events))

    def _append(self, events: Sequence[EmailEvent]) -> None:
        layout.note_layout(self._store, self._shards)
        types = ", ".join(f"{name} {ENGAGEMENT.columns[name]}" for name in (*_COLUMNS, "version"))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE events ({types})")
        version = _version(events)
        rows = [[*_row(event), version] for event in events]
        self._connection.executemany(f"INSERT INTO events VALUES ({', '.join('?' * (len(_COLUMNS) + 1))})", rows)
        query = f"SELECT *, {layout.shard_sql('customer_id', self._shards)} AS shard FROM events"
        write_parts(self._connection, self._store, ENGAGEMENT.name, query, version, self._folder)


def _row(event: EmailEvent) -> tuple[str | None, ...]:
    moment = event.happened_at.replace(tzinfo=None).isoformat()
    return event.customer_id, event.message_id, event.run, event.kind, moment, event.link, event.agent


def _version(events: Sequence[EmailEvent]) -> str:
    """Names a batch by its first moment and its content: the same for the same batch."""
    digest = hashlib.sha256("\n".join(map(repr, events)).encode()).hexdigest()[:16]
    return f"{min(event.happened_at for event in events):%Y%m%dT%H%M%SZ}-{digest}"
