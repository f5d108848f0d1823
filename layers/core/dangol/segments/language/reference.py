"""The reference of the rule language, from what the code knows: part of docs/rules.md."""

from collections.abc import Iterable, Iterator

from dangol.segments.features import FEATURES
from dangol.segments.language.functions import FUNCTIONS

_OPERATORS = (
    ("`recency_days <= 3`", "a comparison of numbers or dates: `<` `<=` `>` `>=` `==` `!=`"),
    ("`30 <= recency_days <= 60`", "a chain of them"),
    ("`a and b`, `a or b`, `not a`, `( … )`", "`and` binds more tightly than `or`, `not` more tightly than `and`"),
    (
        "`orders_90d in (1, 2, 3)`, `city not in ('Seoul', 'Busan')`",
        "one of these numbers, dates or texts; none of them",
    ),
    (
        "`revenue_lifetime / orders_lifetime > 100_000`",
        "arithmetic: `+` `-` `*` `/`; dividing by zero gives a missing value; `_` in numbers is for the eye",
    ),
    ("`city == 'Seoul'`, `city != \"서울\"`", "text in single or double quotes, ignoring case"),
    ("`accepts_email and not accepts_push`", "a flag stands by itself; it does not hold where it is missing"),
    ("`subscribed_on >= '2026-01-01'`", "a date is written in quotes, year first"),
    ("`today`", "the day looked from, in the shop's time zone"),
    (
        "`last_order_on < today - 6 months`",
        "a date plus or minus a duration: `30 days`, `2 weeks`, `6 months`, `1 year`. Months and years go by the "
        "calendar: a month after 31 January is the last day of February. A number beside a date is days",
    ),
    (
        "`today - subscribed_on > 2 weeks`",
        "two dates have days between them; a number of days is compared with days or weeks, a week being 7 days. "
        "Months and years are no number of days: take them from a date",
    ),
)


def reference_markdown() -> str:
    """Tables of operators, functions and features, as Markdown."""
    functions = (
        (", ".join(f"`{example}`" for example in function.written), function.meaning) for function in FUNCTIONS.values()
    )
    features = ((f"`{one.name}`", one.unit, one.kind, one.description) for one in FEATURES)
    sections = (
        ("## Operators", ("write", "means"), _OPERATORS),
        ("## Functions", ("write", "means"), functions),
        ("## Features", ("name", "unit", "kind", "what it is"), features),
    )
    return "\n".join(line for title, head, rows in sections for line in (title, "", *_table(head, rows), ""))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
