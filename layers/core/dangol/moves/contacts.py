"""Contacts: bring table `Profiles` to what the ledger knows of a shard's people; only what changed is written."""

from collections.abc import Callable, Sequence
from typing import Protocol

from dangol.ledger.contact import Contact
from dangol.ledger.contacts import ContactLog


class ProfileTable(Protocol):
    """Table `Profiles`, as far as the ledger fills it. Both methods may be called again with the same people."""

    def put_contacts(self, contacts: Sequence[Contact]) -> None:
        """Set what the ledger knows of people. Claims, counters and suppressions in their rows are not touched."""

    def remove(self, customer_ids: Sequence[str]) -> None:
        """Remove whole rows: the ledger knows nothing of these people any more."""


def copy_contacts(log: ContactLog, table: ProfileTable, *, everybody: bool, then: Callable[[], object]) -> int:
    """Write what changed since the last copy, or `everybody`; the number of rows. A crash leads to the same again.

    `then` is called when the table is as the ledger, and before that is noted.
    """
    changed, gone = log.changed(everybody=everybody)
    if changed or gone:
        table.put_contacts(changed)
        table.remove(gone)
    then()
    if changed or gone:
        log.keep()
    return len(changed) + len(gone)
