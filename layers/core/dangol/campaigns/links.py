"""Signed links: to unsubscribe, and to accept or decline an invitation. No personal data, no table to look up in.

A token is `payload.signature`, both base64url; the payload says what is done, by whom (the customer id), about what,
and until when. HMAC-SHA256. Keys can be changed: the first signs, all of them verify.
"""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from dangol.errors import DangolError

MIN_KEY = 32
"""Bytes of a key."""
MAX_TOKEN = 2048
"""Characters; no token of ours is longer."""


class Action(StrEnum):
    """What following a link does. A link does one thing only."""

    UNSUBSCRIBE = "unsubscribe"
    ACCEPT = "accept"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says."""

    action: Action
    customer_id: str
    about: str
    """The channel to unsubscribe from, or the invitation; and what else the shop wants back."""
    expires_at: datetime | None = None
    """With time zone, to the second; None: never, as for unsubscribing."""


class BadLink(DangolError):
    """A link that was not signed by this shop, was altered, cut off, or made for something else."""

    def __str__(self) -> str:
        return "this link is not valid; please use the newest message"


@dataclass(eq=False, slots=True)
class ExpiredLink(DangolError):
    """A link of this shop whose time is over."""

    link: Link

    def __str__(self) -> str:
        return "this link has expired; please use the newest message"


def sign(link: Link, key: bytes) -> str:
    """The token of a link: letters, digits, `-`, `_` and one `.`. Raises ValueError for a key that is too short."""
    if len(key) < MIN_KEY:
        raise ValueError(f"a key must have at least {MIN_KEY} bytes")
    expiry = int(link.expires_at.timestamp()) if link.expires_at else 0
    payload = json.dumps([link.action, link.customer_id, link.about, expiry], separators=(",", ":")).encode()
    return f"{_encoded(payload)}.{_encoded(_signature(payload, key))}"


def verify(token: str, action: Action, keys: Sequence[bytes], now: datetime) -> Link:
    """What a token says, if it is ours, made for `action`, and not over. Raises BadLink or ExpiredLink."""
    payload, signature = _parts(token)
    if not any([hmac.compare_digest(_signature(payload, key), signature) for key in keys]):  # noqa: C419 - all of them
        raise BadLink
    found, customer_id, about, expiry = json.loads(payload)
    if found != action:
        raise BadLink
    link = Link(action, customer_id, about, datetime.fromtimestamp(expiry, UTC) if expiry else None)
    if link.expires_at and now >= link.expires_at:
        raise ExpiredLink(link)
    return link


def _parts(token: str) -> tuple[bytes, bytes]:
    payload, dot, signature = token.partition(".")
    if not dot or len(token) > MAX_TOKEN or not token.isascii():
        raise BadLink
    try:
        return _decoded(payload), _decoded(signature)
    except (binascii.Error, ValueError):
        raise BadLink from None


def _signature(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"dangol link 1\0" + payload, "sha256")


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Raises ValueError for what is not exactly as `_encoded` writes it."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encoded(data) != text:
        raise ValueError(text)
    return data
