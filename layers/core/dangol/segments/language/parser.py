"""From the text of a rule to its syntax tree, or an error that points at the place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dangol.errors import RuleError
from dangol.segments.features import FLAG
from dangol.segments.language import calls, kinds
from dangol.segments.language.functions import FUNCTIONS
from dangol.segments.language.syntax import And, Expression, Flag, Missing, Name, Not, Number, Or, Term, Today
from dangol.segments.language.tokens import Token
from dangol.segments.language.vocabulary import Vocabulary
from dangol.segments.language.words import Words

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_MAX_DEPTH = 50
"""Nesting beyond this is a mistake, and would exhaust Python's stack before long."""
_MAX_OPERATIONS = 200
"""Arithmetic operators in a rule: each may nest the tree one level deeper."""
_MAX_LENGTH = 4_000
"""Characters of a rule."""

_Level = Callable[[], Expression | Term]


def parse(rule: str, vocabulary: Vocabulary) -> Expression:
    """The syntax tree of `rule`. Raises RuleError with position and, for a name, the nearest known one."""
    if len(rule) > _MAX_LENGTH:
        raise RuleError(rule[:60] + " …", 0, f"longer than {_MAX_LENGTH:,} characters; split the rule")
    return _Parser(Words(rule, vocabulary)).rule()


class _Parser:
    """Recursive descent, one method a level of precedence; names and kinds are checked on the way.

    Levels return conditions and terms alike: what a parenthesis holds is known only when it has been read.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self._depth = 0
        self._operations = 0

    def rule(self) -> Expression:
        condition = self._condition(self._disjunction())
        if self._words.next.kind != "end":
            self._words.fail(f"'{self._words.next.text}' is unexpected here; join conditions with 'and' or 'or'")
        return condition

    # ---- conditions ----------------------------------------------------------------------------

    def _disjunction(self) -> Expression | Term:
        return self._joined("or", self._conjunction, Or)

    def _conjunction(self) -> Expression | Term:
        return self._joined("and", self._negation, And)

    def _joined(self, word: str, part: _Level, node: type[And | Or]) -> Expression | Term:
        first = part()
        if self._words.next.text != word:
            return first
        operands = [self._condition(first)]
        while self._words.accept(word):
            operands.append(self._condition(part()))
        return node(tuple(operands))

    def _negation(self) -> Expression | Term:
        if not self._words.accept("not"):
            return self._comparison()
        with self._deeper():
            return Not(self._condition(self._negation()))

    def _comparison(self) -> Expression | Term:
        """One comparison or a chain: `a <= b < c` is `a <= b and b < c`."""
        words = self._words
        left = self._sum()
        if not isinstance(left, Term):
            return left
        operator = words.next
        negated = words.accept("not")
        if words.accept("in"):
            return self._membership("not in" if negated else "in", operator, left)
        if negated:
            words.fail("expected 'in'")
        links: list[Expression] = []
        while words.next.text in _COMPARISONS:
            operator = words.advance()
            right = self._term(self._sum)
            links.append(kinds.comparison(words, operator, left, right))
            left = right
        return left if not links else links[0] if len(links) == 1 else And(tuple(links))

    def _membership(self, word: str, operator: Token, term: Term) -> Expression:
        words = self._words
        words.take("(")
        values = [(words.position, words.literal())]
        while words.accept(","):
            values.append((words.position, words.literal()))
        words.take(")")
        return kinds.membership(words, word, operator, term, values)

    def _condition(self, value: Expression | Term) -> Expression:
        if not isinstance(value, Term):
            return value
        if isinstance(value, Name) and value.kind == FLAG:
            return Flag(value.name)
        return self._words.fail(f"expected a comparison ({' '.join(_COMPARISONS)}) or 'in'")

    # ---- terms ---------------------------------------------------------------------------------

    def _sum(self) -> Expression | Term:
        return self._calculation(("+", "-"), self._product)

    def _product(self) -> Expression | Term:
        return self._calculation(("*", "/"), self._factor)

    def _calculation(self, operators: tuple[str, str], part: _Level) -> Expression | Term:
        value = part()
        while self._words.next.text in operators and isinstance(value, Term):
            operator = self._operator()
            value = kinds.arithmetic(self._words, operator, value, self._term(part))
        return value

    def _factor(self) -> Expression | Term:
        words = self._words
        token = words.next
        if words.accept("-"):
            with self._deeper():
                return kinds.arithmetic(words, token, Number(0.0), self._term(self._factor))
        if words.accept("("):
            with self._deeper():
                inner = self._disjunction()
            words.take(")")
            return inner
        if words.accept("missing"):
            return self._missing()
        if words.accept("today"):
            return Today()
        if token.text in FUNCTIONS:
            return calls.call(words, words.advance())
        return words.literal() if token.kind in ("number", "text") else words.feature()

    def _missing(self) -> Missing:
        self._words.take("(")
        start = self._words.position
        term = self._term(self._sum)
        self._words.take(")")
        return kinds.missing(self._words, start, term)

    def _term(self, part: _Level) -> Term:
        start = self._words.position
        value = part()
        if not isinstance(value, Term):
            self._words.fail("expected a value; this is a condition", start)
        return value

    def _operator(self) -> Token:
        self._operations += 1
        if self._operations > _MAX_OPERATIONS:
            self._words.fail(f"more than {_MAX_OPERATIONS} arithmetic operators; split the rule")
        return self._words.advance()

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._words.fail(f"nested more than {_MAX_DEPTH} levels deep; split the rule")
        yield
        self._depth -= 1
