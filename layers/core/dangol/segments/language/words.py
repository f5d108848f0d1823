"""The words of a rule, read one after the other."""

from typing import NoReturn

from dangol.errors import RuleError
from dangol.segments.language.functions import FUNCTIONS
from dangol.segments.language.syntax import UNITS, Duration, Name, Number, Text
from dangol.segments.language.tokens import Token, tokens
from dangol.segments.language.vocabulary import Vocabulary, nearest

_RESERVED = ("and", "or", "not", "in", "today")
_MAX_DURATION_DAYS = 366_000


class Words:
    """A place in a rule, and what can be read from there without knowing what is around it."""

    def __init__(self, rule: str, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._rule = rule
        self._tokens = list(tokens(rule))
        self._at = 0

    @property
    def next(self) -> Token:
        """The next word."""
        return self._tokens[self._at]

    @property
    def position(self) -> int:
        """Where the next word stands."""
        return self.next.position

    def advance(self) -> Token:
        """Take the next word, whatever it is."""
        token = self._tokens[self._at]
        self._at += 1
        return token

    def accept(self, text: str) -> bool:
        """Take the next word if it is this one."""
        found = self.next.text == text
        self._at += found
        return found

    def take(self, text: str) -> None:
        """Take the next word, which must be this one."""
        if not self.accept(text):
            self.fail(f"expected '{text}'")

    def fail(self, reason: str, position: int | None = None) -> NoReturn:
        """Raise RuleError at `position`, by default that of the next word."""
        raise RuleError(self._rule, self.position if position is None else position, reason)

    def feature(self) -> Name:
        """The name of a feature."""
        token = self.next
        if token.kind != "word" or token.text in _RESERVED:
            self.fail("expected a feature or a value")
        known = self.vocabulary.features
        if token.text not in known:
            if self._tokens[self._at + 1].text == "(":
                self.fail(f"unknown function '{token.text}'; {nearest(token.text, FUNCTIONS)}")
            self.fail(f"unknown feature '{token.text}'; {nearest(token.text, known)}")
        return Name(self.advance().text, known[token.text].kind)

    def literal(self) -> Number | Text | Duration:
        """A number with or without sign, a text in quotes, or a duration."""
        if self.next.kind == "text":
            return Text(self.advance().text[1:-1])
        sign = -1.0 if self.accept("-") else 1.0
        if self.next.kind != "number":
            self.fail("expected a number or a text in quotes")
        token = self.advance()
        unit = self.next.text.removesuffix("s")
        if self.next.kind == "word" and unit in UNITS and sign > 0:
            self.advance()
            return self._duration(token, unit)
        value = sign * float(token.text.replace("_", ""))
        if abs(value) == float("inf"):
            self.fail("the number is too large", token.position)
        return Number(value)

    def _duration(self, count: Token, unit: str) -> Duration:
        digits = count.text.replace("_", "")
        if not digits.isdecimal():
            self.fail(f"'{count.text}' {unit}s: give a whole number of them", count.position)
        duration = Duration(int(digits), unit)
        if (duration.days if duration.days is not None else duration.months * 30.5) > _MAX_DURATION_DAYS:
            self.fail("the duration is longer than 1,000 years", count.position)
        return duration
