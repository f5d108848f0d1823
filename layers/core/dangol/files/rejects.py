"""Rows that could not be used: why, where, and in a form that can be corrected and dropped again."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_AMOUNT = 1_000_000_000_000
"""Amounts above this are taken for damage, in whole units of the shop's currency."""
FIRST_DAY, LAST_DAY = "1970-01-01", "2099-12-31"
"""Dates outside are taken for damage."""

MAX_REJECTS = 300_000
"""Bad rows of one file that are put aside one by one (at about 1.5 KB of memory each); with more it is unreadable."""

REJECT_COLUMNS = ("file", "line", "column", "value", "reason", "row")
"""First columns of a rejects file; the row's own columns follow, so that a corrected file can be dropped."""

SHORTENED_ID = r"[+-]?\d(\.\d+)?[eE]\+?\d{2,}"
"""Pattern: a long number as a spreadsheet writes it, its last digits lost."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Reject:
    """One row put aside."""

    file: str
    line: int
    """Line it starts on, from 1."""
    column: str
    """The column at fault; empty when the row as a whole is."""
    value: str
    reason: str
    row: str
    """The row as it came."""
    cells: Mapping[str, str]
    """The row by header, as far as it could be split."""
    meant: str = ""
    """The column at fault by its canonical name, whatever the file calls it."""

    @property
    def texts(self) -> list[str]:
        """What the row consists of, as far as it could be split."""
        return list(self.cells.values()) or re.split("[,;|\t]", self.row)


def reason_for(column: str, value: str, currency: str) -> str:
    """What is wrong with `value` in `column` (canonical name), and what to do about it."""
    if column in ("amount", "line_amount", "refunded_amount", "quantity", "unit_price"):
        return _money_reason(value)
    if not value.strip():
        return "is missing; fill it in"
    if column == "ordered_at":
        return f"is not a date from {FIRST_DAY} to {LAST_DAY}; write it as 2026-01-31 or 2026-01-31 13:45"
    if column == "status":
        return "is not a status this export is known to use; use paid, cancelled, refunded or unpaid"
    if column == "currency":
        return f"is not the shop's currency {currency}; convert the amount or leave the row out"
    if re.fullmatch(SHORTENED_ID, value.strip(), re.ASCII):
        return "was shortened by a spreadsheet; export again with the column as text, or fill in all digits"
    return "cannot be read; correct it"


def _money_reason(value: str) -> str:
    if not value.strip():
        return "is missing; fill it in"
    digits = re.sub(r"[₩￦원$€,\s()△▲]|KRW|US\$|USD|EUR|-(?=\D*$)", "", value)
    number = float(digits) if _NUMBER.fullmatch(digits) else 0.0
    if number < 0 or (number > 0 and re.search(r"^\D*[(△▲]|-\D*$", value)):
        return "is negative; put refunds in refunded_amount or set the status to refunded"
    if number > MAX_AMOUNT:
        return f"is above {MAX_AMOUNT:,}; is the number right?"
    return "is not a number; write it as 12000 or 12000.50"


REPEATED_HEADER = "repeats the header, as where files were joined; nothing is lost, leave it out"
SIBLING_REASON = "another row of this order was rejected, and an order counts whole or not at all"


def count_by_column(rejects: Iterable[Reject]) -> dict[str, int]:
    """How many rejects each column (canonical name) is at fault for; '(row)' where the row as a whole is."""
    return dict(Counter(reject.meant or "(row)" for reject in rejects).most_common())


def write_rejects(rejects: Sequence[Reject], out: Path) -> None:
    """Write rejects as CSV in UTF-8 with BOM (what a Korean spreadsheet opens), header first."""
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        _write(rejects, file)


def rejects_csv(rejects: Sequence[Reject]) -> str:
    """The same as text."""
    buffer = io.StringIO(newline="")
    _write(rejects, buffer)
    return buffer.getvalue()


def _write(rejects: Sequence[Reject], file: IO[str]) -> None:
    own = list(dict.fromkeys(name for reject in rejects for name in reject.cells))
    own = [name for name in own if name not in REJECT_COLUMNS]
    writer = csv.writer(file)
    writer.writerow([*REJECT_COLUMNS, *map(defused, own)])
    for reject in rejects:
        about = (reject.file, str(reject.line), reject.column, reject.value, reject.reason, reject.row)
        found = dict(reject.cells)
        cells = (found.get(name, "") for name in own)
        writer.writerow([defused(cell) for cell in (*about, *cells)])


def defused(cell: str) -> str:
    """A cell that a spreadsheet does not run as a formula; plain numbers stay as they are.

    Source: OWASP, CSV injection.
    """
    if not cell.lstrip("'").startswith(_FORMULA) or _is_number(cell):
        return cell
    return "'" + cell


def undefused(cell: str) -> str:
    """What `defused` made a cell of, taken back."""
    bare = cell.removeprefix("'")
    return bare if bare != cell and bare.lstrip("'").startswith(_FORMULA) else cell


def is_rejects_file(header: Sequence[str]) -> bool:
    """Whether a file with this header is one that `write_rejects` made."""
    return tuple(header[: len(REJECT_COLUMNS)]) == REJECT_COLUMNS


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True
