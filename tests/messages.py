"""People, shops and campaigns for tests of messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from dangol.campaigns.content import Content, Facts, Item, Occasion, Sender
from dangol.campaigns.definition import ITEM_KINDS, Campaign
from dangol.campaigns.loading import Known, load_campaign
from dangol.campaigns.wording import write
from dangol.segments.language import catalogue, parse
from dangol.segments.policy import default_policy

CONFIG = Path(__file__).resolve().parents[1] / "config"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
SENDER = Sender("단골상점", "hello@dangol.kr", "02-123-4567", "서울 중구 세종대로 110", "https://dangol.kr")
OCCASION = Occasion(SENDER, date(2026, 11, 27), "KRW")
ITEMS = (
    Item("p1", "캐시미어 머플러", "https://dangol.kr/p1", "https://dangol.kr/p1.jpg", Decimal(89000), "소품"),
    Item("p2", "울 카디건", "https://dangol.kr/p2", price=Decimal(129000), category="니트"),
)
LINKS = {"accept": "https://dangol.kr/i?t=yes", "decline": "https://dangol.kr/i?t=no"}
BUYER = Facts("김단골", "가방", "잡화", dict.fromkeys(ITEM_KINDS, ITEMS), LINKS)
"""Somebody of whom everything is known."""
STRANGER = Facts(customer_name="김단골", items=BUYER.items, links=LINKS)
"""The same without a purchase."""


def known(now: datetime = NOW) -> Known:
    names = default_policy().names
    return Known(names, lambda rule: parse(rule, catalogue(names)), "Asia/Seoul", now, ("style_talk",))


@cache
def shipped(campaign: str) -> Campaign:
    file = f"config/campaigns/{campaign}.yaml"
    return load_campaign((CONFIG.parent / file).read_bytes(), file, known())


def said(campaign: str, step: int, channel: str, variant: str, facts: Facts) -> Content | None:
    """What a variant of a shipped campaign says to a person."""
    found = shipped(campaign)
    (one,) = [v for v in found.steps[step].variants[channel] if v.id == variant]
    return write(one, facts, found.coupon, OCCASION)


def without(facts: Facts, *names: str) -> Facts:
    """Facts of which some are missing."""
    return replace(facts, **{name: {} if name in ("items", "links") else None for name in names})
