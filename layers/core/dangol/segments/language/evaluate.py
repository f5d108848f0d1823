"""Of which customers a rule is true: many at once, as arrays."""

import operator
from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from dangol.segments.features import TEXT
from dangol.segments.folding import fold
from dangol.segments.language.columns import NO_TEXTS, NOTHING, Columns, Mask, Numbers
from dangol.segments.language.dates import days_of, shifted
from dangol.segments.language.distance import within
from dangol.segments.language.syntax import (
    And,
    Arithmetic,
    Comparison,
    Day,
    Did,
    Duration,
    Expression,
    Flag,
    InSegment,
    Match,
    Membership,
    Missing,
    Name,
    Near,
    Not,
    Number,
    Or,
    Term,
    Text,
    Today,
)

_COMPARE: dict[str, Callable[[Numbers, Numbers], Mask]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    # Unlike !=, false where either is NaN.
    "!=": lambda left, right: np.less(left, right) | np.greater(left, right),
}
_CALCULATE: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": lambda left, right: left / np.where(right == 0, np.nan, right),
}
_MATCH: dict[str, Callable[[str, str], bool]] = {
    "==": operator.eq,
    "in": operator.eq,
    "!=": operator.eq,
    "not in": operator.eq,
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
NEGATED = ("!=", "not in")
"""Operators that hold where nothing is equal and the value is there."""


def text_matches(match: Match, folded: str) -> bool:
    """Whether a text, as fold gives it, meets the condition."""
    found = any(_MATCH[match.operator](folded, fold(value)) for value in match.values)
    return found != (match.operator in NEGATED)


class Evaluation:
    """Rules, one after the other, over the same customers: what was computed once is not computed again.

    `did` says for each condition on interactions, and `members` for each segment that a rule names, whom it
    holds for. Constants, and features that are missing for everybody, stay single values to the end.
    """

    def __init__(
        self,
        columns: Columns,
        as_of: date,
        did: Mapping[Did, Mask] | None = None,
        members: dict[str, Mask] | None = None,
    ) -> None:
        self._columns = columns
        self._as_of = as_of
        self._did = did or {}
        self.members = members or {}
        """Segment → whom it holds; to be completed on the way by the caller."""
        self._known: dict[Expression, Mask] = {}

    def mask(self, expression: Expression) -> Mask:
        """Of which rows the expression is true: one element a row, in their order. Not to be written to."""
        with np.errstate(all="ignore"):
            return np.broadcast_to(self._mask(expression), (self._columns.size,))

    def _mask(self, expression: Expression) -> Mask:
        found = self._known.get(expression)
        if found is None:
            found = self._known[expression] = self._computed(expression)
        return found

    def _computed(self, expression: Expression) -> Mask:
        match expression:
            case Comparison(symbol, left, right):
                return _COMPARE[symbol](self._values(left), self._values(right))
            case Membership(symbol, term, values):
                return _is_among(symbol, self._values(term), [self._values(value) for value in values])
            case Match():
                return self._matches(expression)
            case Flag(name):
                return np.equal(self._columns.numbers.get(name, NOTHING), 1)
            case Missing(Name(name, kind)) if kind == TEXT:
                return np.asarray(self._columns.texts.get(name, NO_TEXTS).codes < 0)
            case Missing(term):
                return np.asarray(np.isnan(self._values(term)))
            case Near():
                numbers = self._columns.numbers
                return within(expression, numbers.get("latitude", NOTHING), numbers.get("longitude", NOTHING))
            case InSegment(segment):
                return self.members[segment]
            case Did():
                return self._did[expression]
            case Not(operand):
                return np.logical_not(self._mask(operand))
            case And(operands):
                return reduce(np.logical_and, map(self._mask, operands))
            case Or(operands):
                return reduce(np.logical_or, map(self._mask, operands))
            case _:
                assert_never(expression)

    def _matches(self, match: Match) -> Mask:
        column = self._columns.texts.get(match.name.name, NO_TEXTS)
        holds = self._columns.matching.get(match)
        if holds is None:
            # One more element, false: where the code is -1.
            holds = np.array([*(text_matches(match, value) for value in column.folded), False])
            self._columns.matching[match] = holds
        return np.asarray(holds[column.codes])

    def _values(self, term: Term) -> Numbers:
        """Numbers, and dates as days since 1970-01-01; NaN where missing."""
        match term:
            case Number(value):
                return np.array(value)
            case Day(value):
                return np.array(days_of(value))
            case Today():
                return np.array(days_of(self._as_of))
            case Duration():
                return np.array(float(term.days or 0))
            case Name(name):
                return self._columns.numbers.get(name, NOTHING)
            case Arithmetic(symbol, left, Duration() as duration) if duration.days is None:
                return shifted(self._values(left), duration.months if symbol == "+" else -duration.months)
            case Arithmetic(symbol, left, right):
                return np.asarray(_CALCULATE[symbol](self._values(left), self._values(right)))
            case Text():
                raise AssertionError("texts are parts of conditions on text")
            case _:
                assert_never(term)


def _is_among(symbol: str, values: Numbers, among: list[Numbers]) -> Mask:
    found = reduce(np.logical_or, (np.equal(values, one) for one in among))
    return np.logical_not(found | np.isnan(values)) if symbol in NEGATED else found


def mask(expression: Expression, columns: Columns, as_of: date) -> NDArray[np.bool_]:
    """Of which rows an expression is true that names no segment and no interaction."""
    return Evaluation(columns, as_of).mask(expression)
