"""Which rules would hold the most of those whom no rule holds.

A candidate is a box: for each of R, F and M the values between two of the borders that the policy has already. The best
box is the one with the highest weighted relative accuracy, share of all customers in the box × (share of unclassified
among them − share of unclassified among all), a measure of subgroup discovery (Lavrač, Flach, Zupan: Rule Evaluation
Measures: A Unifying View, 1999): it prefers many customers, and among them few that have a segment, so that a box says
what the unclassified are rather than everybody. Of equal ones the rule with fewer conditions. The next is looked for
without those whom the first holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dangol.reports.borders import Band, F, M, R, bands_between, condition
from dangol.reports.distributions import Cell, Grid

_RULES = 3
_FEWEST = 0.02
"""Share of the unclassified below which a rule is not worth a line."""
_FEATURES = (R, F, M)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule to put behind the others."""

    where: str
    """In the rule language."""
    customers: int
    """Unclassified customers that it holds and the suggestions before it do not."""
    share: float
    """0 to 1, of all unclassified."""


@dataclass(frozen=True, slots=True)
class _Box:
    """Bands from a first to below a last one, of each feature; the whole of it includes who has no value."""

    sides: tuple[slice, slice, slice]
    conditions: tuple[str, ...]


def suggestions(grid: Grid) -> tuple[Suggestion, ...]:
    """At most three, the one that holds the most to be gained first; none where nobody is unclassified."""
    total = sum(grid.unclassified.values())
    sides = [_sides(feature, grid) for feature in _FEATURES]
    everybody, left = _array(grid.everybody, grid), _array(grid.unclassified, grid)
    found: list[Suggestion] = []
    while len(found) < _RULES and total and (box := _best(sides, everybody, left)) is not None:
        caught = int(left[box.sides].sum())
        if caught < _FEWEST * total:
            break
        found.append(Suggestion(" and ".join(box.conditions), caught, caught / total))
        left = left.copy()
        left[box.sides] = 0
    return tuple(found)


_Side = tuple[slice, str]
"""Bands of one feature, and the condition for them; empty for all of them."""


def _sides(feature: str, grid: Grid) -> list[_Side]:
    bands = bands_between(grid.borders[feature])
    last = len(bands)
    ranges = [(low, high) for low in range(last) for high in range(low + 1, last + 1) if high - low < last]
    sides = [
        (slice(low, high), condition(feature, Band(bands[low].over, bands[high - 1].up_to))) for low, high in ranges
    ]
    return [(slice(0, last + 1), ""), *sides]


def _array(cells: Mapping[Cell, int], grid: Grid) -> NDArray[np.int64]:
    """Customers by band; who has no value is behind the last band."""
    shape = [len(grid.borders[feature]) + 2 for feature in _FEATURES]
    found = np.zeros(shape, dtype=np.int64)
    for cell, customers in cells.items():
        found[tuple(size - 1 if band is None else band for band, size in zip(cell, shape, strict=True))] += customers
    return found


def _best(sides: list[list[_Side]], everybody: NDArray[np.int64], left: NDArray[np.int64]) -> _Box | None:
    people, wanted = _sums(everybody, sides), _sums(left, sides)
    size, total = everybody.sum(), left.sum()
    gain = people / size * (wanted / np.maximum(people, 1) - total / size)
    gain -= 1e-9 * _lengths(sides)
    gain[0, 0, 0] = -1  # everybody is no rule
    best = np.unravel_index(int(gain.argmax()), gain.shape)
    if gain[best] <= 0:
        return None
    chosen = [side[number] for side, number in zip(sides, best, strict=True)]
    return _Box((chosen[0][0], chosen[1][0], chosen[2][0]), tuple(text for _, text in chosen if text))


def _sums(cells: NDArray[np.int64], sides: list[list[_Side]]) -> NDArray[np.int64]:
    """Customers in every box: along each axis the differences of running totals."""
    for axis, side in enumerate(sides):
        running = np.insert(cells.cumsum(axis=axis), 0, 0, axis=axis)
        first, last = [[bands.start for bands, _ in side], [bands.stop for bands, _ in side]]
        cells = running.take(last, axis=axis) - running.take(first, axis=axis)
    return cells


def _lengths(sides: list[list[_Side]]) -> NDArray[np.float64]:
    """Comparisons of the rule of every box; each feature that it names counts as half a one."""
    counts = [np.array([_comparisons(text) + bool(text) / 2 for _, text in side]) for side in sides]
    found: NDArray[np.float64] = counts[0][:, None, None] + counts[1][None, :, None] + counts[2][None, None, :]
    return found


def _comparisons(text: str) -> int:
    return sum(text.count(operator) for operator in ("<", ">", "=="))
