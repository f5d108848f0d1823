"""The send gate: one conditional write on a person's row of `Profiles` decides, claims and counts a message.

The row carries a revision that every writer raises: the copy of the ledger, unsubscribing, suppressing, and this gate.
A message is decided on by the row as it was read, and the claim is written only if the revision is still the same. So
consent, suppression, cap and earlier claims are what they were decided on, whoever sends beside us; if not, it is
decided again on the row as it is now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, Protocol, TypeVar

from dangol.campaigns.decision import Allowed, Deferred, Message, Reason, Recipient, SendRules, Skipped, decide
from dangol.campaigns.items import OwnProducts
from dangol.campaigns.law import Consent, Purchase, in_force
from dangol.channels import CHANNELS, EMAIL, PUSH
from dangol.errors import DangolError

MAX_TRIES = 50
"""Conflicts with other senders in a row; each means that another one got through."""
REMEMBERED = timedelta(days=1)
"""For which a claim is kept when its message is stale: longer than the batch of a dead sender takes to come again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one message to one person."""

    call: str
    """The call to the mail or push service that was to carry it (see Calls)."""
    at: datetime
    """When it was claimed, UTC, to the second."""
    until: datetime
    """When the claim can be forgotten: what is stale is not sent any more, and what was sent is recorded by then."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A row of `Profiles`, as far as sending goes. Moments are UTC, to the second."""

    customer_id: str
    revision: int
    name: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    """By channel: the e-mail address, the app's push token."""
    push_platform: str | None = None
    """fcm or apns."""
    phone: str | None = None
    """As files have it."""
    last_product: str | None = None
    last_category: str | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    """By channel, and NIGHT_PUSH, as files told."""
    consented_at: Mapping[str, datetime] = field(default_factory=dict)
    """When, where the shop told."""
    unsubscribed: Mapping[str, datetime] = field(default_factory=dict)
    """By channel: when the person said so by a link, or complained."""
    dead: Mapping[str, str] = field(default_factory=dict)
    """By channel: an address that bounced or was retired."""
    purchase: Purchase | None = None
    products: OwnProducts = field(default_factory=OwnProducts)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """By message (see Ask.message_id), and of notices also by what they told (law.Notice.key)."""
    sent: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    """By channel: when messages that count towards its cap were claimed, oldest first, as far as the cap looks back."""
    reached: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)
    """By campaign: (run, moment) of the last one that reached them."""

    def recipient(self, run: str, time_zone: str) -> Recipient:
        """The person, as the decision on a message of `run` wants them."""
        return Recipient(
            customer_id=self.customer_id,
            time_zone=time_zone,
            addresses=frozenset(self.addresses),
            suppressed=frozenset(c for c, address in self.addresses.items() if self.dead.get(c) == address),
            consents=in_force(self.consents, self.consented_at, self.unsubscribed, time_zone),
            purchase=self.purchase,
            sent=self.sent,
            reached={campaign: at for campaign, (other, at) in self.reached.items() if other != run},
            told=frozenset(self.claims),
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """A message that wants to pass."""

    run: str
    step: int
    message: Message

    @property
    def message_id(self) -> str:
        """What a claim is for: the same however often the message comes."""
        return message_id_of(self.run, self.step, self.message.channel)


def message_id_of(run: str, step: int, channel: str) -> str:
    """See Ask.message_id."""
    return f"{run}#{step}#{channel}"


class ProfileChanged(Exception):
    """The row was written by somebody else after it was read."""

    def __init__(self, now: Profile | None) -> None:
        super().__init__()
        self.now = now
        """As it is; None when it is gone."""


class ProfileBook(Protocol):
    """Where profiles are kept."""

    def mark(self, profile: Profile) -> Profile:
        """Write claims and counters of a profile, if its revision is still the row's; the row as it is then.

        Raises ProfileChanged with the row as it is now otherwise.
        """


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passed(Generic[T]):
    """The message is claimed: send it, now."""

    profile: Profile
    deliver_before: datetime
    letter: T


@dataclass(frozen=True, slots=True)
class Held:
    """The message was claimed before; whether it was sent is told by its call."""

    profile: Profile
    claim: Claim


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets messages pass, each once."""

    book: ProfileBook
    rules: SendRules

    def ask(
        self,
        ask: Ask,
        profile: Profile | None,
        call: str,
        moment: datetime,
        write: Callable[[Profile], T | None],
    ) -> "Passed[T] | Held | Deferred | Skipped":
        """Decide on a message and claim it for `call` if it may go. `write` says what it says; None: it cannot."""
        moment = moment.astimezone(UTC).replace(microsecond=0)
        for _ in range(MAX_TRIES):
            if profile and (claim := profile.claims.get(ask.message_id)):
                return Held(profile, claim)
            person = profile.recipient(ask.run, self.rules.time_zone) if profile else None
            decision = decide(ask.message, person, moment, self.rules)
            if profile is None or not isinstance(decision, Allowed):
                assert not isinstance(decision, Allowed), "nobody's message is never allowed"
                return decision
            letter = write(profile)
            if letter is None:
                return Skipped(Reason.NO_VARIANT)
            try:
                marked = self.book.mark(self._claimed(profile, ask, call, moment))
            except ProfileChanged as changed:
                profile = changed.now
            else:
                return Passed(marked, decision.deliver_before, letter)
        raise DangolError(f"a profile changed {MAX_TRIES} times while one message was decided on")

    def release(self, ask: Ask, profile: Profile | None, call: str) -> Profile | None:
        """Give back the claim of a message that `call` certainly did not send; the profile as it is then.

        Another sender may have given it back meanwhile, and claimed the message anew: that claim stays.
        """
        for _ in range(MAX_TRIES):
            claim = profile.claims.get(ask.message_id) if profile else None
            if profile is None or claim is None or claim.call != call:
                return profile
            channel = ask.message.channel
            times = list(profile.sent.get(channel, ()))
            if self._counts(ask.message) and claim.at in times:
                times.remove(claim.at)
            claims = {other: one for other, one in profile.claims.items() if one.call != claim.call}
            given_back = replace(profile, claims=claims, sent={**profile.sent, channel: tuple(times)})
            try:
                return self.book.mark(_unreached(given_back, ask, claim))
            except ProfileChanged as changed:
                profile = changed.now
        raise DangolError(f"a profile changed {MAX_TRIES} times while a claim was given back")

    def _claimed(self, profile: Profile, ask: Ask, call: str, moment: datetime) -> Profile:
        message = ask.message
        claims = {other: claim for other, claim in profile.claims.items() if claim.until > moment}
        claims[ask.message_id] = Claim(call, moment, message.expires_at + REMEMBERED)
        if message.notice:
            person = profile.recipient(ask.run, self.rules.time_zone)
            for notice in self.rules.notices_for(person, moment):
                claims[notice.key] = Claim(call, moment, _end_of(notice.due_on))
        sent = dict(profile.sent)
        if self._counts(message):
            cap = self.rules.caps[message.channel]
            recent = [at for at in sent.get(message.channel, ()) if at > moment - cap.window]
            sent[message.channel] = tuple(sorted([*recent, moment]))
        reached = profile.reached
        if reached.get(message.campaign, ("",))[0] != ask.run:
            reached = {**reached, message.campaign: (ask.run, moment)}
        return replace(profile, claims=claims, sent=sent, reached=reached)

    def _counts(self, message: Message) -> bool:
        return message.advertising and not message.cap_exempt and message.channel in self.rules.caps


def _unreached(profile: Profile, ask: Ask, claim: Claim) -> Profile:
    """The profile as if a claim that is given back had never reached them: another of the run may have, or none."""
    campaign = ask.message.campaign
    if profile.reached.get(campaign) != (ask.run, claim.at):
        return profile
    reached = {other: last for other, last in profile.reached.items() if other != campaign}
    others = [one.at for message_id, one in profile.claims.items() if message_id.startswith(f"{ask.run}#")]
    return replace(profile, reached=reached | ({campaign: (ask.run, min(others))} if others else {}))


def _end_of(day: date) -> datetime:
    """When a day is over everywhere, UTC."""
    return datetime.combine(day, time(), UTC) + timedelta(days=2)


class Calls(Protocol):
    """Which calls to the mail and push services were begun. Who writes first about a call decides on it."""

    def begin(self, call: str) -> bool:
        """Note that a call is about to be made; False if it was given up before: then it must not be made."""

    def give_up(self, call: str) -> bool:
        """Note that a call will never be made; False if it was begun: then it may have been made."""


def is_fresh(claim: Claim, moment: datetime, patience: timedelta) -> bool:
    """Whether who claimed it may still be at it, after `patience` the longest that a sender lives."""
    return moment - claim.at <= patience


def addresses_of(email: str | None, push_token: str | None, push_platform: str | None) -> dict[str, str]:
    """Profile.addresses: a token without its platform reaches nobody."""
    found = {EMAIL: email, PUSH: push_token if push_platform else None}
    return {channel: address for channel in CHANNELS if (address := found[channel])}
