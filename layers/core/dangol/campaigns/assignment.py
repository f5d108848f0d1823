"""Who is in a holdout, and which variant a person gets: by a hash, so that it is the same in every run and process."""

from collections.abc import Sequence
from hashlib import sha256

GLOBAL_HOLDOUT = "holdout"
"""Salt of the holdout that hears from no campaign."""
_BITS = 53
"""As many as a float holds exactly."""


def share_of(person: str, salt: str) -> float:
    """A number in [0, 1), uniform over persons and independent between salts: the first bits of a SHA-256."""
    digest = sha256(f"{salt}\0{person}".encode()).digest()
    return float(int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / (1 << _BITS)


def in_global_holdout(person: str, share: float) -> bool:
    """Whether the person is among the `share` (0 to 1) of people that no campaign writes to."""
    return share_of(person, GLOBAL_HOLDOUT) < share


def in_holdout(person: str, campaign: str, share: float) -> bool:
    """Whether the person is among the `share` (0 to 1) that this campaign leaves out, to measure it against."""
    return share_of(person, f"{GLOBAL_HOLDOUT}:{campaign}") < share


def preference(person: str, salt: str, weights: Sequence[float]) -> list[int]:
    """Indices in the order a person should be tried with them: theirs by hash first, then by weight, then by place.

    Weight 0 is never assigned: such an entry is only used when those before it cannot be. Weights are not negative.
    """
    rest = sorted(range(len(weights)), key=lambda index: (-weights[index], index))
    point, reached = share_of(person, salt) * sum(weights), 0.0
    for index, weight in enumerate(weights):
        reached += weight
        if point < reached:
            return [index, *(other for other in rest if other != index)]
    return rest
