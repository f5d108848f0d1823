"""The law on advertising messages, as data and small functions, by the country of the shop.

KR: 정보통신망법 (the Act) article 50 and its decree (시행령) articles 61 to 62-3, as in force since 2026-10-01.
Elsewhere only what every law asks for: consent, and an easy way out. docs/law.md maps each article to code and test.
"""

import re
from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dangol.channels import PUSH

NIGHT_PUSH = "night_push"
"""What a separate consent is given to: push at night. The other subjects of consents are the channels."""
AD_AUDIENCES = "ad_audiences"
"""And giving contact data to ad platforms (개인정보 보호법 article 17(1)1). About no message, so no notices follow."""


class Answer(StrEnum):
    """What a person said when asked for, or later about, advertising."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class NoticeKind(StrEnum):
    """What a person must be told about their consent."""

    ANSWERED = "answered"
    """That they consented, refused or withdrew."""
    STILL_CONSENTS = "still_consents"
    """That they consented once, and how to keep or withdraw it."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The latest word of a person on one subject. Dates are the shop's."""

    answer: Answer
    on: date
    dated: bool = True
    """Whether the day was told; else it is the day on which a file was first seen to say so."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """A finished sale in which the shop itself was given the contact data."""

    ended_on: date
    kinds: frozenset[str]
    """Kinds (categories) of what was bought."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is due to a person; `due_on` is the last day for it."""

    kind: NoticeKind
    subject: str
    consent: Consent
    due_on: date

    @property
    def key(self) -> str:
        """What it tells: the same however often it is found due, another one for another answer, day or anniversary."""
        return f"{self.kind}#{self.subject}#{self.consent.answer}#{self.due_on}"


@dataclass(frozen=True, slots=True)
class Law:
    """The rules of one country; None or empty where it has no such rule."""

    country: str
    label: str = ""
    """What titles and subjects of advertising begin with."""
    night: tuple[time, time] | None = None
    """From (included) and until (excluded), the recipient's time."""
    night_channels: frozenset[str] = frozenset()
    """Channels that keep still at night."""
    purchase_months: int | None = None
    """For so long after a sale the same kind of goods may be advertised without consent."""
    confirm_days: int | None = None
    """Within so many days of an answer it is confirmed."""
    remind_months: int | None = None
    """Of a consent people are reminded each time so many months have passed."""

    @property
    def has_notices(self) -> bool:
        """Whether people are to be told anything about their consents."""
        return self.confirm_days is not None and self.remind_months is not None


KR = Law("KR", "(광고)", (time(21), time(8)), frozenset({PUSH}), purchase_months=6, confirm_days=14, remind_months=24)
REMIND_AHEAD = timedelta(days=30)
"""A reminder is due this long before its last day, so that what stands in its way can be mended in time."""
_OWN_LABEL = re.compile(r"[(\[（［【〔<〈《「『{]\s*광\s*고\s*[)\]）］】〕>〉》」』}]")


def law_of(country: str) -> Law:
    """The law for a shop in a country (ISO 3166 code)."""
    return KR if country == "KR" else Law(country)


def labelled(law: Law, title: str) -> str:
    """The title or subject of an advertising message.

    KR: the Act, article 50(4); decree, article 61(3) and its table: it begins with (광고), exactly so.
    """
    return f"{law.label} {title}" if law.label else title


def has_own_label(title: str) -> bool:
    """Whether a title carries a label of its own. Decree, article 61(3): no [광고], (광 고) and the like."""
    return _OWN_LABEL.search(title) is not None


def may_advertise(
    law: Law, consent: Consent | None, purchase: Purchase | None, kinds: frozenset[str], today: date
) -> bool:
    """Whether advertising of `kinds` of goods may be sent to a person at all.

    KR: the Act, article 50(1): only with explicit prior consent; proviso 1 and decree article 61(1): or within six
    months after a sale in which the contact data was collected directly, for the same kind of goods. Article 50(2):
    never after a refusal or withdrawal, the exception included. Elsewhere: only with consent.
    """
    if consent is not None:
        return consent.answer is Answer.GIVEN
    if law.purchase_months is None or purchase is None or not kinds:
        return False
    return kinds <= purchase.kinds and purchase.ended_on <= today <= add_months(purchase.ended_on, law.purchase_months)


