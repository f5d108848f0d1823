"""Notices: after each refresh of a shard, put on the list whom the law's notices are to reach and who is not on it yet.

Answers change with files, reminders come with time: a refresh sees both. What is sent, and that it is sent once, is
decided by the gate (dangol.campaigns.gate) on the person's row, so a person may be on the list twice: after a crash
between the list and the note of what was put there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from dangol.campaigns.law import REMIND_AHEAD, Answer, Consent, Law, in_force, law_of, notices_due
from dangol.campaigns.settings import Settings
from dangol.channels import EMAIL
from dangol.ledger.contact import SUBJECTS
from dangol.ledger.contacts import ContactLog
from dangol.ledger.notices import NoticeLog
from dangol.moves.campaign.messages import NoticeList

PART = 1000
"""People of one part: an item of far less than the 400 KB that DynamoDB takes, and a batch of the senders."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a refresh did about notices."""

    people: int
    """Put on the list."""
    too_late: int
    """Answers that are confirmed no more: the days for it were over when they were first seen."""


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """Puts people of shards on the list, by the law of the shop's country."""

    waiting: NoticeList
    law: Law
    since: date | None
    """See law.notices_due."""
    time_zone: str
    """The shop's."""

    @classmethod
    def of(cls, settings: Settings, waiting: NoticeList, time_zone: str) -> "NoticeDesk | None":
        """That of a shop; None where there are no notices to be sent."""
        if not settings.sends_notices:
            return None
        return cls(waiting, law_of(settings.country), settings.notices_since, time_zone)

    def list_due(self, log: NoticeLog, contacts: ContactLog, shard: int, as_of: date) -> Listed:
        """Put people on the list to whom something new is to be told on a day.

        A crash leads to the same once more. Doing it again on the same day, with the same contacts, changes nothing.
        """
        due, listed = self._due(log, as_of), log.listed()
        new = due - listed
        people = sorted({person for person, _ in new})
        for number, start in enumerate(range(0, len(people), PART)):
            self.waiting.put(_name(shard, as_of, new, number), people[start : start + PART])
        if due != listed:
            log.keep(due)
        assert self.law.confirm_days, "else there is no desk"
        return Listed(len(people), contacts.new_answers_before(as_of - timedelta(days=self.law.confirm_days)))

    def _due(self, log: NoticeLog, as_of: date) -> set[tuple[str, str]]:
        law = self.law
        assert law.confirm_days, "else there is no desk"
        assert law.remind_months, "else there is no desk"
        rows = log.answers(as_of, law.confirm_days, law.remind_months, REMIND_AHEAD)
        return {
            (str(row[0]), notice.key)
            for row in rows
            for notice in notices_due(law, _consents(row, self.time_zone), as_of, self.since)
        }


def _name(shard: int, as_of: date, new: Iterable[tuple[str, str]], number: int) -> str:
    """Of a part: the same for the same people and notices, so that a second try replaces it."""
    digest = sha256(repr(sorted(new)).encode()).hexdigest()[:12]
    return f"{as_of}#{shard:04d}#{digest}#{number:04d}"


def _consents(row: tuple[object, ...], time_zone: str) -> Mapping[str, Consent]:
    """What a row of NoticeLog.answers says: as the senders see it (gate.Profile)."""
    told: dict[str, Consent] = {}
    told_at: dict[str, datetime] = {}
    for number, subject in enumerate(SUBJECTS):
        answer, on, at = row[2 + 3 * number : 5 + 3 * number]
        if isinstance(answer, str) and isinstance(on, date):
            told[subject] = Consent(Answer(answer), on, dated=at is not None)
        if isinstance(at, int):
            told_at[subject] = datetime.fromtimestamp(at, UTC)
    refused = row[1]
    own = {EMAIL: datetime.fromtimestamp(refused, UTC)} if isinstance(refused, int) else {}
    return in_force(told, told_at, own, time_zone)
