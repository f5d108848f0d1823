"""DuckDB as Dangol uses it: in memory, in the shop's time zone, never reaching out to the network."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from dangol.shop import Shop


def connect(shop: Shop, folder: Path, memory_mb: int | None = None) -> duckdb.DuckDBPyConnection:
    """A fresh database; what does not fit in `memory_mb` (default: most of the machine's) spills into `folder`."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(folder),
            **({"memory_limit": f"{memory_mb}MiB"} if memory_mb else {}),
        }
    )
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET TimeZone = {literal(shop.time_zone)}")
    return connection


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one whole number a query yields."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """Texts as SQL strings with commas between."""
    return ", ".join(map(literal, texts))
