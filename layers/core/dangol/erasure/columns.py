"""Which columns of a file hold customer ids: a number elsewhere is an amount, even if it reads like one."""

from collections.abc import Iterator, Sequence
from functools import cache

from dangol.files.columns import fold
from dangol.files.rejects import REJECT_COLUMNS
from dangol.inputs import TABLES
from dangol.orders.describe import builtin_dialects, plain
from dangol.orders.dialect import Dialect


def id_columns(header: Sequence[str], own: Sequence[Dialect] = ()) -> list[int]:
    """The columns of customer ids, by any name they are known by; where none is known, every column of the file may be.

    `own` are the shop's dialects.
    """
    names = [*_names(own), *_shipped_names()]
    known = [
        index
        for index, header_name in enumerate(header)
        if any(fold(dialect.bare(header_name) if dialect else header_name) in known for dialect, known in names)
    ]
    return known or [index for index, name in enumerate(header) if name not in REJECT_COLUMNS]


_Names = tuple[Dialect | None, tuple[str, ...]]
"""Whose headers (None: those of other files), folded."""


@cache
def _shipped_names() -> tuple[_Names, ...]:
    headers = TABLES["customers"].headers
    return (*_names((*builtin_dialects(), plain())), (None, (*headers["customer_id"], *headers["merged_into"])))


def _names(dialects: Sequence[Dialect]) -> Iterator[_Names]:
    return ((dialect, dialect.headers.get("customer_id", ())) for dialect in dialects)
