"""How customers moved between the RFM segments since an earlier day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

PERIODS = {"day": 1, "week": 7, "month": 30}
"""Days back."""


@dataclass(frozen=True, slots=True)
class Flow:
    """From one day to the report's."""

    period: str
    """One of PERIODS."""
    since: date
    cells: Mapping[tuple[str | None, str | None], int] | None
    """Customers by (segment then, segment now), those who stayed included; None then: not a customer yet, None now: no
    more. None where nothing is known of that day."""

    @property
    def moved(self) -> list[tuple[str | None, str | None, int]]:
        """(then, now, customers) of those who are elsewhere now, the most first."""
        found = [(*cell, count) for cell, count in (self.cells or {}).items() if cell[0] != cell[1]]
        return sorted(found, key=lambda one: (-one[2], str(one[:2])))

    @property
    def movers(self) -> int:
        """Customers then and now, who are elsewhere."""
        return sum(count for then, now, count in self.moved if then is not None and now is not None)

    @property
    def newcomers(self) -> int:
        """Customers now who were none then."""
        return sum(count for then, _, count in self.moved if then is None)

    @property
    def stayed(self) -> int:
        """Customers who are where they were."""
        return sum(count for (then, now), count in (self.cells or {}).items() if then == now)


def days_of(as_of: date) -> dict[str, date]:
    """Period → the day it looks back to."""
    return {period: as_of - timedelta(days) for period, days in PERIODS.items()}


def flow(connection: duckdb.DuckDBPyConnection, period: str, since: date, moved: str) -> Flow:
    """Read relation `customers` (see classify) and `moved`: customer_id, was (see dangol.ledger.changes)."""
    rows = connection.execute(f"""
        SELECT CASE WHEN moved.customer_id IS NULL THEN now.segment ELSE moved.was END, now.segment, count(*)
        FROM customers AS now FULL JOIN {moved} AS moved USING (customer_id) GROUP BY ALL
    """).fetchall()
    cells = {(then, now): customers for then, now, customers in rows if then is not None or now is not None}
    return Flow(period, since, cells)


def changed_sql(before: str) -> str:
    """SQL: customer_id and was of who is elsewhere now; `before` has customer_id and segment of everybody then."""
    return f"""(
        SELECT customer_id, earlier.segment AS was
        FROM customers AS now FULL JOIN {before} AS earlier USING (customer_id)
        WHERE earlier.segment IS DISTINCT FROM now.segment
    )"""
