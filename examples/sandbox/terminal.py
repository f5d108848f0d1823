"""How the demo looks in the terminal: progress with a clock, and tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from textwrap import indent, wrap
from typing import TypeVar

from dangol.reports.summary import Summary
from dangol.reports.text import aligned, summary_text

from examples.sandbox.deployed import Item, Written
from examples.sandbox.listener import Change

T = TypeVar("T")

MARGIN = " " * 7
NOBODY = "—"
WIDTH = 100
"""Characters of a line of text, the margin not counted."""
TELL_EVERY = 5
"""Seconds between lines on one thing waited for."""
PATIENCE = 180
"""Seconds after which it is given up."""


class Terminal:
    """Prints; what it says of progress begins with the minutes and seconds that went by."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._after_table = False

    def heading(self, text: str) -> None:
        """A new chapter."""
        print(f"\n{text}\n{'─' * len(text)}")
        self._after_table = False

    def say(self, text: str) -> None:
        """One line of progress."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        print("\n" * self._after_table + f"{minutes:2d}:{seconds:02d}  {text}")
        self._after_table = False

    def show(self, title: str, text: str) -> None:
        """Something to look at."""
        print(f"\n{MARGIN}{title}\n\n{indent(text, MARGIN)}")
        self._after_table = True

    def follow(
        self, what: str, found: Callable[[], Sequence[T]], count: int, detail: Callable[[], str] | None = None
    ) -> Sequence[T]:
        """Waits until so many are found, and tells every few seconds how far it is. TimeoutError if they never are."""
        began = told = time.monotonic()
        while len(there := found()) < count:
            now = time.monotonic()
            if now - began > PATIENCE:
                raise TimeoutError(f"after {PATIENCE} s only {len(there)} of {count} {what}")
            if now - told >= TELL_EVERY:
                told = now
                self.say(f"… {len(there)} of {count} {what}" + (f", {detail()}" if detail else ""))
            time.sleep(0.2)
        return there


@dataclass(frozen=True, slots=True)
class Step:
    """What the clock brought when it was moved on."""

    title: str
    day: date
    changes: Sequence[Change]
    """As heard on the bus."""
    written: Written


def segments_text(summary: Summary, currency: str) -> str:
    """The segments, what the columns mean, and where those are whom no rule holds."""
    cells = [(count, days, orders) for days, row in summary.unclassified for orders, count in row.items()]
    largest = ", ".join(f"{count:,} with R {days} and F {orders}" for count, days, orders in sorted(cells)[:-4:-1])
    return "\n".join(
        (
            summary_text(summary),
            "",
            f"R, F, M: medians of days since the last order, orders in 90 days, their average in {currency}",
            "share: of all customers; revenue: share of all they ever spent",
            f"unclassified: {largest}, …; all are in the report",
        )
    )


def rejects_text(rejects: Sequence[Mapping[str, str]]) -> str:
    """Rejected rows: where, why, and the row as it came."""
    return "\n".join(line for reject in rejects for line in _reject_lines(reject))


def _reject_lines(reject: Mapping[str, str]) -> Iterator[str]:
    value = f" '{reject['value']}'" if reject["value"] else ""
    yield f"{reject['row'][:WIDTH]}{'…' if len(reject['row']) > WIDTH else ''}"
    text = f"line {reject['line']}: {reject['column']}{value} {reject['reason']}"
    yield from wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def customers_text(customers: Sequence[Item], summary: Summary, currency: str) -> str:
    """Customers as table `Customers` has them."""
    names = _names(summary)
    head = ("customer", "segment", "also in", "since", "last order", "F", f"M ({currency})", "orders", "spent")
    return aligned([head, *(_customer_row(customer, names, currency) for customer in customers)], left=3)


def moved_text(customers: Sequence[Item], summary: Summary) -> str:
    """Where customers are, since when, and where they were before."""
    names = _names(summary)
    rows = [
        (
            customer["customer_id"],
            names.get(customer.get("previous_segment"), NOBODY),
            names[customer["segment"]],
            customer["segment_since"],
        )
        for customer in customers
    ]
    return aligned([("customer", "was", "is", "since"), *rows], left=4)


def _names(summary: Summary) -> dict[str | None, str]:
    """What people call the segments, by id."""
    rfm: list[tuple[str | None, str]] = [(line.id, line.name) for line in summary.rfm]
    return dict(rfm) | {segment: name for segment, name, _ in summary.segments}


def _customer_row(customer: Item, names: Mapping[str | None, str], currency: str) -> tuple[str, ...]:
    rfm, *others = customer["segments"]
    digits = 0 if currency == "KRW" else 2
    return (
        customer["customer_id"],
        names[rfm],
        ", ".join(names[segment] for segment in others) or NOBODY,
        customer["segment_since"],
        customer.get("last_order_on", NOBODY),
        str(customer["orders_90d"]),
        f"{customer['aov_90d']:,.{digits}f}" if "aov_90d" in customer else NOBODY,
        str(customer["orders_lifetime"]),
        f"{customer['revenue_lifetime']:,.{digits}f}",
    )


def steps_text(steps: Sequence[Step], customers: int) -> str:
    """Who moved from where to where at each step, and what that cost."""
    moves = [_moves(step.changes) for step in steps]
    pairs = [pair for pair, _ in sum(moves, Counter()).most_common()]
    rows = [
        ("from", "to", *(step.title for step in steps)),
        ("", "", *(step.day.isoformat() for step in steps)),
        *((*pair, *(f"{counted[pair]:,}" for counted in moves)) for pair in pairs),
        ("", "", *("" for _ in steps)),
        ("customers moved", "", *(f"{counted.total():,}" for counted in moves)),
        ("events on the bus", "", *(f"{len(step.changes):,}" for step in steps)),
        ("DynamoDB writes", "", *(f"{step.written.items:,}" for step in steps)),
        ("writes per 1,000 customers", "", *(f"{step.written.items / customers * 1000:,.1f}" for step in steps)),
    ]
    return aligned(rows, left=2)


def _moves(changes: Sequence[Change]) -> Counter[tuple[str, str]]:
    """Moves by (from, to). A move between two segments is two events, an exit and an entry: the entry counts."""
    return Counter(
        (change["from"] or NOBODY, change["to"] or NOBODY)
        for change in changes
        if change["change"] == "entered" or not change["to"]
    )
