"""A syntax tree as text: parsing it again gives the same tree."""

from decimal import Decimal
from itertools import pairwise
from typing import TypeGuard, assert_never

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


def text_of(expression: Expression) -> str:
    """The rule in its plainest form: one space between words, no needless parentheses."""
    match expression:
        case Comparison(operator, left, right):
            return f"{term_text(left)} {operator} {term_text(right)}"
        case Membership(operator, term, values):
            return f"{term_text(term)} {operator} ({', '.join(map(term_text, values))})"
        case Match("contains" | "starts_with" | "ends_with" as function, name, (value,)):
            return f"{function}({name.name}, {quoted(value)})"
        case Match("in" | "not in" as operator, name, texts):
            return f"{name.name} {operator} ({', '.join(map(quoted, texts))})"
        case Match(operator, name, texts):
            return f"{name.name} {operator} {quoted(texts[0])}"
        case Flag(flag):
            return flag
        case Missing(term):
            return f"missing({term_text(term)})"
        case Near(place, latitude, longitude, kilometres):
            where = f"{_number(latitude)}, {_number(longitude)}" if place is None else quoted(place)
            return f"near({where}, {_number(kilometres)})"
        case InSegment(segment):
            return f"in_segment({quoted(segment)})"
        case Did(kind, what, within):
            return f"{kind}({quoted(what)}{f', {term_text(within)}' if within else ''})"
        case Not(operand):
            return f"not {_within(operand, And, Or)}"
        case And(operands) if _is_chain(operands):
            return " ".join((term_text(operands[0].left), *(f"{o.operator} {term_text(o.right)}" for o in operands)))
        case And(operands):
            return " and ".join(_within(operand, And, Or) for operand in operands)
        case Or(operands):
            return " or ".join(_within(operand, Or) for operand in operands)
        case _:
            assert_never(expression)


def term_text(term: Term) -> str:
    """A term as text."""
    match term:
        case Number(value):
            return _number(value)
        case Text(value):
            return quoted(value)
        case Day(value):
            return quoted(value.isoformat())
        case Today():
            return "today"
        case Duration(count, unit):
            return f"{count} {unit}{'' if count == 1 else 's'}"
        case Name(name):
            return name
        case Arithmetic(operator, left, right):
            looser = ("+", "-") if operator in ("*", "/") else ()
            before, after = term_text(left), term_text(right)
            if isinstance(left, Arithmetic) and left.operator in looser:
                before = f"({before})"
            if isinstance(right, Arithmetic):  # operators of one rank go from left to right
                after = f"({after})"
            return f"{before} {operator} {after}"
        case _:
            assert_never(term)


def quoted(value: str) -> str:
    """`value` in the quotes that are not in it."""
    return f'"{value}"' if "'" in value else f"'{value}'"


def _is_chain(operands: tuple[Expression, ...]) -> TypeGuard[tuple[Comparison, ...]]:
    """Whether these are links such as those of `30 <= recency_days <= 60`."""
    links = [one for one in operands if isinstance(one, Comparison)]
    ascending = all(one.operator in ("<", "<=") for one in links)
    return len(links) == len(operands) and ascending and all(a.right == b.left for a, b in pairwise(links))


def _within(operand: Expression, *looser: type[And | Or]) -> str:
    inner = text_of(operand)
    chained = isinstance(operand, And) and _is_chain(operand.operands)
    return f"({inner})" if isinstance(operand, looser) and not chained else inner


def _number(value: float) -> str:
    return f"{int(value):_}" if value == int(value) else f"{Decimal(repr(value)):f}"
