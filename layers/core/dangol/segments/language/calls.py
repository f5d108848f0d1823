"""Calls of functions: name(…), each with its own arguments."""

from dangol.segments.features import TEXT
from dangol.segments.language.syntax import ACTIONS, Did, Duration, Expression, InSegment, Match, Near, Number, Text
from dangol.segments.language.tokens import Token
from dangol.segments.language.vocabulary import nearest
from dangol.segments.language.words import Words
from dangol.segments.places import place, places_like


def call(words: Words, function: Token) -> Expression:
    """The call that begins with the name `function`, which has been read."""
    words.take("(")
    if function.text == "near":
        found: Expression = _near(words)
    elif function.text == "in_segment":
        found = _in_segment(words)
    elif function.text in ACTIONS:
        found = _did(words, function.text)
    else:
        found = _match(words, function.text)
    words.take(")")
    return found


def _match(words: Words, function: str) -> Match:
    start = words.position
    name = words.feature()
    if name.kind != TEXT:
        words.fail(f"{function} looks into text, and {name.name} is none", start)
    words.take(",")
    return Match(function, name, (_text(words),))


def _near(words: Words) -> Near:
    start = words.position
    first = words.literal()
    words.take(",")
    if isinstance(first, Text):
        found = place(first.value, words.vocabulary.country)
        if found is None:
            words.fail(f"unknown city '{first.value}'; {nearest(first.value, places_like(first.value))}", start)
        return Near(first.value, found.latitude, found.longitude, _kilometres(words))
    latitude = _degrees(words, start, first, 90)
    start = words.position
    longitude = _degrees(words, start, words.literal(), 180)
    words.take(",")
    return Near(None, latitude, longitude, _kilometres(words))


def _degrees(words: Words, start: int, given: object, most: int) -> float:
    if not isinstance(given, Number) or abs(given.value) > most:
        words.fail(f"expected degrees from -{most} to {most}", start)
    return given.value


def _kilometres(words: Words) -> float:
    start = words.position
    distance = words.literal()
    if not isinstance(distance, Number) or distance.value < 0:
        words.fail("expected a distance in kilometres", start)
    return distance.value


def _in_segment(words: Words) -> InSegment:
    start = words.position
    segment = _text(words)
    if segment not in words.vocabulary.segments:
        words.fail(f"unknown segment '{segment}'; {nearest(segment, words.vocabulary.segments)}", start)
    return InSegment(segment)


def _did(words: Words, kind: str) -> Did:
    what = _text(words)
    if not words.accept(","):
        return Did(kind, what, None)
    start = words.position
    within = words.literal()
    if not isinstance(within, Duration):
        words.fail("expected a duration such as 30 days or 6 months", start)
    return Did(kind, what, within)


def _text(words: Words) -> str:
    start = words.position
    text = words.literal()
    if not isinstance(text, Text) or not text.value:
        words.fail("expected a text in quotes", start)
    return text.value
