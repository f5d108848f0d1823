"""What tests of reading and segmenting share: files to read, and what came of them as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from dangol.engine import connect
from dangol.files.receipt import Receipt
from dangol.files.rejects import Reject
from dangol.orders.reader import OrderReader
from dangol.shop import Shop

SEOUL = Shop()
PLAIN_HEADER = "order_id,customer_id,ordered_at,amount"
PAID_STATUSES = ("paid", "partially_refunded")

Content = str | bytes
Purchase = tuple[str, str, Decimal, bool]
"""(customer_id, date, net amount, whether it counts)."""


def csv_of(*rows: str, header: str = PLAIN_HEADER) -> str:
    """A file of lines that end in \\n, the header first."""
    return "".join(f"{line}\n" for line in (header, *rows))


@dataclass(frozen=True)
class Outcome:
    """What came of files read together."""

    receipt: Receipt
    rejects: list[Reject]
    purchases: list[Purchase]
    """Sorted; the same whichever way the files were read."""
    orders: list[dict[str, Any]]
    """By order_id; only of `read_orders`."""

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Rows read, accepted, superseded, rejected."""
        r = self.receipt
        return r.rows_read, r.rows_accepted, r.rows_superseded, r.rows_rejected

    @property
    def places(self) -> list[tuple[str, int, str]]:
        """(file, line, row as it came) of each reject."""
        return [(reject.file, reject.line, reject.row) for reject in self.rejects]

    @property
    def only_reject(self) -> Reject:
        (reject,) = self.rejects
        return reject

    @property
    def only_purchase(self) -> Purchase:
        (purchase,) = self.purchases
        return purchase


def read(
    folder: Path,
    *contents: Content,
    how: str = "read_orders",
    shop: Shop = SEOUL,
    names: Sequence[str] = (),
    **options: Any,
) -> Outcome:
    """Write each content to a file, older first, and read them together; `options` are OrderReader's."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    files = []
    for number, content in enumerate(contents):
        name = names[number] if names else f"{number}.csv"
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        files.append((path, name))
    connection = connect(shop, scratch)
    try:
        reading = getattr(OrderReader(connection, shop, scratch, **options), how)(files)
        orders = rows_of(connection, "FROM orders ORDER BY order_id") if how == "read_orders" else []
        purchases = [_purchase(order) for order in orders] if how == "read_orders" else _purchases(connection)
        return Outcome(reading.receipt, reading.rejects, sorted(purchases), orders)
    finally:
        connection.close()


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The result of a query as dictionaries."""
    result = connection.execute(query)
    columns = [column[0] for column in result.description]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _purchase(order: Mapping[str, Any]) -> Purchase:
    in_full = order["refunded"] > 0 and order["refunded"] >= order["amount"]
    counts = order["status"] in PAID_STATUSES and not in_full
    return (
        order["customer_id"], order["ordered_at"].date().isoformat(), order["amount"] - order["refunded"], counts
    )  # fmt: skip


def _purchases(connection: duckdb.DuckDBPyConnection) -> list[Purchase]:
    rows = connection.execute("SELECT customer_id, ordered_on, amount, counted FROM purchases").fetchall()
    return [(customer, day.isoformat(), amount, counts) for customer, day, amount, counts in rows]


def day(text: str) -> date:
    return date.fromisoformat(text)
