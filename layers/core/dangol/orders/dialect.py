"""What the columns and statuses of an order export mean, and which export a file is.

A dialect is data, described in YAML (`dialects/*.yaml`, read by `describe.py`): canonical columns with the
headers they go by, canonical statuses with a platform's words for them, and how rows make an order.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from dangol.errors import UnreadableFile
from dangol.files.columns import fold, match_columns
from dangol.files.styles import DateOrder

PAID, PARTIALLY_REFUNDED, UNPAID, CANCELLED, REFUNDED = (
    "paid",
    "partially_refunded",
    "unpaid",
    "cancelled",
    "refunded",
)
COUNTED_STATUSES = (PAID, PARTIALLY_REFUNDED)
"""Orders that count, as long as they are not refunded in full (design §3, "counted order")."""
STATUSES = (PAID, PARTIALLY_REFUNDED, UNPAID, CANCELLED, REFUNDED)
"""What a dialect may map its words to."""

ITEM_COLUMNS = ("product_id", "product_name", "category", "quantity", "unit_price")
"""Columns that describe a line item rather than the order."""

CONTACT_COLUMNS = ("email", "phone", "customer_name")
"""Personal data: kept in the ledger, never in what other services read."""

COLUMNS = {
    "order_id": "number of the order",
    "customer_id": "the platform's id of the customer; without one it is the e-mail address, else the phone number",
    "ordered_at": "when it was ordered",
    "amount": "total of the order, on one of its rows or repeated on each",
    "line_amount": "amount of the row; those of an order add up",
    "status": "what became of the order, or of the item",
    "paid_at": "blank: unpaid",
    "cancelled_at": "filled in: cancelled",
    "currency": "currency of the amounts",
    "refunded_amount": "what was paid back of the order",
    "shipping": "shipping fee, added to the line amounts once for each shipping_group",
    "shipping_group": "rows that are shipped together",
    "coupon": "code or name of the coupon",
    "discount": "amount taken off by coupons or discounts",
    "email": "e-mail address",
    "phone": "phone number",
    "customer_name": "name",
    **dict.fromkeys(ITEM_COLUMNS, "line item"),
}
"""Every canonical column with what it holds."""

_CURRENCY = re.compile(r"\(([A-Z]{3})\)$")

Choices = tuple[tuple[str, ...], ...]
"""The columns that may hold a value, the first that is filled in counts; each with the headers it goes by."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of export writes its columns, statuses and orders. Headers and words are as written."""

    name: str
    title: str
    columns: Mapping[str, Choices]
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Canonical status → the words for it. A blank status is paid."""
    all_of: tuple[str, ...] = ()
    """Headers that tell this dialect: all of them must be there …"""
    any_of: tuple[str, ...] = ()
    """… and one of these, if there are any."""
    ignored_suffixes: tuple[str, ...] = ()
    """What may follow a header without changing its meaning."""
    row_is_line: bool = False
    """Whether every row is a line item, and an order therefore often has several rows."""
    status_of_line: bool = False
    """Whether the status is the row's: then an order lives as long as one of its lines does."""
    multiplied: bool = False
    """Whether the line amount is quantity × unit price."""
    cancellations: str = ""
    """What the numbers of orders begin with that take back others; their amounts may be negative."""
    date_order: DateOrder | None = None
    """How such exports write 12/1/09, where the file itself does not tell; None: they do not."""
    refuse: str = ""
    """Why no file of this kind can be used, and what to do."""

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which no order can be read; of those in one entry, one is enough."""
        amounts = ("quantity", "unit_price") if self.multiplied else ("amount|line_amount",)
        return ("order_id", "customer_id|email|phone", "ordered_at", *amounts)

    @property
    def headers(self) -> dict[str, tuple[str, ...]]:
        """Canonical column → the folded headers it goes by."""
        return {
            name: tuple(fold(alias) for alias in chain.from_iterable(choices)) for name, choices in self.columns.items()
        }

    @property
    def words(self) -> dict[str, str]:
        """Folded word → the canonical status it means; the canonical words mean themselves everywhere."""
        own = {fold(word): status for status, words in self.statuses.items() for word in words}
        return {fold(status): status for status in STATUSES} | own

    def bare(self, header: str) -> str:
        """A header without the suffixes that do not matter, `(KRW)` among them."""
        before = None
        while header != before:
            before, header = header, _CURRENCY.sub("", header.strip()).rstrip()
            for suffix in self.ignored_suffixes:
                header = header.removesuffix(suffix).rstrip()
        return header

    def told_by(self, header: Sequence[str]) -> tuple[str, ...]:
        """The headers that tell this dialect; none when it is another."""
        names = {fold(self.bare(name)) for name in header}
        found = tuple(name for name in (*self.all_of, *self.any_of) if fold(self.bare(name)) in names)
        complete = self.all_of and found[: len(self.all_of)] == self.all_of
        return found if complete and (len(found) > len(self.all_of) or not self.any_of) else ()

    def fits(self, header: Sequence[str]) -> bool:
        """Whether all required columns are there."""
        names = {fold(self.bare(name)) for name in header}
        there = {column for column, headers in self.headers.items() if not names.isdisjoint(headers)}
        return all(not there.isdisjoint(entry.split("|")) for entry in self.required)

    def match(self, header: Sequence[str], file: str, line: int) -> "Layout":
        """Which column is which.

        Raises UnreadableFile when a required one is missing, or for every file of a kind that is refused.
        """
        if self.refuse:
            raise UnreadableFile(file, self.refuse, line)
        bare = [self.bare(name) for name in header]
        match_columns(self.headers, self.required, bare, file, line)
        names = [fold(name) for name in bare]
        columns = {}
        for column, choices in self.columns.items():
            if indexes := tuple(dict.fromkeys(_indexes(names, choices))):
                columns[column] = indexes
        amount = columns.get("amount") or columns.get("line_amount") or columns["unit_price"]
        return Layout(self, columns, _currency(header[amount[0]]), self.told_by(header))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file."""

    dialect: Dialect
    columns: Mapping[str, tuple[int, ...]]
    """Canonical column → indexes in the header, the first that is filled in counts."""
    currency: str | None = None
    """What the header of the amount says: `총 결제금액(USD)`."""
    told_by: tuple[str, ...] = ()
    """Headers that tell the dialect from others; none for the plain one."""


def _indexes(names: Sequence[str], choices: Choices) -> Iterator[int]:
    """Of each choice the column that goes by its first header that is there."""
    for aliases in choices:
        known = [fold(alias) for alias in aliases]
        if there := [name for name in known if name in names]:
            yield names.index(there[0])


def _currency(header: str) -> str | None:
    found = _CURRENCY.search(header.strip())
    return found[1] if found else None


def recognise(header: Sequence[str], dialects: Sequence[Dialect]) -> Dialect | None:
    """The dialect that most of the headers tell, of equal ones the first; None for none."""
    told = [dialect for dialect in dialects if dialect.told_by(header)]
    return max(told, key=lambda dialect: len(dialect.told_by(header)), default=None)
