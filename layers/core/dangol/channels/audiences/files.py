"""The files that ad platforms take: hashed contacts, whole or as what changed.

Sources: Meta Business Help, "How to format a customer list"; Google Ads Help, "About the customer data file".
"""

import csv
import io
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from dangol.files.rejects import defused

META, GOOGLE = "meta", "google"


@dataclass(frozen=True, slots=True)
class Platform:
    """How one platform wants its lists."""

    columns: tuple[str, ...]
    """Header, in order."""
    email: str
    phone: str
    """The two columns that are filled: nothing else that would match is told."""
    plus: bool
    """Whether a number begins with + before it is hashed."""
    minimum: int
    """Rows below which a list is of no use and says too much of too few."""


PLATFORMS: Mapping[str, Platform] = {
    META: Platform(
        (
            *("email", "phone", "madid", "fn", "ln", "zip", "ct", "st"),
            *("country", "dob", "doby", "gen", "age", "uid", "value"),
        ),
        *("email", "phone"),
        plus=False,
        minimum=100,
    ),
    GOOGLE: Platform(
        ("Email", "Phone", "First Name", "Last Name", "Country", "Zip"),
        *("Email", "Phone"),
        plus=True,
        minimum=100,
    ),
}


class Contact(NamedTuple):
    """How one person is known: a normal address and an E.164 number (see dangol.identity); '' where there is none."""

    email: str
    phone: str


class Row(NamedTuple):
    """One person as a platform is told: SHA-256 in lower-case hex; '' where there is none."""

    email: str
    phone: str


def row_of(contact: Contact, platform: str) -> Row:
    """A contact, hashed as the platform wants it."""
    number = contact.phone if PLATFORMS[platform].plus else contact.phone.removeprefix("+")
    return Row(_hashed(contact.email), _hashed(number))


def target(now: Set[Row], last: Set[Row], platform: str) -> frozenset[Row]:
    """What the platform's list should hold: of an audience that is too small nobody new, but who left leaves."""
    return frozenset(now) if len(now) >= PLATFORMS[platform].minimum else frozenset(now & last)


def removals(before: Set[Row], after: Set[Row]) -> frozenset[Row]:
    """What to take off a list that holds `before`.

    Only what nobody who stays shares: platforms take a person off by any of the columns. So it does not matter whether
    removals or additions are applied first.
    """
    emails, phones = {row.email for row in after}, {row.phone for row in after}
    gone = (Row("" if e in emails else e, "" if p in phones else p) for e, p in before - after)
    return frozenset(row for row in gone if any(row))


def additions(before: Set[Row], after: Set[Row]) -> frozenset[Row]:
    """What to put on a list that holds `before`."""
    return frozenset(after - before)


def file_of(rows: Iterable[Row], platform: str) -> bytes:
    """CSV in UTF-8: the platform's header, then the rows in order."""
    wanted = PLATFORMS[platform]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, wanted.columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({wanted.email: defused(row.email), wanted.phone: defused(row.phone)} for row in sorted(rows))
    return text.getvalue().encode()


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest() if text else ""
