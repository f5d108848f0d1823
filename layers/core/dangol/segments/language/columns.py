"""A frame of customers as arrays that rules are evaluated on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dangol.segments.features import DATE, TEXT
from dangol.segments.folding import fold
from dangol.segments.language.syntax import Match

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]

NOTHING = np.array(np.nan)
"""A number that is missing for everybody."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of text by its distinct values."""

    codes: NDArray[np.integer[Any]]
    """Position of each row's value among them; -1 where missing."""
    folded: tuple[str, ...]
    """The distinct values as they are compared."""


NO_TEXTS = Texts(np.array(-1), ())


def numbers(column: pd.Series, kind: str) -> Numbers:
    """Numbers as they are, flags as 1 and 0, dates as days since 1970-01-01 (or given as such); NaN where missing."""
    if kind == DATE and not pd.api.types.is_numeric_dtype(column):
        days = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
        return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def texts(column: pd.Series) -> Texts:
    """Text, categorical or not; missing values are missing."""
    found = column.astype("category").cat
    return Texts(found.codes.to_numpy(), tuple(fold(str(value)) for value in found.categories))


@dataclass(frozen=True, slots=True)
class Columns:
    """The features that rules name, of some rows of a frame. A feature without a column is missing for everybody."""

    size: int
    numbers: Mapping[str, Numbers]
    """Of numbers, dates and flags."""
    texts: Mapping[str, Texts]
    matching: dict[Match, Mask] = field(default_factory=dict)
    """Which of the distinct values a condition on text holds for: shared between the parts of a frame."""

    def part(self, rows: slice) -> "Columns":
        """Some of the rows."""
        return Columns(
            len(range(*rows.indices(self.size))),
            {name: values[rows] for name, values in self.numbers.items()},
            {name: Texts(column.codes[rows], column.folded) for name, column in self.texts.items()},
            self.matching,
        )


def columns_of(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Columns:
    """The columns of `frame` that are features; `kinds` are those of the features by name."""
    found = [name for name in frame.columns if name in kinds]
    return Columns(
        len(frame),
        {name: numbers(frame[name], kinds[name]) for name in found if kinds[name] != TEXT},
        {name: texts(frame[name]) for name in found if kinds[name] == TEXT},
    )
