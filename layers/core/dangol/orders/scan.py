"""The SQL that reads an export as typed columns, each bad value marked instead of failing.

One definition serves both readings: the narrow one (what RFM needs, for files of one row per order)
and the full one (line items, contacts, order id), so that they cannot disagree. It is made of three
layers: the cells as they are read, what follows from them by the dialect, and what is wrong with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dangol.engine import literal
from dangol.files import records
from dangol.files.export import Export
from dangol.files.rejects import FIRST_DAY, LAST_DAY, MAX_AMOUNT, reason_for
from dangol.files.styles import Style, style_of
from dangol.files.values import MONEY, given, identifier, moment, number, text_of, trimmed
from dangol.identity import CALLING_CODE, who_sql
from dangol.orders.cells import first_blank
from dangol.orders.dialect import (
    CANCELLED,
    CONTACT_COLUMNS,
    COUNTED_STATUSES,
    ITEM_COLUMNS,
    PAID,
    REFUNDED,
    UNPAID,
    Layout,
)
from dangol.orders.rates import Rate, rate_sql
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
    "shipping",
    "quantity",
    "unit_price",
)
"""Columns that can be at fault; `problem` in a scan is the position here, from 1.

Quantity, unit price and discount only describe: where they cannot be read they are left empty, unless quantity ×
unit price is the amount.
"""

_NUMBERS = ("amount", "line_amount", "refunded_amount", "shipping", "discount", "unit_price", "quantity")
_AMOUNTS = ("amount", "line_amount", "refunded_amount", "shipping", "discount")
_IDS = ("order_id", "customer_id", "product_id", "shipping_group")
_TEXTS = ("coupon", "product_name", "category", *CONTACT_COLUMNS)
_ENDED = (CANCELLED, REFUNDED)


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
    layout: Layout
    shop: Shop
    calling_code: str = CALLING_CODE
    """Country of phone numbers that do not name one."""
    rates: Sequence[Rate] = ()

    def typed(self) -> str:
        """SQL: one row per record, typed; `problem` marks the first unreadable value.

        Columns: order_id, customer_id VARCHAR (identity.who_sql: personal in clear); ordered_at TIMESTAMP (shop
        time); amount, line_amount, refunded_amount, shipping, discount, unit_price, quantity DECIMAL(18,4), amounts
        in the shop's currency; status VARCHAR (canonical); cancels VARCHAR (its own number, of a row that takes
        another order back); by_line BOOLEAN (status and discount are the row's); shipping_group, coupon, product_id,
        product_name, category, email, phone, customer_name VARCHAR; has_item BOOLEAN; problem UTINYINT. NULL where
        blank or unreadable. Columns that a query leaves out are not even read.
        """
        replaced = {
            **(self._converted() if self._foreign() else {}),
            **self._multiplied(),
            **self._cancelling(),
            "status": self._status(),
        }
        changes = ", ".join(f"{sql} AS {name}" for name, sql in replaced.items())
        person = who_sql(
            "customer_id" if "customer_id" in self.columns else "NULL", *self._contacts(), self.calling_code
        )
        return f"""
            SELECT *, CASE {self._unreadable()} END::UTINYINT AS problem
            FROM (
                SELECT * REPLACE ({person} AS customer_id, {changes}),
                    customer_id AS own_id, {self._cancels()} AS cancels
                FROM (SELECT {self._cells()} FROM {records.source(self.export)})
            )"""

    def on(self, export: Export) -> "Scan":
        """The same of another rendering of the file."""
        return replace(self, export=export)

    @property
    def columns(self) -> dict[str, int]:
        """Canonical column → index in the header, the first of those that may hold it."""
        columns = {name: indexes[0] for name, indexes in self.layout.columns.items()}
        if self.layout.currency and "currency" not in columns:
            amounts = ("amount", "line_amount", "unit_price")
            columns["currency"] = next(columns[name] for name in amounts if name in columns)
        return columns

    def reason(self, column: str, value: str) -> str:
        """What is wrong with `value` in `column` (canonical), and what to do about it."""
        return reason_for(column, value, self.shop.currency)

    def first_blank(self, cells: Sequence[str]) -> str:
        """Of a row that lacks something, the first required column whose cell is blank, or tells nobody."""
        return first_blank(self.layout, cells, self.calling_code)

    # ---- the cells ---------------------------------------------------------------------------------

    def _text(self, column: str) -> str:
        """SQL: the text of a column, of several that may hold it the first that is filled in."""
        texts = [text_of(self.export, index) for index in self.layout.columns.get(column, ())]
        if len(texts) < 2:
            return texts[0] if texts else "NULL::VARCHAR"
        return f"coalesce({', '.join(trimmed(text) for text in texts)})"

    def _cells(self) -> str:
        dialect = self.layout.dialect
        cells = [
            *(f"{identifier(self._text(name))} AS {name}" for name in _IDS),
            *(f"{trimmed(self._text(name))} AS {name}" for name in _TEXTS),
            *(f"{number(self._text(name), self._style(*_AMOUNTS, 'unit_price'))} AS {name}" for name in _NUMBERS),
            f"{moment(self._text('ordered_at'), self._style('ordered_at'))} AS ordered_at",
            f"{self._said()} AS status",
            f"({'true' if dialect.row_is_line else self._has_item()}) AS has_item",
            f"{dialect.status_of_line or bool(dialect.cancellations)} AS by_line",
            *(f"c{i}" for i in range(len(self.export.header))),
        ]
        return ", ".join(cells)

    def _style(self, *columns: str) -> Style:
        """How columns that are written alike are written in this file."""
        indexes = [index for name in columns for index in self.layout.columns.get(name, ())]
        return style_of(self.export, indexes, self.layout.dialect.date_order)

    def _has_item(self) -> str:
        present = [f"{given(self._text(name))}" for name in ITEM_COLUMNS if name in self.columns]
        return " OR ".join(present) or "false"

    def _said(self) -> str:
        """SQL: the canonical status of the status column's word."""
        if "status" not in self.columns:
            return f"'{PAID}'"
        text, words = self._text("status"), self.layout.dialect.words
        # Words as they stand come first, and the folded text is named once only: DuckDB would take an
        # expression that occurs twice out of the CASE and fold the status of every row.
        written = {word: status for status, known in self.layout.dialect.statuses.items() for word in (status, *known)}
        plain = " ".join(f"WHEN {literal(word)} THEN '{status}'" for word, status in written.items())
        known = ", ".join(f"{literal(word)}: '{status}'" for word, status in words.items())
        return f"CASE {text} {plain} ELSE (MAP {{{known}}})[regexp_replace(lower({text}), '[\\s_-]', '', 'g')] END"

    # ---- what follows from them --------------------------------------------------------------------

    def _contacts(self) -> tuple[str, str]:
        email, phone = (name if name in self.columns else "NULL" for name in ("email", "phone"))
        return email, phone

    def _status(self) -> str:
        """SQL: the status, by the word and by the dates of payment and cancellation."""
        branches = []
        if "status" in self.columns and len({"paid_at", "cancelled_at"} & set(self.columns)) > 0:
            branches.append(f"WHEN status IS NULL AND {given(self._text('status'))} THEN NULL")
        if "cancelled_at" in self.columns:
            branches.append(f"WHEN {given(self._text('cancelled_at'))} THEN '{CANCELLED}'")
        if "paid_at" in self.columns:
            branches.append(f"WHEN status IN {_ENDED} THEN status")
            branches.append(f"WHEN NOT {given(self._text('paid_at'))} THEN '{UNPAID}'")
        if self.layout.dialect.cancellations:
            branches.append(f"WHEN {self._cancels()} IS NOT NULL OR {self._line_amount()} < 0 THEN '{CANCELLED}'")
        return f"CASE {' '.join(branches)} ELSE status END" if branches else "status"

    def _line_amount(self) -> str:
        if self.layout.dialect.multiplied:
            return f"try_cast(quantity * unit_price AS {MONEY})"
        return "line_amount"

    def _multiplied(self) -> dict[str, str]:
        return {"line_amount": self._line_amount()} if self.layout.dialect.multiplied else {}

    def _cancels(self) -> str:
        prefix = self.layout.dialect.cancellations
        return f"CASE WHEN starts_with(order_id, {literal(prefix)}) THEN order_id END" if prefix else "NULL::VARCHAR"

    def _cancelling(self) -> dict[str, str]:
        """An order that takes another one back is read as part of that one."""
        prefix = self.layout.dialect.cancellations
        if not prefix:
            return {}
        number = f"substr(order_id, {len(prefix) + 1})"
        return {"order_id": f"CASE WHEN starts_with(order_id, {literal(prefix)}) THEN {number} ELSE order_id END"}

    # ---- money in other currencies -----------------------------------------------------------------

    def _currency(self) -> str:
        """SQL: the code of the row's currency, NULL where nothing says it."""
        stated = self.layout.currency
        text = f"upper(trim({self._text('currency')}))"
        return f"coalesce(nullif({text}, ''), {literal(stated)})" if stated else text

    def _foreign(self) -> bool:
        """Whether amounts may have to be converted."""
        return bool(self.rates) and self._may_differ()

    def _may_differ(self) -> bool:
        return "currency" in self.layout.columns or self.layout.currency not in (None, self.shop.currency)

    def _rate(self) -> str:
        return rate_sql(self.rates, self._currency(), "ordered_at::DATE")

    def _converted(self) -> dict[str, str]:
        own = f"coalesce({self._currency()} IN ('', '{self.shop.currency}'), true)"
        return {
            name: f"CASE WHEN {own} THEN {name} ELSE try_cast({name} * {self._rate()} AS {MONEY}) END"
            for name in _AMOUNTS
            if name in self.columns
        }

    # ---- what is wrong -----------------------------------------------------------------------------

    def _unreadable(self) -> str:
        """SQL: WHEN branches from an unreadable value to its position in CHECKED_COLUMNS.

        Written as CASEs, which DuckDB evaluates for the rows that come to them only.
        """
        wrong = {
            "order_id": "order_id IS NULL",
            # Bytes that a sort key of DynamoDB holds; an id that a spreadsheet has shortened is not made up for.
            "customer_id": f"CASE WHEN own_id IS NULL THEN {given(self._text('customer_id'))} "
            "ELSE strlen(customer_id) > 1024 END",
            "ordered_at": f"CASE WHEN ordered_at IS NULL THEN {given(self._text('ordered_at'))} "
            f"ELSE ordered_at < DATE '{FIRST_DAY}' OR ordered_at >= DATE '{LAST_DAY}' + 1 END",
            "status": f"CASE WHEN status IS NULL THEN {given(self._text('status'))} ELSE false END",
            **{name: self._bad_amount(name) for name in ("amount", "line_amount", "refunded_amount", "shipping")},
        }
        if self.layout.dialect.multiplied:
            wrong |= self._bad_product()
        wrong = {name: sql for name, sql in wrong.items() if name in self.layout.columns}
        if self._may_differ():
            wrong["currency"] = self._bad_currency()
        positions = {column: position for position, column in enumerate(CHECKED_COLUMNS, 1) if column in wrong}
        if self._foreign():  # without a rate there is no amount, and that is not the amount's fault
            positions = {"currency": CHECKED_COLUMNS.index("currency") + 1} | positions
        return " ".join(f"WHEN {wrong[column]} THEN {position}" for column, position in positions.items())

    def _bad_amount(self, name: str) -> str:
        blank = given(self._text(name))
        if name == "line_amount" and self.layout.dialect.row_is_line and "amount" not in self.columns:
            blank = "true"  # without it the order's total would be wrong
        return f"CASE WHEN {name} IS NULL THEN {blank} ELSE {name} < 0::{MONEY} OR {name} > {MAX_AMOUNT}::{MONEY} END"

    def _bad_product(self) -> dict[str, str]:
        lowest = -MAX_AMOUNT if self.layout.dialect.cancellations else 0
        absurd = f"line_amount NOT BETWEEN {lowest}::{MONEY} AND {MAX_AMOUNT}::{MONEY}"
        return {
            "quantity": f"(quantity IS NULL OR (unit_price IS NOT NULL AND coalesce({absurd}, true)))",
            "unit_price": "unit_price IS NULL",
        }

    def _bad_currency(self) -> str:
        text = self._text("currency")
        if self.layout.currency in (None, self.shop.currency) and not self.rates:
            unlike = f"upper(trim({text})) <> '{self.shop.currency}'"
            return f"CASE WHEN {text} = '{self.shop.currency}' THEN false ELSE {given(text)} AND {unlike} END"
        known = f"AND {self._rate()} IS NULL AND (ordered_at IS NOT NULL OR coalesce(amount, line_amount) IS NOT NULL)"
        return f"coalesce({self._currency()} NOT IN ('', '{self.shop.currency}') {known if self.rates else ''}, false)"
