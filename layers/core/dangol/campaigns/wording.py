"""From a campaign's texts and a person's data to what one message says."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import quote

from dangol.campaigns.assignment import preference
from dangol.campaigns.content import Button, Content, CouponShown, Facts, Item, Occasion, web_link
from dangol.campaigns.definition import Campaign, Coupon, Variant
from dangol.campaigns.templates import PLACEHOLDERS, MissingData, render, required

MAX_VALUE = 80
"""Characters of a name or product put into a text; longer ones are cut."""
MAX_TEXT = 6000
"""Characters of a body with its values; the rest is cut."""
MAX_PARAGRAPHS = 100
"""Of a body; the rest is cut. Each costs more in an e-mail than its letters."""
MAX_ITEMS = 6
"""Items of one message."""
_SYMBOLS = {"KRW": "₩", "USD": "$", "EUR": "€", "JPY": "¥", "GBP": "£", "CNY": "¥"}
_WHOLE = ("KRW", "JPY", "VND")
"""Currencies without a smaller unit."""
_NOTHING = frozenset({"", "-", "none", "null", "nan", "nat", "n/a", "undefined", "미입력", "없음"})
"""What exports write where a value is missing."""
_SYNTAX = ("{{", "}}", "{%", "%}", "{#", *(f"[{name}]" for name in PLACEHOLDERS))
_KEPT = "\u200d\ufe0f"
"""Joiner and selector inside emoji; other invisible characters go."""
_BLANKS = dict.fromkeys(map(ord, "\u115f\u1160\u2800\u3164\uffa0"), " ")
"""Fillers of 한글 and the empty braille cell: letters and signs by their category, names of people who show none."""


def choose(
    campaign: Campaign, step: int, channel: str, person: str, facts: Facts, occasion: Occasion
) -> tuple[Variant, Content] | None:
    """The variant that a person gets and what it says, or None when each of them needs data that is missing.

    `person` is the customer id: their variant follows from its hash. If data for it is missing, the others are tried by
    weight. `step` counts from 0.
    """
    variants = campaign.steps[step].variants[channel]
    order = preference(person, f"variant:{campaign.id}:{step}:{channel}", [variant.weight for variant in variants])
    for index in order:
        content = write(variants[index], facts, campaign.coupon, occasion)
        if content is not None:
            return variants[index], content
    return None


def write(variant: Variant, facts: Facts, coupon: Coupon | None, occasion: Occasion) -> Content | None:
    """What a variant says to a person; None when data that it needs is missing, or without it nothing is said."""
    items = _fit(facts.items.get(variant.items, ())) if variant.items else ()
    if variant.items and not items:
        return None
    shown = _coupon(coupon, occasion.run_on)
    values = _values(facts, items, shown, occasion)
    try:
        content = Content(
            one_line(render(variant.title, values)),
            _paragraphs(render(variant.body, values)),
            one_line(render(variant.preheader, values)),
            tuple(Button(one_line(render(b.text, values)), _link(b.link, values)) for b in variant.buttons),
            items,
            shown,
        )
    except MissingData:
        return None
    return content if content.title and (content.paragraphs or items) else None


def needs(variant: Variant) -> tuple[str, ...]:
    """What a person's data must have for this variant."""
    texts = (variant.title, variant.body, variant.preheader, *(t for b in variant.buttons for t in (b.text, b.link)))
    names = frozenset().union(*map(required, texts)) - {"shop", "items", "coupon"}
    return (*sorted(names), *([f"items ({variant.items})"] if variant.items else []))


def _values(facts: Facts, items: tuple[Item, ...], coupon: CouponShown | None, occasion: Occasion) -> dict[str, Any]:
    """The values of templates.NAMES for a person; what is missing is left out, so that it cannot be shown."""
    sender = occasion.sender
    return _present(
        customer_name=clean(facts.customer_name),
        last_product=clean(facts.last_product),
        last_category=clean(facts.last_category),
        items=tuple(_item_fields(item, occasion.currency) for item in items) or None,
        coupon=coupon and _coupon_fields(coupon),
        shop=_present(name=sender.name, url=sender.url, email=sender.email, phone=sender.phone),
        links=dict(facts.links),
    )


def clean(value: str | None) -> str | None:
    """A value fit to be put into a text: one line, nothing invisible, not too long; None when it says nothing.

    Words by which exports mean 'nothing', and values that look like a template, count as nothing.
    """
    if value is None:
        return None
    text = one_line(value)
    if text.strip(f"{_KEPT} ").casefold() in _NOTHING or any(mark in text for mark in _SYNTAX):
        return None
    return cut(text, MAX_VALUE)


def cut(text: str, longest: int) -> str:
    """At most so many characters, the last one … where something is left out."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def one_line(text: str) -> str:
    """Without control and other invisible characters, runs of space as one: fit for a header."""
    spaced = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text).translate(_BLANKS))
    return "".join(c for c in spaced if c in _KEPT or unicodedata.category(c)[0] != "C").strip()


def money(amount: Decimal, currency: str) -> str:
    """₩39,000; $12.50; 1,200.00 CHF."""
    number = f"{amount:,.0f}" if currency in _WHOLE else f"{amount:,.2f}"
    return f"{_SYMBOLS[currency]}{number}" if currency in _SYMBOLS else f"{number} {currency}"


def _link(template: str, values: Mapping[str, Any]) -> str:
    """Where a template leads; of names and products, what has a meaning in an address is escaped."""
    escaped = {name: _escaped(value) if isinstance(value, str) else value for name, value in values.items()}
    link = web_link(render(template, escaped).strip())
    if link is None:
        raise MissingData(template)
    return link


def _escaped(value: str) -> str:
    """Letters and digits of any language stay, which keeps it short."""
    return re.sub(r"[^\w.~-]", lambda found: quote(found[0], safe=""), value)


def _paragraphs(text: str) -> tuple[str, ...]:
    """Parted at blank lines; within them lines stay lines."""
    parts = re.split(r"\n\s*\n", text[:MAX_TEXT])
    paragraphs = ("\n".join(filter(None, map(one_line, part.split("\n")))) for part in parts)
    return tuple(islice(filter(None, paragraphs), MAX_PARAGRAPHS))


def _coupon(coupon: Coupon | None, run_on: date) -> CouponShown | None:
    if coupon is None:
        return None
    expires_on = run_on + timedelta(days=coupon.valid_days - 1) if coupon.valid_days else None
    return CouponShown(coupon.name, coupon.benefit, coupon.code, expires_on)


def _coupon_fields(coupon: CouponShown) -> dict[str, str]:
    day = coupon.expires_on
    return _present(
        name=coupon.name, benefit=coupon.benefit, code=coupon.code, expires_on=day and f"{day.month}월 {day.day}일"
    )


def _fit(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The first MAX_ITEMS that have a name, without links that lead nowhere."""
    named = ((item, clean(item.name)) for item in items)
    fit = (
        replace(item, name=name, url=web_link(item.url) or "", image_url=web_link(item.image_url) or "")
        for item, name in named
        if name
    )
    return tuple(islice(fit, MAX_ITEMS))


def _item_fields(item: Item, currency: str) -> dict[str, str]:
    price = None if item.price is None else money(item.price, currency)
    return _present(name=item.name, price=price, url=item.url or None, category=clean(item.category))


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
