"""Tombstones: keyed hashes of who was erased, so that a later file with their old rows does not bring them back.

A hash is HMAC-SHA256 under the secret of dangol.identity. Beside it stand twelve bits of a plain hash: they tell nobody
apart, but spare a look at nearly all rows of a file.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol
from zoneinfo import ZoneInfo

import duckdb

from dangol.engine import scalar
from dangol.identity import email_sql, normal_email, normal_phone, phone_sql
from dangol.ledger.layout import shard_of

ERASED_KEY = "ledger/erased.json"
ID, EMAIL, PHONE = "id", "email", "phone"
"""What a tombstone stands for: a customer id, a normal address, an E.164 number."""
_SHORT = 4096
_SUBJECTS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "customer_id": (ID, str),
    "merged_into": (ID, str),
    "email": (EMAIL, email_sql),
    "phone": (PHONE, phone_sql),
}
"""By column: what it holds, and SQL that makes it normal."""
_AFTER = {
    "orders": "ordered_at",
    "interests": "happened_at",
    # A day counts until its end: who subscribes anew on the day of the erasure is a new subscriber.
    "customers": "greatest(subscribed_on + INTERVAL 1 DAY, email_consent_at, push_consent_at)",
}
"""By kind of file: what must not be before the erasure for a row to count. A row that does not say is an old one."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One thing by which an erased person was known."""

    hash: str
    """32 hex digits."""
    short: int
    """shard_of it among 4096."""
    at: datetime
    """When it was erased, UTC."""


@dataclass(frozen=True)
class Tombstones:
    """All of them, and the secret that hashes."""

    stones: tuple[Tombstone, ...] = ()
    key: bytes = field(default=b"", repr=False)

    @cached_property
    def _shorts(self) -> frozenset[int]:
        return frozenset(stone.short for stone in self.stones)

    @cached_property
    def _moments(self) -> dict[str, datetime]:
        return {stone.hash: stone.at for stone in self.stones}

    def erased_at(self, subject: str, text: str) -> datetime | None:
        """When what `text` stands for was erased last, UTC; None if it was not."""
        if shard_of(text, _SHORT) not in self._shorts:
            return None
        return self._moments.get(hashed(subject, text, self.key))

    def names(self, cell: str, *, is_id: bool = True) -> bool:
        """Whether a cell of a file is an id, address or number of somebody erased.

        Without `is_id` it is in no column of ids: then what consists of digits alone is an amount, and no id.
        """
        if not self.stones:
            return False
        text = cell.strip().removesuffix(".0")  # as a spreadsheet leaves a number
        given = (text, cell.strip()) if is_id or not text.isdecimal() else ()
        known = (*((ID, one) for one in given), (EMAIL, normal_email(cell)), (PHONE, normal_phone(cell)))
        return any(self.erased_at(subject, text) for subject, text in known if text)

    def to_json(self) -> bytes:
        """As kept."""
        stones = [{"hash": s.hash, "short": s.short, "at": s.at.isoformat()} for s in self.stones]
        return json.dumps({"erased": stones}).encode()

    @classmethod
    def from_json(cls, text: bytes, key: bytes) -> "Tombstones":
        """What to_json made a text of."""
        found = json.loads(text)["erased"]
        return cls(tuple(Tombstone(s["hash"], s["short"], datetime.fromisoformat(s["at"])) for s in found), key)

    def also(self, subjects: Mapping[str, Sequence[str]], at: datetime) -> "Tombstones":
        """With those of (subject → texts); the same where all of them are there, of that moment or later."""
        at = at.astimezone(UTC)
        new = {hashed(subject, text, self.key): text for subject, texts in subjects.items() for text in texts}
        for stone in self.stones:
            if stone.hash in new and stone.at >= at:
                del new[stone.hash]
        if not new:
            return self
        kept = [stone for stone in self.stones if stone.hash not in new]
        added = [Tombstone(mark, shard_of(text, _SHORT), at) for mark, text in sorted(new.items())]
        return Tombstones((*kept, *added), self.key)

    def find(self, connection: duckdb.DuckDBPyConnection, table: str, kind: str, time_zone: str) -> int:
        """Make temp table `erased_rows` (id: a rowid) of what in a temp table of one `kind` is older than its erasure.

        Reads the columns customer_id, email and phone, as far as there are any. Returns the number of rows. Temp table
        `erased_people` is left behind, for `returned_sql`.
        """
        connection.execute("CREATE OR REPLACE TEMP TABLE erased_rows (id BIGINT)")
        connection.execute("CREATE OR REPLACE TEMP TABLE erased_people (name VARCHAR, given VARCHAR, moment TIMESTAMP)")
        if not self.stones or kind not in _AFTER:
            return 0
        described = connection.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()
        for (column,) in described:
            if column in _SUBJECTS:
                self._find_people(connection, table, column, time_zone)
                connection.execute(f"""
                    INSERT INTO erased_rows
                    SELECT own.rowid FROM {table} AS own JOIN erased_people ON name = '{column}' AND given = {column}
                    WHERE coalesce({_AFTER[kind]} < moment, true)
                """)
        return scalar(connection, "SELECT count(DISTINCT id) FROM erased_rows")

    def _find_people(self, connection: duckdb.DuckDBPyConnection, table: str, column: str, time_zone: str) -> None:
        """Add to `erased_people` what in a column stands for somebody erased, with the moment in the shop."""
        subject, normal = _SUBJECTS[column]
        shorts = ", ".join(map(str, sorted(self._shorts)))
        found = connection.execute(f"""
            SELECT given, text FROM (
                SELECT given, {normal("given")} AS text
                FROM (SELECT DISTINCT {column} AS given FROM {table} WHERE {column} IS NOT NULL)
            ) WHERE text IS NOT NULL AND md5_number_lower(text) % {_SHORT} IN ({shorts})
        """).fetchall()
        zone = ZoneInfo(time_zone)
        moments = ((given, self.erased_at(subject, text)) for given, text in found)
        rows = [[column, given, at.astimezone(zone).replace(tzinfo=None)] for given, at in moments if at]
        if rows:
            connection.executemany("INSERT INTO erased_people VALUES (?, ?, ?)", rows)


def returned_sql(table: str) -> str:
    """SQL: (customer_id, moment) of whoever orders in `table` show to have come back, and when they were erased.

    Reads what Tombstones.find made of it, after what that found was taken out; `moment` is in the shop's zone.
    """
    found = (
        f"SELECT customer_id, moment FROM {table} JOIN erased_people ON name = '{column}' AND given = {column}"
        for column in ("customer_id", "email", "phone")
    )
    return f"SELECT customer_id, max(moment) AS moment FROM ({' UNION ALL '.join(found)}) GROUP BY customer_id"


class TaggedStore(Protocol):
    """Where the tombstones are kept."""

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """The bytes of an object and what tells them from others. FileNotFoundError when there is none."""


def load_tombstones(store: TaggedStore, key: bytes) -> tuple[Tombstones, str | None]:
    """All tombstones, and what tells them from others; none and None before the first."""
    try:
        text, tag = store.read_tagged(ERASED_KEY)
    except FileNotFoundError:
        return Tombstones(key=key), None
    return Tombstones.from_json(text, key), tag


def hashed(subject: str, text: str, key: bytes) -> str:
    """The mark of what an erased person was known by."""
    return hmac.new(key, f"erased\0{subject}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]
