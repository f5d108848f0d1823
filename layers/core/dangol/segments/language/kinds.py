"""What goes with what: the kinds of terms, checked when a rule is read."""

import re
from collections.abc import Sequence
from datetime import date

from dangol.segments.features import DATE, FLAG, NUMBER, TEXT
from dangol.segments.language.syntax import (
    SPAN,
    Arithmetic,
    Comparison,
    Day,
    Duration,
    Expression,
    Match,
    Membership,
    Missing,
    Name,
    Number,
    Term,
    Text,
    kind_of,
)
from dangol.segments.language.text import term_text
from dangol.segments.language.tokens import Token
from dangol.segments.language.words import Words

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NO_SPAN = "months and years differ in length: write days, as in 180 days, or take them from a date: today - 6 months"
_IN_WORDS = {
    NUMBER: "a number",
    DATE: "a date",
    TEXT: "text",
    FLAG: "yes or no",
    SPAN: "a calendar duration",
}
_HINTS = {
    NUMBER: "compare it with a number",
    DATE: "compare it with a date such as '2026-01-31' or today - 30 days",
    TEXT: "compare it with text in quotes",
}


def comparison(words: Words, operator: Token, left: Term, right: Term) -> Expression:
    """`left operator right`, of two numbers, two dates, or a text feature and a text."""
    left, right = _dated(words, operator, left, right), _dated(words, operator, right, left)
    kinds = kind_of(left), kind_of(right)
    _refuse_span(words, operator, left, right)
    for term in (left, right):
        if kind_of(term) == FLAG:
            name = term_text(term)
            words.fail(f"{name} is yes or no: write {name} or not {name}, without comparison", operator.position)
    if kinds[0] != kinds[1]:
        subject = kinds[0] if isinstance(left, Name) or not isinstance(right, Name) else kinds[1]
        words.fail(f"{_in_words(left, right)}; {_HINTS[subject]}", operator.position)
    if kinds[0] == TEXT:
        return _match(words, operator, left, right)
    _check_days(words, operator, left, right)
    return Comparison(operator.text, left, right)


def _match(words: Words, operator: Token, left: Term, right: Term) -> Match:
    if operator.text not in ("==", "!="):
        words.fail("text is compared with == or != only; see also contains, starts_with, ends_with", operator.position)
    if isinstance(left, Text):
        left, right = right, left
    if not isinstance(left, Name) or not isinstance(right, Text):
        words.fail("compare a text feature with a text in quotes", operator.position)
    return Match(operator.text, left, (right.value,))


def membership(
    words: Words, word: str, operator: Token, term: Term, values: Sequence[tuple[int, Term]]
) -> Membership | Match:
    """`term in (…)` or `not in`; each value with its position."""
    kind = kind_of(term)
    if kind == TEXT and isinstance(term, Name):
        for position, value in values:
            if not isinstance(value, Text):
                words.fail("expected a text in quotes", position)
        return Match(word, term, tuple(value.value for _, value in values if isinstance(value, Text)))
    if kind not in (NUMBER, DATE):
        words.fail(f"{term_text(term)} cannot stand before 'in'", operator.position)
    found: list[Number | Day] = []
    for position, value in values:
        if isinstance(value, Text) and kind == DATE:
            value = _parsed(words, position, value)
        if not isinstance(value, Number | Day) or kind_of(value) != kind:
            words.fail(f"expected {'a number' if kind == NUMBER else 'a date in quotes'}", position)
        found.append(value)
    return Membership(word, term, tuple(found))


def arithmetic(words: Words, operator: Token, left: Term, right: Term) -> Arithmetic:
    """`left operator right`: of numbers, of a date and days or a duration, of two dates (which gives days).

    A text in quotes is a date.
    """
    left, right = _day(words, operator, left), _day(words, operator, right)
    kinds = kind_of(left), kind_of(right)
    symbol = operator.text
    if kinds == (NUMBER, NUMBER):
        return Arithmetic(symbol, left, right)
    if kinds in ((DATE, NUMBER), (DATE, SPAN)) and symbol in "+-":
        return Arithmetic(symbol, left, right)
    if kinds in ((NUMBER, DATE), (SPAN, DATE)) and symbol == "+":
        return Arithmetic(symbol, right, left)
    if kinds == (DATE, DATE) and symbol == "-":
        return Arithmetic(symbol, left, right)
    _refuse_span(words, operator, left, right)
    return words.fail(f"'{symbol}' does not go here: {_in_words(left, right)}", operator.position)


def missing(words: Words, start: int, term: Term) -> Missing:
    """`missing(term)`: of anything but a literal text or duration."""
    if isinstance(term, Text) or kind_of(term) == SPAN:
        words.fail("expected a feature", start)
    return Missing(term)


def _in_words(*terms: Term) -> str:
    return " and ".join(f"{term_text(term)} is {_IN_WORDS[kind_of(term)]}" for term in terms)


def _dated(words: Words, operator: Token, term: Term, other: Term) -> Term:
    """A text in quotes beside a date is a date."""
    return _day(words, operator, term) if kind_of(other) == DATE else term


def _day(words: Words, operator: Token, term: Term) -> Term:
    """A text as a date; other terms as they are."""
    return _parsed(words, operator.position, term) if isinstance(term, Text) else term


def _parsed(words: Words, position: int, text: Text) -> Day:
    try:
        if not _ISO_DATE.fullmatch(text.value):
            raise ValueError
        return Day(date.fromisoformat(text.value))
    except ValueError:
        words.fail(f"'{text.value}' is not a date; write it as '2026-01-31'", position)


def _refuse_span(words: Words, operator: Token, left: Term, right: Term) -> None:
    if SPAN in (kind_of(left), kind_of(right)):
        words.fail(_NO_SPAN, operator.position)


def _check_days(words: Words, operator: Token, left: Term, right: Term) -> None:
    """A duration is compared with what counts days."""
    for term, other in ((left, right), (right, left)):
        if isinstance(term, Name) and isinstance(other, Duration):
            unit = words.vocabulary.features[term.name].unit
            if unit != "days":
                words.fail(f"{term.name} is in {unit}, not in days", operator.position)
