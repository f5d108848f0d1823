"""Fills the relations of what people did (outcomes.py), from the ledger."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dangol.engagement.people import by_people_sql
from dangol.engine import literals
from dangol.ledger import layout as ledger
from dangol.ledger.facts import ENGAGEMENT, load_facts
from dangol.ledger.orders import load_orders
from dangol.ledger.store import ObjectStore
from dangol.measurement.layout import DELIVERIES, may_matter, run_of, table_prefix
from dangol.orders.scan import counted, net

_TOLD = "('delivered', 'bounced', 'complained', 'unsubscribed')"
"""Kinds of events that count whoever caused them; opens and clicks only by people."""


class Sources:
    """Reads what temp table `people` did, up to a day, into the relations of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, store: ObjectStore, folder: Path) -> None:
        self._connection = connection
        self._store = store
        self._folder = folder

    def add_shard(self, shard: int, since: date, as_of: date) -> None:
        """What they bought from the first day on, and what became of their e-mail: of one shard of the ledger."""
        orders = self._store.keys(ledger.shard_prefix(ledger.ORDERS, shard))
        with downloaded(self._store, orders, self._folder) as files:
            load_orders(self._connection, files, unique=len(orders) == 1 and ledger.is_base(orders[0]))
            self._connection.execute(f"INSERT INTO sales BY NAME {_sales(since, as_of)}")
        with self._downloaded(ledger.shard_prefix(ENGAGEMENT.name, shard)) as files:
            load_facts(self._connection, ENGAGEMENT, files)
            self._connection.execute(f"INSERT INTO events BY NAME {_events(as_of)}")

    def add_entries(self, segments: Sequence[str], since: date, as_of: date) -> None:
        """Who entered which of the segments."""
        days = [since + timedelta(days=n) for n in range((as_of - since).days + 1)] if segments else []
        for day in days:
            with self._downloaded(ledger.changes_prefix(day)) as files:
                if files:
                    self._connection.execute(f"""
                        INSERT INTO entries SELECT customer_id, segment, as_of FROM {parquet(files)}
                        SEMI JOIN people USING (customer_id)
                        WHERE change = 'entered' AND segment IN ({literals(segments)})""")

    def add_others(self, since: date) -> None:
        """Messages of runs that are measured no more but may be what touched people last."""
        measured = {row[0] for row in self._connection.execute("SELECT run FROM plans").fetchall()}
        found = self._store.keys(table_prefix(DELIVERIES))
        keys = [key for key in found if may_matter(key, since) and run_of(key) not in measured]
        columns = ", ".join(row[0] for row in self._connection.execute("DESCRIBE others").fetchall())
        with downloaded(self._store, keys, self._folder) as files:
            if files:
                rows = f"SELECT {columns} FROM {parquet(files)} SEMI JOIN people USING (customer_id)"
                self._connection.execute(f"INSERT INTO others BY NAME {rows}")

    def _downloaded(self, prefix: str) -> AbstractContextManager[list[Path]]:
        return downloaded(self._store, self._store.keys(prefix), self._folder)


@contextmanager
def downloaded(store: ObjectStore, keys: Sequence[str], folder: Path) -> Iterator[list[Path]]:
    """Objects as files, gone at the end: all of them together would not fit the disk."""
    with TemporaryDirectory(dir=folder) as scratch:
        yield store.download(keys, Path(scratch))


def names_of(files: Sequence[Path]) -> str:
    """SQL: the names of files."""
    return literals(map(str, files))


def parquet(files: Sequence[Path]) -> str:
    """SQL: the rows of Parquet files; what their folders are called is no column."""
    return f"read_parquet([{names_of(files)}], union_by_name = true, hive_partitioning = false)"


def _sales(since: date, as_of: date) -> str:
    """SQL: counted orders; one without an hour counts as of the end of its day."""
    whole_day = "ordered_at = date_trunc('day', ordered_at)"
    return f"""
        SELECT customer_id, order_id, version, {net("amount", "refunded")}::DOUBLE AS amount,
            CASE WHEN {whole_day} THEN ordered_at + INTERVAL 86399 SECONDS ELSE ordered_at END AS moment
        FROM shard_orders SEMI JOIN people USING (customer_id)
        WHERE {counted("status", "amount", "refunded")} AND ordered_at::DATE BETWEEN DATE '{since}' AND DATE '{as_of}'
    """


def _events(as_of: date) -> str:
    theirs = f"(FROM {ENGAGEMENT.view()} SEMI JOIN people USING (customer_id))"
    return f"""
        SELECT customer_id, run, message_id, kind, happened_at FROM (
            SELECT customer_id, NULL AS run, message_id, kind, happened_at FROM ({by_people_sql(theirs)})
            UNION ALL SELECT customer_id, run, message_id, kind, happened_at FROM {theirs} WHERE kind IN {_TOLD}
        ) WHERE (happened_at AT TIME ZONE 'UTC')::DATE <= DATE '{as_of}'
    """
