"""What only the dialect knows of a rejected row: which of several columns, that it tells nobody, which rate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dangol.files.rejects import Reject
from dangol.files.values import cell
from dangol.identity import who
from dangol.orders.dialect import Layout
from dangol.orders.rates import RATES_FILE, VALID_DAYS

if TYPE_CHECKING:
    from dangol.orders.scan import Scan

_PERSON = ("customer_id", "email", "phone")


def first_blank(layout: Layout, cells: Sequence[str], calling_code: str) -> str:
    """Of a row that lacks something, the first required column whose cell is blank, or tells nobody."""
    for entry in layout.dialect.required:
        names = [name for name in entry.split("|") if name in layout.columns]
        filled = [name for name in names if _value(layout, name, cells)]
        if not filled:
            return names[0]
        if "customer_id" in entry and _nobody(layout, cells, calling_code):
            return filled[0]
    return names[0]


def explained(scan: "Scan", reject: Reject) -> Reject:
    """A reject of the file, its reason as exact as the dialect allows."""
    layout = scan.layout
    found = dict(reject.cells)
    cells = [found.get(name, "") for name in scan.export.header]
    if len(layout.columns.get(reject.meant, ())) > 1:
        index = _index(layout, reject.meant, cells)
        reject = replace(reject, column=scan.export.header[index], value=cells[index].strip())
        reject = replace(reject, reason=scan.reason(reject.meant, reject.value))
    if reject.meant in _PERSON and _nobody(layout, cells, scan.calling_code):
        return replace(reject, reason=_whoever(layout, reject))
    if reject.meant == "currency":
        return replace(reject, reason=_no_rate(scan, cells))
    return reject


def _whoever(layout: Layout, reject: Reject) -> str:
    if not reject.value and sum(name in layout.columns for name in _PERSON) == 1:
        return reject.reason
    what = "tells nobody" if reject.value else "is missing"
    return f"{what}; fill in a customer id, an e-mail address or a phone number"


def _no_rate(scan: "Scan", cells: Sequence[str]) -> str:
    stated = _value(scan.layout, "currency", cells)
    code = stated.upper() or scan.layout.currency
    which = "" if stated else f"in {code}, which is "
    wrong = f"is {which}not the shop's currency {scan.shop.currency}"
    if not scan.rates:
        return f"{wrong}; convert the amount, state a rate in {RATES_FILE}, or leave the row out"
    day = _value(scan.layout, "ordered_at", cells)
    return f"{wrong}, and there is no rate of {code} for {day} or the {VALID_DAYS} days before in {RATES_FILE}"


def _index(layout: Layout, column: str, cells: Sequence[str]) -> int:
    """Of the columns that may hold a value the first that is filled in, else the first."""
    indexes = layout.columns[column]
    return next((index for index in indexes if cell(cells, index)), indexes[0])


def _value(layout: Layout, column: str, cells: Sequence[str]) -> str:
    return cell(cells, _index(layout, column, cells)) if column in layout.columns else ""


def _nobody(layout: Layout, cells: Sequence[str], calling_code: str) -> bool:
    customer_id, email, phone = (_value(layout, name, cells) for name in _PERSON)
    return who(customer_id, email, phone, calling_code) is None
