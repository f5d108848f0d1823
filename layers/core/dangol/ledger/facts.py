"""What the ledger keeps beside the orders: customers, interests and engagement by shard, and the products.

As with orders, nothing depends on objects being unique or deleted in time: the same row twice reads like once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dangol.engine import literal, literals
from dangol.inputs import table
from dangol.inputs.customers import CUSTOMERS as CUSTOMERS_FILE
from dangol.inputs.interests import INTERESTS as INTERESTS_FILE
from dangol.inputs.products import PRODUCTS as PRODUCTS_FILE

_TYPES = {
    table.TEXT: "VARCHAR",
    table.IDENTIFIER: "VARCHAR",
    table.WORD: "VARCHAR",
    table.NUMBER: "DECIMAL(18, 4)",
    table.DAY: "DATE",
    table.MOMENT: "TIMESTAMP",
    table.FLAG: "BOOLEAN",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """One kind of the ledger."""

    name: str
    columns: Mapping[str, str]
    """Column → DuckDB type. `version` is that of the file a row came with."""
    kept: Callable[["Facts", str], str]
    """SQL: the rows of a relation that still say something."""

    def view(self) -> str:
        """The temp relation that `load_facts` makes."""
        return f"shard_{self.name}"


def _distinct(facts: Facts, rows: str) -> str:
    """Things that happened: each once, whatever files told of it."""
    of = ", ".join(name for name in facts.columns if name != "version")
    return f"SELECT DISTINCT ON ({of}) * FROM {rows} ORDER BY version"


def _newest_and_turns(facts: Facts, rows: str) -> str:
    """Of each product the newest row, and those from which its past is told: the first, and of its stock the last turn.

    These are the last row that says it is out of stock, and the first behind it that says it is there again.
    """
    key = next(iter(facts.columns))
    return f"""
        SELECT * EXCLUDE (out) FROM (
            SELECT *, max(version) FILTER (NOT in_stock) OVER (PARTITION BY {key}) AS out
            FROM (SELECT DISTINCT ON ({key}, version) * FROM {rows})
        ) WINDOW same AS (PARTITION BY {key})
        QUALIFY version = max(version) OVER same OR version = min(version) OVER same OR version = out
            OR version = min(version) FILTER (in_stock AND version > out) OVER same"""


def _account(version: str) -> str:
    """SQL: tells rows that came with merged accounts apart, from each other and from the account's own."""
    return f"CASE WHEN {handed_over(version)} THEN {version} END"


def _newest_values(facts: Facts, rows: str) -> str:
    """Rows that hold the newest value of at least one column: a file with few columns empties none of the others."""
    key, *others = (name for name in facts.columns if name != "version")
    newest = " OR ".join(
        f"({name} IS NOT NULL AND version = max(version) FILTER ({name} IS NOT NULL) OVER same)" for name in others
    )
    return f"""
        SELECT DISTINCT * FROM (
            SELECT *, {newest} OR version = max(version) OVER same AS says
            FROM {rows} WINDOW same AS (PARTITION BY {key}, {_account("version")})
        ) WHERE says"""


def seen_at(version: str) -> str:
    """SQL: the moment at which a file of this version was dropped; NULL where the version tells no time."""
    return rf"(try_strptime(regexp_extract({version}, '\d{{8}}T\d{{6}}Z'), '%Y%m%dT%H%M%SZ') AT TIME ZONE 'UTC')"


def seen_on(version: str) -> str:
    """SQL: the day of it in the shop."""
    return f"{seen_at(version)}::DATE"


HANDED_OVER = "0-"
"""Begins the version of a row of customers files that came with a merged account; all others begin with a year."""


def handed_over(version: str) -> str:
    """SQL: whether a row of customers files came with a merged account (see dangol.ledger.merges)."""
    return f"starts_with({version}, {literal(HANDED_OVER)})"


def _of_file(file: table.Table, kept: Callable[[Facts, str], str], *leading: str) -> Facts:
    types = {column.name: _TYPES[column.kind] for column in file.columns}
    return Facts(file.name, {name: types[name] for name in (*leading, *types)} | {"version": "VARCHAR"}, kept)


CUSTOMERS = _of_file(CUSTOMERS_FILE, _newest_values, "customer_id")
INTERESTS = _of_file(INTERESTS_FILE, _distinct)
PRODUCTS = _of_file(PRODUCTS_FILE, _newest_and_turns, "product_id")
ENGAGEMENT = Facts(
    "engagement",
    {
        "customer_id": "VARCHAR",
        "message_id": "VARCHAR",
        "run": "VARCHAR",
        "kind": "VARCHAR",
        "happened_at": "TIMESTAMP",
        "link": "VARCHAR",
        "agent": "VARCHAR",
        "version": "VARCHAR",
    },
    _distinct,
)
"""E-mail events as SES tells them: kind is 'delivered', 'opened', 'clicked' and so on; happened_at in UTC."""
RETURNED = "returned"
"""Kind of what is noted there of who was erased, at that moment, and bought again: it is no event of an e-mail."""

OF_PERSONS = (CUSTOMERS, INTERESTS, ENGAGEMENT)
"""Sharded as the orders are."""
SHARD_OF_PRODUCTS = 0
"""Where products lie, all of them; they go into every refresh."""
BY_NAME = {facts.name: facts for facts in (*OF_PERSONS, PRODUCTS)}


def load_facts(connection: duckdb.DuckDBPyConnection, facts: Facts, files: Sequence[Path]) -> None:
    """Make temp table `facts.view()` of ledger objects: `facts.columns`, without repetitions."""
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in facts.columns.items())
    nothing = f"SELECT {empty} WHERE false"
    rows = nothing  # of most kinds a shop drops nothing: then there is nothing to tell apart either
    if files:
        names = literals(map(str, files))
        columns = f"COLUMNS(lambda c: c IN ({literals(facts.columns)}))"
        read = f"SELECT {columns} FROM read_parquet([{names}], union_by_name = true, hive_partitioning = false)"
        rows = facts.kept(facts, f"({nothing} UNION ALL BY NAME {read})")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {facts.view()} AS {rows}")
