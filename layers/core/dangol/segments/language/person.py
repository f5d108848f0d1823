"""One customer: whether a rule is true of them, and why."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, assert_never

from dangol.segments.features import DATE
from dangol.segments.folding import fold
from dangol.segments.language.dates import day_at, days_of
from dangol.segments.language.distance import distance_km
from dangol.segments.language.evaluate import NEGATED, text_matches
from dangol.segments.language.names import features_in
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
    months_later,
)
from dangol.segments.language.text import text_of

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_CALCULATE: dict[str, Callable[[float, float], float]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@dataclass(frozen=True, slots=True)
class Interaction:
    """Something a person did with a product."""

    kind: str
    """bought, carted, wished or viewed."""
    happened_on: date
    product_id: str | None = None
    product_name: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of one customer."""

    features: Mapping[str, Any]
    """By name; absent, None or NaN where missing. Numbers, dates, texts and flags as DuckDB gives them."""
    as_of: date
    segments: Collection[str] = ()
    """Ids of the segments that the person is in."""
    interactions: Sequence[Interaction] = ()
    """Up to as_of."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A condition, whether it holds, and what it rests on."""

    text: str
    holds: bool
    values: Mapping[str, Any]
    """Name → value of what the condition names, None where missing; empty where there are parts."""
    parts: tuple["Explanation", ...] = ()


def holds(expression: Expression, person: Person) -> bool:
    """Whether the expression is true of a person."""
    match expression:
        case Comparison(symbol, left, right):
            a, b = _value(left, person), _value(right, person)
            return a is not None and b is not None and _COMPARE[symbol](a, b)
        case Membership(symbol, term, values):
            value = _value(term, person)
            among = value in [_value(one, person) for one in values]
            return value is not None and among != (symbol in NEGATED)
        case Match(_, Name(name)):
            text = person.features.get(name)
            return isinstance(text, str) and text_matches(expression, fold(text))
        case Flag(name):
            return _number(person.features.get(name)) == 1
        case Missing(term):
            return _value(term, person) is None
        case Near():
            kilometres = _distance(expression, person)
            return kilometres is not None and kilometres <= expression.kilometres
        case InSegment(segment):
            return segment in person.segments
        case Did():
            return any(_is_meant(expression, one, person.as_of) for one in person.interactions)
        case Not(operand):
            return not holds(operand, person)
        case And(operands):
            return all(holds(operand, person) for operand in operands)
        case Or(operands):
            return any(holds(operand, person) for operand in operands)
        case _:
            assert_never(expression)


def explain(expression: Expression, person: Person) -> Explanation:
    """Each condition of the expression with the values in it, and whether it holds of the person."""
    match expression:
        case Not(operand):
            operands: tuple[Expression, ...] = (operand,)
        case And(operands) | Or(operands):
            pass
        case _:
            return Explanation(text_of(expression), holds(expression, person), _values(expression, person))
    parts = tuple(explain(operand, person) for operand in operands)
    return Explanation(text_of(expression), holds(expression, person), {}, parts)


def _values(expression: Expression, person: Person) -> dict[str, Any]:
    names = {name: person.features.get(name) for name in sorted(features_in(expression))}
    values = {name: None if _is_missing(value) else value for name, value in names.items()}
    return values | ({"kilometres": _distance(expression, person)} if isinstance(expression, Near) else {})


def _value(term: Term, person: Person) -> float | str | None:
    """Numbers, dates as days since 1970-01-01, flags as 1 and 0; None where missing."""
    match term:
        case Number(value):
            return value
        case Text(value):
            return value
        case Day(value):
            return days_of(value)
        case Today():
            return days_of(person.as_of)
        case Duration():
            return float(term.days or 0)
        case Name(name, kind):
            known = person.features.get(name)
            return known if isinstance(known, str) else _days(known) if kind == DATE else _number(known)
        case Arithmetic(symbol, left, right):
            return _calculated(symbol, left, right, person)
        case _:
            assert_never(term)


def _calculated(symbol: str, left: Term, right: Term, person: Person) -> float | None:
    a, b = _value(left, person), _value(right, person)
    if not isinstance(a, float) or not isinstance(b, float):
        return None
    if isinstance(right, Duration) and right.days is None:
        day = day_at(a)
        later = day and months_later(day, right.months if symbol == "+" else -right.months)
        return days_of(later) if later else None
    if symbol == "/":
        return None if b == 0 else _number(a / b)
    return _number(_CALCULATE[symbol](a, b))


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # NaN and NaT are not equal to themselves


def _number(value: Any) -> float | None:
    return None if _is_missing(value) else float(value)


def _days(value: Any) -> float | None:
    if _is_missing(value):
        return None
    return days_of(value.date() if isinstance(value, datetime) else value)


def _distance(near: Near, person: Person) -> float | None:
    latitude, longitude = (_number(person.features.get(name)) for name in ("latitude", "longitude"))
    return None if latitude is None or longitude is None else distance_km(latitude, longitude, near)


def _is_meant(did: Did, interaction: Interaction, as_of: date) -> bool:
    named = (interaction.category, interaction.product_id, interaction.product_name)
    return (
        interaction.kind == did.kind
        and interaction.happened_on <= as_of
        and (did.within is None or interaction.happened_on > did.within.before(as_of))
        and fold(did.what) in (fold(name) for name in named if name is not None)
    )
