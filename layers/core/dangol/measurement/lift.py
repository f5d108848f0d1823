"""Did it help? The comparison of those a campaign addressed with its holdout, in one word and its numbers."""

from dataclasses import dataclass
from enum import StrEnum

from dangol.measurement.intervals import (
    Amounts,
    Group,
    Interval,
    difference_of_amounts,
    difference_of_shares,
    people_needed,
)

WORTH_SEEING = 0.2
"""A lift of a fifth, 5 % to 6 % say: the least that a campaign is asked for. Smaller ones may stay unseen."""


class Verdict(StrEnum):
    """What a comparison says. Stored: the words never change."""

    LIFT = "lift"
    """More of those addressed reached the goal; the interval lies above nothing."""
    HARM = "harm"
    """Fewer did; the interval lies below nothing."""
    NO_LIFT_SEEN = "no lift seen"
    """The interval holds nothing and ends below WORTH_SEEING: if there is a lift it is a small one."""
    TOO_SMALL = "too small to tell"
    """The interval holds nothing and a lift worth seeing: more people are needed."""
    NO_HOLDOUT = "no holdout"
    """Nobody to compare with."""
    CANCELLED = "cancelled"
    """A run that was broken off is not compared: its groups were not treated alike."""


@dataclass(frozen=True, slots=True)
class Lift:
    """One comparison, by intention to treat. Shares are 0 to 1, amounts in the shop's currency."""

    verdict: Verdict
    shares: Interval | None = None
    """Treated minus holdout; None where they are not compared."""
    amounts: Interval | None = None
    """Treated minus holdout, a person; None where too few bought for it."""
    needed: int | None = None
    """Of TOO_SMALL: people, both groups together, to see a lift WORTH_SEEING four times in five."""


def compare(treated: Group, holdout: Group, spent: tuple[Amounts, Amounts]) -> Lift:
    """Compare two groups; `spent` is treated first."""
    if not treated.people or not holdout.people:
        return Lift(Verdict.NO_HOLDOUT)
    shares = difference_of_shares(treated, holdout)
    verdict, base = _verdict(shares, holdout), _base(treated, holdout)
    left_out = holdout.people / (treated.people + holdout.people)
    needed = people_needed(base, min(base * (1 + WORTH_SEEING), 1.0), left_out)
    return Lift(verdict, shares, difference_of_amounts(*spent), needed if verdict is Verdict.TOO_SMALL else None)


def _verdict(shares: Interval, holdout: Group) -> Verdict:
    if shares.low > 0:
        return Verdict.LIFT
    if shares.high < 0:
        return Verdict.HARM
    return Verdict.NO_LIFT_SEEN if shares.high < holdout.share * WORTH_SEEING else Verdict.TOO_SMALL


def _base(treated: Group, holdout: Group) -> float:
    """The share to reckon with: of both groups together, never quite 0 or 1."""
    return (treated.reached + holdout.reached + 0.5) / (treated.people + holdout.people + 1)
