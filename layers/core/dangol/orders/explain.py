"""What only the dialect knows of a rejected row: which of several columns, that it tells nobody, which rate."""

from collections.abc import Sequence
from dataclasses import replace

from dangol.files.rejects import Reject
from dangol.orders.cells import PERSON, index_of, tells_nobody, value_of
from dangol.orders.dialect import Layout
from dangol.orders.rates import RATES_FILE, VALID_DAYS
from dangol.orders.scan import Scan


def explained(scan: Scan, reject: Reject) -> Reject:
    """A reject of the file, its reason as exact as the dialect allows."""
    layout = scan.layout
    found = dict(reject.cells)
    cells = [found.get(name, "") for name in scan.export.header]
    if len(layout.columns.get(reject.meant, ())) > 1:
        index = index_of(layout, reject.meant, cells)
        reject = replace(reject, column=scan.export.header[index], value=cells[index].strip())
        reject = replace(reject, reason=scan.reason(reject.meant, reject.value))
    if reject.meant in PERSON and tells_nobody(layout, cells, scan.calling_code):
        return replace(reject, reason=_whoever(layout, reject))
    if reject.meant == "currency":
        return replace(reject, reason=_no_rate(scan, cells))
    return reject


def _whoever(layout: Layout, reject: Reject) -> str:
    if not reject.value and sum(name in layout.columns for name in PERSON) == 1:
        return reject.reason
    what = "tells nobody" if reject.value else "is missing"
    return f"{what}; fill in a customer id, an e-mail address or a phone number"


def _no_rate(scan: Scan, cells: Sequence[str]) -> str:
    stated = value_of(scan.layout, "currency", cells)
    code = stated.upper() or scan.layout.currency
    which = "" if stated else f"in {code}, which is "
    wrong = f"is {which}not the shop's currency {scan.shop.currency}"
    if not scan.rates:
        return f"{wrong}; convert the amount, state a rate in {RATES_FILE}, or leave the row out"
    day = value_of(scan.layout, "ordered_at", cells)
    return f"{wrong}, and there is no rate of {code} for {day} or the {VALID_DAYS} days before in {RATES_FILE}"
