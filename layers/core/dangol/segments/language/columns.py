"""Customers as arrays, a column per feature: what rules are evaluated on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class Columns:
    """The features that rules name, a row a customer. A feature without a column is missing for everybody."""

    size: int
    numbers: Mapping[str, Numbers]
    """Numbers as they are, flags as 1 and 0, dates as days since 1970-01-01; NaN where missing."""
    texts: Mapping[str, Texts]
    matching: dict[Match, Mask] = field(default_factory=dict)
    """Which of the distinct values a condition on text holds for: shared between parts."""

    def part(self, rows: slice) -> "Columns":
        """Some of the rows."""
        return Columns(
            len(range(*rows.indices(self.size))),
            {name: values[rows] for name, values in self.numbers.items()},
            {name: Texts(column.codes[rows], column.folded) for name, column in self.texts.items()},
            self.matching,
        )
