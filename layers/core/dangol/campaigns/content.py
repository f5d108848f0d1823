"""What may be said about a person and a shop, and what one message says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

MAX_LINK = 500
"""Characters of an address; a longer one is none."""


@dataclass(frozen=True, slots=True)
class Item:
    """A product that a message may show."""

    product_id: str
    name: str
    url: str = ""
    image_url: str = ""
    price: Decimal | None = None
    """In the shop's currency."""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the reader. What is missing is None or left out, never a blank."""

    customer_name: str | None = None
    last_product: str | None = None
    """Name of the product they bought last."""
    last_category: str | None = None
    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    """By kind (definition.ITEM_KINDS): what may be shown to them, best first."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Signed links of this person: `accept` and `decline`, where there is an invitation."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: what the law wants to see in every message."""

    name: str
    email: str
    phone: str
    address: str
    url: str
    """The shop's start page."""
    app_opt_out: str = "앱 > 설정 > 알림"
    """Where push is switched off in the shop's app."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a message is written with besides its reader."""

    sender: Sender
    run_on: date
    """When the run of the campaign began, in the shop's zone; coupons count from it."""
    currency: str
    """ISO 4217."""


@dataclass(frozen=True, slots=True)
class Button:
    """A link and what is written on it."""

    text: str
    link: str


@dataclass(frozen=True, slots=True)
class CouponShown:
    """A coupon as one person sees it."""

    name: str
    benefit: str
    code: str | None
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Content:
    """What one message says to one person: plain text, nothing of it escaped yet."""

    title: str
    """Subject of an e-mail, title of a push; one line, without label."""
    paragraphs: tuple[str, ...]
    preheader: str = ""
    buttons: tuple[Button, ...] = ()
    items: tuple[Item, ...] = ()
    coupon: CouponShown | None = None


def web_link(url: str) -> str | None:
    """The address if a message may lead there: http or https, not too long; else None."""
    return url if len(url) <= MAX_LINK and re.fullmatch(r"https?://[^\s<>\"]+", url) else None
