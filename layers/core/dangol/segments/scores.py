"""Quintile scores: R, F and M of a customer as fifths of the whole base, 1 to 5, 5 the best.

Shards are computed apart, so the borders between the fifths are computed once over all of them, and each shard compares
with them. Equal values always have equal scores, whatever the order of the rows: where many are equal, a fifth is
larger than the others or empty.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from dangol.segments.features import SCORES

FIFTHS = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Borders:
    """The highest values of the four lower fifths, ascending."""

    as_of: date
    """The day of the features they are of (shop's date)."""
    last_order_on: tuple[date, ...]
    orders_lifetime: tuple[int, ...]
    revenue_lifetime: tuple[float, ...]
    """Shop's currency."""

    def to_json(self) -> str:
        """As text, for from_json."""
        return json.dumps(
            {
                "as_of": self.as_of.isoformat(),
                "last_order_on": [day.isoformat() for day in self.last_order_on],
                "orders_lifetime": self.orders_lifetime,
                "revenue_lifetime": self.revenue_lifetime,
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Borders":
        """The borders that to_json wrote."""
        found = json.loads(text)
        return cls(
            date.fromisoformat(found["as_of"]),
            tuple(map(date.fromisoformat, found["last_order_on"])),
            tuple(found["orders_lifetime"]),
            tuple(found["revenue_lifetime"]),
        )


def borders_of(connection: duckdb.DuckDBPyConnection, relation: str, as_of: date) -> Borders | None:
    """The borders over the whole base; None where nobody has a counted order.

    `relation`: last_order_on DATE, orders_lifetime BIGINT, revenue_lifetime DOUBLE, one row a customer as of `as_of`.
    """
    quantiles = ", ".join(f"quantile_disc({name}, {list(FIFTHS)})" for name in _SCORED.values())
    row = connection.execute(f"SELECT {quantiles} FROM {relation} WHERE orders_lifetime > 0").fetchone()
    if row is None or row[0] is None:
        return None
    return Borders(as_of, *map(tuple, row))


def score_sql(borders: Borders | None) -> Mapping[str, str]:
    """r_score, f_score, m_score → SQL, BIGINT, over the columns that borders_of names.

    NULL for who has no counted order, and for everybody where there are no borders.
    """
    if borders is None:
        return dict.fromkeys(_SCORED, "NULL::BIGINT")
    values = {name: [_literal(border) for border in getattr(borders, name)] for name in _SCORED.values()}
    return {score: _fifth(name, values[name]) for score, name in _SCORED.items()}


_SCORED = dict(zip(SCORES, ("last_order_on", "orders_lifetime", "revenue_lifetime"), strict=True))


def _fifth(name: str, borders: list[str]) -> str:
    above = " + ".join(f"({name} > {border})::BIGINT" for border in borders)
    return f"CASE WHEN orders_lifetime > 0 THEN 1 + {above} END"


def _literal(border: date | float) -> str:
    return f"DATE '{border}'" if isinstance(border, date) else f"{border!r}::DOUBLE"
