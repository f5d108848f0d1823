"""SQL that makes a typed value of a cell's text: NULL where it is blank or cannot be read."""

from collections.abc import Sequence

from dangol.files.export import Export
from dangol.files.rejects import is_rejects_file

MONEY = "DECIMAL(18, 4)"
"""Exact, so that sums do not depend on the order of addition."""


def text_of(export: Export, index: int | None) -> str:
    """SQL: the text of the column at `index` of the header; NULL when there is none."""
    if index is None:
        return "NULL::VARCHAR"
    if not is_rejects_file(export.header):
        return f"c{index}"
    # A rejects file, corrected: what was put before a formula to disarm it comes off again.
    return f"regexp_replace(c{index}, '^''(''*[=+@\\t\\r-])', '\\1')"


def cell(cells: Sequence[str], index: int) -> str:
    """A cell of a record that may be cut short."""
    return cells[index].strip() if index < len(cells) else ""


def trimmed(text: str) -> str:
    """The reader yields NULL for an empty cell, so only blanks beside or in place of a value are left."""
    return f"CASE WHEN contains({text}, ' ') THEN nullif(trim({text}), '') ELSE {text} END"


def given(text: str) -> str:
    """SQL: whether a cell has anything in it."""
    return f"({trimmed(text)} IS NOT NULL)"


def number(text: str) -> str:
    """A number as it stands or, in the rows that have them, with thousands commas and a currency sign.

    Other commas are not dropped: 12,50 may mean twelve and a half.
    """
    if text.startswith("NULL"):
        return f"NULL::{MONEY}"
    dressed = f"regexp_full_match(trim({text}), '{_DRESSED_NUMBER}')"
    bare = f"regexp_replace({text}, '[₩￦원$€,\\s]', '', 'g')"
    return f"coalesce(try_cast({text} AS {MONEY}), CASE WHEN {dressed} THEN try_cast({bare} AS {MONEY}) END)"


_DRESSED_NUMBER = r"[+-]?\s*[₩￦$€]?\s*(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s*[₩￦원$€]?"


def moment(text: str) -> str:
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
