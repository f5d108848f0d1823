"""Ingest: the whole way of one dropped file, from the event that announced it to its receipt."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb

from dangol.engine import connect
from dangol.erasure.tombstones import load_tombstones
from dangol.errors import ObjectReplaced, UnreadableFile
from dangol.files.rejects import rejects_csv
from dangol.inputs import TABLES
from dangol.inputs.reader import TableReader
from dangol.ledger import facts, layout
from dangol.moves.append import Appended, Appender
from dangol.moves.configure import ConfigurationStore, live_configuration
from dangol.moves.messages import (
    FILE,
    FILE_INGESTED,
    FILE_REJECTED,
    EventBus,
    RefreshQueue,
    RefreshRequest,
    Runs,
    rejected,
)
from dangol.moves.waiting import with_others
from dangol.orders.reader import OrderReader
from dangol.scratch import scratch
from dangol.shop import Shop

logger = logging.getLogger(__name__)

FILE_RUN = "file"
INCOMING = "incoming/"
KINDS = (layout.ORDERS, *TABLES)
"""Folders under incoming/."""

INGESTED, REJECTED, REPLACED, WAITING = "ingested", "rejected", "replaced", "waiting"


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """One upload."""

    key: str
    etag: str
    size: int
    """Bytes."""
    time: datetime
    """When S3 took it; has a time zone."""
    sequencer: str
    """S3's order of events of one key, hexadecimal."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "DroppedFile":
        """From EventBridge's "Object Created" of S3. Raises KeyError for another event."""
        found = event["detail"]["object"]
        time = datetime.fromisoformat(event["time"])
        return cls(found["key"], found["etag"], int(found["size"]), time, found.get("sequencer", ""))

    @property
    def version(self) -> str:
        """Sorts by the time S3 took the file; the same however often the event comes."""
        return layout.file_version(self.time, self.sequencer, self.key)


class Incoming(Protocol):
    """Where dropped files lie."""

    def fetch(self, key: str, etag: str, target: Path) -> None:
        """Copy an upload to `target`. Raises ObjectReplaced when another one took its place."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    text_bytes: int
    """Bytes of unpacked text; more is refused."""
    memory_mb: int
    """MiB that DuckDB may use before it spills to disk."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only ingest knows."""

    identity_key: bytes = field(repr=False)
    """Keys the hash that stands for contacts (see dangol.identity)."""
    file_password: str | None = field(default=None, repr=False)
    """Opens protected workbooks."""


