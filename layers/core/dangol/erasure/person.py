"""Who is to be erased: all accounts and contacts of one person, and how they are found in the text of a file."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from dangol.channels.audiences.files import PLATFORMS, Contact, row_of
from dangol.channels.audiences.people import number_of

_TEXTS = ("ids", "emails", "phones", "as_written", "by_contact")
_NEVER = r"(?!)"
"""Pattern that nothing fits."""
_SEPARATOR = r"[ .()/\-]*"


@dataclass(frozen=True)
class Person:
    """Everything by which the ledger knows some people who are to be erased."""

    ids: tuple[str, ...]
    """Of the accounts asked for, those merged with them, and those known by their contacts only."""
    emails: tuple[str, ...] = ()
    """Normal addresses that nobody else has."""
    phones: tuple[str, ...] = ()
    """E.164 numbers that nobody else has."""
    as_written: tuple[str, ...] = ()
    """Both, as they stand in the ledger."""
    tokens: tuple[tuple[str, str], ...] = ()
    """(platform, push token)."""
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Customer ids that have a contact in common with them and are somebody else: those are left as they are."""
    by_contact: tuple[str, ...] = ()
    """Ids under which rows come that know only one of their contacts, whether there are any yet or not."""

    def hashes(self, country: str) -> frozenset[str]:
        """As a shop of a country tells ad platforms of them."""
        numbers = {*self.phones, *(number for text in self.as_written if (number := number_of(text, country)))}
        contacts = [Contact(email, "") for email in self.emails] + [Contact("", number) for number in numbers]
        return frozenset(cell for c in contacts for platform in PLATFORMS for cell in row_of(c, platform) if cell)

    @cached_property
    def contacts(self) -> re.Pattern[str]:
        """Finds their addresses and numbers in a text, however a number is written."""
        emails = [rf"(?<![\w.+\-]){re.escape(one)}(?![\w\-])" for one in self.emails]
        return re.compile("|".join([*emails, *map(_number, self.phones)]) or _NEVER, re.IGNORECASE)

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Finds those, and their ids where they stand by themselves; one of digits alone only in quotation marks."""
        ids = [rf"(?<![\w@.+\-]){re.escape(one)}(?![\w@+\-])" for one in self.ids if not one.isdecimal()]
        numbers = [f'"{one}"' for one in self.ids if one.isdecimal()]
        found = [*ids, *numbers, *([self.contacts.pattern] if self.contacts.pattern != _NEVER else [])]
        return re.compile("|".join(found) or _NEVER, re.IGNORECASE)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Ids of digits alone, also as a spreadsheet leaves them. Amounts look the same."""
        return frozenset(form for one in self.ids if one.isdecimal() for form in (one, f"{one}.0"))

    def in_row(self, cells: Sequence[str], id_columns: Sequence[int]) -> bool:
        """Whether a row of a file names any of them; `id_columns` are those that may hold customer ids."""
        if self.words.search("\n".join(cells)):
            return True
        return any(cells[column].strip() in self.numbers for column in id_columns if column < len(cells))

    def subjects(self) -> dict[str, list[str]]:
        """What is to have a tombstone (see dangol.erasure.tombstones)."""
        return {"id": sorted({*self.ids, *self.by_contact}), "email": list(self.emails), "phone": list(self.phones)}

    def with_more(self, other: "Person") -> "Person":
        """These people and the others."""
        found = {name: {*getattr(self, name), *getattr(other, name)} for name in (*_TEXTS, "tokens")}
        joined = {name: tuple(sorted(texts)) for name, texts in found.items()}
        return replace(self, **joined, shared={**self.shared, **other.shared})

    def covers(self, other: "Person") -> bool:
        """Whether erasing these people erases the others."""
        return set(other.ids) <= set(self.ids)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Person":
        """From JSON."""
        texts = {name: tuple(found[name]) for name in _TEXTS}
        shared = {contact: tuple(ids) for contact, ids in found["shared"].items()}
        return cls(**texts, tokens=tuple((a, b) for a, b in found["tokens"]), shared=shared)


def request_id(ids: Iterable[str]) -> str:
    """Names an erasure: the same for the same people, and nobody's id."""
    return sha256(json.dumps(sorted(ids)).encode()).hexdigest()[:16]


def _number(phone: str) -> str:
    """Pattern of an E.164 number, with or without its country, as people and spreadsheets write it."""
    digits = phone.removeprefix("+")
    local = digits.removeprefix("82") if digits.startswith("82") else digits
    country = rf"(?:(?:\+|00)?82{_SEPARATOR})?0?" if digits.startswith("82") else r"(?:\+|00)?"
    return rf"(?<!\d){country}{_SEPARATOR}{_SEPARATOR.join(local)}(?:\.0)?(?!\d)"
