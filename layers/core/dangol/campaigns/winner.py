"""The winner of variants: a share of the audience gets them by weight, and some time later the rest gets the best one.

Each run has a test of its own, of its first message. A variant wins on a channel if more of those who got it answered
than of those who got any other. That is a bet on the better one, no proof: so little is asked for, and where even that
is lacking, or two are equally good, the rest gets the variants by weight as well.
"""

from collections.abc import Mapping
from dataclasses import replace

from dangol.campaigns.assignment import share_of
from dangol.campaigns.definition import CLICKS, Campaign, Variant
from dangol.channels import EMAIL

MIN_SENT = 100
"""Each variant in the contest must have reached so many people."""
MIN_ANSWERS = 10
"""So many of those must have answered who got the best one."""
SENT, ANSWERED = "sent", "answered"


def in_test(person: str, campaign: Campaign) -> bool:
    """Whether a person is in the share that the variants are tried on: by a hash, the same in every run."""
    assert campaign.winner, "else there is no test"
    return share_of(person, f"winner:{campaign.id}") < campaign.winner.share


def contested(campaign: Campaign) -> tuple[str, ...]:
    """Channels of the first message with a contest: at least two variants with a weight, and answers that are known.

    Of pushes nobody tells who tapped them.
    """
    if campaign.winner is None or not campaign.steps:
        return ()
    known = (EMAIL,) if campaign.winner.by == CLICKS else tuple(campaign.steps[0].variants)
    return tuple(c for c, variants in campaign.steps[0].variants.items() if c in known and len(_weighted(variants)) > 1)


def score_key(channel: str, variant: str, what: str) -> str:
    """What a run's tally calls a number; `what` is SENT or ANSWERED."""
    return f"{channel} {variant} {what}"


def winners(campaign: Campaign, tally: Mapping[str, int]) -> dict[str, str]:
    """The variant that wins, by channel; a channel without a winner is left out. `tally` is by score_key."""
    found = {channel: _winner(campaign, channel, tally) for channel in contested(campaign)}
    return {channel: variant for channel, variant in found.items() if variant}


def with_winners(campaign: Campaign, won: Mapping[str, str]) -> Campaign:
    """The campaign as the rest of the audience gets it: winners alone have a weight, the others stand in for them."""
    first = campaign.steps[0]
    variants = {channel: _reweighted(of, won.get(channel)) for channel, of in first.variants.items()}
    return replace(campaign, steps=(replace(first, variants=variants), *campaign.steps[1:]))


def _winner(campaign: Campaign, channel: str, tally: Mapping[str, int]) -> str | None:
    scores = {
        variant.id: tuple(tally.get(score_key(channel, variant.id, what), 0) for what in (SENT, ANSWERED))
        for variant in _weighted(campaign.steps[0].variants[channel])
    }
    if min(sent for sent, _ in scores.values()) < MIN_SENT:
        return None
    best = max(scores, key=lambda name: scores[name][1] / scores[name][0])
    sent, answered = scores.pop(best)
    # Compared as whole numbers: shares that are equal must not differ by rounding.
    better = all(answered * other > others * sent for other, others in scores.values())
    return best if better and answered >= MIN_ANSWERS else None


def _weighted(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    return tuple(variant for variant in variants if variant.weight)


def _reweighted(variants: tuple[Variant, ...], winner: str | None) -> tuple[Variant, ...]:
    if winner not in {variant.id for variant in variants}:
        return variants
    return tuple(replace(variant, weight=float(variant.id == winner)) for variant in variants)
