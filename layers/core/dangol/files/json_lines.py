"""JSON Lines: an object a line, its keys the columns."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import duckdb

from dangol.engine import literal
from dangol.errors import UnreadableFile
from dangol.files.rendering import MAX_COLUMNS, Rendering, csv_record, header_record, lines_of, sql_list
from dangol.files.text import write_bounded

MAX_LINE = 500_000
"""Characters of a line that are looked at; a longer one is no object."""
NOT_AN_OBJECT = "is not one JSON object; write one object on each line"
_NOT_UTF8 = "\ufffd"
_LINES_LOOKED_AT = 20
_CHUNK = 4 * 1024 * 1024
_OBJECT = re.compile(r'\ufeff?\s*\{\s*("|\}|$)')  # a table may begin with an id such as {3f2504e0-…}
_ARRAY = re.compile(r"\ufeff?\s*\[\s*\{")


def is_json(head: str) -> bool:
    """Whether text that begins with `head` is JSON rather than a table: most of its first lines are objects."""
    if _ARRAY.match(head):
        return True
    lines = [line for line in head.splitlines() if line.strip()][:_LINES_LOOKED_AT]
    return 2 * sum(bool(_OBJECT.match(line)) for line in lines) > len(lines)


def render(connection: duckdb.DuckDBPyConnection, path: Path, name: str, max_bytes: int) -> Rendering:
    """UTF-8 text of one JSON object a line as a table of all the keys there are, in the order they appear.

    Nested values stay JSON, null is blank. A line that is no object becomes a record of too many cells, the
    line as it came in the first, so that it is rejected and the others are not.
    """
    if not _is_tidy(path):
        path = write_bounded(_tidied(path), path.with_name(f"{path.name}.json"), name, 2 * max_bytes)
    rows = (
        f"SELECT trim(line, ' ' || chr(9)) AS line FROM read_csv({literal(str(path))}, auto_detect = false, "
        "header = false, columns = {line: 'VARCHAR'}, delim = '', quote = '', escape = '')"
    )
    keys = _keys(connection, rows)
    if not keys:
        raise UnreadableFile(name, "holds no line that is a JSON object; write one object on each line", 1)
    if len(keys) > MAX_COLUMNS:
        raise UnreadableFile(name, f"its objects have more than {MAX_COLUMNS:,} different keys; is this an export?", 1)
    pointers = ["/" + key.replace("~", "~0").replace("/", "~1") for key in keys]
    surplus = sql_list([*[""] * len(keys), "no object"])  # DuckDB forgives one blank cell too many
    records = (
        "SELECT CASE WHEN coalesce(line, '') = '' THEN '' "
        f"WHEN starts_with(line, '{{') AND cells IS NOT NULL THEN {csv_record('cells')} "
        f"ELSE {csv_record(f'list_concat([line], {surplus})')} END "
        f"FROM (SELECT line, TRY(json_extract_string(line, {sql_list(pointers)})) AS cells FROM ({rows}))"
    )
    return Rendering(1, chain([header_record(keys)], lines_of(connection, records)))


def _keys(connection: duckdb.DuckDBPyConnection, rows: str) -> list[str]:
    """Every key of every object, the first to appear first; one more than are allowed at most."""
    found = connection.execute(f"""
        SELECT key FROM (
            SELECT number, unnest(keys) AS key, unnest(range(len(keys))) AS position
            FROM (SELECT row_number() OVER () AS number, TRY(json_keys(line)) AS keys FROM ({rows}))
        ) GROUP BY key ORDER BY min(number * 1_000_000 + position) LIMIT {MAX_COLUMNS + 1}
    """).fetchall()
    return [key for (key,) in found]


def _is_tidy(path: Path) -> bool:
    """Whether `_tidied` would change nothing, as is usual and soon found out."""
    rest = b""
    with path.open("rb") as file:
        if file.read(3) == BOM_UTF8:
            return False
        file.seek(0)
        while chunk := file.read(_CHUNK):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            lines = whole + newline
            if b"\0" in lines or b"\r" in lines or not _is_utf8(lines):
                return False
            if len(rest) > MAX_LINE or any(len(line) > MAX_LINE for line in lines.split(b"\n")):
                return False
    return b"\0" not in rest and b"\r" not in rest and _is_utf8(rest)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _tidied(path: Path) -> Iterator[bytes]:
    """The lines such that each can be read as one, and such that those with bytes that are no text are no JSON."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        while some := file.readlines(1_000_000):
            yield "".join(map(_tidy, some)).encode()


def _tidy(line: str) -> str:
    text = line.rstrip("\n").replace("\0", _NOT_UTF8)
    if len(text) > MAX_LINE:
        return f"{_NOT_UTF8}{_shown(text[:MAX_LINE])}\n"
    return f"{text if _is_text(text) else _NOT_UTF8 + _shown(text)}\n"


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(line: str) -> str:
    return line.encode(errors="surrogateescape").decode(errors="replace")
