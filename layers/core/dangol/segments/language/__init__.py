"""The rule language: an expression over a customer's features. Parsed, never evaluated as Python.

    recency_days <= 3 and orders_90d >= 20 and 500_000 <= aov_90d < 2_000_000
    subscribed_on >= today - 6 months and city in ('Seoul', 'Busan') and not bought('코트', 30 days)

docs/rules.md is its reference. A missing value makes a condition false (`!=` and `not in` too), never an error;
dividing by zero gives a missing value.
"""

from dangol.segments.language.parser import parse
from dangol.segments.language.syntax import Expression
from dangol.segments.language.vocabulary import Vocabulary, catalogue

__all__ = ["Expression", "Vocabulary", "catalogue", "parse"]
