"""Where the RFM rules of a policy divide a feature: the borders that a picture shows and that bands lie between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dangol.segments.language.names import conditions_in
from dangol.segments.language.syntax import Comparison, Name, Number
from dangol.segments.policy import Policy

R, F, M = "recency_days", "orders_90d", "aov_90d"
"""The three features of RFM rules (see dangol.segments.features)."""
WHOLE_NUMBERED = (R, F)
"""Features that are whole numbers from 0."""
MOST_BORDERS = 12
"""Borders of one feature that are looked at; of more, so many are taken evenly."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True, order=True)
class Border:
    """A value of a feature that divides those below from those above."""

    value: float
    """In the feature's unit."""
    below: bool
    """Whether the value itself belongs to what is below. Of whole numbers it always does."""


def borders_of(policy: Policy, feature: str) -> tuple[Border, ...]:
    """The borders that the RFM rules draw, ascending, one a value."""
    found: dict[float, Border] = {}
    for rule in policy.rfm:
        for condition in conditions_in(rule.where):
            for border in _borders(condition, feature):
                found.setdefault(border.value, border)
    borders = sorted(found.values())
    step = -(-len(borders) // MOST_BORDERS) or 1
    return tuple(borders[::step])


def _borders(condition: object, feature: str) -> Iterator[Border]:
    match condition:
        case Comparison(operator, Name(name), Number(value)) if name == feature:
            pass
        case Comparison(mirrored, Number(value), Name(name)) if name == feature:
            operator = _MIRRORED[mirrored]
        case _:
            return
    if feature in WHOLE_NUMBERED:
        edges = {"<=": [value], ">": [value], "<": [value - 1], ">=": [value - 1], "==": [value - 1, value]}
        yield from (Border(edge, True) for edge in edges.get(operator, []) if edge >= 0)
    elif operator in ("<=", ">", "<", ">="):
        yield Border(value, operator in ("<=", ">"))


def band_sql(feature: str, borders: Sequence[Border]) -> str:
    """SQL: the number of the band a value lies in, 0 below the first border; NULL where it is missing."""
    kind = "BIGINT" if feature in WHOLE_NUMBERED else "DOUBLE"
    above = [f"({feature} {'>' if border.below else '>='} {border.value!r}::{kind})::TINYINT" for border in borders]
    return " + ".join(above) if above else f"CASE WHEN {feature} IS NOT NULL THEN 0 END"


@dataclass(frozen=True, slots=True)
class Band:
    """Neighbouring values of a feature between two borders; None where there is none."""

    over: Border | None
    up_to: Border | None


def bands_between(borders: Sequence[Border]) -> list[Band]:
    """The bands that borders make, as band_sql counts them."""
    edges = [None, *borders, None]
    return [Band(over, up_to) for over, up_to in pairwise(edges)]


def condition(feature: str, band: Band) -> str:
    """The band in the rule language; empty where it is everything."""
    if feature in WHOLE_NUMBERED:
        return _whole(feature, band)
    low = "" if band.over is None else f"{_written(band.over.value)} {'<' if band.over.below else '<='} "
    high = "" if band.up_to is None else f" {'<=' if band.up_to.below else '<'} {_written(band.up_to.value)}"
    if low and high:
        return low + feature + high
    if band.over is not None:
        return f"{feature} {'>' if band.over.below else '>='} {_written(band.over.value)}"
    return feature + high if high else ""


def _whole(feature: str, band: Band) -> str:
    low = 0.0 if band.over is None else band.over.value + 1
    if band.up_to is None:
        return f"{feature} >= {_written(low)}" if low else ""
    if low == band.up_to.value:
        return f"{feature} == {_written(low)}"
    high = f"{feature} <= {_written(band.up_to.value)}"
    return f"{_written(low)} <= {high}" if low else high


def _written(value: float) -> str:
    """A number as rules have it: 500_000."""
    return f"{int(value):_}" if value == int(value) else repr(value)
