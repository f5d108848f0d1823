"""Of whose answers to consents the law may want a notice, and which notices of a shard were put on the list.

The list itself is not the ledger's. Kept here, under `ledger/notices/`, is what was put there, as long as it is due.
"""

import json
from collections.abc import Collection
from datetime import date, timedelta

import duckdb

from dangol.ledger.contact import SUBJECTS
from dangol.ledger.layout import shard_prefix
from dangol.ledger.store import ObjectStore

NOTICES = "notices"
"""The kind of what was put on the list."""
Row = tuple[object, ...]
_DAYS_A_MONTH = 30.4375
_SLACK = 10
"""Days by which months differ from their average, and more: who is found needlessly is looked at and left."""
_COLUMNS = ", ".join(f"{subject}_{part}" for subject in SUBJECTS for part in ("answer", "on", "at"))


class NoticeLog:
    """One shard's."""

    def __init__(self, store: ObjectStore, connection: duckdb.DuckDBPyConnection, shard: int) -> None:
        self._store = store
        self._connection = connection
        self._key = f"{shard_prefix(NOTICES, shard)}listed.json"

    def answers(self, as_of: date, confirm_days: int, remind_months: int, ahead: timedelta) -> list[Row]:
        """Whoever may be due for a notice on a day: customer_id, refused_email_at, and of each subject answer, on, at.

        Reads relation `contacts` (see ContactLog.changed). All of whom it is certain that they are not due are left
        out: no answer within `confirm_days`, and no multiple of `remind_months` after a consent within `ahead`.
        """
        period, reach = remind_months * _DAYS_A_MONTH, ahead.days + _SLACK
        recent = [f"{subject}_on >= $since" for subject in SUBJECTS]
        recalled = [
            f"({s}_answer = 'given' AND ($as_of - {s}_on + {reach}) % {period} <= {reach + _SLACK})" for s in SUBJECTS
        ]
        rows: list[Row] = self._connection.execute(
            f"""
            SELECT customer_id, refused_email_at, {_COLUMNS} FROM contacts
            WHERE {" OR ".join(recent + recalled)} OR refused_email_at >= epoch($since::TIMESTAMPTZ)
            ORDER BY customer_id
            """,
            {"as_of": as_of, "since": as_of - timedelta(days=confirm_days)},
        ).fetchall()
        return rows

    def listed(self) -> set[tuple[str, str]]:
        """(customer_id, key of a notice) that were put on the list and were due then."""
        if not self._store.keys(self._key):
            return set()
        return {(person, key) for person, key in json.loads(self._store.read(self._key))}

    def keep(self, listed: Collection[tuple[str, str]]) -> None:
        """Replace that."""
        self._store.write(self._key, json.dumps(sorted(listed), ensure_ascii=False).encode())

    def forget(self, customer_ids: Collection[str]) -> None:
        """Leave people out of that."""
        listed = self.listed()
        kept = {(person, key) for person, key in listed if person not in customer_ids}
        if kept != listed:
            self.keep(kept)
