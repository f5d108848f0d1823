"""From the text of a rule to its syntax tree, or an error that points at the place."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from dangol.errors import RuleError
from dangol.segments.language.syntax import (
    And,
    Arithmetic,
    Comparison,
    Expression,
    Membership,
    Missing,
    Name,
    Not,
    Number,
    Or,
    Term,
)

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d[\d_]*(?:\.\d+)?)|(?P<word>[^\W\d]\w*)|(?P<operator><=|>=|==|!=|[<>+\-*/(),]))"
)
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_RESERVED = ("and", "or", "not", "in", "missing")
_MAX_DEPTH = 50
"""Nesting beyond this is a mistake, and would exhaust Python's stack before long."""
_MAX_OPERATIONS = 200
"""Arithmetic operators in a rule: each may nest the tree one level deeper."""
_MAX_LENGTH = 4_000
"""Characters of a rule."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse(rule: str, features: Collection[str]) -> Expression:
    """The syntax tree of `rule`. Raises RuleError with position and, for a name, the nearest known one."""
    if len(rule) > _MAX_LENGTH:
        raise RuleError(rule[:60] + " …", 0, f"longer than {_MAX_LENGTH:,} characters; split the rule")
    parser = _Parser(rule, features)
    expression = parser.disjunction()
    parser.expect_end()
    return expression


def _tokens(rule: str) -> Iterator[_Token]:
    position = 0
    while rule[position:].strip():
        match = _TOKEN.match(rule, position)
        if match is None:
            at = position + len(rule[position:]) - len(rule[position:].lstrip())
            hint = "; compare with ==" if rule[at] == "=" else ""
            raise RuleError(rule, at, f"'{rule[at]}' does not belong in a rule{hint}")
        kind = match.lastgroup or ""
        yield _Token(kind, match[kind], match.start(kind))
        position = match.end()
    yield _Token("end", "", len(rule))


class _Parser:
    """Recursive descent, one method a level of precedence; names are checked on the way."""

    def __init__(self, rule: str, features: Collection[str]) -> None:
        self._rule = rule
        self._features = features
        self._tokens = list(_tokens(rule))
        self._at = 0
        self._depth = 0
        self._operations = 0

    def disjunction(self) -> Expression:
        operands = [self._conjunction()]
        while self._accept("or"):
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def expect_end(self) -> None:
        if self._next.kind != "end":
            self._fail(f"'{self._next.text}' is unexpected here; join conditions with 'and' or 'or'")

    def _conjunction(self) -> Expression:
        operands = [self._negation()]
        while self._accept("and"):
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _negation(self) -> Expression:
        if self._accept("not"):
            with self._deeper():
                return Not(self._negation())
        return self._condition()

    def _condition(self) -> Expression:
        if self._next.text == "missing":
            return self._missing()
        if self._next.text == "(" and self._parenthesis_holds_condition():
            self._take("(")
            with self._deeper():
                inner = self.disjunction()
            self._take(")")
            return inner
        return self._comparison()

    def _missing(self) -> Missing:
        self._take("missing")
        self._take("(")
        term = self._sum()
        self._take(")")
        return Missing(term)

    def _comparison(self) -> Expression:
        """One comparison or a chain: `a <= b < c` is `a <= b and b < c`."""
        left = self._sum()
        negated = self._accept("not")
        if self._accept("in"):
            membership = Membership(left, self._values())
            # Like !=, and unlike `not x in (…)`, `x not in (…)` is false where x is missing.
            return And((Not(membership), Not(Missing(left)))) if negated else membership
        if negated or self._next.text not in _COMPARISONS:
            expected = "in" if negated else f"a comparison ({' '.join(_COMPARISONS)}) or 'in'"
            self._fail(f"expected {expected}")
        links: list[Expression] = []
        while self._next.text in _COMPARISONS:
            operator = self._advance().text
            right = self._sum()
            links.append(Comparison(operator, left, right))
            left = right
        return links[0] if len(links) == 1 else And(tuple(links))

    def _values(self) -> tuple[float, ...]:
        self._take("(")
        values = [self._signed_number()]
        while self._accept(","):
            values.append(self._signed_number())
        self._take(")")
        return tuple(values)

    def _signed_number(self) -> float:
        sign = -1.0 if self._accept("-") else 1.0
        if self._next.kind != "number":
            self._fail("expected a number")
        return sign * float(self._advance().text.replace("_", ""))

    def _sum(self) -> Term:
        term = self._product()
        while self._next.text in ("+", "-"):
            term = Arithmetic(self._operator(), term, self._product())
        return term

    def _product(self) -> Term:
        term = self._factor()
        while self._next.text in ("*", "/"):
            term = Arithmetic(self._operator(), term, self._factor())
        return term

    def _factor(self) -> Term:
        if self._accept("-"):
            with self._deeper():
                return Arithmetic("-", Number(0.0), self._factor())
        if self._accept("("):
            with self._deeper():
                term = self._sum()
            self._take(")")
            return term
        if self._next.kind == "number":
            return Number(float(self._advance().text.replace("_", "")))
        return self._name()

    def _operator(self) -> str:
        self._operations += 1
        if self._operations > _MAX_OPERATIONS:
            self._fail(f"more than {_MAX_OPERATIONS} arithmetic operators; split the rule")
        return self._advance().text

    def _name(self) -> Name:
        token = self._next
        if token.kind != "word" or token.text in _RESERVED:
            self._fail("expected a feature or a number")
        if token.text not in self._features:
            near = get_close_matches(token.text, self._features, 1, 0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(self._features)}"
            self._fail(f"unknown feature '{token.text}'; {hint}")
        return Name(self._advance().text)

    # ---- tokens --------------------------------------------------------------------------------

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _advance(self) -> _Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _accept(self, text: str) -> bool:
        found = self._next.text == text
        self._at += found
        return found

    def _take(self, text: str) -> None:
        if not self._accept(text):
            self._fail(f"expected '{text}'")

    def _parenthesis_holds_condition(self) -> bool:
        """Whether the parenthesis that opens here holds a condition rather than arithmetic."""
        depth = 0
        for token in self._tokens[self._at :]:
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return False
            if token.text in (*_COMPARISONS, *_RESERVED):
                return True
        return False

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._fail(f"nested more than {_MAX_DEPTH} levels deep; split the rule")
        yield
        self._depth -= 1

    def _fail(self, reason: str) -> NoReturn:
        raise RuleError(self._rule, self._next.position, reason)
