"""What the cells of one row say, by the columns of the layout."""

from collections.abc import Sequence

from dangol.files.values import cell
from dangol.identity import who
from dangol.orders.dialect import Layout

PERSON = ("customer_id", "email", "phone")
"""Columns that say whose a row is."""


def first_blank(layout: Layout, cells: Sequence[str], calling_code: str) -> str:
    """Of a row that lacks something, the first required column whose cell is blank, or tells nobody."""
    for entry in layout.dialect.required:
        names = [name for name in entry.split("|") if name in layout.columns]
        filled = [name for name in names if value_of(layout, name, cells)]
        if not filled:
            return names[0]
        if "customer_id" in entry and tells_nobody(layout, cells, calling_code):
            return filled[0]
    return names[0]


def index_of(layout: Layout, column: str, cells: Sequence[str]) -> int:
    """Of the columns that may hold a value the first that is filled in, else the first."""
    indexes = layout.columns[column]
    return next((index for index in indexes if cell(cells, index)), indexes[0])


def value_of(layout: Layout, column: str, cells: Sequence[str]) -> str:
    """What stands there; nothing where there is no such column."""
    return cell(cells, index_of(layout, column, cells)) if column in layout.columns else ""


def tells_nobody(layout: Layout, cells: Sequence[str], calling_code: str) -> bool:
    """Whether nothing in a row says whose it is."""
    customer_id, email, phone = (value_of(layout, name, cells) for name in PERSON)
    return who(customer_id, email, phone, calling_code) is None
