"""A policy applied to one customer, rule by rule: what the evaluation of many at once is compared with."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dangol.segments.language.person import Interaction, Person, holds
from dangol.segments.policy import UNCLASSIFIED, Policy


def segments_of(
    policy: Policy, features: Mapping[str, Any], as_of: date, interactions: Sequence[Interaction] = ()
) -> set[str]:
    """Ids of all segments that a customer with these features and interactions is in, the RFM segment included."""
    where = {rule.id: rule.where for rule in policy.rules}
    members: set[str] = set()
    for segment in policy.order:
        exclusive = next((ids for ids in (policy.rfm_ids, [rule.id for rule in policy.scores]) if segment in ids), ())
        person = Person(features, as_of, frozenset(members), interactions)
        if members.isdisjoint(exclusive) and (segment == UNCLASSIFIED or holds(where[segment], person)):
            members.add(segment)
    return members
