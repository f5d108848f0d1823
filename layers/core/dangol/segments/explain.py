"""Why one customer is in which segments: each rule with its conditions and the values in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dangol.segments.language.person import Explanation, Interaction, Person, explain
from dangol.segments.policy import UNCLASSIFIED, Policy, Rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """One segment and one customer."""

    rule: Rule
    member: bool
    """Whether the customer is in the segment."""
    why: Explanation
    instead: str | None
    """Of an exclusive segment whose conditions hold: the one before it that won; None where none did."""


def judgements(
    policy: Policy, features: Mapping[str, Any], as_of: date, interactions: Sequence[Interaction] = ()
) -> list[Judgement]:
    """Every segment of the policy, in its order, for one customer.

    `features`: name → value as DuckDB gives it (a row of table `features`); None or absent where missing.
    `interactions`: what the customer did, up to `as_of`, the shop's date.
    """
    rules = {rule.id: rule for rule in policy.rules}
    section = {rule.id: rules_of for rules_of in (policy.rfm, policy.scores) for rule in rules_of}
    found: dict[str, Judgement] = {}
    members: set[str] = set()
    for segment in policy.order:
        if segment == UNCLASSIFIED:
            members |= {segment} if members.isdisjoint(rule.id for rule in policy.rfm) else set()
            continue
        why = explain(rules[segment].where, Person(features, as_of, frozenset(members), interactions))
        winner = next((rule.id for rule in section.get(segment, ()) if rule.id in members), None)
        member = why.holds and winner is None
        members |= {segment} if member else set()
        found[segment] = Judgement(rules[segment], member, why, winner if why.holds else None)
    return [found[rule.id] for rule in policy.rules]
