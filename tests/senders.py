"""Stand-ins for what senders write to, and the rows that they would find there."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from dangol.aws.profiles import contact_item, marks_of, profile_of
from dangol.campaigns.gate import Profile, ProfileChanged
from dangol.ledger.contact import Contact


class FakeProfiles:
    """Table `Profiles` in memory; conditional writes are, as in DynamoDB, one at a time."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.written: list[str] = []
        """Whom `put_contacts` and `remove` were told, in order."""
        self._lock = Lock()

    def put_contacts(self, contacts: Sequence[Contact]) -> None:
        for contact in contacts:
            kept = {name: value for name, value in self._row(contact.customer_id).items() if name in _OWN}
            self.rows[contact.customer_id] = {**kept, **contact_item(contact), "customer_id": contact.customer_id}
            self._raise_revision(contact.customer_id)
            self.written.append(contact.customer_id)

    def remove(self, customer_ids: Sequence[str]) -> None:
        for customer_id in customer_ids:
            self.rows.pop(customer_id, None)
            self.written.append(f"-{customer_id}")

    def read(self, customer_ids: Sequence[str]) -> dict[str, Profile]:
        return {
            customer_id: profile_of(self.rows[customer_id]) for customer_id in customer_ids if customer_id in self.rows
        }

    def mark(self, profile: Profile) -> Profile:
        with self._lock:
            row = self.rows.get(profile.customer_id)
            if row is None or row["revision"] != profile.revision:
                raise ProfileChanged(profile_of(row) if row else None)
            self.rows[profile.customer_id] = row | {name[1:]: value for name, value in marks_of(profile).items()}
            if profile.endpoint:
                self.rows[profile.customer_id]["endpoint"] = list(profile.endpoint)
            self._raise_revision(profile.customer_id)
            return profile_of(self.rows[profile.customer_id])

    def note(self, customer_id: str, **values: Any) -> None:
        """Set attributes as unsubscribing and suppressing do."""
        with self._lock:
            self.rows[customer_id] |= values
            self._raise_revision(customer_id)

    def _row(self, customer_id: str) -> dict[str, Any]:
        return self.rows.get(customer_id, {})

    def _raise_revision(self, customer_id: str) -> None:
        row = self.rows[customer_id]
        row["revision"] = row.get("revision", 0) + 1


_OWN = (
    *("revision", "claims", "sent", "reached", "endpoint"),
    *("unsubscribed_email", "unsubscribed_push", "dead_email", "dead_push"),
)
"""Attributes that are not the ledger's."""
