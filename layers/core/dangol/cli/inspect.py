"""`dangol inspect`: what Dangol makes of order files, before anything is uploaded."""

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dangol.cli.local import add_shop_to, order_reader, shop_of
from dangol.errors import UnreadableFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.files.rejects import Reject
    from dangol.orders.scan import Scan

FIRST_ORDERS, FIRST_REJECTS = 5, 10
_SHOWN = ("order_id", "customer_id", "ordered_at", "status", "amount", "refunded", "coupon", "discount", "items")
_CONTACTS = ("email", "phone", "customer_name")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

Facts = dict[str, Any]
"""What is told, as plain values: this is what --json prints."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "inspect",
        help="tell what order files hold, before they are uploaded",
        description="Read order files as they would be read in S3 and tell which export they are and why, which "
        "column is which, the first orders, what is rejected, and the totals. Nothing is written.",
        epilog="Contacts are masked. exit status: 0 all rows can be used, 1 some rows are rejected, 2 unusable input",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="order export; older files first")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--show-personal", action="store_true", help="contacts as they are, not masked")
    parser.add_argument("--identity-key-env", metavar="NAME", help="environment variable with the secret of the stack")
    parser.add_argument("--password-env", metavar="NAME", help="environment variable with the password of workbooks")
    add_shop_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; the status is 1 when rows were rejected."""
    from dangol.engine import connect

    for path in options.files:
        if not path.is_file():
            raise UnreadableFile(str(path), "does not exist or is not a file")
    shop = shop_of(options)
    with tempfile.TemporaryDirectory(prefix="dangol-") as scratch:
        connection = connect(shop, Path(scratch))
        reader = order_reader(connection, options, Path(scratch))
        reading = reader.read_orders([(path, str(path)) for path in options.files])
        facts: Facts = {
            "files": [_file(scan) for scan in reader.scans],
            "rows": {name: count for name, count in reading.receipt.as_dict().items() if name != "files"},
            "totals": {"currency": shop.currency, **_totals(connection)},
            "orders": _orders(connection, options.show_personal),
            "rejects": [_reject(reject, options.show_personal) for reject in reading.rejects[:FIRST_REJECTS]],
        }
        connection.close()
    print(json.dumps(facts, ensure_ascii=False, indent=2, default=str) if options.json else _text(facts))
    return 1 if reading.rejects else 0


# ---- what is told ----------------------------------------------------------------------------------------


def _file(scan: "Scan") -> Facts:
    export, layout = scan.export, scan.layout
    used = {index for indexes in layout.columns.values() for index in indexes}
    return {
        "file": export.name,
        "dialect": layout.dialect.name,
        "title": layout.dialect.title,
        "told_by": list(layout.told_by),
        "format": export.format,
        "encoding": export.encoding,
        "delimiter": export.delimiter,
        "header_line": export.header_line,
        "columns": {name: [export.header[i] for i in indexes] for name, indexes in layout.columns.items()},
        "unused_headers": [name for i, name in enumerate(export.header) if i not in used and name],
        "absent_columns": [name for name in layout.dialect.columns if name not in layout.columns],
    }


def _totals(connection: "DuckDBPyConnection") -> Facts:
    """Over all files together, as `dangol segment` would count."""
    from dangol.orders.scan import counted, net

    counts = counted("status", "amount", "refunded")
    found = connection.execute(f"""
        SELECT count(*) AS orders, count(*) FILTER ({counts}) AS counted_orders,
            coalesce(sum({net("amount", "refunded")}) FILTER ({counts}), 0) AS revenue,
            count(DISTINCT customer_id) AS customers,
            min(ordered_at)::DATE AS first_day, max(ordered_at)::DATE AS last_day
        FROM orders
    """)
    names = [column[0] for column in found.description]
    totals: Facts = dict(zip(names, found.fetchall()[0], strict=True))
    statuses = "SELECT status, count(*) FROM orders GROUP BY status ORDER BY count(*) DESC, status"
    return {**totals, "statuses": dict(connection.execute(statuses).fetchall())}


def _orders(connection: "DuckDBPyConnection", personal: bool) -> list[Facts]:
    columns = ", ".join(("len(lines) AS items" if name == "items" else name) for name in _SHOWN)
    contacts = ", ".join(_CONTACTS)
    first = f"ORDER BY ordered_at, order_id LIMIT {FIRST_ORDERS}"
    found = connection.execute(f"SELECT {columns}, {contacts} FROM orders {first}")
    names = [column[0] for column in found.description]
    orders = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [
        {name: value if personal or name not in _CONTACTS else masked(value) for name, value in order.items()}
        for order in orders
    ]


