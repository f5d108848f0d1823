"""Of which customers a rule is true: a whole frame of features at once."""

import operator
from collections.abc import Callable
from typing import assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dangol.segments.language.syntax import (
    And,
    Arithmetic,
    Comparison,
    Expression,
    Membership,
    Missing,
    Name,
    Not,
    Number,
    Or,
    Term,
)

_COMPARE: dict[str, Callable[..., object]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: dict[str, Callable[..., object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def mask(expression: Expression, features: pd.DataFrame) -> NDArray[np.bool_]:
    """Of which rows the expression is true.

    `features` has a numeric column per feature the expression names, NaN where missing. The result has
    one element per row, in its order.
    """
    with np.errstate(all="ignore"):
        return _mask(expression, features)


def _mask(expression: Expression, features: pd.DataFrame) -> NDArray[np.bool_]:
    match expression:
        case Comparison(symbol, left, right):
            a, b = _values(left, features), _values(right, features)
            return np.asarray(_COMPARE[symbol](a, b) & ~np.isnan(a) & ~np.isnan(b))
        case Membership(term, values):
            return np.isin(_values(term, features), values)
        case Missing(term):
            return np.isnan(_values(term, features))
        case Not(operand):
            return ~_mask(operand, features)
        case And(operands):
            return np.asarray(np.all([_mask(operand, features) for operand in operands], axis=0))
        case Or(operands):
            return np.asarray(np.any([_mask(operand, features) for operand in operands], axis=0))
        case _:
            assert_never(expression)


def _values(term: Term, features: pd.DataFrame) -> NDArray[np.float64]:
    match term:
        case Number(value):
            return np.full(len(features), value)
        case Name(name):
            return features[name].to_numpy(dtype=np.float64, na_value=np.nan)
        case Arithmetic("/", left, right):
            divisor = _values(right, features)
            return _values(left, features) / np.where(divisor == 0, np.nan, divisor)
        case Arithmetic(symbol, left, right):
            return np.asarray(_ARITHMETIC[symbol](_values(left, features), _values(right, features)))
        case _:
            assert_never(term)