def keeps_night(law: Law, channel: str, consents: Mapping[str, Consent]) -> bool:
    """Whether advertising on `channel` must not reach this person at night.

    KR: the Act, article 50(3): from 21:00 to 08:00 of the next day only with a separate consent; decree article 61(2):
    e-mail is exempt. A push is not.
    """
    at_night = consents.get(NIGHT_PUSH)
    return channel in law.night_channels and not (at_night and at_night.answer is Answer.GIVEN)


def night_end(law: Law, moment: datetime, time_zone: str) -> datetime | None:
    """When (UTC) the recipient's night that `moment` lies in ends; None by day."""
    if law.night is None:
        return None
    local, (begins, ends) = moment.astimezone(ZoneInfo(time_zone)), law.night
    if ends <= local.time() < begins:
        return None
    day = local.date() + timedelta(days=local.time() >= begins)
    return datetime.combine(day, ends, local.tzinfo).astimezone(UTC)


def night_start(law: Law, moment: datetime, time_zone: str) -> datetime | None:
    """When (UTC) the recipient's next night after `moment` (by day) begins; None where there is no such rule."""
    if law.night is None:
        return None
    local = moment.astimezone(ZoneInfo(time_zone))
    return datetime.combine(local.date(), law.night[0], local.tzinfo).astimezone(UTC)


def in_force(
    told: Mapping[str, Consent], told_at: Mapping[str, datetime], own: Mapping[str, datetime], time_zone: str
) -> dict[str, Consent]:
    """A person's consents: their own word wins over every file, but for a consent that the shop dates after it.

    By subject: `told` what files say, `told_at` when where they tell the moment, `own` when the person refused by a
    link or a complaint.
    """
    refused = {
        subject: Consent(Answer.WITHDRAWN, at.astimezone(ZoneInfo(time_zone)).date())
        for subject, at in own.items()
        if subject not in told_at or told_at[subject] <= at
    }
    return {**told, **refused}


def notices_due(
    law: Law, consents: Mapping[str, Consent], today: date, since: date | None = None, told: Collection[str] = ()
) -> tuple[Notice, ...]:
    """What a person is to be told and was not (`told`: keys of notices), the most urgent first.

    KR: the Act, article 50(7), decree article 62-2: within 14 days of a consent, refusal or withdrawal, its
    confirmation. Article 50(8), decree article 62-3: every two years after a consent, a reminder of it. An answer is
    confirmed if it is of `since` or later; without `since`, if its day was told.
    """
    due = (notice for notice in _notices(law, consents, today, since) if notice.key not in told)
    return tuple(sorted(due, key=lambda notice: (notice.due_on, notice.subject)))


def _notices(law: Law, consents: Mapping[str, Consent], today: date, since: date | None) -> Iterator[Notice]:
    for subject, consent in consents.items():
        if subject == AD_AUDIENCES:
            continue
        if law.confirm_days is not None and (consent.dated if since is None else consent.on >= since):
            due_on = consent.on + timedelta(days=law.confirm_days)
            if today <= due_on:
                yield Notice(NoticeKind.ANSWERED, subject, consent, due_on)
        if law.remind_months is not None and consent.answer is Answer.GIVEN:
            due_on = _next_anniversary(consent.on, law.remind_months, today)
            if today >= due_on - REMIND_AHEAD:
                yield Notice(NoticeKind.STILL_CONSENTS, subject, consent, due_on)


def _next_anniversary(day: date, months: int, today: date) -> date:
    """The first day, `months` after `day` or a multiple of them, that is not before `today`."""
    passed = (today.year - day.year) * 12 + today.month - day.month
    count = max(1, passed // months)
    due_on = add_months(day, count * months)
    return due_on if due_on >= today else add_months(day, (count + 1) * months)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
