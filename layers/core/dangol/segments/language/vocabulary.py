"""What a rule may speak of, and the nearest known word where it speaks of something else."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from dangol.segments.features import FEATURES, Feature


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a rule can use."""

    features: Mapping[str, Feature]
    """By name."""
    segments: Collection[str] = ()
    """Ids of the segments of the same policy."""
    country: str = "KR"
    """Where a city is looked for first (ISO 3166-1 alpha-2)."""


def catalogue(segments: Collection[str] = ()) -> Vocabulary:
    """Every feature of Dangol, and these segments."""
    return Vocabulary({feature.name: feature for feature in FEATURES}, segments)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint: the known word most like `word`, or else all of them."""
    words = list(known)
    near = get_close_matches(word, words, 1, 0.5)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(words)}" if words else "there is none"
