"""From a pandas frame of customers to what rules are evaluated on; nothing is copied where the types are right."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dangol.segments.features import DATE, TEXT
from dangol.segments.folding import fold
from dangol.segments.language.columns import Columns, Numbers, Texts


def columns_of(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Columns:
    """The columns of `frame` that are features; `kinds` are those of the features by name."""
    found = [name for name in frame.columns if name in kinds]
    return Columns(
        len(frame),
        {name: _numbers(frame[name], kinds[name]) for name in found if kinds[name] != TEXT},
        {name: _texts(frame[name]) for name in found if kinds[name] == TEXT},
    )


def _numbers(column: pd.Series, kind: str) -> Numbers:
    """Numbers as they are, flags as 1 and 0, dates as days since 1970-01-01 (or given as such); NaN where missing."""
    if kind == DATE and not pd.api.types.is_numeric_dtype(column):
        days = pd.to_datetime(column).to_numpy().astype("datetime64[D]")
        return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _texts(column: pd.Series) -> Texts:
    """Text, categorical or not; missing values are missing."""
    found = column.astype("category").cat
    return Texts(found.codes.to_numpy(), tuple(fold(str(value)) for value in found.categories))
