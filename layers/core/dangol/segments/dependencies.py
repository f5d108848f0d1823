"""Which rule rests on which: segments may name each other, in any order, but not in a circle."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from dangol.segments.language import Expression
from dangol.segments.language.names import segments_in


class CircularRulesError(Exception):
    """Rules that rest on each other. `circle` begins and ends with the same id."""

    def __init__(self, circle: Sequence[str]) -> None:
        super().__init__(" → ".join(circle))
        self.circle = tuple(circle)


def evaluation_order(rules: Mapping[str, Expression], exclusive: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Ids of the rules so that each comes after those it rests on: the ones it names.

    Of exclusive segments the first match wins, so each rests on those before it as well: `exclusive` has their ids in
    order. Raises CircularRulesError.
    """
    graph = {segment: sorted(segments_in(where)) for segment, where in rules.items()}
    for ids in exclusive:
        for before, after in pairwise(ids):
            graph.setdefault(after, []).append(before)
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        # graphlib names each before the one that rests on it.
        raise CircularRulesError(error.args[1][::-1]) from None
