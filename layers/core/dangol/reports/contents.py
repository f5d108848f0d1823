"""What a report holds. What is cheap is always there; the rest is empty where nobody asked or nothing is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from dangol.reports.distributions import Distribution, distributions, make_grid
from dangol.reports.gaps import Suggestion, suggestions
from dangol.reports.summary import Summary, summarise
from dangol.segments.policy import Policy

if TYPE_CHECKING:  # `dangol segment` has none of these and does not wait for them
    from dangol.reports.flows import Flow
    from dangol.reports.news import Sentence
    from dangol.reports.quality import Quality
    from dangol.reports.traits import Traits


@dataclass(frozen=True, slots=True)
class Contents:
    """Of one shop and day; the same for both languages."""

    summary: Summary
    currency: str
    policy_version: str
    names: Mapping[str, Mapping[str, str]]
    """Language → id → name of every segment."""
    descriptions: Mapping[str, str]
    """Id → what the policy says a segment is for."""
    distributions: tuple[Distribution, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    flows: "tuple[Flow, ...]" = ()
    flows_begin: date | None = None
    """First day of which it is known who was where; None where that is not so or flows are not asked for."""
    traits: "tuple[Traits, ...]" = ()
    observed: int = 0
    """Customers whose orders the traits are of."""
    quality: "Quality | None" = None
    news: "tuple[Sentence, ...]" = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    """Language → the page in it, beside this one."""
    campaigns: date | None = None
    """Of which day there is a page on what campaigns did; None without one."""


def contents_of(connection: duckdb.DuckDBPyConnection, policy: Policy, as_of: date, currency: str) -> Contents:
    """The cheap part, of relation `customers` (see classify)."""
    grid = make_grid(connection, policy)
    return Contents(
        summary=summarise(connection, policy, as_of),
        currency=currency,
        policy_version=policy.version,
        names={"ko": policy.names, "en": policy.english},
        descriptions={rule.id: rule.description for rule in policy.rules},
        distributions=distributions(connection, grid),
        suggestions=suggestions(grid),
    )
