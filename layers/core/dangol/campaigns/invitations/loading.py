"""Invitations from YAML, checked as a whole: one with a mistake is refused with every problem and its line."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from zoneinfo import ZoneInfo

import yaml

from dangol.campaigns.content import web_link
from dangol.campaigns.invitations.definition import Invitation, Place, Slot
from dangol.campaigns.planning import read_zone
from dangol.document import Document

KEYS: Mapping[str, tuple[str, ...]] = {
    "invitation": ("id", "name", "welcome", "answer_by", "time_zone", "places", "slots"),
    "name": ("ko", "en"),
    "place": ("name", "address", "link"),
    "slot": ("start", "minutes", "capacity", "place"),
}
"""The keys of the mappings of an invitation file, and below those that must be there."""
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "invitation": ("id", "name", "answer_by", "places", "slots"),
    "name": ("ko", "en"),
    "place": ("name",),
    "slot": ("start", "minutes", "capacity", "place"),
}
MAX_SLOTS = 100
"""More would be a page on which nobody finds anything."""
_ID = re.compile(r"[a-z][a-z0-9_]{0,49}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}")


def load_invitation(text: bytes, file: str, time_zone: str) -> Invitation:
    """Read an invitation; `time_zone` is of one that names none.

    Raises InvalidConfiguration with every problem found, each with its line. Days that are past are no problem here:
    see Invitation.complaint.
    """
    document = Document(text, file)
    invitation = _Reader(document, time_zone).invitation()
    document.close()
    return invitation


class _Reader:
    """Turns the nodes of a document into an invitation; problems go to the document."""

    def __init__(self, document: Document, time_zone: str) -> None:
        self.document = document
        self.found = self._fields(document.root, "invitation")
        before = len(document.problems)
        zone = read_zone(document, self.found["time_zone"]) if "time_zone" in self.found else time_zone
        self.zone = ZoneInfo(zone if len(document.problems) == before else "UTC")

    def invitation(self) -> Invitation:
        found = self.found
        places = self._places(found["places"]) if "places" in found else {}
        slots = self._slots(found["slots"], places) if "slots" in found else ()
        return Invitation(
            id=self._file_id(found["id"]) if "id" in found else "",
            names=self._texts(found["name"]) if "name" in found else {},
            welcome=self._texts(found["welcome"]) if "welcome" in found else {},
            answer_by=self._answer_by(found["answer_by"], slots) if "answer_by" in found else datetime.now(UTC),
            time_zone=self.zone.key,
            places=places,
            slots=slots,
        )

    def _fields(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        return self.document.fields(node, KEYS[what], REQUIRED[what], f"'{what}'")

    def _texts(self, node: yaml.Node) -> dict[str, str]:
        return {key: self.document.text(value, f"'{key}'") for key, value in self._fields(node, "name").items()}

    def _file_id(self, node: yaml.Node) -> str:
        word, stem = self.document.text(node, "'id'"), PurePath(self.document.file).stem
        if word and not _ID.fullmatch(word):
            self.document.note(node, f"'id' must be lower-case letters, digits and _ (at most 50), not '{word}'")
        elif word and word != stem:
            self.document.note(node, f"'id' must be as the file is called: '{stem}', not '{word}'")
        return word

    def _places(self, node: yaml.Node) -> dict[str, Place]:
        doc, places = self.document, dict[str, Place]()
        if not isinstance(node, yaml.MappingNode) or not node.value:
            doc.note(node, "'places' must be a mapping from ids, such as store and online, to places")
            return {}
        for key, value in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if not _ID.fullmatch(word) or word in places:
                doc.note(key, f"a place needs an id of its own, of lower-case letters, digits and _, not '{word}'")
            places[word] = self._place(value)
        return places

    def _place(self, node: yaml.Node) -> Place:
        doc, found = self.document, self._fields(node, "place")
        texts = {key: doc.text(found[key], f"'{key}'") for key in ("address", "link") if key in found}
        if len(texts) != 1:
            doc.note(node, "a place has exactly one of 'address' and 'link'")
        link = texts.get("link")
        if link and not (link.startswith("https://") and web_link(link)):
            doc.note(found["link"], "'link' must be an address that begins with https://")
        return Place(self._texts(found["name"]) if "name" in found else {}, texts.get("address"), link)

    def _slots(self, node: yaml.Node, places: Mapping[str, Place]) -> tuple[Slot, ...]:
        doc, slots = self.document, dict[str, Slot]()
        for item in doc.items(node, "'slots'"):
            slot = self._slot(item, places)
            if slot and slot.id in slots:
                doc.note(item, f"the slot at {slot.start:%Y-%m-%d %H:%M} in '{slot.place}' is given twice")
            if slot:
                slots[slot.id] = slot
        if len(slots) > MAX_SLOTS:
            doc.note(node, f"'slots' are {len(slots)}; {MAX_SLOTS} is the most")
        return tuple(sorted(slots.values(), key=lambda slot: (slot.start, slot.place)))

    def _slot(self, node: yaml.Node, places: Mapping[str, Place]) -> Slot | None:
        """A slot, or None where something of it is missing, which is noted."""
        doc, found = self.document, self._fields(node, "slot")
        if found.keys() != set(KEYS["slot"]):
            return None
        minutes = doc.number(found["minutes"], 5, 1440, "'minutes'", whole=True)
        capacity = doc.number(found["capacity"], 1, 10_000, "'capacity'", whole=True)
        start, place = self._moment(found["start"], "'start'"), doc.choice(found["place"], places, "place")
        return Slot(start, timedelta(minutes=minutes), int(capacity), place) if start else None

    def _answer_by(self, node: yaml.Node, slots: tuple[Slot, ...]) -> datetime:
        moment = self._moment(node, "'answer_by'")
        if moment and slots and moment > max(slot.start for slot in slots):
            self.document.note(node, "'answer_by' must not be later than the start of the last slot")
        return moment or datetime.now(UTC)

    def _moment(self, node: yaml.Node, what: str) -> datetime | None:
        """A date and time in the invitation's zone."""
        text = self.document.text(node, what)
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=self.zone) if _MOMENT.fullmatch(text) else None
        except ValueError:
            moment = None
        if text and moment is None:
            self.document.note(node, f'{what} must be a date and time without offset, such as "2026-12-11 14:00"')
        elif moment and moment.astimezone(UTC).astimezone(self.zone) != moment:
            self.document.note(node, f"{what}: the clocks of {self.zone.key} skip that hour")
        return moment
