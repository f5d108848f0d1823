"""How the demo looks in the terminal: progress with a clock, and tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from textwrap import indent, wrap
from typing import Any, TypeVar

from dangol.files.receipt import Receipt
from dangol.reports.summary import Summary
from dangol.reports.text import aligned, receipt_text, summary_text

from examples.sandbox.deployed import Item, Written
from examples.sandbox.listener import Change

T = TypeVar("T")

MARGIN = " " * 7
NOBODY = "—"
WIDTH = 100
"""Characters of a line of text, the margin not counted."""
TELL_EVERY = 10
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


def told(written: Written) -> str:
    """What refreshes wrote."""
    if not written.items:
        return "nothing to write"
    return f"{written.customers:,} customers and {written.memberships:,} memberships written"


def gist_of_inspection(text: str) -> str:
    """Of what `dangol inspect` prints: what the file is, the totals, and the rejected rows."""
    first, *blocks = text.split("\n\n")
    _, *about = first.splitlines()
    wanted = [block for block in blocks if block.startswith(("Together", "Rejected"))]
    return wrapped("\n\n".join(["\n".join([*about[:2], "  …"]), *wanted]))


def wrapped(text: str) -> str:
    """Text without long lines; what does not fit goes below, further in."""
    return "\n".join(line for long in text.splitlines() for line in wrap(long, WIDTH, subsequent_indent="    ") or [""])


def receipts_text(receipts: Mapping[str, Receipt]) -> str:
    """Receipts by the kind of the files, in a line or two each."""
    width = max(map(len, receipts))
    return "\n".join(f"{kind:<{width}}  {receipt_text(receipt)}" for kind, receipt in receipts.items())


def segments_text(summary: Summary, currency: str) -> str:
    """The RFM segments, what the columns mean, and where those are whom no rule holds."""
    cells = [(count, days, orders) for days, row in summary.unclassified for orders, count in row.items()]
    largest = ", ".join(f"{count:,} with R {days} and F {orders}" for count, days, orders in sorted(cells)[:-4:-1])
    return "\n".join(
        (
            summary_text(replace(summary, segments=[])),
            "",
            f"R, F, M: medians of days since the last order, orders in 90 days, their average in {currency}",
            "share: of all customers; revenue: share of all they ever spent",
            f"unclassified: {largest}, …; all are in the report",
        )
    )


def members_text(members: Mapping[str, Sequence[Item]], summary: Summary) -> str:
    """Each segment that holds somebody, with how many it holds and the first of them."""
    names = _names(summary)
    rows = [("segment", "", "members", "share", "among them")]
    for segment, found in members.items():
        first = ", ".join(str(member["customer_id"]) for member in found[:3])
        rows.append((segment, names[segment], f"{len(found):,}", f"{len(found) / summary.customers:.1%}", first))
    return aligned(rows, left=2)


def rejects_text(rejects: Sequence[Mapping[str, str]]) -> str:
    """Rejected rows: where, why, and the row as it came."""
    return "\n".join(line for reject in rejects for line in _reject_lines(reject))


def _reject_lines(reject: Mapping[str, str]) -> Iterator[str]:
    value = f" '{reject['value']}'" if reject["value"] else ""
    yield f"{reject['row'][:WIDTH]}{'…' if len(reject['row']) > WIDTH else ''}"
    text = f"line {reject['line']}: {reject['column']}{value} {reject['reason']}"
    yield from wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def customers_text(customers: Sequence[Item], summary: Summary, currency: str) -> str:
    """Customers as table `Customers` has them; below each the other segments they are in."""
    head = ("customer", "segment", "since", "last order", "F", f"M ({currency})", "orders", "spent")
    rows = [head, *(_customer_row(customer, _names(summary), currency) for customer in customers)]
    lines = aligned(rows, left=2).splitlines()
    for number, customer in reversed(list(enumerate(customers, start=2))):
        if others := customer["segments"][1:]:
            lines.insert(number, f"          and {', '.join(others)}")
    return "\n".join(lines)


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
    digits = 0 if currency == "KRW" else 2
    return (
        customer["customer_id"],
        names[customer["segment"]],
        customer["segment_since"],
        customer.get("last_order_on", NOBODY),
        str(customer["orders_90d"]),
        f"{customer['aov_90d']:,.{digits}f}" if "aov_90d" in customer else NOBODY,
        str(customer["orders_lifetime"]),
        f"{customer['revenue_lifetime']:,.{digits}f}",
    )


def steps_text(steps: Sequence[Step], summary: Summary) -> str:
    """Who moved from which RFM segment to which at each step, and what all changes cost."""
    rfm = {line.id for line in summary.rfm}
    moves = [_moves([change for change in step.changes if change["segment"] in rfm]) for step in steps]
    pairs = [pair for pair, _ in sum(moves, Counter()).most_common()]
    rows = [
        ("from", "to", *(step.title for step in steps)),
        ("", "", *(step.day.isoformat() for step in steps)),
        *((*pair, *(f"{counted[pair]:,}" for counted in moves)) for pair in pairs),
        ("", "", *("" for _ in steps)),
        ("customers moved", "", *(f"{counted.total():,}" for counted in moves)),
        ("all events on the bus", "", *(f"{len(step.changes):,}" for step in steps)),
        ("DynamoDB writes", "", *(f"{step.written.items:,}" for step in steps)),
        ("writes per 1,000 customers", "", *(f"{_per_thousand(step, summary):,.1f}" for step in steps)),
    ]
    return aligned(rows, left=2)


def _per_thousand(step: Step, summary: Summary) -> float:
    return step.written.items / summary.customers * 1000


def entries_text(steps: Sequence[Step], summary: Summary) -> str:
    """How many entered and left the segments beside the RFM segments at each step."""
    rfm, names = {line.id for line in summary.rfm}, _names(summary)
    counted = [Counter((one["segment"], one["change"]) for one in step.changes) for step in steps]
    segments = sorted({one["segment"] for step in steps for one in step.changes} - rfm)
    rows = [("segment", "", *(step.title for step in steps))]
    rows += [(one, names.get(one, ""), *(_in_and_out(found, one) for found in counted)) for one in segments]
    return aligned(rows, left=2)


def _in_and_out(counted: Counter[tuple[str, str]], segment: str) -> str:
    found = [(sign, counted[segment, change]) for sign, change in (("+", "entered"), ("−", "exited"))]
    return " ".join(f"{sign}{count:,}" for sign, count in found if count) or NOBODY


def outcomes(rows: Iterable[Item]) -> Counter[tuple[str, str, str, str]]:
    """Rows of table Deliveries, each by campaign, channel, what became of it, and whom it was for."""
    return Counter((row["run"].rpartition("-")[0], row["channel"], _outcome(row), row["customer_id"]) for row in rows)


def _outcome(row: Item) -> str:
    return " ".join(filter(None, (row["status"], row.get("reason", "").replace("_", " "))))


def outcomes_text(rows: Iterable[Item]) -> str:
    """How many messages of each campaign and channel ended as what, most first."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for campaign, channel, outcome, _ in outcomes(rows):
        counted[campaign, channel, outcome] += 1
    found = sorted(counted.items(), key=lambda one: (one[0][:2], -one[1]))
    table = [(*about, f"{people:,}") for about, people in found]
    return aligned([("campaign", "channel", "what became of it", "people"), *table], left=3)


def mail_text(mail: Mapping[str, Any]) -> str:
    """An e-mail's text part; signed links are cut short."""
    lines = f"To: {mail['To'][0]}\nSubject: {mail['Subject']}\n\n{mail['BodyText'].strip()}".splitlines()
    return wrapped("\n".join(line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines))


def _moves(changes: Sequence[Change]) -> Counter[tuple[str, str]]:
    """Moves by (from, to). A move is two events, an exit and an entry: the entry counts."""
    return Counter(
        (change["from"] or NOBODY, change["to"] or NOBODY)
        for change in changes
        if change["change"] == "entered" or not change["to"]
    )
