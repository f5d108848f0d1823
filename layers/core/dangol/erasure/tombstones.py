"""Tombstones: keyed hashes of who was erased, so that a later file with their old rows does not bring them back.

A hash is HMAC-SHA256 under the secret of dangol.identity. Beside it stand twelve bits of a plain hash: they tell nobody
apart, but spare a look at nearly all rows of a file.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
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


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All of them, and the secret that hashes."""

    stones: tuple[Tombstone, ...] = ()
    key: bytes = field(default=b"", repr=False)

    def erased_at(self, subject: str, text: str) -> datetime | None:
        """When what `text` stands for was erased last, UTC; None if it was not."""
        short = shard_of(text, _SHORT)
        found = [stone for stone in self.stones if stone.short == short]
        mark = hashed(subject, text, self.key) if found else ""
        return max((stone.at for stone in found if stone.hash == mark), default=None)

    def names(self, cell: str) -> bool:
        """Whether a cell of a file is an id, address or number of somebody erased."""
        if not self.stones:
            return False
        known = ((ID, cell.strip()), (EMAIL, normal_email(cell)), (PHONE, normal_phone(cell)))
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

        Reads the columns customer_id, email and phone, as far as there are any. Returns the number of rows.
        """
        connection.execute("CREATE OR REPLACE TEMP TABLE erased_rows (id BIGINT)")
        if not self.stones or kind not in _AFTER:
            return 0
        subjects = _subjects(connection, table)
        self._find_people(connection, table, subjects, time_zone)
        for subject, sql in subjects.items():
            connection.execute(f"""
                INSERT INTO erased_rows
                SELECT own.rowid FROM {table} AS own JOIN erased_people ON subject = '{subject}' AND text = {sql}
                WHERE coalesce({_AFTER[kind]} < moment, true)
            """)
        return scalar(connection, "SELECT count(DISTINCT id) FROM erased_rows")

    def _find_people(
        self, connection: duckdb.DuckDBPyConnection, table: str, subjects: Mapping[str, str], time_zone: str
    ) -> None:
        """Make temp table `erased_people` (subject, text, moment in the shop's time) of who is in `table`."""
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE erased_people (subject VARCHAR, text VARCHAR, moment TIMESTAMP)"
        )
        shorts = ", ".join(str(short) for short in sorted({stone.short for stone in self.stones}))
        for subject, sql in subjects.items():
            texts = connection.execute(f"""
                SELECT DISTINCT text FROM (SELECT {sql} AS text FROM {table})
                WHERE text IS NOT NULL AND md5_number_lower(text) % {_SHORT} IN ({shorts})
            """).fetchall()
            for (text,) in texts:
                if at := self.erased_at(subject, text):
                    local = at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
                    connection.execute("INSERT INTO erased_people VALUES (?, ?, ?)", [subject, text, local])


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


def _subjects(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """SQL of each subject that the table has a column of."""
    described = connection.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()
    columns = {name for (name,) in described}
    known = {
        ID: ("customer_id", "customer_id"),
        EMAIL: ("email", email_sql("email")),
        PHONE: ("phone", phone_sql("phone")),
    }
    return {subject: sql for subject, (column, sql) in known.items() if column in columns}
