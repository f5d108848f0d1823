"""Exchange rates that the shop states in its configuration: nothing else is ever converted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

import yaml

from dangol.document import Document

RATES_FILE = "rates.yaml"
VALID_DAYS = 7
"""A rate holds from its day until the next one of its currency, but no longer than so many days after."""

_KEYS = ("currency", "on", "rate")


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is worth."""

    currency: str
    """ISO 4217 code."""
    on: date
    rate: Decimal
    """In the shop's currency."""


def load_rates(text: bytes, file: str) -> tuple[Rate, ...]:
    """Read `rates: [{currency: USD, on: 2026-11-22, rate: 1391.2}, …]`; sorted by currency and day.

    Raises InvalidConfiguration with every problem found, each with its line.
    """
    nodes = Document(text, file)
    found = nodes.fields(nodes.root, ("rates",), (), "the file")
    rates: dict[tuple[str, date], Rate] = {}
    for node in nodes.items(found["rates"], "'rates'") if "rates" in found else ():
        if (rate := _rate(nodes, node)) is None:
            continue
        if (rate.currency, rate.on) in rates:
            nodes.note(node, f"a second rate of {rate.currency} on {rate.on}")
        rates[rate.currency, rate.on] = rate
    nodes.close()
    return tuple(rates[key] for key in sorted(rates))


def rates_of(folder: Path) -> tuple[Rate, ...]:
    """The rates of a configuration folder; none without `folder`/rates.yaml."""
    path = folder / RATES_FILE
    return load_rates(path.read_bytes(), str(path)) if path.is_file() else ()


def rate_sql(rates: Sequence[Rate], currency: str, day: str) -> str:
    """SQL: the rate of the DATE `day` for a `currency`, as DECIMAL(18, 8); NULL when there is none."""
    branches = []
    for code in dict.fromkeys(rate.currency for rate in rates):
        own = {rate.on: rate.rate for rate in rates if rate.currency == code}
        first, last = min(own), max(own) + timedelta(days=VALID_DAYS)
        # One entry a day, so that looking up is indexing, not searching.
        daily = ", ".join(_valid_on(own, first + timedelta(days=n)) for n in range((last - first).days + 1))
        place = f"date_diff('day', DATE '{first}', {day}) + 1"
        branches.append(
            f"WHEN '{code}' THEN CASE WHEN {day} BETWEEN DATE '{first}' AND DATE '{last}' "
            f"THEN ([{daily}]::DECIMAL(18, 8)[])[{place}] END"
        )
    return f"CASE {currency} {' '.join(branches)} END" if branches else "NULL::DECIMAL(18, 8)"


def _valid_on(rates: dict[date, Decimal], day: date) -> str:
    days = (day - timedelta(days=n) for n in range(VALID_DAYS + 1))
    return next((str(rates[before]) for before in days if before in rates), "NULL")


def _rate(nodes: Document, node: yaml.Node) -> Rate | None:
    before = len(nodes.problems)
    found = nodes.fields(node, _KEYS, (), "a rate")
    if missing := [key for key in _KEYS if key not in found]:
        nodes.note(node, f"a rate needs {', '.join(missing)}: {{currency: USD, on: 2026-11-22, rate: 1391.2}}")
        return None
    currency, on, rate = (nodes.text(found[key], f"'{key}'") for key in _KEYS)
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        nodes.note(found["currency"], f"'{currency}' is not a currency; use an ISO 4217 code like USD")
    day, worth = _day(on), _worth(rate)
    if day is None:
        nodes.note(found["on"], f"'{on}' is not a date; write it as 2026-11-22")
    if worth is None:
        nodes.note(found["rate"], f"'{rate}' is not a rate; write a number above 0 like 1391.2")
    if len(nodes.problems) > before or day is None or worth is None:
        return None
    return Rate(currency.upper(), day, worth)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _worth(text: str) -> Decimal | None:
    try:
        worth = Decimal(text)
    except InvalidOperation:
        return None
    return worth if worth.is_finite() and Decimal("1e-8") <= worth < Decimal("1e9") else None