class Ingest:
    """Takes dropped files. May be called any number of times for one upload: only the first has an effect."""

    def __init__(
        self,
        incoming: Incoming,
        store: ConfigurationStore,
        queue: RefreshQueue,
        runs: Runs,
        bus: EventBus,
        shop: Shop,
        shards: int,
        today: Callable[[], date],
        limits: Limits,
        secrets: Secrets,
    ) -> None:
        self._incoming = incoming
        self._store = store
        self._queue = queue
        self._runs = runs
        self._bus = bus
        self._shop = shop
        self._shards = shards
        self._today = today
        self._limits = limits
        self._secrets = secrets

    def take(self, file: DroppedFile) -> Mapping[str, Any]:
        """Append the file, ask for refreshes, and answer with its receipt.

        The receipt is noted last, so that a crash before it leads to the same again; nothing is retried
        for a file that cannot be read at all or is no longer there.
        """
        if (known := self._runs.find(FILE_RUN, file.version)) is not None:
            return known
        with scratch() as folder:
            try:
                appended = self._append(file, folder)
            except UnreadableFile as error:
                return self._reject(file, error)
            except _Waiting as error:
                return self._note(file, {"status": WAITING, "reason": str(error)})
            except ObjectReplaced as error:
                logger.info("%s", error)
                return self._note(file, {"status": REPLACED, "reason": "a newer upload took its place"})
        return self._receipt(file, appended)

    def _append(self, file: DroppedFile, folder: Path) -> Appended:
        path, kind = folder / "dropped", _kind(file.key)
        if file.size > self._limits.text_bytes:
            raise UnreadableFile(file.key, f"is larger than {self._limits.text_bytes:,} bytes; split it")
        self._incoming.fetch(file.key, file.etag, path)
        connection = connect(self._shop, folder, self._limits.memory_mb)
        try:
            erased, _ = load_tombstones(self._store, self._secrets.identity_key)
            own = live_configuration(self._store).dialects if erased.stones else ()
            appender = Appender(connection, self._store, self._shards, folder, erased, self._shop.time_zone, own)
            if kind == layout.ORDERS:
                files, version, missing = with_others(self._store, path, file.key, file.version, folder)
                if missing:
                    raise _Waiting(missing)
                return appender.orders(self._order_reader(connection, folder), files, version)
            table = TableReader(
                connection,
                TABLES[kind],
                self._shop,
                folder,
                self._secrets.identity_key,
                self._limits.text_bytes,
                password=self._secrets.file_password,
            )
            return appender.facts(table, facts.BY_NAME[kind], (path, file.key), file.version)
        finally:
            connection.close()

    def _order_reader(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> OrderReader:
        configuration = live_configuration(self._store)
        return OrderReader(
            connection,
            self._shop,
            folder,
            self._limits.text_bytes,
            key=self._secrets.identity_key,
            own=configuration.dialects,
            rates=configuration.rates,
            password=self._secrets.file_password,
        )

    def _receipt(self, file: DroppedFile, appended: Appended) -> Mapping[str, Any]:
        found = {"status": INGESTED, **appended.reading.receipt.as_dict(), "shards": list(appended.shards)}
        del found["files"]
        if appended.reading.rejects:
            rejects_key = f"rejects/{file.key.removeprefix(INCOMING)}.{file.version}.csv"
            self._store.write(rejects_key, rejects_csv(appended.reading.rejects).encode("utf-8-sig"))
            found["rejects_key"] = rejects_key
        today = self._today()
        self._queue.ask([RefreshRequest(shard, today, FILE, file.version) for shard in appended.shards])
        counts = {name: found[name] for name in _COUNTS}
        self._bus.publish(FILE_INGESTED, [{"key": file.key, "version": file.version, **counts}])
        return self._note(file, found)

    def _reject(self, file: DroppedFile, error: UnreadableFile) -> Mapping[str, Any]:
        event = rejected(file.key, file.version, str(_unquoted(error)))
        self._bus.publish(FILE_REJECTED, [event])
        return self._note(file, {"status": REJECTED, "reason": event["reason"]})

    def _note(self, file: DroppedFile, found: Mapping[str, Any]) -> Mapping[str, Any]:
        noted = {"key": file.key, "uploaded_at": file.time.isoformat(), **found}
        self._runs.note(FILE_RUN, file.version, noted)
        return noted


class _Waiting(Exception):
    """The file makes orders only together with others that are not there yet."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"is kept until {' and '.join(missing)} of the same data set are dropped as well")


def _kind(key: str) -> str:
    """What a file in this place holds. Raises UnreadableFile for a place that is none."""
    kind = key.removeprefix(INCOMING).partition("/")[0]
    if kind not in KINDS or not key.startswith(f"{INCOMING}{kind}/"):
        places = ", ".join(f"{INCOMING}{name}/" for name in KINDS)
        raise UnreadableFile(key, f"lies in no known folder; drop it under one of {places}")
    return kind


def _unquoted(error: UnreadableFile) -> UnreadableFile:
    """The error without words of the file: a missing header is a row of personal data, and DuckDB quotes rows."""
    if error.column is not None:
        return replace(error, reason="is a required column and missing; give the column this header")
    if isinstance(error.__cause__, duckdb.Error):
        return replace(error, reason="cannot be read as a table; export it again as CSV (UTF-8)")
    return error


_COUNTS = ("rows_read", "rows_accepted", "rows_superseded", "rows_rejected")
