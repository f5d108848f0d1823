"""Answers: what people do with messages, as far as it decides on further ones: open, click, complain, unsubscribe."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from dangol.campaigns.links import Action, verify
from dangol.channels import CHANNELS, EMAIL
from dangol.engagement.events import EmailEvent, email_event, unsubscribe_event
from dangol.engagement.machines import is_at_once, is_machine

HARD_BOUNCE = "Permanent"
"""SES's `bounceType` of an address that is of no use; others may work again."""


class SenderBooks(Protocol):
    """What senders look into before the next message."""

    def unsubscribe(self, customer_id: str, channel: str, at: datetime) -> None:
        """Note a person's own word against a channel; nothing for whom there is no profile of."""

    def retire(self, customer_id: str, channel: str, address: str) -> None:
        """Note that an address is dead; nothing for whom there is no profile of."""

    def knows(self, customer_id: str) -> bool:
        """Whether there is a profile of somebody."""


class AnswerBook(Protocol):
    """Where answers to messages are kept."""

    def answer(self, run: str, customer_id: str, step: int, channel: str, kind: str) -> None:
        """Note what a person did with a message: opened or clicked. Nothing about a message that nobody knows of."""

    def click(self, run: str, customer_id: str, step: int, channel: str, at: datetime, link: str) -> None:
        """Note that a link of a message was clicked; whether by a person is known once all its clicks are."""

    def is_open(self, run: str, customer_id: str, step: int, channel: str) -> bool:
        """Whether it is not known of a message that it was sent."""

    def was_sent(self, run: str, customer_id: str, step: int, channel: str, at: datetime, message_id: str) -> None:
        """Note that the service took a message, unless something final is known of it."""


def heed(event: Mapping[str, Any], books: SenderBooks, answers: AnswerBook) -> str | None:
    """Act on an event of SES; its kind, or None where nothing follows from it. May be called again with the same.

    A hard bounce retires the address. A complaint counts as a refusal of e-mail (the Act, article 50(2)), and retires
    the address as well: not even a notice goes there. Opens and clicks are answers if a person may have done them.
    That SES took a message settles what a sender that died left open.
    Raises KeyError or ValueError for what is no event of SES.
    """
    found = email_event(event)
    if found is None:
        return None
    match found.kind:
        case "bounced" if event["bounce"].get("bounceType") == HARD_BOUNCE:
            _retire(found.customer_id, event, books)
        case "complained":
            books.unsubscribe(found.customer_id, EMAIL, found.happened_at)
            _retire(found.customer_id, event, books)
        case "opened" if found.run and _by_person(found, event):
            answers.answer(found.run, found.customer_id, found.step, EMAIL, found.kind)
        case "clicked" if found.run and _by_person(found, event):
            answers.click(found.run, found.customer_id, found.step, EMAIL, found.happened_at, found.link or "")
        case "sent" if found.run and answers.is_open(found.run, found.customer_id, found.step, EMAIL):
            if not books.knows(found.customer_id):  # of an erased person nothing is noted
                return None
            answers.was_sent(found.run, found.customer_id, found.step, EMAIL, found.happened_at, found.message_id)
        case _:
            return None
    return found.kind


def _retire(customer_id: str, event: Mapping[str, Any], books: SenderBooks) -> None:
    """Retire the address that the message was sent to, one for each of ours.

    The recipients of the bounce or complaint itself may name another: where mail was forwarded to in the end (the
    Final-Recipient of the report), or as whom else a provider knows them.
    """
    for address in event["mail"]["destination"]:
        books.retire(customer_id, EMAIL, address)


def _by_person(found: EmailEvent, event: Mapping[str, Any]) -> bool:
    """Whether a person may have done it, as far as one event tells. See dangol.engagement.people."""
    sent_at = datetime.fromisoformat(event["mail"]["timestamp"]).astimezone(UTC)
    return not (is_at_once(sent_at, found.happened_at) or is_machine(found.agent))


class Journal(Protocol):
    """The way to the ledger for what became of messages."""

    def tell(self, event: Mapping[str, Any]) -> None:
        """Hand over an event in the shape of SES's."""


def unsubscribe(token: str, keys: Sequence[bytes], now: datetime, books: SenderBooks, journal: Journal) -> None:
    """Note the wish of whoever follows a signed link. Raises BadLink for a link that is not ours.

    The profile has it at once; the ledger keeps it, also when the account becomes part of another.
    """
    customer_id, channel, run = whose(token, keys, now)
    books.unsubscribe(customer_id, channel, now)
    journal.tell(unsubscribe_event(customer_id, now, run))


def whose(token: str, keys: Sequence[bytes], now: datetime) -> tuple[str, str, str | None]:
    """(customer_id, channel, run) of a link to unsubscribe. Raises BadLink for a link that is not ours."""
    link = verify(token, Action.UNSUBSCRIBE, keys, now)
    channel, _, run = link.about.partition(" ")
    assert channel in CHANNELS, "no other link is ever signed"
    return link.customer_id, channel, run or None
