"""How a file writes its numbers and dates, found from its beginning.

What 1,234 or 3/4/2026 means depends on who wrote it. It is never guessed from such a value: only from others of
the same column that can mean one thing only, and only when none of them says otherwise.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dangol.files.export import Export

DateOrder = Literal["mdy", "dmy"]
FIRST_SERIAL, LAST_SERIAL = 20_000, 60_000
"""Days since 1899-12-30 that are taken for dates: 1954 to 2064."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the values of a column are written, where that is not the usual way."""

    decimal_comma: bool = False
    """1.234,56 rather than 1,234.56."""
    date_order: DateOrder | None = None
    """What 3/4/2026 means; unreadable when None."""
    serial: bool = False
    """Dates are days since 1899-12-30, as spreadsheets count: 44927.5."""
    thousands: bool = False
    """Whether commas are usual in numbers. They are read in any case; this only says what to look for first."""


PLAIN_STYLE = Style()
"""Decimal points, ISO or Korean dates."""


def style_of(export: Export, columns: Iterable[int], date_order: DateOrder | None = None) -> Style:
    """The style of columns (indexes in the header) that are written alike, from Export.sample.

    `date_order` is what to assume where no date of the sample decides.
    """
    indexes = tuple(columns)
    rows = (row for row in export.sample if row != export.header)
    cells = [cell for row in rows for index in indexes if (cell := row[index].strip())]
    thousands = any("," in cell for cell in cells)
    return Style(_has_decimal_commas(cells), _date_order(cells, date_order), _is_serial(cells), thousands)


_AMOUNT = re.compile(r"[^\d.,]*?([\d.,]*\d)[^\d.,]*", re.ASCII)
_COMMA = re.compile(
    r"\d{1,3}([. ]\d{3})+,\d+|\d+,(\d{1,2}|\d{4,})|0,\d{3}|\d{4,},\d{3}|\d{1,3}(\.\d{3}){2,}",
    re.ASCII,
)
_POINT = re.compile(
    r"\d{1,3}(,\d{3})+\.\d+|\d*\.(\d{1,2}|\d{4,})|0?\.\d{3}|\d{4,}\.\d{3}|\d{1,3}(,\d{3}){2,}",
    re.ASCII,
)


def _has_decimal_commas(cells: Iterable[str]) -> bool:
    numbers = [match[1] for cell in cells if (match := _AMOUNT.fullmatch(cell))]
    return any(map(_COMMA.fullmatch, numbers)) and not any(map(_POINT.fullmatch, numbers))


_NUMERIC_DATE = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4}|\d{2})(\D.*)?", re.ASCII)


def _date_order(cells: Iterable[str], otherwise: DateOrder | None) -> DateOrder | None:
    dates = [match for cell in cells if (match := _NUMERIC_DATE.fullmatch(cell))]
    if not dates:
        return None
    # 26/01/31 may begin with its year: of years of two digits only the middle decides.
    day_first = any(int(date[1]) > 12 and len(date[4]) == 4 for date in dates)
    day_second = any(int(date[3]) > 12 for date in dates)
    year_first = any(int(date[1]) > 12 and len(date[4]) == 2 for date in dates)
    if day_second:
        return None if day_first or year_first else "mdy"
    return "dmy" if day_first else otherwise


_SERIAL = re.compile(r"\d{5}(\.\d+)?", re.ASCII)


def _is_serial(cells: Iterable[str]) -> bool:
    found = [bool(_SERIAL.fullmatch(cell)) and FIRST_SERIAL <= float(cell) <= LAST_SERIAL for cell in cells]
    return bool(found) and all(found)
