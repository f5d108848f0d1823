"""How a word ends when a Korean reads it aloud: what particles are chosen by.

Korean letters follow from their code. Digits are read as Sino-Korean numbers. Latin words are read by the
rules of 외래어 표기법 (Ministry of Culture notice 2017-14), chapter 3, section 1: final m, n, ng and l close the
syllable (items 5 and 6), so do p, t, k after a short vowel (item 1); every other consonant is followed by 으 or
이 (items 1 to 4). Capitals are spelt by the letters' names. What stands in brackets behind a word is not read.
"""

import re
import unicodedata
from enum import Enum


class Ending(Enum):
    """The last sound, as far as particles care."""

    OPEN = "a vowel"
    RIEUL = "ㄹ"
    CLOSED = "another final consonant"


_HANGUL, _SYLLABLES, _FINALS, _RIEUL = 0xAC00, 11172, 28, 8
_BRACKETED = re.compile(r"(?<=\S)\s*(?:\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|<[^<>]*>|〈[^〈〉]*〉|【[^【】]*】)\s*$")
_NUMBER = re.compile(r"([0-9][0-9,]*)(\.[0-9]+)?$")
_UNIT = re.compile(r"[0-9]\s?([A-Za-z]{1,3})$")
_WORD = re.compile(r"[A-Za-z]+$")

_DIGITS = {"1": Ending.RIEUL, "7": Ending.RIEUL, "8": Ending.RIEUL} | dict.fromkeys("036", Ending.CLOSED)
"""영 일 이 삼 사 오 육 칠 팔 구; the others end in a vowel."""
_UNITS = dict.fromkeys(("g", "kg", "mg"), Ending.CLOSED) | dict.fromkeys(
    ("l", "L", "ml", "mL", "cm", "mm", "m", "km", "MB", "GB", "TB", "W", "V", "XL", "oz", "ea"), Ending.OPEN
)
"""Behind a number: …그램; 리터, 미터, 바이트, 와트, 볼트, 라지, 온스, 개."""
_SYMBOLS = "%+&@#"
"""퍼센트, 플러스, 앤드, 앳, 샵: read, and only 샵 and 앳 end in a consonant."""
_UNREAD = dict.fromkeys(map(ord, "™®©"))
_LETTER_NAMES = {"L": Ending.RIEUL, "R": Ending.RIEUL, "M": Ending.CLOSED, "N": Ending.CLOSED}
"""엘 알 엠 엔; the others end in a vowel."""
_SPELT_OUT = 3
"""Capitals up to this many, or without a vowel, are an abbreviation; NIKE and COAT are words."""
_RIEUL_ENDINGS = re.compile(r"(l|[^aeiou]le|[aeiouy]le)$")
_CLOSED_ENDINGS = re.compile(r"([mn]|[mn]e|mb|ng|[aeiou]c|[aeiou]ck|ook|(?:^|[^aeiou])[aeiou][ptk]|out)$")
_USAGE = {
    **dict.fromkeys(("bag", "big", "blog", "club", "job", "lab", "pub", "type", "web", "wig"), Ending.CLOSED),
    **dict.fromkeys(("acne", "hit", "jet", "kit", "knit", "mat", "set"), Ending.OPEN),
}
"""Established otherwise than the rules say (외래어 표기법, chapter 1, item 5): 백, 클럽, 타입; 니트, 세트, 키트."""


def ending(word: str) -> Ending:
    """How `word` ends when read aloud. What cannot be read counts as ending in a vowel."""
    text = _significant(unicodedata.normalize("NFKC", word.translate(_UNREAD)))
    last = text[-1:]
    if 0 <= ord(last or " ") - _HANGUL < _SYLLABLES:
        return _final((ord(last) - _HANGUL) % _FINALS)
    if last and last in _SYMBOLS:
        return Ending.CLOSED if last in "#@" else Ending.OPEN
    if number := _NUMBER.search(text):
        return _of_number(number.group(1).replace(",", ""), number.group(2))
    if (unit := _UNIT.search(text)) and unit.group(1) in _UNITS:
        return _UNITS[unit.group(1)]
    latin = _WORD.search("".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)))
    return _of_latin(latin.group()) if latin else Ending.OPEN


def _significant(text: str) -> str:
    """Without what is not read at the end: brackets with what is in them, marks, spaces."""
    while text != (shorter := _BRACKETED.sub("", text)):
        text = shorter
    while text and text[-1] not in _SYMBOLS and not text[-1].isalnum():
        text = text[:-1]
    return text


def _final(index: int) -> Ending:
    if index == 0:
        return Ending.OPEN
    return Ending.RIEUL if index == _RIEUL else Ending.CLOSED


def _of_number(whole: str, decimals: str | None) -> Ending:
    """십, 백, 천, 만, 억 and 경 end in a consonant, 조 (twelve to fifteen zeros) in a vowel."""
    if decimals:
        return _DIGITS.get(decimals[-1], Ending.OPEN)
    zeros = len(whole) - len(whole.rstrip("0"))
    if 12 <= zeros < 16 and zeros < len(whole):
        return Ending.OPEN
    return _DIGITS.get(whole[-1], Ending.OPEN)


def _of_latin(word: str) -> Ending:
    spelt = word.isupper() and (len(word) <= _SPELT_OUT or not re.search("[AEIOUY]", word))
    if spelt or len(word) == 1:
        return _LETTER_NAMES.get(word[-1].upper(), Ending.OPEN)
    lower = word.lower()
    if lower in _USAGE:
        return _USAGE[lower]
    if _RIEUL_ENDINGS.search(lower):
        return Ending.RIEUL
    return Ending.CLOSED if _CLOSED_ENDINGS.search(lower) else Ending.OPEN
