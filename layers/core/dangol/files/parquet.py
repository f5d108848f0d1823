"""Parquet: its columns as text."""

from itertools import chain
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.errors import UnreadableFile
from dangol.files.rendering import MAX_COLUMNS, Rendering, csv_record, header_record, lines_of

MAGIC = b"PAR1"


def render(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> Rendering:
    """A Parquet file as text: times as ISO, nested values as JSON, whole floats without .0, NaN as blank.

    Raises UnreadableFile for one that is cut off or damaged, as far as its metadata tell.
    """
    source = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
    try:
        columns = connection.execute(f"DESCRIBE FROM {source}").fetchall()
    except duckdb.Error as error:
        raise damaged(name) from error
    if len(columns) > MAX_COLUMNS:
        raise UnreadableFile(name, f"has {len(columns):,} columns; is this an export?", 1)
    names = [str(column[0]) for column in columns]
    cells = ", ".join(_as_text(column[0], column[1]) for column in columns)
    blank = "'\"\"'" if len(names) == 1 else "''"
    query = f"SELECT coalesce(nullif({csv_record(f'[{cells}]')}, ''), {blank}) FROM {source}"
    return Rendering(1, chain([header_record(names)], lines_of(connection, query)))


def damaged(name: str) -> UnreadableFile:
    """What to raise for a Parquet file that DuckDB cannot read."""
    return UnreadableFile(name, "is a Parquet file that cannot be read: cut off or damaged; write or upload it again")


def _as_text(name: str, kind: str) -> str:
    """SQL: a column as text."""
    column = '"' + name.replace('"', '""') + '"'
    if kind in ("DOUBLE", "FLOAT"):
        return (
            f"CASE WHEN isnan({column}) THEN NULL WHEN {column} = trunc({column}) AND abs({column}) < 1e15 "
            f"THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"
        )
    if kind == "BLOB":
        return f"coalesce(TRY(decode({column})), {column}::VARCHAR)"
    if kind.startswith("TIMESTAMP_"):
        return f"{column}::TIMESTAMP::VARCHAR"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"({column} AT TIME ZONE 'UTC')::VARCHAR || '+00'"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"to_json({column})::VARCHAR"
    return f"{column}::VARCHAR"
