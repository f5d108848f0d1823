"""How R, F and M are distributed over all customers, and over those whom no rule holds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from dangol.reports.borders import Band, Border, F, M, R, band_sql, bands_between, borders_of
from dangol.segments.policy import UNCLASSIFIED, Policy

_LAST = {R: 90, F: 30}
"""The last bar of a feature that is drawn a bar a number; those beyond it are told."""
_BARS_PER_TEN = 6
"""Bars of M between 10,000 and 100,000, and between any number and its tenfold."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Customers whose value is from `low` to below `high`."""

    low: float
    high: float
    customers: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many customers have how much of a feature."""

    feature: str
    """R in days, F in orders, M in the shop's currency."""
    bars: tuple[Bar, ...]
    """Neighbours, without gaps; those of M each so many times as wide as the one before."""
    beyond: int
    """Customers above the last bar."""
    none: int
    """Customers at 0 where bars begin above it."""
    missing: int
    """Customers of whom the feature is not known: never bought, or not in 90 days."""
    borders: tuple[Border, ...]
    """Of the RFM rules."""
    bands: tuple[tuple[Band, int], ...]
    """Customers between the borders."""


Cell = tuple[int | None, int | None, int | None]
"""Bands of R, F and M, by number; None where the feature is missing."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Customers by bands of R, F and M between the policy's borders."""

    borders: Mapping[str, tuple[Border, ...]]
    """By feature."""
    everybody: Mapping[Cell, int]
    unclassified: Mapping[Cell, int]


def make_grid(connection: duckdb.DuckDBPyConnection, policy: Policy) -> Grid:
    """Read relation `customers` (see classify)."""
    borders = {feature: borders_of(policy, feature) for feature in (R, F, M)}
    bands = ", ".join(f"{band_sql(feature, found)} AS {feature}" for feature, found in borders.items())
    rows = connection.execute(f"""
        SELECT {R}, {F}, {M}, count(*), count(*) FILTER (segment = '{UNCLASSIFIED}')
        FROM (SELECT {bands}, segment FROM customers) GROUP BY ALL
    """).fetchall()
    everybody = {(r, f, m): customers for r, f, m, customers, _ in rows}
    return Grid(borders, everybody, {(r, f, m): found for r, f, m, _, found in rows if found})


def distributions(connection: duckdb.DuckDBPyConnection, grid: Grid) -> tuple[Distribution, ...]:
    """Of R, F and M; reads relation `customers`."""
    counted = {feature: _counts(connection, feature) for feature in (R, F, M)}
    return tuple(_distribution(grid, place, feature, counted[feature]) for place, feature in enumerate((R, F, M)))


def _counts(connection: duckdb.DuckDBPyConnection, feature: str) -> dict[int | None, int]:
    """Customers by value; of M by the power of ten that is the lower end of its bar. 0 or less is None of a power."""
    value = f"floor(log10({M}) * {_BARS_PER_TEN} + 1e-9)::INTEGER" if feature == M else f"{feature}::INTEGER"
    rows = f"customers WHERE {M} > 0" if feature == M else "customers"
    return dict(connection.execute(f"SELECT {value}, count(*) FROM {rows} GROUP BY ALL").fetchall())


def _distribution(grid: Grid, place: int, feature: str, counts: dict[int | None, int]) -> Distribution:
    by_band: dict[int | None, int] = {}
    for cell, customers in grid.everybody.items():
        by_band[cell[place]] = by_band.get(cell[place], 0) + customers
    missing = by_band.pop(None, 0)
    borders = grid.borders[feature]
    known = {value: customers for value, customers in counts.items() if value is not None}
    bars = _powers(known) if feature == M else _numbers(known, 0 if feature == R else 1, _LAST[feature])
    shown = sum(bar.customers for bar in bars)
    none = sum(by_band.values()) - sum(known.values()) if feature == M else known.get(0, 0) if feature == F else 0
    return Distribution(
        feature,
        bars,
        beyond=sum(by_band.values()) - shown - none,
        none=none,
        missing=missing,
        borders=borders,
        bands=tuple((band, by_band.get(number, 0)) for number, band in enumerate(bands_between(borders))),
    )


def _numbers(counts: Mapping[int, int], first: int, last: int) -> tuple[Bar, ...]:
    return tuple(Bar(value, value + 1, counts.get(value, 0)) for value in range(first, last + 1))


def _powers(counts: Mapping[int, int]) -> tuple[Bar, ...]:
    if not counts:
        return ()
    return tuple(
        Bar(math.pow(10, power / _BARS_PER_TEN), math.pow(10, (power + 1) / _BARS_PER_TEN), counts.get(power, 0))
        for power in range(min(counts), max(counts) + 1)
    )
