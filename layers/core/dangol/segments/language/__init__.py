"""The rule language: an expression over a customer's features. Parsed, never evaluated as Python.

    recency_days <= 3 and orders_90d >= 20 and 500_000 <= aov_90d < 2_000_000

Comparisons and chains of them, `and`, `or`, `not`, `in (…)`, arithmetic, `missing(feature)`. A missing
value makes a comparison false (`!=` and `not in` too), never an error; dividing by zero gives a missing value.
"""

from dangol.segments.language.parser import parse
from dangol.segments.language.syntax import Expression

__all__ = ["Expression", "parse"]
