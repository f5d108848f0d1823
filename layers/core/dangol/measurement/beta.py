"""Quantiles of the beta distribution. Lambda has no SciPy: it would not fit beside DuckDB and pandas."""

from math import exp, lgamma, log, log1p

_ROUNDS = 10_000
"""Steps of the continued fraction; it takes about the root of the larger parameter."""
_TINY = 1e-300
_HALVINGS = 60
"""Of the interval a quantile lies in: to the last digits of a float."""


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(X ≤ x) for X ~ Beta(a, b), the regularised incomplete beta function; 0 < x < 1, a and b positive.

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 (continued fraction), 8.17.4 (symmetry).
    """
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X ≤ x) = p."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def _fraction(x: float, a: float, b: float) -> float:
    """1 / (1 + d₁/(1 + d₂/(1 + …))) by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            result *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
