"""The SQL that reads an export as typed columns, each bad value marked instead of failing.

One definition serves both readings: the narrow one (what RFM needs, for files of one row per order)
and the full one (line items, contacts, order id), so that they cannot disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dangol.files import records
from dangol.files.export import Export
from dangol.files.rejects import FIRST_DAY, LAST_DAY, MAX_AMOUNT, reason_for
from dangol.files.values import MONEY, cell, given, moment, number, text_of, trimmed
from dangol.orders.dialect import CONTACT_COLUMNS, COUNTED_STATUSES, ITEM_COLUMNS, PAID, Dialect
from dangol.shop import Shop

CHECKED_COLUMNS = (
    "order_id",
    "customer_id",
    "ordered_at",
    "amount",
    "line_amount",
    "status",
    "currency",
    "refunded_amount",
)
"""Columns that can be at fault; `problem` in a scan is the position here, from 1.

Quantity and unit price only describe a line item: where they cannot be read they are left empty.
"""

_REQUIRED = ("order_id", "customer_id", "ordered_at")


def net(amount: str, refunded: str) -> str:
    """SQL: what is left of an amount after refunds; subtracted only where there are any, and kept narrow."""
    return f"CASE WHEN {refunded} > 0::{MONEY} THEN ({amount} - {refunded})::{MONEY} ELSE {amount} END"


def counted(status: str, amount: str, refunded: str) -> str:
    """SQL: whether an order counts, that is paid, not cancelled, not refunded in full (design §3)."""
    in_full = f"coalesce({refunded} > 0::{MONEY} AND {refunded} >= {amount}, false)"
    # The plain case first; the rest is for the rows that are left.
    paid = f"CASE WHEN {status} = '{PAID}' THEN true ELSE coalesce({status}, '{PAID}') IN {COUNTED_STATUSES} END"
    return f"({paid} AND NOT {in_full})"


@dataclass(frozen=True, slots=True)
class Scan:
    """One export as SQL. Needs a connection whose TimeZone is the shop's."""

    export: Export
    columns: Mapping[str, int]
    """Canonical column → index in the header."""
    dialect: Dialect
    shop: Shop

    def typed(self) -> str:
        """SQL: one row per record, typed; `problem` marks the first unreadable value.

        Columns: order_id, customer_id VARCHAR; ordered_at TIMESTAMP (shop time); amount, line_amount,
        refunded_amount, unit_price, quantity DECIMAL(18,4); status VARCHAR (canonical); product_id,
        product_name, category, email, phone, customer_name VARCHAR; has_item BOOLEAN; problem UTINYINT.
        NULL where blank or unreadable. Columns that a query leaves out are not even read.
        """
        return f"""
            SELECT *, CASE {self._unreadable()} END::UTINYINT AS problem
            FROM (SELECT {self._columns()} FROM {records.source(self.export)})"""

    def on(self, export: Export) -> "Scan":
        """The same of another rendering of the file."""
        return replace(self, export=export)

    def reason(self, column: str, value: str) -> str:
        """What is wrong with `value` in `column` (canonical), and what to do about it."""
        return reason_for(column, value, self.shop.currency)

    def first_blank(self, cells: Sequence[str]) -> str:
        """Of a row that lacks something, the first required column whose cell is blank."""
        amount = "amount" if "amount" in self.columns else "line_amount"
        required = [*(name for name in _REQUIRED if name in self.columns), amount]
        return next((name for name in required if not cell(cells, self.columns[name])), amount)

    def _text(self, column: str) -> str:
        return text_of(self.export, self.columns.get(column))

    def _columns(self) -> str:
        numbers = ("amount", "line_amount", "refunded_amount", "unit_price", "quantity")
        texts = ("order_id", "customer_id", "product_id", "product_name", "category", *CONTACT_COLUMNS)
        cells = [
            *(f"{trimmed(self._text(name))} AS {name}" for name in texts),
            *(f"{number(self._text(name))} AS {name}" for name in numbers),
            f"{moment(self._text('ordered_at'))} AS ordered_at",
            f"{self._status()} AS status",
            f"({self._has_item()}) AS has_item",
            *(f"c{i}" for i in range(len(self.export.header))),
        ]
        return ", ".join(cells)

    def _has_item(self) -> str:
        present = [f"{given(self._text(name))}" for name in ITEM_COLUMNS if name in self.columns]
        return " OR ".join(present) or "false"

    def _status(self) -> str:
        if "status" not in self.columns:
            return f"'{PAID}'"
        text = self._text("status")
        words = {word: name for name, known in self.dialect.statuses.items() for word in known}
        # Words as they stand come first, and the folded text is named once only: DuckDB would take an
        # expression that occurs twice out of the CASE and fold the status of every row.
        plain = " ".join(f"WHEN '{name}' THEN '{name}'" for name in self.dialect.statuses)
        known = ", ".join(f"'{word}': '{name}'" for word, name in words.items())
        return f"CASE {text} {plain} ELSE (MAP {{{known}}})[regexp_replace(lower({text}), '[\\s_-]', '', 'g')] END"

    def _unreadable(self) -> str:
        """SQL: WHEN branches from an unreadable value to its position in CHECKED_COLUMNS.

        Written as CASEs, which DuckDB evaluates for the rows that come to them only.
        """
        text = self._text
        unlike = f"upper(trim({text('currency')})) <> '{self.shop.currency}'"
        wrong = {
            "order_id": "order_id IS NULL",
            "customer_id": "strlen(customer_id) > 1024",  # bytes that a sort key of DynamoDB holds
            "ordered_at": f"CASE WHEN ordered_at IS NULL THEN {given(text('ordered_at'))} "
            f"ELSE ordered_at < DATE '{FIRST_DAY}' OR ordered_at >= DATE '{LAST_DAY}' + 1 END",
            "status": f"CASE WHEN status IS NULL THEN {given(text('status'))} ELSE false END",
            "currency": f"CASE WHEN {text('currency')} = '{self.shop.currency}' THEN false "
            f"ELSE {given(text('currency'))} AND {unlike} END",
            **{
                name: f"CASE WHEN {name} IS NULL THEN {given(text(name))} "
                f"ELSE {name} < 0::{MONEY} OR {name} > {MAX_AMOUNT}::{MONEY} END"
                for name in ("amount", "line_amount", "refunded_amount")
            },
        }
        return " ".join(
            f"WHEN {wrong[column]} THEN {number}"
            for number, column in enumerate(CHECKED_COLUMNS, 1)
            if column in wrong and column in self.columns
        )
