"""One language of a report: its words, its numbers, its dates, and what segments are called in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dangol.campaigns.particles import END_OF_VALUE, with_particles
from dangol.reports.borders import WHOLE_NUMBERED, Band, Border, M
from dangol.reports.words import EXPECTED, WORDS

if TYPE_CHECKING:
    from dangol.reports.news import Sentence

LANGUAGES = ("ko", "en")
_KOREAN_UNITS = ((100_000_000, "억"), (10_000, "만"))
_UNITS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SEGMENTS = ("origin", "target", "segment")
_MONEY = "amount"


@dataclass(frozen=True, slots=True)
class Voice:
    """Says things in one language; nothing it returns is escaped."""

    language: str
    """One of LANGUAGES."""
    currency: str
    segments: Mapping[str, str]
    """Id → name."""

    def say(self, key: str, **values: object) -> str:
        """The words of a key with values filled in; numbers and dates as they are written."""
        korean = self.language == "ko"
        text = WORDS[key][LANGUAGES.index(self.language)]
        end = END_OF_VALUE if korean else ""
        filled = text.format(**{name: f"{self._written(name, value)}{end}" for name, value in values.items()})
        return with_particles(filled) if korean else filled

    def tell(self, sentence: "Sentence") -> str:
        """A sentence of the news."""
        return self.say(sentence.key, **sentence.values)

    def _written(self, name: str, value: object) -> str:
        if name in _SEGMENTS:
            return self.name(None if value is None else str(value), newcomers=name == "origin")
        if isinstance(value, int | float) and name == _MONEY:
            return self.money(value)
        if isinstance(value, date):
            return self.day(value)
        return self.count(value) if isinstance(value, int) else str(value)

    def name(self, segment: str | None, *, newcomers: bool = True) -> str:
        """What a segment is called; without one, who came or who went."""
        if segment is None:
            return self.say("newcomers" if newcomers else "departed")
        return self.segments.get(segment, segment)

    def expected(self, segment: str) -> str:
        """What the table of the default segments says of one; empty for others."""
        return EXPECTED[segment][LANGUAGES.index(self.language)] if segment in EXPECTED else ""

    def count(self, number: int) -> str:
        """1,234."""
        return f"{number:,}"

    def number(self, value: float | None) -> str:
        """At most one digit behind the point; a dash for what is missing."""
        if value is None:
            return "—"
        return f"{value:,.0f}" if value >= 1_000 or value == round(value) else f"{value:,.1f}"

    def share(self, value: float | None) -> str:
        """12.3 %, from 0.123; less than a thousandth is told apart from nothing."""
        if value is None:
            return "—"
        return "<0.1%" if 0 < value < 0.001 else f"{value:.1%}"

    def money(self, value: float | None) -> str:
        """With its currency: 1억 2,300만 원 is 1.2억 원, 1,234,567 USD is 1.2M USD."""
        if value is None:
            return "—"
        unit = "원" if self.currency == "KRW" and self.language == "ko" else self.currency
        return f"{self.short_money(value)} {unit}"

    def short_money(self, value: float) -> str:
        """The same without the currency."""
        units = _KOREAN_UNITS if self.currency == "KRW" and self.language == "ko" else _UNITS
        for size, unit in units:
            if abs(value) >= size:
                shown = value / size
                digits = 0 if abs(shown) >= 100 or unit == "만" or shown == round(shown) else 1
                return f"{shown:,.{digits}f}".removesuffix(".0") + unit
        return self.number(value)

    def day(self, day: date | None) -> str:
        """2026년 11월 22일, 22 Nov 2026."""
        if day is None:
            return "—"
        if self.language == "ko":
            return f"{day.year}년 {day.month}월 {day.day}일"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def border(self, feature: str, border: Border) -> str:
        """Where the border is, without a unit."""
        return self.short_money(border.value) if feature == M else self.number(border.value)

    def band(self, feature: str, band: Band) -> str:
        """What lies between two borders."""
        if feature in WHOLE_NUMBERED:
            return self._whole_band(feature, band)
        low = "" if band.over is None else self.money(band.over.value)
        high = "" if band.up_to is None else self.money(band.up_to.value)
        if low and high:
            return f"{low} – {high}"
        if band.over is not None:
            return self.say("over" if band.over.below else "from", low=low)
        if band.up_to is not None:
            return self.say("up_to" if band.up_to.below else "below", high=high)
        return self.say("total")

    def _whole_band(self, feature: str, band: Band) -> str:
        low = 0 if band.over is None else int(band.over.value) + 1
        if band.up_to is None:
            return self.say("from", low=self.say(f"{feature}_unit", value=low))
        high = int(band.up_to.value)
        return self.say(f"{feature}_unit", value=str(low) if low == high else f"{low}–{high}")
