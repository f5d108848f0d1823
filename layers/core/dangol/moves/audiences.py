"""Audiences: the members of segments go to files for ad platforms, whole and as what changed since the last export.

What a platform's list is to hold next is noted first, with what it held before, on condition that nobody else exported
meanwhile; else the people are read anew, for who was in it a minute ago may be erased by now. Then the files are
written, which follow from that note alone; then the note says that they are. Whoever finds a note whose files are not
written writes them first. So no removal is lost, and two exporters at a time make one sequence.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any, Protocol

from dangol.campaigns.gate import Profile
from dangol.channels.audiences.definition import AdAudience
from dangol.channels.audiences.export import STATES, Export
from dangol.channels.audiences.files import PLATFORMS, Contact, Row, file_of, row_of
from dangol.channels.audiences.people import LeftOut, Terms, contact_of
from dangol.configuration import Configuration
from dangol.document import nearest
from dangol.errors import DangolError
from dangol.moves.configure import ConfigurationStore
from dangol.moves.messages import Runs

AUDIENCE_RUN = "audience"
_READ_AT_ONCE = 1_000
_TRIES = 20


class Readers(Protocol):
    """Where members of segments and their profiles are read."""

    def members(self, segment: str) -> Iterable[str]:
        """Customer ids of a segment."""

    def profiles(self, customer_ids: Sequence[str]) -> Mapping[str, Profile]:
        """The profiles of people, as far as there are any."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who is in an audience now."""

    contacts: frozenset[Contact]
    left_out: Mapping[str, int]
    """Members of the segment who are not, by LeftOut."""


NOBODY = Found(frozenset(), {})


class Lists:
    """What was exported last, of each audience and platform."""

    def __init__(self, store: ConfigurationStore, runs: Runs) -> None:
        self._store = store
        self._runs = runs

    def known(self) -> list[tuple[str, str]]:
        """(audience, platform) of every list that was ever exported."""
        names = (key.removeprefix(STATES).removesuffix(".json").split("/") for key in self._store.keys(STATES))
        return [(audience, platform) for platform, audience in names]

    def last(self, audience: str, platform: str) -> tuple[Export, str | None]:
        """The last export, and what tells it from others."""
        nothing = Export(audience, platform)
        try:
            text, tag = self._store.read_tagged(nothing.state_key)
        except FileNotFoundError:
            return nothing, None
        return Export.from_json(audience, platform, text), tag

    def tags(self, audience: str) -> dict[str, str | None]:
        """What tells the last export to each platform from others."""
        keys = {platform: Export(audience, platform).state_key for platform in PLATFORMS}
        return {platform: self._there(key)[1] for platform, key in keys.items()}

    def bring(self, audience: str, platform: str, people: "People", on: date) -> Export:
        """Let a list become what the audience is now; the export that did it, or the last one where nothing changed."""
        mine = None
        for _ in range(_TRIES):
            last, tag = self.last(audience, platform)
            if not last.written:
                self._finish(last, tag)
                continue
            if mine is not None:
                return mine
            found = people.as_of(platform, tag)
            following = last.following(rows_of(found, platform), found.left_out, on)
            if following is None:
                self._settle_full(last)
                return replace(last, before=last.rows, left_out=found.left_out)
            if self._store.replace(following.state_key, following.to_json(), tag):
                mine = following
        raise DangolError(f"audience '{audience}' was exported by others again and again meanwhile; try again")

    def _finish(self, export: Export, tag: str | None) -> None:
        """Write the files of an export, note the run, and note that they are written."""
        for key, rows in export.changes.items():
            self._store.write(key, file_of(rows, export.platform))
        self._settle_full(export)
        self._runs.note(AUDIENCE_RUN, export.run_id, export.facts())
        self._store.replace(export.state_key, export.done().to_json(), tag)

    def _settle_full(self, export: Export) -> None:
        """Let the whole list be that of this export, unless another one has been made since."""
        if not export.is_large_enough:
            self._store.delete(self._store.keys(export.full_key))
            return
        for _ in range(_TRIES):
            there, tag = self._there(export.full_key)
            if there == export.full or self.last(export.audience, export.platform)[0].number != export.number:
                return
            if self._store.replace(export.full_key, export.full, tag):
                return

    def _there(self, key: str) -> tuple[bytes | None, str | None]:
        try:
            return self._store.read_tagged(key)
        except FileNotFoundError:
            return None, None


