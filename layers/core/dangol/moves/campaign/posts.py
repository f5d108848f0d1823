"""From what a message says to what the mail and push services are given, and what they answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dangol.campaigns.content import Content, Occasion
from dangol.campaigns.gate import Profile
from dangol.campaigns.law import Law
from dangol.campaigns.links import Action, Link, sign
from dangol.channels import EMAIL, PUSH, email, push


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one person, claimed and written."""

    profile: Profile
    variant: str
    content: Content
    deliver_before: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took it."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The service will never take it."""

    reason: str
    dead: bool = False
    """Whether the address is of no more use."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """The service certainly did not take it."""

    reason: str
    soon: bool
    """Whether trying again in seconds may help; else the account needs time, or a person."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """The call broke off: the service may have taken it."""


Outcome = Sent | Refused | NotNow | Unsure


@dataclass(frozen=True, slots=True)
class Terms:
    """What all messages of a batch have in common."""

    run: str
    step: int
    occasion: Occasion
    law: Law
    advertising: bool


class Post(Protocol):
    """One channel's way out."""

    @property
    def size(self) -> int:
        """Letters of one call at most."""

    def send(self, letters: Sequence[Letter], terms: Terms) -> list[Outcome]:
        """Send letters; an outcome for each."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail to somebody."""

    to: str
    customer_id: str
    email: email.Email


class Mailer(Protocol):
    """The mail service."""

    def send(self, mails: Sequence[Mail], run: str, step: int) -> list[Outcome]:
        """Send e-mails, at most MAILS_AT_ONCE, with one call."""


MAILS_AT_ONCE = 50
"""Destinations of one SendBulkEmail (source: SES API v2)."""
PUSHES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class EmailPost:
    """E-mails, each with its own signed link to unsubscribe."""

    mailer: Mailer
    unsubscribe_url: str
    """Of the function, without a query."""
    key: bytes
    """Signs links."""
    size: int = MAILS_AT_ONCE

    def send(self, letters: Sequence[Letter], terms: Terms) -> list[Outcome]:
        """See Post."""
        return self.mailer.send([self._mail(letter, terms) for letter in letters], terms.run, terms.step)

    def _mail(self, letter: Letter, terms: Terms) -> Mail:
        person = letter.profile.customer_id
        token = sign(Link(Action.UNSUBSCRIBE, person, f"{EMAIL} {terms.run}"), self.key)
        url = f"{self.unsubscribe_url}?token={token}"
        composed = email.compose(letter.content, terms.occasion, terms.law, terms.advertising, url)
        return Mail(letter.profile.addresses[EMAIL], person, composed)


@dataclass(frozen=True, slots=True)
class Notification:
    """A push to one device."""

    customer_id: str
    platform: str
    """fcm or apns."""
    token: str
    message: str
    """As SNS wants it."""
    attributes: Mapping[str, object]


class Pusher(Protocol):
    """The push service."""

    def send(self, notifications: Sequence[Notification]) -> list[Outcome]:
        """Send pushes, each with a call."""


@dataclass(frozen=True, slots=True)
class PushPost:
    """Pushes, whose time to live ends before the night does begin."""

    pusher: Pusher
    clock: Callable[[], datetime]
    size: int = PUSHES_AT_ONCE

    def send(self, letters: Sequence[Letter], terms: Terms) -> list[Outcome]:
        """See Post."""
        return self.pusher.send([self._notification(letter, terms) for letter in letters])

    def _notification(self, letter: Letter, terms: Terms) -> Notification:
        profile = letter.profile
        composed = push.compose(letter.content, terms.occasion, terms.law, terms.advertising)
        seconds = push.ttl(letter.deliver_before, self.clock())
        message = push.sns_message(composed, seconds, {"run": terms.run})
        assert profile.push_platform, "addresses have a push only with its platform"
        token = profile.addresses[PUSH]
        return Notification(profile.customer_id, profile.push_platform, token, message, push.sns_attributes(seconds))
