"""Where the parts of a picture lie. Every picture is WIDTH units wide, to be read as well on a phone as on paper.

Only geometry: words, colours and the SVG itself are in templates/.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dangol.reports.borders import WHOLE_NUMBERED, Border
from dangol.reports.distributions import Distribution

WIDTH = 360
"""Units of the viewBox; about the pixels of a phone."""


@dataclass(frozen=True, slots=True)
class Node:
    """A segment at one side of a flow."""

    segment: str | None
    customers: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Ribbon:
    """Customers on their way from one segment to another."""

    origin: str | None
    target: str | None
    customers: int
    path: str


@dataclass(frozen=True, slots=True)
class Sankey:
    """A flow from left to right."""

    height: float
    left: tuple[Node, ...]
    right: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]


_NODE, _GAP, _INK = 34, 8, 150
_FROM, _TO, _MIDDLE = 112, 248, 180
"""Height of a node at least, space between nodes, height of all ribbons together; where ribbons begin and end."""

Move = tuple[str | None, str | None, int]


def sankey(moves: Sequence[Move], order: Sequence[str]) -> Sankey:
    """Of (then, now, customers); segments from top to bottom in `order`, who came or went last."""
    scale = _INK / max(sum(count for _, _, count in moves), 1)
    left, right = (_column(ends, order, scale) for ends in _ends(moves))
    height = max((side[-1].y + side[-1].height for side in (left, right) if side), default=0)
    left, right = (_centred(side, height) for side in (left, right))
    rank = {segment: number for number, segment in enumerate(order)}
    ordered = sorted(moves, key=lambda move: (rank.get(move[0] or "", 99), rank.get(move[1] or "", 99)))
    leaving, arriving = _tops(left, scale), _tops(right, scale)
    ribbons = []
    for then, now, count in ordered:
        thick = max(count * scale, 1)
        ribbons.append(Ribbon(then, now, count, _ribbon(leaving[then], arriving[now], thick)))
        leaving[then] += count * scale
        arriving[now] += count * scale
    return Sankey(height, left, right, tuple(ribbons))


def _ends(moves: Sequence[Move]) -> tuple[list[tuple[str | None, int]], list[tuple[str | None, int]]]:
    return [(then, count) for then, _, count in moves], [(now, count) for _, now, count in moves]


def _column(ends: Iterable[tuple[str | None, int]], order: Sequence[str], scale: float) -> tuple[Node, ...]:
    totals: dict[str | None, int] = {}
    for segment, count in ends:
        totals[segment] = totals.get(segment, 0) + count
    known = [segment for segment in (*order, *(one for one in totals if one not in order)) if segment in totals]
    nodes, y = [], 0.0
    for segment in known:
        height = max(totals[segment] * scale, _NODE)
        nodes.append(Node(segment, totals[segment], y, height))
        y += height + _GAP
    return tuple(nodes)


def _centred(nodes: tuple[Node, ...], height: float) -> tuple[Node, ...]:
    if not nodes:
        return nodes
    shift = (height - nodes[-1].y - nodes[-1].height) / 2
    return tuple(Node(node.segment, node.customers, node.y + shift, node.height) for node in nodes)


def _tops(nodes: Iterable[Node], scale: float) -> dict[str | None, float]:
    """Where the first ribbon of each node begins: all of them together in its middle."""
    return {node.segment: node.y + (node.height - node.customers * scale) / 2 for node in nodes}


def _ribbon(begin: float, end: float, thick: float) -> str:
    below, beyond = begin + thick, end + thick
    return (
        f"M{_FROM},{begin:.1f}C{_MIDDLE},{begin:.1f} {_MIDDLE},{end:.1f} {_TO},{end:.1f}"
        f"V{beyond:.1f}C{_MIDDLE},{beyond:.1f} {_MIDDLE},{below:.1f} {_FROM},{below:.1f}Z"
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a histogram."""

    x: float
    y: float
    width: float
    height: float
    customers: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A border of the rules, or a number of the axis."""

    x: float
    row: int
    """Of the label, 0 the top: labels beside each other must not overlap."""
    value: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars from left to right, above an axis."""

    columns: tuple[Column, ...]
    borders: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    most: int
    """Customers of the tallest bar."""


TOP, BOTTOM = 46, 150
"""Where the tallest bar ends and where all begin."""
_LEFT, _RIGHT = 8, WIDTH - 8
_LABEL = 34
"""Width of a border's label."""


def histogram(distribution: Distribution) -> Histogram | None:
    """None where there is no bar to draw."""
    bars = distribution.bars
    if not bars:
        return None
    whole = distribution.feature in WHOLE_NUMBERED
    most = max(bar.customers for bar in bars)
    width = (_RIGHT - _LEFT) / len(bars)
    columns = [
        Column(_LEFT + number * width, BOTTOM - height, width, height, bar.customers)
        for number, bar in enumerate(bars)
        if (height := (BOTTOM - TOP) * bar.customers / max(most, 1)) > 0
    ]
    ends = (bars[0].low, bars[-1].high)
    borders = _borders(distribution.borders, ends, whole)
    return Histogram(tuple(columns), borders, _ticks(ends, whole), most)


def _place(value: float, ends: tuple[float, float], whole: bool) -> float:
    low, high = ends if whole else (math.log10(ends[0]), math.log10(ends[1]))
    return _LEFT + (_RIGHT - _LEFT) * ((value if whole else math.log10(value)) - low) / (high - low)


def _borders(borders: Iterable[Border], ends: tuple[float, float], whole: bool) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    free = [0.0, 0.0, 0.0]
    for border in borders:
        edge = border.value + 1 if whole else border.value  # a whole number is as wide as its bar
        if ends[0] < edge < ends[1]:
            x = _place(edge, ends, whole)
            row = next((row for row, end in enumerate(free) if end <= x - _LABEL / 2), len(free) - 1)
            free[row] = x + _LABEL / 2
            marks.append(Mark(x, row, border.value))
    return tuple(marks)


def _ticks(ends: tuple[float, float], whole: bool) -> tuple[Mark, ...]:
    if whole:
        step = 30 if ends[1] > 60 else 10
        values = [value for value in range(int(ends[0]), int(ends[1])) if value % step == 0 or value == ends[0]]
        return tuple(Mark(_place(value + 0.5, ends, whole), 0, value) for value in values)
    powers = range(math.ceil(math.log10(ends[0]) - 1e-9), math.floor(math.log10(ends[1]) + 1e-9) + 1)
    tens = [10.0**power for power in powers] or [*ends]
    return tuple(Mark(_place(value, ends, whole), 0, value) for value in tens)


def peak(counts: Sequence[int], length: int) -> tuple[int, float] | None:
    """(where, share) of the `length` neighbouring counts that hold the most; None where all are 0."""
    total = sum(counts)
    if not total:
        return None
    first = max(range(len(counts) - length + 1), key=lambda start: sum(counts[start : start + length]))
    return first, sum(counts[first : first + length]) / total
