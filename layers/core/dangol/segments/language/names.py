"""What a rule rests on: the features, segments and interactions it names."""

from collections.abc import Iterator
from typing import assert_never

from dangol.segments.language.syntax import (
    And,
    Arithmetic,
    Comparison,
    Did,
    Expression,
    Flag,
    InSegment,
    Match,
    Membership,
    Missing,
    Name,
    Near,
    Not,
    Or,
    Term,
)


def conditions_in(expression: Expression) -> Iterator[Expression]:
    """The conditions that are made of no others, from left to right."""
    match expression:
        case Not(operand):
            yield from conditions_in(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from conditions_in(operand)
        case _:
            yield expression


def features_in(expression: Expression) -> frozenset[str]:
    """Names of the features."""
    return frozenset(name for condition in conditions_in(expression) for name in _features(condition))


def segments_in(expression: Expression) -> frozenset[str]:
    """Ids of the segments."""
    return frozenset(one.segment for one in conditions_in(expression) if isinstance(one, InSegment))


def interactions_in(expression: Expression) -> frozenset[Did]:
    """The conditions on interactions."""
    return frozenset(one for one in conditions_in(expression) if isinstance(one, Did))


def _features(condition: Expression) -> Iterator[str]:
    match condition:
        case Comparison(_, left, right):
            yield from (*_named(left), *_named(right))
        case Membership(_, term, _) | Missing(term):
            yield from _named(term)
        case Match(_, Name(name)) | Flag(name):
            yield name
        case Near():
            yield from ("latitude", "longitude")
        case InSegment() | Did():
            pass
        case Not() | And() | Or():
            raise AssertionError("conditions_in takes these apart")
        case _:
            assert_never(condition)


def _named(term: Term) -> Iterator[str]:
    match term:
        case Name(name):
            yield name
        case Arithmetic(_, left, right):
            yield from (*_named(left), *_named(right))
        case _:
            pass
