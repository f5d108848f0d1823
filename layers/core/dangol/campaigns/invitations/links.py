"""Who is invited by which message, as their signed links say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dangol.campaigns.links import Action, BadLink, Link, sign, verify


@dataclass(frozen=True, slots=True)
class Invited:
    """One person, asked by one message."""

    customer_id: str
    invitation: str
    """Id."""
    run: str
    """The run of a campaign that sent the message."""
    step: int
    """Which message of the run, from 0."""
    channel: str


def answer_links(invited: Invited, answer_by: datetime, url: str, key: bytes) -> dict[str, str]:
    """The person's links `accept` and `decline`, good until `answer_by`. `url` is of the page, without a query."""
    about = f"{invited.invitation} {invited.run} {invited.step} {invited.channel}"
    return {
        action.value: f"{url}?token={sign(Link(action, invited.customer_id, about, answer_by), key)}"
        for action in (Action.ACCEPT, Action.DECLINE)
    }


def invited_by(token: str, keys: Sequence[bytes], now: datetime) -> tuple[Invited, Action]:
    """Whom a link asks, and what it is for. Raises BadLink for a link that is not ours, or ExpiredLink."""
    try:
        link = verify(token, Action.ACCEPT, keys, now)
    except BadLink:
        link = verify(token, Action.DECLINE, keys, now)
    return invited_of(link), link.action


def invited_of(link: Link) -> Invited:
    """Whom a link asks that was made by `answer_links`."""
    invitation, run, step, channel = link.about.split()
    return Invited(link.customer_id, invitation, run, int(step), channel)
