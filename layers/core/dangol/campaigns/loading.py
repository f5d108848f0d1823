"""Campaigns from YAML, checked as a whole: a campaign with a mistake is refused with every problem and its line."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import PurePath
from typing import TypeVar

import yaml

from dangol.campaigns.definition import (
    ANSWERS,
    CLICKS,
    EXPIRES,
    PURCHASES,
    Campaign,
    Coupon,
    Goal,
    Step,
    Variant,
    Winner,
)
from dangol.campaigns.planning import read_schedule
from dangol.campaigns.templates import names_in
from dangol.campaigns.winner import contested
from dangol.campaigns.writing import read_variants
from dangol.channels import CHANNELS, EMAIL
from dangol.document import Document, in_words, nearest
from dangol.errors import RuleError

KEYS: Mapping[str, tuple[str, ...]] = {
    "campaign": (
        *(
            "id",
            "name",
            "description",
            "segment",
            "where",
            "schedule",
            "purpose",
            "goal",
            "coupon",
            "winner",
            "holdout",
        ),
        *("again_after", "cap_exempt", "per_hour", "expires", "goods", "invitation", "channels", "steps"),
    ),
    "name": ("ko", "en"),
    "goal": ("reach", "segment", "within"),
    "coupon": ("name", "benefit", "code", "valid"),
    "winner": ("by", "after", "share"),
    "channels": CHANNELS,
    "step": ("after", "unless", "channels"),
}
"""The keys of the mappings of a campaign file, and below those that must be there."""
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "campaign": ("id", "name", "schedule", "purpose", "channels"),
    "name": ("ko", "en"),
    "goal": ("reach", "within"),
    "coupon": ("name", "benefit"),
    "winner": ("by", "after", "share"),
    "channels": (),
    "step": ("after", "channels"),
}
PURPOSES = ("advertising", "transactional")
GOALS = ("purchase", "member_of")
_ID = re.compile(r"[a-z][a-z0-9_]{0,49}")
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """What a campaign file is checked against."""

    segments: Collection[str]
    """Ids that exist."""
    check_rule: Callable[[str], object]
    """Reads a rule of the segment language; raises RuleError when it is wrong."""
    time_zone: str
    """Of schedules that name none."""
    now: datetime
    """With time zone; a schedule must fire after it."""
    invitations: Collection[str]
    """Ids that exist."""


def load_campaign(text: bytes, file: str, known: Known) -> Campaign:
    """Read a campaign. Raises InvalidConfiguration with every problem found, each with its line."""
    document = Document(text, file)
    campaign = replace(_Reader(document, known).campaign(), version=sha256(text).hexdigest()[:12])
    document.close()
    return campaign


class _Reader:
    """Turns the nodes of a document into a campaign; problems go to the document."""

    def __init__(self, document: Document, known: Known) -> None:
        self.document, self.known = document, known
        self.found = self._fields(document.root, "campaign")
        self.coupon = self._at("coupon", self._coupon, None)

    def campaign(self) -> Campaign:
        doc, at = self.document, self._at
        segment, where = self._audience()
        advertising = at("purpose", lambda node: doc.choice(node, PURPOSES, "purpose"), "") != "transactional"
        if not advertising and "coupon" in self.found:
            doc.note(self.found["coupon"], "a transactional campaign has no coupon: with one it is advertising")
        campaign = Campaign(
            id=at("id", self._file_id, ""),
            names=at("name", self._names, {}),
            description=at("description", lambda node: doc.text(node, "'description'"), ""),
            segment=segment,
            where=where,
            schedule=read_schedule(doc, self.found.get("schedule"), self.known.time_zone, self.known.now),
            advertising=advertising,
            steps=self._steps(),
            goal=at("goal", self._goal, None),
            coupon=self.coupon,
            winner=at("winner", self._winner, None),
            holdout=at("holdout", lambda node: doc.number(node, 0, 1, "'holdout', a share,"), 0.0),
            again_after=at("again_after", lambda node: doc.duration(node, _DAY, 3660 * _DAY, "'again_after'"), None),
            cap_exempt=at("cap_exempt", lambda node: doc.flag(node, "'cap_exempt'"), False),
            per_hour=at("per_hour", lambda node: int(doc.number(node, 1, 1e9, "'per_hour'", whole=True)), None),
            expires=at("expires", lambda node: doc.duration(node, _HOUR, 30 * _DAY, "'expires'"), EXPIRES),
            goods=at("goods", self._goods, frozenset()),
            invitation=at("invitation", self._invitation, None),
        )

        self._check_contest(campaign)
        self._check_coupon(campaign)
        return campaign

    def _check_contest(self, campaign: Campaign) -> None:
        if campaign.winner and not contested(campaign):
            kind = "e-mail" if campaign.winner.by == CLICKS else "message"
            reason = f"'winner' by {campaign.winner.by} needs a first {kind} with two variants of a weight above 0"
            self.document.note(self.found["winner"], reason)

    def _check_coupon(self, campaign: Campaign) -> None:
        """No message offers a coupon that is over: all of a run count from its first day."""
        coupon, elapsed = campaign.coupon, timedelta()
        if self.document.problems or coupon is None or coupon.valid_days is None:
            return
        for number, step in enumerate(campaign.steps, 1):
            elapsed += step.after
            if elapsed >= coupon.valid_days * _DAY and _offers_coupon(step):
                reason = f"'valid' is over when message {number} offers the coupon, {in_words(elapsed)} after the first"
                self.document.note(self.found["coupon"], reason)
                return

    def _at(self, key: str, read: Callable[[yaml.Node], T], default: T) -> T:
        """What stands at a key of the campaign."""
        return read(self.found[key]) if key in self.found else default

    def _fields(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        return self.document.fields(node, KEYS[what], REQUIRED[what], f"'{what}'")

    def _audience(self) -> tuple[str | None, str | None]:
        segment, where = self.found.get("segment"), self.found.get("where")
        if (segment is None) == (where is None):
            self.document.note(self.document.root, "a campaign needs exactly one of 'segment' and 'where'")
        if segment is not None:
            return self._segment(segment), None
        return None, None if where is None else self._rule(where)

    def _segment(self, node: yaml.Node) -> str:
        return self.document.choice(node, self.known.segments, "segment")

    def _rule(self, node: yaml.Node) -> str:
        rule = self.document.text(node, "'where'")
        try:
            self.known.check_rule(rule)
        except RuleError as error:
            self.document.note(node, f"'where', column {error.position + 1}: {error}")
        return rule

    def _id(self, node: yaml.Node, what: str) -> str:
        word = self.document.text(node, what)
        if word and not _ID.fullmatch(word):
            self.document.note(node, f"{what} must be lower-case letters, digits and _ (at most 50), not '{word}'")
        return word

    def _invitation(self, node: yaml.Node) -> str:
        word = self._id(node, "'invitation'")
        if word in self.known.invitations:
            return word
        hint = f"{nearest(word, self.known.invitations)}, or " if self.known.invitations else ""
        self.document.note(node, f"unknown invitation '{word}'; {hint}write it into invitations/{word}.yaml")
        return word

    def _file_id(self, node: yaml.Node) -> str:
        word, stem = self._id(node, "'id'"), PurePath(self.document.file).stem
        if _ID.fullmatch(word) and word != stem:
            self.document.note(node, f"'id' must be as the file is called: '{stem}', not '{word}'")
        return word

    def _names(self, node: yaml.Node) -> dict[str, str]:
        return {key: self.document.text(value, f"'{key}'") for key, value in self._fields(node, "name").items()}

    def _goods(self, node: yaml.Node) -> frozenset[str]:
        return frozenset(self.document.text(item, "a kind of goods") for item in self.document.items(node, "'goods'"))

    def _goal(self, node: yaml.Node) -> Goal | None:
        found = self._fields(node, "goal")
        reach = self.document.choice(found["reach"], GOALS, "goal") if "reach" in found else ""
        if reach and (reach == "member_of") != ("segment" in found):
            self.document.note(node, "'goal' has a 'segment' if and only if it is to reach 'member_of'")
        segment = self._segment(found["segment"]) if "segment" in found else None
        within = self.document.duration(found["within"], _DAY, 366 * _DAY, "'within'") if "within" in found else _DAY
        return Goal(within.days, segment)

    def _coupon(self, node: yaml.Node) -> Coupon | None:
        found = self._fields(node, "coupon")
        texts = {key: self.document.text(found[key], f"'{key}'") for key in ("name", "benefit", "code") if key in found}
        valid = self.document.duration(found["valid"], _DAY, 366 * _DAY, "'valid'") if "valid" in found else None
        return Coupon(texts.get("name", ""), texts.get("benefit", ""), texts.get("code"), valid.days if valid else None)

    def _winner(self, node: yaml.Node) -> Winner | None:
        doc, before = self.document, len(self.document.problems)
        found = self._fields(node, "winner")
        by = doc.choice(found["by"], (CLICKS, PURCHASES), "way to find a winner") if "by" in found else ""
        after = doc.duration(found["after"], _HOUR, 7 * _DAY, "'after'") if "after" in found else _HOUR
        share = doc.number(found["share"], 0.01, 0.9, "'share'") if "share" in found else 0.9
        return Winner(by, after, share) if len(doc.problems) == before else None

    def _steps(self) -> tuple[Step, ...]:
        first = self._channels(self.found["channels"]) if "channels" in self.found else None
        later = list(self.document.items(self.found["steps"], "'steps'")) if "steps" in self.found else []
        return (*([Step(first)] if first else []), *(self._step(node) for node in later))

    def _step(self, node: yaml.Node) -> Step:
        doc, found = self.document, self._fields(node, "step")
        after = doc.duration(found["after"], _MINUTE, 366 * _DAY, "'after'") if "after" in found else _MINUTE
        unless = list(doc.items(found["unless"], "'unless'")) if "unless" in found else []
        channels = self._channels(found["channels"]) if "channels" in found else {}
        return Step(channels, after, frozenset(doc.choice(word, ANSWERS, "answer") for word in unless))

    def _channels(self, node: yaml.Node) -> dict[str, tuple[Variant, ...]]:
        found = self._fields(node, "channels")
        if isinstance(node, yaml.MappingNode) and not node.value:
            self.document.note(node, f"'channels' needs one of {', '.join(CHANNELS)}")
        links = "invitation" in self.found
        return {
            channel: read_variants(self.document, variants, channel, coupon=self.coupon, invitation=links)
            for channel, variants in found.items()
        }


def _offers_coupon(step: Step) -> bool:
    """E-mails always do, a push if its words name it."""
    pushes = [variant for channel, variants in step.variants.items() if channel != EMAIL for variant in variants]
    return EMAIL in step.variants or any("coupon" in names_in(f"{one.title} {one.body}") for one in pushes)
