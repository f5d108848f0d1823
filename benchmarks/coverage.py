"""How often the interval of a campaign's lift holds the true lift: exactly, and in a thousand simulated campaigns.

    python -m benchmarks.coverage

`n` is the smaller group, the holdout: of 15 % (17 of 20 people are addressed), and of half.
"""

from collections.abc import Iterable
from functools import cache
from itertools import product
from math import exp, lgamma, log, log1p

import numpy as np
from dangol.measurement.intervals import Group, difference_of_shares, jeffreys

DRAWS = 1_000
SIZES, BASES, EFFECTS = (50, 200, 1000), (0.01, 0.05), (0.0, 0.01, 0.03)
_NEGLIGIBLE = 1e-7
"""Numbers of buyers rarer than this are left out, and all the others together taken for all."""


def exact_coverage(treated: int, holdout: int, base: float, effect: float) -> float:
    """The probability, over all numbers of buyers, that the interval holds `effect`.

    `base` is the share of the holdout that buys, `base + effect` that of the treated.
    """
    held = total = 0.0
    with_holdout = [(p, _reach(holdout, x)) for x, p in _buyers(holdout, base)]
    for x, p in _buyers(treated, base + effect):
        share, low, high = _reach(treated, x)
        for q, (share2, low2, high2) in with_holdout:
            off = effect - (share - share2)
            reach2 = (
                (share - low) ** 2 + (high2 - share2) ** 2 if off < 0 else (high - share) ** 2 + (share2 - low2) ** 2
            )
            total += p * q
            held += p * q * (off * off <= reach2 + 1e-15)
    return held / total


def simulated_coverage(treated: int, holdout: int, base: float, effect: float, seed: int) -> float:
    """The same, counted over DRAWS campaigns."""
    dice = np.random.default_rng(seed)
    draws = zip(dice.binomial(treated, base + effect, DRAWS), dice.binomial(holdout, base, DRAWS), strict=True)
    found = [_difference(Group(treated, int(x)), Group(holdout, int(y))) for x, y in draws]
    return sum(low <= effect <= high for low, high in found) / DRAWS


@cache
def _difference(treated: Group, holdout: Group) -> tuple[float, float]:
    found = difference_of_shares(treated, holdout)
    return found.low, found.high


@cache
def _reach(people: int, reached: int) -> tuple[float, float, float]:
    return reached / people, *jeffreys(Group(people, reached))


def _buyers(people: int, share: float) -> Iterable[tuple[int, float]]:
    """Numbers of buyers with their probabilities (binomial)."""
    for x in range(people + 1):
        ways = lgamma(people + 1) - lgamma(x + 1) - lgamma(people - x + 1)
        probability = exp(ways + x * log(share) + (people - x) * log1p(-share))
        if probability > _NEGLIGIBLE:
            yield x, probability


def main() -> None:
    """Print the table of docs/measurement.md."""
    print("| holdout | n | base | effect | exact | 1,000 draws |")
    print("|---|---|---|---|---|---|")
    for seed, (part, n, base, effect) in enumerate(product((0.15, 0.5), SIZES, BASES, EFFECTS)):
        sizes = (round(n * (1 - part) / part), n)
        exact, drawn = exact_coverage(*sizes, base, effect), simulated_coverage(*sizes, base, effect, seed)
        print(
            f"| {part:.0%} | {n:,} | {base:.0%} | +{effect * 100:.0f} points | {exact:.1%} | {drawn:.1%} |", flush=True
        )


if __name__ == "__main__":
    main()
