"""How good the data of a report are: files since the last one, rejects by reason, the newest order."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

STALE_DAYS = 3
"""Days without an order after which a shop should look whether its files still come."""
_COUNTS = ("rows_read", "rows_accepted", "rows_superseded", "rows_rejected")
_SHOWN = 10
"""Files that are named one by one."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the files of one kind brought; the rows add up as those of a receipt do."""

    kind: str
    """'orders', 'customers', 'products' or 'interests'."""
    files: int
    rows_read: int
    rows_accepted: int
    rows_superseded: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one report."""

    sources: tuple[Source, ...]
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rejected rows by the column at fault, the most first."""
    refused: tuple[tuple[str, str], ...] = ()
    """(file, reason) of files of which nothing could be used."""
    newest_order: date | None = None
    failed_shards: int = 0
    """Shards that could not be brought to the report's date."""
    shards: int = 0

    @property
    def rows_read(self) -> int:
        """Of all files."""
        return sum(source.rows_read for source in self.sources)

    @property
    def rows_rejected(self) -> int:
        """Of all files."""
        return sum(source.rows_rejected for source in self.sources)

    @property
    def without_customer(self) -> float:
        """Share, 0 to 1, of the rows of orders that name nobody whose order it is."""
        read = sum(source.rows_read for source in self.sources if source.kind == "orders")
        return self.reasons.get("customer_id", 0) / read if read else 0.0

    def days_without_order(self, as_of: date) -> int | None:
        """Days since the newest counted order; None where there is none."""
        return None if self.newest_order is None else (as_of - self.newest_order).days


def quality_of(
    receipts: Iterable[tuple[str, Mapping[str, Any]]],
    newest_order: date | None,
    failed_shards: int = 0,
    shards: int = 0,
) -> Quality:
    """Of (kind of file, receipt), as table `Runs` has receipts: key, status, reason or the counts and reasons."""
    found = list(receipts)
    taken = [(kind, receipt) for kind, receipt in found if "rows_read" in receipt]
    kinds = dict.fromkeys(kind for kind, _ in taken)
    sources = tuple(_source(kind, [receipt for its, receipt in taken if its == kind]) for kind in kinds)
    reasons: Counter[str] = Counter()
    for _, receipt in taken:
        reasons.update({column: int(rows) for column, rows in receipt.get("reasons", {}).items()})
    refused = [(receipt["key"], receipt["reason"]) for _, receipt in found if receipt.get("status") == "rejected"]
    return Quality(sources, dict(reasons.most_common()), tuple(refused[:_SHOWN]), newest_order, failed_shards, shards)


def newest_order(connection: duckdb.DuckDBPyConnection) -> date | None:
    """Date of the newest counted order of relation `customers` (see classify); None without one."""
    row = connection.execute("SELECT max(last_order_on) FROM customers").fetchone()
    return row[0] if row else None


def _source(kind: str, receipts: list[Mapping[str, Any]]) -> Source:
    counts = (sum(int(receipt[name]) for receipt in receipts) for name in _COUNTS)
    files = sum(len(receipt.get("files", ("one",))) for receipt in receipts)  # a receipt in `Runs` is of one file
    return Source(kind, files, *counts)
