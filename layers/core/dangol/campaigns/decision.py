"""May this message go to this person now? The one decision that the send gate claims a message with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dangol.campaigns import law as rules
from dangol.campaigns.assignment import in_global_holdout, in_holdout
from dangol.campaigns.caps import Cap, free_at
from dangol.campaigns.law import Consent, Law, Notice, Purchase
from dangol.channels import EMAIL, PUSH

MIN_DELIVERY = timedelta(minutes=1)
"""Push services need so long: what would have less before the night begins waits for the morning."""


class Reason(StrEnum):
    """Why a message was not sent. Stored with the delivery and counted in reports: the words never change."""

    NO_PROFILE = "no_profile"
    """Unknown or erased."""
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    """The address bounced, complained or was retired."""
    NO_CONSENT = "no_consent"
    """None was given for this channel, or it was refused or withdrawn."""
    GLOBAL_HOLDOUT = "global_holdout"
    HOLDOUT = "holdout"
    TOO_SOON = "too_soon"
    """They got this campaign in an earlier run, less than its `again_after` ago."""
    NO_VARIANT = "no_variant"
    """For every variant some of the person's data is missing."""
    ANSWERED = "answered"
    """An earlier step was answered, so that this one is not needed."""
    EXPIRED = "expired"
    """It came to its turn too late."""
    QUIET_HOURS = "quiet_hours"
    """The night ends after the message has expired."""
    FREQUENCY_CAP = "frequency_cap"
    """The cap frees a place after the message has expired."""
    CANCELLED = "cancelled"
    """The campaign was cancelled before it was sent."""
    NOT_STARTED = "not_started"
    """They did not get the first message of the run, so they get no later one."""
    QUOTA = "quota"
    """The account may send no more for now."""
    BY_EMAIL = "by_email"
    """A notice goes out by e-mail to whom it can."""
    NOT_DUE = "not_due"
    """A notice has nothing to tell (any more): another one told it, or its time is over."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a campaign, as far as the decision goes."""

    campaign: str
    channel: str
    expires_at: datetime
    """From then on it is stale."""
    advertising: bool = True
    """False only where the campaign declares itself transactional."""
    holdout: float = 0.0
    """Share of people the campaign leaves out."""
    again_after: timedelta | None = None
    """Of the campaign, for the first step of a run; None for the later ones."""
    cap_exempt: bool = False
    goods: frozenset[str] = frozenset()
    """Kinds of goods it advertises; without them the exception after a purchase never applies."""
    notice: bool = False
    """Whether it tells people of their consents (law.notices_due); then it is no advertising."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person, as far as the decision goes."""

    customer_id: str
    time_zone: str
    """IANA name."""
    addresses: frozenset[str]
    """Channels on which there is an address of them."""
    suppressed: frozenset[str] = frozenset()
    """Channels of which the address must not be used any more."""
    consents: Mapping[str, Consent] = field(default_factory=dict)
    """By channel, and NIGHT_PUSH."""
    purchase: Purchase | None = None
    """The last sale in which the shop was given the contact data."""
    sent: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    """By channel: when messages that count towards its cap went out."""
    reached: Mapping[str, datetime] = field(default_factory=dict)
    """By campaign: when its last run before this one first reached them."""
    told: frozenset[str] = frozenset()
    """Keys of the notices that they were sent, as long as they could come again."""


@dataclass(frozen=True, slots=True)
class SendRules:
    """What the shop and its country allow."""

    law: Law
    time_zone: str
    """The shop's; what dates of consents and sales are in."""
    caps: Mapping[str, Cap]
    """By channel; a channel without one has no cap."""
    global_holdout: float = 0.0
    notices_since: date | None = None
    """See law.notices_due."""

    def today(self, moment: datetime) -> date:
        """The calendar date in the shop."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def notices_for(self, person: Recipient, moment: datetime) -> tuple[Notice, ...]:
        """What a person is to be told of their consents at a moment, and was not."""
        return rules.notices_due(self.law, person.consents, self.today(moment), self.notices_since, person.told)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Send it; it must have arrived before `deliver_before`."""

    deliver_before: datetime


@dataclass(frozen=True, slots=True)
class Deferred:
    """Ask again at `until`, a whole minute; `reason` is why not now."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Skipped:
    """Never send it."""

    reason: Reason


Decision = Allowed | Deferred | Skipped


def decide(message: Message, person: Recipient | None, moment: datetime, shop: SendRules) -> Decision:
    """Whether `message` may go to `person` (None: no profile) at `moment` (with time zone); answers are in UTC.

    Who may never get it is told before who may not yet: consent before holdout, so that holdout and audience are
    alike, and both before the hour.
    """
    moment = moment.astimezone(UTC)
    if person is None:
        return Skipped(Reason.NO_PROFILE)
    reason = _never(message, person, moment, shop)
    if reason is not None:
        return Skipped(reason)
    quiet = _is_quiet(message, person, shop)
    start, cause = _earliest(message, person, moment, shop, quiet)
    if cause is not None:
        return Deferred(start, cause) if start < message.expires_at else Skipped(cause)
    night = rules.night_start(shop.law, moment, person.time_zone) if quiet else None
    return Allowed(min(night, message.expires_at) if night else message.expires_at)


def _is_quiet(message: Message, person: Recipient, shop: SendRules) -> bool:
    """Whether it keeps still at night: advertising by law, a notice out of courtesy."""
    if message.notice:
        return message.channel in shop.law.night_channels
    return message.advertising and rules.keeps_night(shop.law, message.channel, person.consents)


def _never(message: Message, person: Recipient, moment: datetime, shop: SendRules) -> Reason | None:
    if message.channel not in person.addresses:
        return Reason.NO_ADDRESS
    if message.channel in person.suppressed:
        return Reason.SUPPRESSED
    if message.advertising:
        consent = person.consents.get(message.channel)
        if not rules.may_advertise(shop.law, consent, person.purchase, message.goods, shop.today(moment)):
            return Reason.NO_CONSENT
        if in_global_holdout(person.customer_id, shop.global_holdout):
            return Reason.GLOBAL_HOLDOUT
        if in_holdout(person.customer_id, message.campaign, message.holdout):
            return Reason.HOLDOUT
    if message.notice:
        if message.channel == PUSH and EMAIL in person.addresses.difference(person.suppressed):
            return Reason.BY_EMAIL
        if not shop.notices_for(person, moment):
            return Reason.NOT_DUE
    reached = person.reached.get(message.campaign)
    if message.again_after and reached and moment < reached.astimezone(UTC) + message.again_after:
        return Reason.TOO_SOON
    return Reason.EXPIRED if moment >= message.expires_at else None


def _earliest(
    message: Message, person: Recipient, moment: datetime, shop: SendRules, quiet: bool
) -> tuple[datetime, Reason | None]:
    """From when on neither night nor cap forbids it, and what forbade it last; (`moment`, None) for now."""
    cap = shop.caps.get(message.channel) if message.advertising and not message.cap_exempt else None
    start, cause = moment, None
    if cap and (free := free_at(cap, person.sent.get(message.channel, ()), moment)) > moment:
        start, cause = _whole_minute(free), Reason.FREQUENCY_CAP
    for instant in (start, start + MIN_DELIVERY) if quiet else ():
        if morning := rules.night_end(shop.law, instant, person.time_zone):
            return morning, Reason.QUIET_HOURS
    return start, cause


def _whole_minute(moment: datetime) -> datetime:
    """Rounded up."""
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(minutes=1)
