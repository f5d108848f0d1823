"""The law on advertising messages, as data and small functions, by the country of the shop.

KR: 정보통신망법 (the Act) article 50 and its decree (시행령) articles 61 to 62-3, as in force since 2026-10-01.
Elsewhere only what every law asks for: consent, and an easy way out. docs/law.md maps each article to code and test.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
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
    told_on: date | None = None
    """When the answer was confirmed to the person."""
    reminded_on: date | None = None
    """When they were last reminded of a consent."""


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
    remind_months: int | None = None


KR = Law("KR", "(광고)", (time(21), time(8)), frozenset({PUSH}), purchase_months=6, confirm_days=14, remind_months=24)
REMIND_AHEAD = timedelta(days=30)
"""A reminder is due this long before its last day, so that a failed one can be repeated."""
_OWN_LABEL = re.compile(r"[(\[（［【<〈{]\s*광\s*고\s*[)\]）］】>〉}]")


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


def notices_due(law: Law, consents: Mapping[str, Consent], today: date) -> tuple[Notice, ...]:
    """What a person must be told by now, the most urgent first.

    KR: the Act, article 50(7), decree article 62-2: within 14 days of a consent, refusal or withdrawal, its
    confirmation. Article 50(8), decree article 62-3: every two years after a consent, a reminder of it.
    """
    return tuple(sorted(_notices(law, consents, today), key=lambda notice: (notice.due_on, notice.subject)))


def _notices(law: Law, consents: Mapping[str, Consent], today: date) -> Iterator[Notice]:
    for subject, consent in consents.items():
        if subject == AD_AUDIENCES:
            continue
        if law.confirm_days is not None and (consent.told_on is None or consent.told_on < consent.on):
            yield Notice(NoticeKind.ANSWERED, subject, consent, consent.on + timedelta(days=law.confirm_days))
        if law.remind_months is not None and consent.answer is Answer.GIVEN:
            due_on = add_months(max(consent.on, consent.reminded_on or consent.on), law.remind_months)
            if today >= due_on - REMIND_AHEAD:
                yield Notice(NoticeKind.STILL_CONSENTS, subject, consent, due_on)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
