"""Rows of a file that is no delimited text, on their way to one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import duckdb

from dangol.engine import literals

MAX_COLUMNS = 1_000
HEADER_RECORDS = 20
"""Records among which a header is looked for: an instruction row or titles may stand before it."""
_ROWS = 10_000

IsHeader = Callable[[Sequence[str]], bool]
"""Whether a row, its cells trimmed, is the header."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """The table in a file as CSV in UTF-8, the header first and then one record for each row of the file.

    A row in which nothing stands is a blank line, so that rows can be counted as the user counts them.
    """

    first_line: int
    """The user's number of the row after the header."""
    text: Iterator[bytes]


def csv_record(cells: str) -> str:
    """SQL: a list of texts as a CSV record, quoted where it must be."""
    # contains() rather than one pattern: it takes a tenth of the time.
    odd = " OR ".join(f"contains(v, {mark})" for mark in ("','", "'\"'", "chr(10)", "chr(13)"))
    quoted = """'"' || replace(v, '"', '""') || '"'"""
    cell = f"CASE WHEN v IS NULL THEN '' WHEN {odd} THEN {quoted} ELSE v END"
    return f"array_to_string(list_transform({cells}, lambda v: {cell}), ',')"


def header_record(names: list[str]) -> bytes:
    """A header as CSV, its line end included."""
    return (",".join('"' + name.replace('"', '""') + '"' for name in names) + "\n").encode()


def lines_of(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[bytes]:
    """The rows of a query of one text column, each as a line; not all of them at a time."""
    result = connection.execute(query)
    while rows := result.fetchmany(_ROWS):
        yield "".join(f"{row[0]}\n" for row in rows).encode()


def sql_list(names: list[str]) -> str:
    """Texts as an SQL list."""
    return f"[{literals(names)}]::VARCHAR[]"
