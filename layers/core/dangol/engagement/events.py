"""The e-mail events that SES publishes, and the tags that say whom a message was for."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CUSTOMER_TAG, RUN_TAG, STEP_TAG = "dangol-customer", "dangol-run", "dangol-step"
"""Names of the tags every message carries; a campaign's messages count from step 0."""

_KINDS = {
    "Send": "sent",
    "Delivery": "delivered",
    "Open": "opened",
    "Click": "clicked",
    "Bounce": "bounced",
    "Complaint": "complained",
    "Reject": "rejected",
    "Rendering Failure": "failed",
    "DeliveryDelay": "delayed",
    "Subscription": "subscription",
    "Unsubscribe": "unsubscribed",  # not SES's: see unsubscribe_event
}
"""SES's `eventType` → the kind in the ledger."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ENCODED = "b64--"
_MAX_TAG = 256
"""Characters that SES takes (source: SES API, MessageTag)."""


@dataclass(frozen=True, slots=True)
class EmailEvent:
    """Something that became of a message."""

    customer_id: str
    message_id: str
    """SES's own."""
    run: str | None
    """The campaign run that sent it."""
    kind: str
    """sent, delivered, opened, clicked, bounced, complained, rejected, failed, delayed, subscription."""
    happened_at: datetime
    """UTC."""
    link: str | None
    """Of a click."""
    agent: str | None
    """User agent of an open or a click."""
    sent_at: datetime
    """When the message was sent; of a link that a person followed, when they did. UTC."""
    step: int = 0
    """Which message of the run."""


def unsubscribe_event(customer_id: str, at: datetime, run: str | None = None) -> dict[str, Any]:
    """What a person said by the link of an e-mail of `run`, in the shape of SES's; `email_event` reads it."""
    tags = {CUSTOMER_TAG: [tag_of(customer_id)]} | ({RUN_TAG: [tag_of(run)]} if run else {})
    mail = {"timestamp": at.isoformat(), "messageId": "link", "tags": tags}
    return {"eventType": "Unsubscribe", "mail": mail}


def tag_of(text: str) -> str | None:
    """`text` as the value of a tag, which takes A–Z, a–z, 0–9, _ and - only; None where it is too long for one."""
    if _PLAIN.fullmatch(text) and not text.startswith(_ENCODED):
        return text
    tag = _ENCODED + urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return tag if len(tag) <= _MAX_TAG else None


def text_of_tag(tag: str) -> str:
    """What `tag_of` made a tag of. Raises ValueError for a tag it never makes."""
    if not tag.startswith(_ENCODED):
        return tag
    code = tag.removeprefix(_ENCODED)
    return urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode()


def email_event(event: Mapping[str, Any]) -> EmailEvent | None:
    """From an event as SES publishes it; None for a message that is not one of ours.

    Raises KeyError or ValueError for something that is no event of SES. (Source: SES developer guide, "Contents of
    event data that Amazon SES publishes to Amazon SNS"; tags are arrays there.)
    """
    kind = _KINDS[event["eventType"]]
    mail = event["mail"]
    tags = mail.get("tags") or {}
    if not tags.get(CUSTOMER_TAG):
        return None
    details = event.get(event["eventType"][:1].lower() + event["eventType"][1:].replace(" ", "")) or {}
    moment = datetime.fromisoformat(details.get("timestamp") or mail["timestamp"])
    return EmailEvent(
        customer_id=text_of_tag(tags[CUSTOMER_TAG][0]),
        message_id=mail["messageId"],
        run=text_of_tag(tags[RUN_TAG][0]) if tags.get(RUN_TAG) else None,
        kind=kind,
        happened_at=moment.astimezone(UTC),
        link=details.get("link"),
        agent=details.get("userAgent"),
        sent_at=datetime.fromisoformat(mail["timestamp"]).astimezone(UTC),
        step=int(tags[STEP_TAG][0]) if tags.get(STEP_TAG) else 0,
    )
