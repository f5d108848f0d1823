"""The syntax tree of a rule: terms have a value, conditions hold or do not."""

import calendar
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import assert_never

from dangol.segments.features import DATE, NUMBER, TEXT

SPAN = "calendar duration"
"""Kind of a number of months or years: different numbers of days, depending on where they begin."""
UNITS = {"day": 1, "week": 7, "month": None, "year": None}
"""Durations by their days; None for those of the calendar."""


def months_later(day: date, months: int) -> date | None:
    """The same day of a later or earlier month, or its last day; None beyond the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# ---- terms -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A literal in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Day:
    """A literal date."""

    value: date


@dataclass(frozen=True, slots=True)
class Today:
    """`today`: the day looked from, as_of."""


@dataclass(frozen=True, slots=True)
class Duration:
    """`30 days`, `6 months`."""

    count: int
    unit: str
    """One of UNITS."""

    @property
    def days(self) -> int | None:
        """How many days it is; None for months and years."""
        days = UNITS[self.unit]
        return None if days is None else self.count * days

    @property
    def months(self) -> int:
        """How many months it is, of months and years."""
        return self.count * (12 if self.unit == "year" else 1)

    def before(self, day: date) -> date:
        """The day so long before `day`; the first of the calendar where that is beyond it."""
        if self.days is not None:
            return day - min(timedelta(self.days), day - date.min)
        return months_later(day, -self.months) or date.min


@dataclass(frozen=True, slots=True)
class Name:
    """A feature."""

    name: str
    kind: str
    """NUMBER, DATE, TEXT or FLAG."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right`, operator one of + - * /; of dates with days or a duration, + and -."""

    operator: str
    left: "Term"
    right: "Term"


Term = Number | Text | Day | Today | Duration | Name | Arithmetic
"""Something with a value, or a missing one."""


def kind_of(term: Term) -> str:
    """NUMBER, DATE, TEXT, FLAG or SPAN."""
    match term:
        case Name(_, kind):
            return kind
        case Number():
            return NUMBER
        case Text():
            return TEXT
        case Day() | Today():
            return DATE
        case Duration():
            return SPAN if term.days is None else NUMBER
        case Arithmetic(_, left, right):
            return DATE if (kind_of(left) == DATE) != (kind_of(right) == DATE) else NUMBER
        case _:
            assert_never(term)


# ---- conditions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`, of two numbers or dates; operator one of < <= > >= == !=. False when either is missing."""

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Membership:
    """`term in (1, 2, 3)` or `not in`, of numbers or dates. False when the term is missing, both ways."""

    operator: str
    term: Term
    values: tuple[Number | Day, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A text feature beside literals, ignoring case. False when it is missing, whatever the operator.

    Operator ==, !=, contains, starts_with, ends_with have one value; in, not in any number.
    """

    operator: str
    name: Name
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag by itself. False when it is missing."""

    name: str


@dataclass(frozen=True, slots=True)
class Missing:
    """`missing(term)`."""

    term: Term


@dataclass(frozen=True, slots=True)
class Near:
    """Whether the customer's city is at most so far, as the crow flies. False without coordinates."""

    place: str | None
    """As the rule says it; None when it gives coordinates."""
    latitude: float
    longitude: float
    """Degrees."""
    kilometres: float


@dataclass(frozen=True, slots=True)
class InSegment:
    """Whether the customer is in another segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class Did:
    """`bought(what, within)`: something happened with a category or product, by its id or name."""

    kind: str
    """One of ACTIONS."""
    what: str
    within: Duration | None
    """Counted back from as_of, the day itself included: happened_on > as_of - within."""


ACTIONS = ("bought", "carted", "wished", "viewed")


@dataclass(frozen=True, slots=True)
class Not:
    """True where `operand` is not."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """True where all operands are."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where any operand is."""

    operands: tuple["Expression", ...]


Expression = Comparison | Membership | Match | Flag | Missing | Near | InSegment | Did | Not | And | Or
"""Something true or false of a customer."""
