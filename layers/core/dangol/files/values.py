"""SQL that makes a typed value of a cell's text: NULL where it is blank or cannot be read.

What nearly every export writes comes first in each of them and costs one cast. The rest is in a lambda, so that
DuckDB does not take an expression that occurs twice out of its branch and evaluate it for every row.
"""

from collections.abc import Sequence

from dangol.files.export import Export
from dangol.files.rejects import SHORTENED_ID, is_rejects_file
from dangol.files.styles import FIRST_SERIAL, LAST_SERIAL, PLAIN_STYLE, Style

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


def identifier(text: str) -> str:
    """An id, trimmed, without what a spreadsheet did to it: 12345.0 and '12345 are 12345.

    1.23457E+11 has lost its digits for good: it is NULL.
    """
    if text.startswith("NULL"):
        return text
    # Every row pays for this, and looking for a sign is what costs: what begins with a letter is only trimmed; what
    # begins with an apostrophe is found by its place before the parenthesis, and apart from the number sign of
    # Shopify's orders.
    figure = f"contains({text}, '.') OR contains({text}, '+') OR ({text} >= '''' AND {text} < '(')"
    odd = f"contains({text}, ' ') OR ({text} < 'A' AND ({figure}))"
    return f"CASE WHEN {odd} THEN list_transform([trim({text})], lambda t: {_UNUSUAL_ID})[1] ELSE {text} END"


_UNUSUAL_ID = (
    rf"CASE WHEN regexp_full_match(t, '{SHORTENED_ID}') THEN NULL WHEN regexp_full_match(t, '\d+\.0+') "
    r"THEN regexp_replace(t, '\.0+$', '') ELSE nullif(regexp_replace(t, '^''([0-9A-Za-z+])', '\1'), '') END"
)


def number(text: str, style: Style = PLAIN_STYLE) -> str:
    """A number as it stands or, in the rows that have them, with thousands separators, a currency and a minus sign.

    Negative are -1,000 and 1,000- and (1,000) and △1,000. A comma that separates neither thousands nor, by
    `style`, decimals is not dropped: 12,50 may mean twelve and a half. Digits may be full-width.
    """
    if text.startswith("NULL"):
        return f"NULL::{MONEY}"
    digits = "translate(replace(replace(t, '.', ''), ' ', ''), ',', '.')" if style.decimal_comma else "t"
    figure = _COMMA_NUMBER if style.decimal_comma else _POINT_NUMBER
    plain = f"translate(trim({text}), '{_WIDE}', '{_NARROW}')"
    value = f"concat(CASE WHEN regexp_matches(t, '[-(]') THEN '-' END, regexp_replace({digits}, '[^0-9.]', '', 'g'))"
    dressed = f"CASE WHEN regexp_full_match(t, '{_dressed(figure)}') THEN try_cast({value} AS {MONEY}) END"
    unusual = f"CASE WHEN {text} IS NOT NULL THEN list_transform([{plain}], lambda t: {dressed})[1] END"
    if style.decimal_comma:
        return unusual
    # A cast that fails costs ten times one that does not: thousands commas are taken out before.
    grouped = (
        f"CASE WHEN regexp_full_match({text}, '{_GROUPED}') THEN try_cast(replace({text}, ',', '') AS {MONEY}) END"
    )
    cast = f"try_cast({text} AS {MONEY})"
    usual = f"CASE WHEN contains({text}, ',') THEN {grouped} ELSE {cast} END" if style.thousands else cast
    return f"coalesce({usual}, {unusual})"


_WIDE, _NARROW = "０１２３４５６７８９，．－−△▲（）\u00a0\u202f", "0123456789,.----()  "
_GROUPED = r"\d{1,3}(,\d{3})+(\.\d+)?"
_POINT_NUMBER = r"(\d{1,3}(,\d{3})+|\d+)(\.\d+)?"
_COMMA_NUMBER = r"(\d{1,3}([. ]\d{3})+|\d+)(,\d+)?"


def _dressed(figure: str) -> str:
    """Pattern: a figure with at most one sign and a currency on either side."""
    currency = r"(?i:[₩￦원$€]|US\$|KRW|USD|EUR)?"
    bare = rf"{currency}\s*{figure}\s*{currency}"
    signed = rf"[+-]?\s*{bare}|{currency}\s*[+-]\s*{figure}|{figure}\s*-\s*{currency}"
    return rf"{signed}|\(\s*{bare}\s*\)|{currency}\s*\({figure}\)"


