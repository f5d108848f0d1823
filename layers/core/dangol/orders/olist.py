"""Olist's data set: orders, items, payments and customers lie in four files that make orders only together.

They are joined into one file of the dialect `olist`. Nothing of an order is lost: items and payments of which the
order is missing are rows as well, and are rejected for want of a customer.
"""

import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.errors import UnreadableFile
from dangol.files import records
from dangol.files.columns import fold
from dangol.files.export import Export, open_export

ORDERS, ITEMS, PAYMENTS, CUSTOMERS = "orders", "items", "payments", "customers"
_COLUMNS = {
    ORDERS: ("order_id", "customer_id", "order_status", "order_purchase_timestamp"),
    ITEMS: ("order_id", "order_item_id", "product_id", "price", "freight_value"),
    PAYMENTS: ("order_id", "payment_sequential", "payment_type", "payment_value"),
    CUSTOMERS: ("customer_id", "customer_unique_id"),
}
"""What is used of each part; its headers tell it."""
_NEEDED = (ORDERS, PAYMENTS, CUSTOMERS)
_HEADER_BYTES = 4096
_HEADERS = {part: {fold(column) for column in columns} for part, columns in _COLUMNS.items()}


def part_of(header: Sequence[str]) -> str | None:
    """Which of the four files one with this header is; None for other files."""
    names = {fold(name) for name in header}
    if "paymentvalue" in names and "customeruniqueid" in names:
        return None  # joined already
    return next((part for part, columns in _HEADERS.items() if columns <= names), None)


def split(files: Sequence[tuple[Path, str]]) -> tuple[list[tuple[Path, str]], list[tuple[Path, str]]]:
    """The (path, name) files that are parts, as text or gzipped text, and the others."""
    parts = [file for file in files if part_at(file[0])]
    return parts, [file for file in files if file not in parts]


def part_at(path: Path) -> str | None:
    """Which part a file of text or gzipped text is; None for other files."""
    line = _beginning(path).partition(b"\n")[0].decode("utf-8-sig", errors="replace")
    return part_of([name.strip('"\r ') for name in line.split(",")])


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as text:
            return text.read(_HEADER_BYTES)
    except (OSError, EOFError, zlib.error):  # whoever reads all of it will say what is wrong
        return b""


def missing_parts(parts: Iterable[str]) -> list[str]:
    """The parts that are still needed beside those."""
    return [part for part in _NEEDED if part not in parts]


def refusal(name: str, parts: Iterable[str]) -> UnreadableFile:
    """What to tell of a part that comes without the others."""
    missing = " and ".join(missing_parts(parts))
    return UnreadableFile(
        name, f"is a part of Olist's data set and says nothing without its {missing}; read them together"
    )


def joined(
    connection: duckdb.DuckDBPyConnection, files: Sequence[tuple[Path, str]], folder: Path, max_bytes: int
) -> Sequence[tuple[Path, str]]:
    """The (path, name) files to read: the parts among them, if there are several, made one in `folder`."""
    parts, others = split(files)
    if len(parts) < 2:
        return files
    exports = []
    for number, (path, name) in enumerate(parts):
        link = folder / f"part-{number}"  # a name of our own: DuckDB takes * and [ in a path for patterns
        link.unlink(missing_ok=True)
        link.symlink_to(path.absolute())
        exports.append(open_export(link, name, folder, max_bytes))
    target = folder / "joined.csv"
    join_parts(connection, exports, target)
    return [*others, (target, " + ".join(export.name for export in exports))]


def join_parts(connection: duckdb.DuckDBPyConnection, exports: Sequence[Export], target: Path) -> None:
    """Write the file that parts say together, a row for each item, in the orders' sequence.

    Raises UnreadableFile when a part is missing or a record of one cannot be split.
    """
    parts: dict[str, list[Export]] = {}
    for export in exports:
        parts.setdefault(part_of(export.header) or "", []).append(export)
    if missing_parts(parts):
        raise refusal(exports[0].name, parts)
    for part, columns in _COLUMNS.items():
        _load(connection, part, columns, parts.get(part, ()))
    connection.execute(f"COPY ({_JOINED}) TO {literal(str(target))} (HEADER)")


_JOINED = """
    WITH paid AS (
        SELECT order_id, count(*) AS payments, count(try_cast(payment_value AS DECIMAL(18, 2))) AS readable,
            sum(try_cast(payment_value AS DECIMAL(18, 2))) AS total,
            min(payment_value) FILTER (try_cast(payment_value AS DECIMAL(18, 2)) IS NULL) AS unreadable
        FROM payments_part GROUP BY order_id
    ), bought AS (
        SELECT row_number() OVER () AS place, *,
            sum(try_cast(price AS DECIMAL(18, 2)) + try_cast(freight_value AS DECIMAL(18, 2)))
                OVER (PARTITION BY order_id) AS worth
        FROM items_part
    ), ordered AS (
        SELECT row_number() OVER () AS place, * FROM orders_part
    ), persons AS (
        SELECT customer_id, max(customer_unique_id) AS customer_unique_id FROM customers_part GROUP BY customer_id
    )
    SELECT order_id, customer_unique_id, order_purchase_timestamp, order_status,
        CASE WHEN readable < payments THEN coalesce(unreadable, '?') ELSE coalesce(total, worth)::VARCHAR END
            AS payment_value,
        product_id, price
    FROM ordered FULL JOIN bought USING (order_id) FULL JOIN paid USING (order_id) LEFT JOIN persons USING (customer_id)
    ORDER BY ordered.place, bought.place, order_id
"""


def _load(connection: duckdb.DuckDBPyConnection, part: str, columns: Sequence[str], exports: Sequence[Export]) -> None:
    """Make temp table `<part>_part` of the columns as text."""
    names = ", ".join(f"{column} VARCHAR" for column in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {part}_part ({names})")
    for export in exports:
        header = [fold(name) for name in export.header]
        cells = ", ".join(f"trim(c{header.index(fold(column))})" for column in columns)
        connection.execute(f"INSERT INTO {part}_part SELECT {cells} FROM {records.source(export)}")
        if records.count_broken(connection, export):
            broken = records.broken_records(connection, export, limit=1)[0]
            _, unsplit = records.locate(export, [], [broken])
            raise UnreadableFile(export.name, f"this row {broken.reason}", unsplit[broken.offset].line)
