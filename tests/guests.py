"""An invitation, its guests, and stand-ins for what their replies are kept in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock

from dangol.campaigns.invitations.definition import Invitation
from dangol.campaigns.invitations.links import Invited, answer_links
from dangol.campaigns.invitations.loading import load_invitation
from dangol.campaigns.invitations.replies import Reply, Visit
from dangol.moves.campaign.respond import Responder, SlotFull

from tests.messages import SENDER

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
"""Noon in Seoul."""
KEY = b"k" * 32
RUN = "invite-20261201T0130Z"
TEXT = """\
id: style_talk
name: {ko: 취향 이야기, en: Style talk}
welcome: {ko: 차를 준비할게요., en: There will be tea.}
answer_by: "2026-12-11 15:00"
time_zone: Asia/Seoul
places:
  store: {name: {ko: 성수 매장, en: Seongsu store}, address: 서울 성동구 1}
  online: {name: {ko: 온라인, en: Online}, link: "https://dangol.kr/talk?a=1&b=2"}
slots:
  - {start: "2026-12-11 16:00", minutes: 60, capacity: 2, place: store}
  - {start: "2026-12-11 14:00", minutes: 60, capacity: 1, place: store}
  - {start: "2026-12-12 11:30", minutes: 45, capacity: 1, place: online}
"""
FIRST, SECOND, ONLINE = "20261211T1400-store", "20261211T1600-store", "20261212T1130-online"
"""Its slots, for one, two and one."""
CAPACITY = {FIRST: 1, SECOND: 2, ONLINE: 1}


def style_talk(text: str = TEXT) -> Invitation:
    return load_invitation(text.encode(), "config/invitations/style_talk.yaml", "Asia/Seoul")


def token(person: str, action: str = "accept", until: datetime | None = None, key: bytes = KEY) -> str:
    """What a person's link says."""
    invited = Invited(person, "style_talk", RUN, 0, "email")
    url = answer_links(invited, until or style_talk().answer_by, "https://respond.example.com/", key)[action]
    return url.partition("?token=")[2]


class FakeReplies:
    """Table `Invitations` in memory; a write takes effect whole or not at all, one at a time, as in DynamoDB."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Reply] = {}
        self.seats: Counter[tuple[str, str]] = Counter()
        self.writes = 0
        self._lock = Lock()

    def taken(self, invitation: str) -> Mapping[str, int]:
        return {slot: count for (of, slot), count in self.seats.items() if of == invitation}

    def find(self, invitation: str, customer_id: str) -> Reply | None:
        return self.rows.get((invitation, customer_id))

    def replace(self, before: Reply | None, after: Reply, capacity: int, kept_until: datetime) -> bool:
        with self._lock:
            key = (after.invitation, after.customer_id)
            now = self.rows.get(key)
            if (now is None) != (before is None) or (now and before and now.slot != before.slot):
                return False
            if after.slot:
                if self.seats[after.invitation, after.slot] >= capacity:
                    raise SlotFull
                self.seats[after.invitation, after.slot] += 1
            if before and before.slot:
                self.seats[before.invitation, before.slot] -= 1
            self.rows[key] = after
            self.writes += 1
            return True


class FakeAnswers:
    """AnswerBook: what was noted of messages."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, int, str, str]] = []

    def answer(self, run: str, customer_id: str, step: int, channel: str, kind: str) -> None:
        self.noted.append((run, customer_id, step, channel, kind))


class FakeGuests:
    """Guests: everybody, but for who was erased."""

    def __init__(self) -> None:
        self.erased: set[str] = set()

    def is_known(self, customer_id: str) -> bool:
        return customer_id not in self.erased


class Party:
    """The sessions of TEXT, everything in memory, and a clock of its own."""

    def __init__(self) -> None:
        self.now = NOW
        self.invitation: Invitation | None = style_talk()
        self.replies, self.answers, self.guests = FakeReplies(), FakeAnswers(), FakeGuests()
        self.responder = Responder(
            self.replies, self.answers, self.guests, lambda _: self.invitation, [KEY], SENDER, lambda: self.now
        )

    def look(self, person: str, action: str = "accept") -> Visit:
        return self.responder.look(token(person, action))

    def reply(self, person: str, choice: str) -> str:
        """What a reply came to."""
        return self.responder.reply(token(person), choice).result.value

    def has(self, person: str) -> str | None:
        """The slot that a person has."""
        found = self.replies.rows.get(("style_talk", person))
        return found.slot if found else None

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)