def moment(text: str, style: Style = PLAIN_STYLE) -> str:
    """Shop-local time: as written without an offset, converted with one. Nothing but dates is one.

    ISO and Korean forms are always read; 12/31/2009, 31.12.2009 and 44927.5 as `style` says. The first branch
    takes what nearly every export writes, and tells 13:45:00 from 13:45+09.
    """
    unusual = f"list_transform([{_in_year_order(f'trim({text})', style)}], lambda t: {_unusual_moment(style)})[1]"
    if style.date_order:  # 12/1/09 07:45:00 is no date of the year 12
        return unusual
    usual = (
        f"strlen({text}) = 10 OR (strlen({text}) = 19 AND {text} LIKE '%:__:__') "
        f"OR (strlen({text}) = 16 AND {text} LIKE '%:__')"
    )
    shifted = f"try_cast(try_cast(replace(replace({text}, ' +', '+'), ' -', '-') AS TIMESTAMPTZ) AS TIMESTAMP)"
    return (
        f"coalesce(CASE WHEN {usual} THEN try_cast({text} AS TIMESTAMP) "
        f"WHEN strlen({text}) > 21 AND regexp_full_match({text}, '{_SHIFTED}') THEN {shifted} END, {unusual})"
    )


_SHIFTED = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d ?[+-]\d\d:?\d\d"
"""2025-10-07 09:50:26 +0200, as Shopify writes every date."""


def day(text: str, style: Style = PLAIN_STYLE) -> str:
    """A calendar date, such as a birthday: as `moment`. 900301 may mean several days: it is NULL."""
    return f"({moment(text, style)})::DATE"


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
_HALF_DAY_FORMATS = ("%Y-%m-%d %p %I:%M", "%Y-%m-%d %p %I:%M:%S", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p")
_KOREAN_DATE = r"^(\d{4})\s*[-./년]\s*(\d{1,2})\s*[-./월]\s*(\d{1,2})\s*[.일]?(\s|$)\s*"
_SPACED_MOMENT = rf"""
    list_transform([trim(regexp_replace(t, '{_KOREAN_DATE}', '\1-\2-\3 '))], lambda k:
        CASE WHEN regexp_full_match(k, '{_DATE}({_TIME})?') THEN try_cast(k AS TIMESTAMP)
        WHEN regexp_matches(k, '^\d{{4}}-\d{{1,2}}-\d{{1,2}} ') THEN
            try_strptime(replace(replace(upper(k), '오전', 'AM'), '오후', 'PM'), {list(_HALF_DAY_FORMATS)})
        END)[1]
"""


def _in_year_order(text: str, style: Style) -> str:
    """SQL: a date that begins with day or month turned into one that begins with the year (two digits are 20…)."""
    if style.date_order is None:
        return text
    turned = r"\3-\1-\2\4" if style.date_order == "mdy" else r"\3-\2-\1\4"
    parts = r"^(\d{1,2})[-./](\d{1,2})[-./]"
    long = rf"regexp_replace({text}, '{parts}(\d{{4}})(\D|$)', '{turned}')"
    return rf"regexp_replace({long}, '{parts}(\d{{2}})(\D|$)', '20{turned}')"


def _unusual_moment(style: Style) -> str:
    serial = rf"""
        WHEN regexp_full_match(t, '\d{{5}}(\.\d+)?') AND try_cast(t AS DOUBLE) BETWEEN {FIRST_SERIAL} AND {LAST_SERIAL}
        THEN TIMESTAMP '1899-12-30' + to_seconds(round(try_cast(t AS DOUBLE) * 86400))
    """
    return f"""
    CASE WHEN regexp_full_match(t, '{_DATE}{_TIME}{_OFFSET}')
        THEN try_cast(try_cast(regexp_replace(t, '\\s+([Zz+-])', '\\1') AS TIMESTAMPTZ) AS TIMESTAMP)
    WHEN regexp_full_match(t, '{_DATE}({_TIME})?')
        THEN coalesce(try_cast(t AS TIMESTAMP), try_strptime(t, {list(_OTHER_FORMATS)}))
    {serial if style.serial else ""}
    ELSE {_SPACED_MOMENT}
    END
"""


_FLAGS = {
    "true": "y yes true t 1 o on 예 네 동의 수신 수신동의 동의함 허용 수신함 수신허용 agree agreed subscribed optedin",
    "false": "n no false f 0 x off 아니오 아니요 거부 수신거부 미동의 미수신 비동의 동의안함 수신안함 거절 해지 "
    "disagree unsubscribed optedout",
}


def flag(text: str) -> str:
    """Yes or no in English or Korean, by the words shops use for it; NULL for any other."""
    words = ", ".join(f"'{word}': {value}" for value, line in _FLAGS.items() for word in line.split())
    return f"(MAP {{{words}}})[regexp_replace(lower({text}), '[\\s_-]', '', 'g')]"
