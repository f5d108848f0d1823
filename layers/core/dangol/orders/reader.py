"""Order files in, one table of orders out, and every row accounted for.

Two ways to the same result. `read_orders` keeps whole orders, line items and contacts included: what
the ledger stores. `read_purchases` keeps what RFM needs and holds ten million rows in little memory;
only orders of several rows take the way of `read_orders`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dangol.engine import scalar
from dangol.files.export import MAX_TEXT_BYTES, Export
from dangol.files.reading import Reading
from dangol.files.receipt import Receipt
from dangol.files.rejects import count_by_column
from dangol.files.scanner import BadRow, Scanner
from dangol.identity import CALLING_CODE, LOCAL_KEY, keyed_sql, personal_sql
from dangol.orders import olist
from dangol.orders.describe import builtin_dialects, plain
from dangol.orders.dialect import Dialect, Layout, recognise
from dangol.orders.explain import explained
from dangol.orders.rates import Rate
from dangol.orders.repeated import find_repeated
from dangol.orders.resolve import Traits, resolve, single_order
from dangol.orders.scan import CHECKED_COLUMNS, Scan, counted, net
from dangol.shop import Shop

_ROWS = (
    "hash(order_id) AS key, order_id, customer_id, ordered_at, amount, line_amount, refunded_amount, shipping, "
    "shipping_group, status, by_line, cancels, has_item, problem"
)
"""What the total and the customer of an order follow from."""
_FULL = (
    f"{_ROWS}, product_id, product_name, category, quantity, unit_price, coupon, discount, email, phone, customer_name"
)
_NARROW = (
    "hash(order_id) AS key, customer_id, ordered_at::DATE AS ordered_on, "
    f"{net('coalesce(amount, line_amount)', 'refunded_amount')} AS amount, "
    f"{counted('status', 'coalesce(amount, line_amount)', 'refunded_amount')} AS counted, "
    "problem"
)
"""What RFM needs of a row that is an order by itself."""

_COMPLETE = {
    "narrow": "problem IS NULL AND customer_id IS NOT NULL AND ordered_on IS NOT NULL AND amount IS NOT NULL",
    "scanned": "problem IS NULL AND customer_id IS NOT NULL AND ordered_at IS NOT NULL "
    "AND coalesce(amount, line_amount) IS NOT NULL",
}
"""SQL: a row that is an order by itself, by table."""


_ALONE = "key IS NULL OR key NOT IN (FROM repeated)"
"""SQL: a row whose order has no other."""


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """How the rows of orders with several rows fared."""

    superseded: int
    bad: list[BadRow]


class OrderReader:
    """Reads order files of one shop with DuckDB.

    `connection` must have its TimeZone set to the shop's. `folder` is scratch space. Later files are
    newer: of an order that is in several, the last one counts. `key` is the secret of `identity.person`.
    `own` are the shop's dialects, which go before those of Dangol where both fit. `rates` convert what is in other
    currencies. `password` opens protected workbooks.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        shop: Shop,
        folder: Path,
        max_bytes: int = MAX_TEXT_BYTES,
        *,
        key: bytes = LOCAL_KEY,
        calling_code: str = CALLING_CODE,
        own: Sequence[Dialect] = (),
        rates: Sequence[Rate] = (),
        password: str | None = None,
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._max_bytes = max_bytes
        self._key = key
        self._dialects = (*own, *builtin_dialects())
        self._scans: list[Scan] = []

        def scan_of(export: Export) -> Scan:
            self._scans.append(Scan(export, self._layout(export), shop, calling_code, rates))
            return self._scans[-1]

        self._scanner = Scanner(connection, folder, scan_of, max_bytes, password=password, header=self._is_header)

    def read_orders(self, files: Sequence[tuple[Path, str]]) -> Reading:
        """Make temp table `orders` (ORDER_COLUMNS, one row per order) of (path, name) files.

        Raises UnreadableFile for a file of which no row can be used.
        """
        self._open(files)
        self._scanner.scan_into("scanned", _FULL, numbered=False)
        find_repeated(self._connection, "scanned")
        bad = self._bad_rows_of("scanned", "rowid", _ALONE)
        verdicts = self._resolve_repeated("rowid", lines=True)
        self._connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE read_whole AS
            {single_order(lines=True)} FROM scanned WHERE {_COMPLETE["scanned"]} AND key NOT IN (FROM repeated)
            {"UNION ALL BY NAME FROM resolved" if verdicts else ""}
        """)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE orders AS {self._keyed('read_whole')}")
        return self._reading("scanned", bad, verdicts)

    def read_purchases(self, files: Sequence[tuple[Path, str]]) -> Reading:
        """Make temp view `purchases` of (path, name) files: one row per order, for RFM.

        Columns: customer_id VARCHAR, ordered_on DATE, amount DECIMAL(18,4) net of refunds, counted
        BOOLEAN. Raises UnreadableFile for a file of which no row can be used.
        """
        self._open(files)
        if any(scan.layout.dialect.row_is_line for scan in self._scans):
            return self._purchases_of_lines()
        self._scanner.scan_into("narrow", _NARROW, numbered=False)
        find_repeated(self._connection, "narrow")
        bad = self._bad_rows_of("narrow", "rowid", _ALONE)
        if self._count("repeated"):
            self._scanner.scan_into("scanned", _ROWS, numbered=True, where="key IN (FROM repeated)")
        verdicts = self._resolve_repeated("number", lines=False)
        self._connection.execute(f"""
            CREATE OR REPLACE TEMP VIEW read_narrow AS
            SELECT customer_id, ordered_on, amount, counted FROM narrow WHERE {_COMPLETE["narrow"]}
            {f"AND key NOT IN (FROM repeated) UNION ALL {_purchases('resolved')}" if verdicts else ""}
        """)
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW purchases AS {self._keyed('read_narrow')}")
        return self._reading("narrow", bad, verdicts)

    def _purchases_of_lines(self) -> Reading:
        """The same of files in which most orders have several rows: all are grouped, and nothing is read twice."""
        # Not numbered while it is read: that would be done by one thread.
        self._scanner.scan_into("scanned", _ROWS, numbered=False)
        bad = self._bad_rows_of("scanned", "rowid", "order_id IS NULL")
        verdicts = self._resolve("order_id IS NOT NULL", "rowid", lines=False)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE read_lines AS {_purchases('resolved')}")
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW purchases AS {self._keyed('read_lines')}")
        return self._reading("scanned", bad, verdicts)

    def accepted_rows(self, orders: str) -> int:
        """How many accepted rows of what `read_orders` read are those of the orders in a query of order_id."""
        of = f"order_id IN ({orders}) OR coalesce(cancels IN ({orders}), false)"
        rows = self._count(f"scanned WHERE problem IS NULL AND ({of})")
        return (
            rows - self._count(f"ranked WHERE problem IS NULL AND NOT current AND ({of})")
            if self._has_ranked()
            else rows
        )

    def _has_ranked(self) -> bool:
        return self._count("duckdb_tables() WHERE table_name = 'ranked'") > 0

    @property
    def scans(self) -> tuple[Scan, ...]:
        """Of each file read last, in their order, how it is understood."""
        return tuple(self._scans)

    def _is_header(self, cells: Sequence[str]) -> bool:
        return recognise(cells, self._dialects) is not None or plain().fits(cells)

    def _layout(self, export: Export) -> Layout:
        if part := olist.part_of(export.header):
            raise olist.refusal(export.name, [part])
        dialect = recognise(export.header, self._dialects) or plain()
        return dialect.match(export.header, export.name, export.header_line)

    def _open(self, files: Sequence[tuple[Path, str]]) -> None:
        self._scans.clear()
        self._scanner.open(olist.joined(self._connection, files, self._folder, self._max_bytes))

    def _count(self, table: str) -> int:
        return scalar(self._connection, f"SELECT count(*) FROM {table}")

    def _keyed(self, relation: str) -> str:
        """SQL: `relation` with the key of each person; hashed once a person, and nothing where nobody is personal."""
        personal = personal_sql("customer_id")
        self._connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE persons AS
            SELECT customer_id AS person, {keyed_sql("customer_id", self._key)} AS person_key
            FROM (SELECT DISTINCT customer_id FROM {relation} WHERE {personal})
        """)
        if not self._count("persons"):
            return f"FROM {relation}"
        return f"""
            SELECT {relation}.* REPLACE (coalesce(person_key, customer_id) AS customer_id)
            FROM {relation} LEFT JOIN persons ON customer_id = person
        """

    # ---- several rows of one order -----------------------------------------------------------------

    def _resolve_repeated(self, number: str, *, lines: bool) -> _Verdicts | None:
        """Make temp table `resolved` of the orders in `scanned` that have several rows, if any."""
        return self._resolve("key IN (FROM repeated)", number, lines=lines) if self._count("repeated") else None

    def _resolve(self, where: str, number: str, *, lines: bool) -> _Verdicts:
        """Make temp table `resolved` of the orders of some rows of `scanned`.

        `number` is the column that counts the rows: of each file, or, 'rowid', of all.
        """
        own = ", rowid AS number" if number == "rowid" else ""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW repeated_rows AS SELECT *{own} FROM scanned WHERE {where}"
        )
        resolve(self._connection, self._traits(lines))
        return self._judged(number)

    def _traits(self, lines: bool) -> Traits:
        dialects = [scan.layout.dialect for scan in self._scans]
        return Traits(
            files=len(self._scans),
            by_line=any(dialect.status_of_line or dialect.cancellations for dialect in dialects),
            cancels=any(dialect.cancellations for dialect in dialects),
            shipping=any("shipping" in scan.layout.columns for scan in self._scans),
            lines=lines,
        )

    # ---- what became of each row ---------------------------------------------------------------------

    def _bad_rows_of(self, table: str, number: str, where: str) -> list[BadRow]:
        """Rows of `table` that are no order, of those `where` says; `number` counts in the file's order."""
        bad = f"NOT ({_COMPLETE[table]}) AND ({where})"
        if not self._count(f"{table} WHERE {bad}"):
            return []
        firsts = f"(SELECT file, min({number}) AS first FROM {table} GROUP BY file)"
        return self._bad_rows(f"""
            SELECT file, {table}.{number} - first AS number, {_column_at_fault("problem", "''")} AS "column"
            FROM {table} JOIN {firsts} USING (file) WHERE {bad}
        """)

    def _judged(self, number: str) -> _Verdicts:
        superseded = "SELECT count(*) FROM judged WHERE verdict = 'superseded'"
        if not self._count("judged WHERE verdict NOT IN ('accepted', 'superseded')"):
            return _Verdicts(scalar(self._connection, superseded), [])
        first = "min(rowid)" if number == "rowid" else "0"
        bad = self._bad_rows(f"""
            SELECT file, number - first AS number, CASE verdict WHEN 'incomplete' THEN '' WHEN 'sibling' THEN NULL
                ELSE {_column_at_fault("problem", f"'{CHECKED_COLUMNS[0]}'")} END AS "column"
            FROM judged JOIN (SELECT file, {first} AS first FROM scanned GROUP BY file) USING (file)
            WHERE verdict NOT IN ('accepted', 'superseded')
        """)
        return _Verdicts(scalar(self._connection, superseded), bad)

    def _bad_rows(self, query: str) -> list[BadRow]:
        """The rows of a query of file, number and "column", unless they are too many."""
        self._scanner.check_rejects(query)
        found = self._connection.execute(f"FROM ({query}) ORDER BY file, number").fetchall()
        return [BadRow(file, number, column) for file, number, column in found]

    def _reading(self, table: str, bad: list[BadRow], verdicts: _Verdicts | None) -> Reading:
        superseded = verdicts.superseded if verdicts else 0
        scans = {scan.export.name: scan for scan in self._scans}
        found = self._scanner.rejects(bad + (verdicts.bad if verdicts else []))
        rejects = [explained(scans[reject.file], reject) for reject in found]
        rows_read = self._count(table) + self._scanner.left_out
        receipt = Receipt(
            files=self._scanner.names,
            rows_read=rows_read,
            rows_accepted=rows_read - superseded - len(rejects),
            rows_superseded=superseded,
            rows_rejected=len(rejects),
            reasons=count_by_column(rejects),
        )
        return Reading(receipt, rejects)


def _column_at_fault(problem: str, otherwise: str) -> str:
    """SQL: BadRow.column of a `problem`, or `otherwise` where there is none."""
    return f"coalesce(({list(CHECKED_COLUMNS)})[{problem}], {otherwise})"


def _purchases(orders: str) -> str:
    """SQL: orders as `read_purchases` yields them."""
    return f"""
        SELECT customer_id, ordered_at::DATE AS ordered_on, {net("amount", "refunded")} AS amount,
            {counted("status", "amount", "refunded")} AS counted FROM {orders}
    """
