"""From the text of a rule to its words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dangol.errors import RuleError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d[\d_]*(?:\.\d+)?)|(?P<word>[^\W\d]\w*)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<operator><=|>=|==|!=|[<>+\-*/(),]))"
)
_HINTS = {"=": "; compare with ==", "'": ": the quote is not closed", '"': ": the quote is not closed"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, quoted text or operator of a rule."""

    kind: str
    """number, word, text, operator or end."""
    text: str
    """As written, quotes included."""
    position: int
    """Characters before it."""


def tokens(rule: str) -> Iterator[Token]:
    """The words of `rule`, one of kind `end` last. Raises RuleError at what is none."""
    position = 0
    end = len(rule.rstrip())
    while position < end:
        match = _TOKEN.match(rule, position)
        if match is None:
            at = position + len(rule[position:]) - len(rule[position:].lstrip())
            raise RuleError(rule, at, f"'{rule[at]}' does not belong in a rule{_HINTS.get(rule[at], '')}")
        kind = match.lastgroup or ""
        yield Token(kind, match[kind], match.start(kind))
        position = match.end()
    yield Token("end", "", len(rule))