class People:
    """Who is in an audience: read again where another export came between, which may know of somebody erased since."""

    def __init__(self, lists: Lists, audience: str, read: Callable[[], Found]) -> None:
        self._lists = lists
        self._audience = audience
        self._read = read
        self._found = NOBODY
        self._tags: Mapping[str, str | None] | None = None
        """Of the exports before the people were read."""

    def as_of(self, platform: str, tag: str | None) -> Found:
        """Who is in it, read when the last export to a platform was no other than this."""
        if self._tags is None or self._tags[platform] != tag:
            self._tags = self._lists.tags(self._audience)
            self._found = self._read()
        return self._found


class Exporter:
    """Exports the audiences of the live configuration. May be called any number of times, also beside itself."""

    def __init__(self, lists: Lists, readers: Readers, live: Configuration, time_zone: str, on: date) -> None:
        """`time_zone` is the shop's, `on` the date there."""
        self._lists = lists
        self._readers = readers
        self._live = live
        self._time_zone = time_zone
        self._on = on

    def export(self, only: str | None = None, *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Export every audience, or `only` one; the facts of each list, whether it changed or not.

        The lists of an audience that is defined no longer are emptied. `dry_run` writes nothing. Raises DangolError for
        an audience that is not known.
        """
        audiences = {audience.id: audience for audience in self._live.audiences}
        lists = {(audience.id, platform) for audience in audiences.values() for platform in audience.platforms}
        ids = sorted({audience for audience, _ in lists.union(self._lists.known())})
        if only is not None and only not in ids:
            raise DangolError(f"no audience '{only}' is live; {nearest(only, ids) if ids else 'there is none'}")
        done: list[Export] = []
        for audience in ids if only is None else [only]:
            people, nobody = self._people(audiences.get(audience), audience), self._people(None, audience)
            for platform in PLATFORMS:
                if (audience, platform) in lists:
                    done.append(self._bring(audience, platform, people, dry_run))
                elif (audience, platform) in self._lists.known():
                    done.append(self._bring(audience, platform, nobody, dry_run))
        return [export.facts() for export in done]

    def _bring(self, audience: str, platform: str, people: People, dry_run: bool) -> Export:
        if not dry_run:
            return self._lists.bring(audience, platform, people, self._on)
        last, tag = self._lists.last(audience, platform)
        found = people.as_of(platform, tag)
        following = last.following(rows_of(found, platform), found.left_out, self._on)
        return following or replace(last, before=last.rows, left_out=found.left_out)

    def _people(self, audience: AdAudience | None, audience_id: str) -> People:
        return People(self._lists, audience_id, lambda: self._members(audience) if audience else NOBODY)

    def _members(self, audience: AdAudience) -> Found:
        terms = self._terms(audience)
        left_out: Counter[str] = Counter()
        contacts: set[Contact] = set()
        for ids in _batches(self._readers.members(audience.segment)):
            profiles = self._readers.profiles(ids)
            for one in (contact_of(profiles.get(customer_id), terms) for customer_id in ids):
                if isinstance(one, LeftOut):
                    left_out[one.value] += 1
                else:
                    contacts.add(one)
        return Found(frozenset(contacts), dict(left_out))

    def _terms(self, audience: AdAudience) -> Terms:
        messaging = self._live.messaging
        campaigns = self._live.campaigns(self._time_zone)
        beside = {one.id: one.holdout for one in campaigns if one.advertising and one.segment == audience.segment}
        return Terms(audience, messaging.country, self._time_zone, messaging.global_holdout, beside)


def rows_of(found: Found, platform: str) -> frozenset[Row]:
    """People as a platform is told."""
    return frozenset(row_of(contact, platform) for contact in found.contacts)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    source = iter(ids)
    while batch := list(islice(source, _READ_AT_ONCE)):
        yield batch
