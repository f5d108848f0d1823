"""The SQL that reads an export as typed columns, each bad value marked instead of failing.

One definition serves both readings: the narrow one (what RFM needs, for files of one row per order)
and the full one (line items, contacts, order id), so that they cannot disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dangol.orders.dialect import CONTACT_COLUMNS, COUNTED_STATUSES, ITEM_COLUMNS, PAID, Dialect
from dangol.orders.files import Export
from dangol.orders.rejects import FIRST_DAY, LAST_DAY, MAX_AMOUNT, is_rejects_file
from dangol.shop import Shop

MONEY = "DECIMAL(18, 4)"
"""Exact, so that sums do not depend on the order of addition."""

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
    source: str
    """SQL: table function that yields the export's records as text columns c0, c1, …"""
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
            FROM (SELECT {self._columns()} FROM {self.source})"""

    def _text(self, column: str) -> str:
        if column not in self.columns:
            return "NULL::VARCHAR"
        cell = f"c{self.columns[column]}"
        if not is_rejects_file(self.export.header):
            return cell
        # A rejects file, corrected: what was put before a formula to disarm it comes off again.
        return f"regexp_replace({cell}, '^''(''*[=+@\\t\\r-])', '\\1')"

    def _columns(self) -> str:
        numbers = ("amount", "line_amount", "refunded_amount", "unit_price", "quantity")
        texts = ("order_id", "customer_id", "product_id", "product_name", "category", *CONTACT_COLUMNS)
        cells = [
            *(f"{_trimmed(self._text(name))} AS {name}" for name in texts),
            *(f"{_number(self._text(name))} AS {name}" for name in numbers),
            f"{_moment(self._text('ordered_at'))} AS ordered_at",
            f"{self._status()} AS status",
            f"({self._has_item()}) AS has_item",
            *(f"c{i}" for i in range(len(self.export.header))),
        ]
        return ", ".join(cells)

    def _has_item(self) -> str:
        present = [f"{_given(self._text(name))}" for name in ITEM_COLUMNS if name in self.columns]
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
            "ordered_at": f"CASE WHEN ordered_at IS NULL THEN {_given(text('ordered_at'))} "
            f"ELSE ordered_at < DATE '{FIRST_DAY}' OR ordered_at >= DATE '{LAST_DAY}' + 1 END",
            "status": f"CASE WHEN status IS NULL THEN {_given(text('status'))} ELSE false END",
            "currency": f"CASE WHEN {text('currency')} = '{self.shop.currency}' THEN false "
            f"ELSE {_given(text('currency'))} AND {unlike} END",
            **{
                name: f"CASE WHEN {name} IS NULL THEN {_given(text(name))} "
                f"ELSE {name} < 0::{MONEY} OR {name} > {MAX_AMOUNT}::{MONEY} END"
                for name in ("amount", "line_amount", "refunded_amount")
            },
        }
        return " ".join(
            f"WHEN {wrong[column]} THEN {number}"
            for number, column in enumerate(CHECKED_COLUMNS, 1)
            if column in wrong and column in self.columns
        )


def _trimmed(text: str) -> str:
    """The reader yields NULL for an empty cell, so only blanks beside or in place of a value are left."""
    return f"CASE WHEN contains({text}, ' ') THEN nullif(trim({text}), '') ELSE {text} END"


def _given(text: str) -> str:
    return f"({_trimmed(text)} IS NOT NULL)"


def _number(text: str) -> str:
    """A number as it stands or, in the rows that have them, with thousands commas and a currency sign.

    Other commas are not dropped: 12,50 may mean twelve and a half.
    """
    if text.startswith("NULL"):
        return f"NULL::{MONEY}"
    dressed = f"regexp_full_match(trim({text}), '{_DRESSED_NUMBER}')"
    bare = f"regexp_replace({text}, '[₩￦원$€,\\s]', '', 'g')"
    return f"coalesce(try_cast({text} AS {MONEY}), CASE WHEN {dressed} THEN try_cast({bare} AS {MONEY}) END)"


_DRESSED_NUMBER = r"[+-]?\s*[₩￦$€]?\s*(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s*[₩￦원$€]?"


def _moment(text: str) -> str:
    """Shop-local time: as written without an offset, converted with one. Nothing but dates is one.

    The first branch takes what nearly every export writes, and tells 13:45:00 from 13:45+09. The rest is a
    lambda, so that DuckDB does not take trim(text) out of it and trim the text of every row.
    """
    usual = (
        f"strlen({text}) = 10 OR (strlen({text}) = 19 AND {text} LIKE '%:__:__') "
        f"OR (strlen({text}) = 16 AND {text} LIKE '%:__')"
    )
    return (
        f"coalesce(CASE WHEN {usual} THEN try_cast({text} AS TIMESTAMP) END, "
        f"list_transform([trim({text})], lambda t: {_UNUSUAL_MOMENT})[1])"
    )


_DATE = r"(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{8})"
_TIME = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_OFFSET = r"\s*([Zz]|[+-]\d{2}(:?\d{2})?)"
_OTHER_FORMATS = (
    "%Y.%m.%d",
    "%Y.%m.%d %H:%M",
    "%Y.%m.%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
)
_UNUSUAL_MOMENT = f"""
    CASE WHEN regexp_full_match(t, '{_DATE}{_TIME}{_OFFSET}')
        THEN try_cast(try_cast(regexp_replace(t, '\\s+([Zz+-])', '\\1') AS TIMESTAMPTZ) AS TIMESTAMP)
    WHEN regexp_full_match(t, '{_DATE}({_TIME})?')
        THEN coalesce(try_cast(t AS TIMESTAMP), try_strptime(t, {list(_OTHER_FORMATS)}))
    END
"""
