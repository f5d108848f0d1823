"""The policy: which segments there are and who belongs to them. Loaded from YAML, checked as a whole."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from dangol.segments.dependencies import evaluation_order
from dangol.segments.language import Expression
from dangol.segments.language.names import features_in, interactions_in
from dangol.segments.policy_file import PolicyFile, WrittenRule

POLICY_FILE = "segments.yaml"
SCORES_FILE = "scores.yaml"
"""The groups that `scores: standard` stands for."""
UNCLASSIFIED = "unclassified"
"""RFM segment of those whom no rule holds (design §3)."""
MAX_SEGMENTS = 62
"""Segments of one policy beside the RFM ones: memberships of a customer are bits of one number."""

_UNCLASSIFIED_NAMES = ("미분류", "Unclassified")


@dataclass(frozen=True, slots=True)
class Rule:
    """One segment and whom it holds."""

    id: str
    name: str
    """What people call it, in Korean."""
    where: Expression
    english: str = ""
    """What people call it, in English."""
    description: str = ""
    """What it is for, in a line."""
    reentry_days: int | None = None
    """How many days a person must have been out before an entry counts as a new one; None: none."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a policy cannot be applied without."""

    features: frozenset[str]
    """Names of the features that rules name."""
    interactions: bool
    """Whether a rule asks what was bought, carted, wished or viewed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """RFM rules are exclusive, the first match wins; so are scores; other segments are independent of each other."""

    version: str
    """Hash of the text it was loaded from: twelve hex digits."""
    rfm: tuple[Rule, ...]
    segments: tuple[Rule, ...] = ()
    scores: tuple[Rule, ...] = ()
    """Groups by quintile scores; a customer is in one at most."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All of them, the RFM rules first."""
        return (*self.rfm, *self.scores, *self.segments)

    @property
    def rfm_ids(self) -> tuple[str, ...]:
        """Ids of the RFM segments in order, `unclassified` last."""
        return (*(rule.id for rule in self.rfm), UNCLASSIFIED)

    @property
    def other_ids(self) -> tuple[str, ...]:
        """Ids of all other segments, sorted."""
        return tuple(sorted(rule.id for rule in (*self.scores, *self.segments)))

    @property
    def names(self) -> dict[str, str]:
        """Id → Korean name of every segment."""
        return {rule.id: rule.name for rule in self.rules} | {UNCLASSIFIED: _UNCLASSIFIED_NAMES[0]}

    @property
    def english(self) -> dict[str, str]:
        """Id → English name of every segment."""
        return {rule.id: rule.english for rule in self.rules} | {UNCLASSIFIED: _UNCLASSIFIED_NAMES[1]}

    @property
    def needs(self) -> Needs:
        """What it names."""
        features = frozenset[str]().union(*(features_in(rule.where) for rule in self.rules))
        return Needs(features, any(interactions_in(rule.where) for rule in self.rules))

    @property
    def reentry(self) -> dict[str, int]:
        """Segment → days, of those that have a re-entry policy."""
        return {rule.id: rule.reentry_days for rule in self.rules if rule.reentry_days is not None}

    @property
    def order(self) -> tuple[str, ...]:
        """Ids so that each rule comes after those it rests on; `unclassified` is among them."""
        exclusive = (self.rfm_ids, tuple(rule.id for rule in self.scores))
        return evaluation_order({rule.id: rule.where for rule in self.rules}, exclusive)


def default_policy() -> Policy:
    """The policy shipped with Dangol: the segments of both seeds."""
    return load_policy(_shipped(POLICY_FILE), f"config/{POLICY_FILE}")


def load_policy(text: bytes, file: str) -> Policy:
    """Read a policy. Raises InvalidConfiguration with every problem found, each with its line."""
    read = PolicyFile(text, file, reserved=UNCLASSIFIED, standard_scores=_shipped(SCORES_FILE))
    if not read.problems and not read.sections["rfm"]:
        read.note(1, "section 'rfm' is missing or empty; give at least one rule")
    if len(read.sections["segments"]) + len(read.sections["scores"]) > MAX_SEGMENTS:
        read.note(1, f"more than {MAX_SEGMENTS} segments; remove some")
    rules = {section: tuple(_rule(*found) for found in parsed) for section, parsed in read.parsed().items()}
    policy = Policy(hashlib.sha256(text).hexdigest()[:12], rules["rfm"], rules["segments"], rules["scores"])
    read.check_order(lambda: policy.order)
    return policy


def _rule(written: WrittenRule, where: Expression) -> Rule:
    return Rule(written.id, written.korean, where, written.english, written.description, written.reentry_days)


def _shipped(name: str) -> bytes:
    return (files("dangol") / "defaults" / name).read_bytes()