def _reject(reject: "Reject", personal: bool) -> Facts:
    secret = reject.meant in (*_CONTACTS, "customer_id") and not personal
    return {
        "file": reject.file,
        "line": reject.line,
        "column": reject.column,
        "value": masked(reject.value) if secret else reject.value,
        "reason": reject.reason,
    }


def masked(text: str | None) -> str | None:
    """A contact of which the first letter, the @ and the last two digits are left."""
    if text is None or len(text) < 2:
        return text
    name, at, domain = text.partition("@")
    if at:
        return f"{name[:1]}***@{domain[:1]}***"
    digits = re.findall(r"\d", text)
    return f"***{''.join(digits[-2:])}" if len(digits) > 4 else f"{text[0]}**"


# ---- as text ---------------------------------------------------------------------------------------------


def _text(facts: Facts) -> str:
    from dangol.reports.text import aligned

    parts = ["\n".join(_file_lines(file)) for file in facts["files"]]
    parts.append("\n".join(_total_lines(facts["rows"], facts["totals"])))
    if facts["orders"]:
        names = [name for name in (*_SHOWN, *_CONTACTS) if any(order[name] is not None for order in facts["orders"])]
        rows = [names, *([_cell(order[name]) for name in names] for order in facts["orders"])]
        parts.append(f"First orders of {facts['totals']['orders']:,}\n{_indented(aligned(rows, left=len(names)))}")
    if facts["rejects"]:
        parts.append("\n".join(_reject_lines(facts["rejects"], facts["rows"]["rows_rejected"], len(facts["files"]))))
    return "\n\n".join(parts)


def _file_lines(file: Facts) -> Iterator[str]:
    yield file["file"]
    why = (
        f"for it has {', '.join(map(repr, file['told_by']))}"
        if file["told_by"]
        else "for no platform's headers are there"
    )
    yield f"  read as     {file['dialect']} ({file['title']}), {why}"
    delimiter = f" with {_DELIMITERS.get(file['delimiter'], file['delimiter'])}" if file["format"] == "csv" else ""
    encoding = f", {file['encoding']}" if file["format"] in ("csv", "jsonl") else ""
    yield f"  written as  {file['format']}{delimiter}{encoding}, header on line {file['header_line']}"
    width = max(len(name) for name in file["columns"])
    for number, (name, headers) in enumerate(file["columns"].items()):
        label = "columns   " if number == 0 else " " * 10
        yield f"  {label}  {name.ljust(width)}  {', else '.join(headers)}"
    if file["absent_columns"]:
        yield f"  not there   {', '.join(file['absent_columns'])}"
    if file["unused_headers"]:
        yield f"  not used    {', '.join(file['unused_headers'])}"


def _total_lines(rows: Mapping[str, Any], totals: Facts) -> Iterator[str]:
    yield "Together"
    yield (
        f"  rows        {rows['rows_read']:,} read = {rows['rows_accepted']:,} accepted "
        f"+ {rows['rows_superseded']:,} superseded + {rows['rows_rejected']:,} rejected"
    )
    statuses = ", ".join(f"{status} {count:,}" for status, count in totals["statuses"].items())
    yield f"  orders      {totals['orders']:,}, of which {totals['counted_orders']:,} count" + (
        f" ({statuses})" if statuses else ""
    )
    if totals["orders"]:
        yield f"  dates       {totals['first_day']} to {totals['last_day']}"
        yield f"  customers   {totals['customers']:,}"
        yield f"  revenue     {_cell(totals['revenue'])} {totals['currency']}, net of refunds"


def _reject_lines(rejects: Sequence[Facts], total: int, files: int) -> Iterator[str]:
    yield f"Rejected rows, {'all' if total == len(rejects) else f'the first {len(rejects)} of'} {total:,}"
    for reject in rejects:
        where = f"{reject['file']}, line {reject['line']}" if files > 1 else f"line {reject['line']}"
        value = f"'{reject['value']}' " if reject["value"] else ""
        what = f"{reject['column']} {value}" if reject["column"] else ""
        yield f"  {where}: {what}{reject['reason']}"


def _cell(value: object) -> str:
    from datetime import datetime
    from decimal import Decimal

    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
