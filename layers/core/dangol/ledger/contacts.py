"""How the people of a shard can be reached and what they consented to, as table `Profiles` has it.

The ledger is where it comes from; the table is a serving copy. What was copied last is kept beside the ledger, under
`ledger/profiles/`, so that only what changed is written.
"""

from datetime import date
from pathlib import Path

import duckdb

from dangol.engine import literal, scalar
from dangol.ledger import facts, own_products
from dangol.ledger.contact import FIELDS, LAW_SUBJECTS, SUBJECTS, TYPES, Contact, Value
from dangol.ledger.layout import shard_prefix
from dangol.ledger.store import ObjectStore

PROFILES = "profiles"
"""The kind of what was copied last."""
_EMPTY = "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in TYPES.items()) + " WHERE false"
_DATED = {subject: f"{subject}_consent_at" for subject in LAW_SUBJECTS}
"""Subjects for which files may say when."""
_TEXTS = {
    "name": "customer_name",
    **{name: name for name in ("email", "phone", "city", "gender", "birthday", "push_token", "push_platform")},
}


class ContactLog:
    """What of one shard's people was copied last, and what is to be copied now."""

    def __init__(self, store: ObjectStore, connection: duckdb.DuckDBPyConnection, shard: int, folder: Path) -> None:
        self._store = store
        self._connection = connection
        self._key = f"{shard_prefix(PROFILES, shard)}copied.parquet"
        self._path = folder / "copied.parquet"
        self._copied = f"({_EMPTY})"
        self._differs = False

    def changed(self, *, everybody: bool = False) -> tuple[list[Contact], list[str]]:
        """Whom to write, and the ids of whom to remove, so that the copy is as the ledger.

        Reads the relations that `ShardLedger.load` and `sources` made, and tables `features` and `own_products`.
        `everybody`: also those in whom nothing changed, for a table that was lost. An answer of which nobody told the
        moment keeps the day on which it was first seen.
        """
        self._copied = before = self._before()
        kept = ", ".join(
            f"CASE WHEN now.{s}_at IS NULL AND now.{s}_answer = old.{s}_answer THEN old.{s}_on ELSE now.{s}_on END "
            f"AS {s}_on"
            for s in SUBJECTS
        )
        self._connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE contacts AS
            SELECT now.* REPLACE ({kept}) FROM ({_now_sql()}) AS now LEFT JOIN {before} AS old USING (customer_id)
        """)
        changed = "contacts" if everybody else f"(FROM contacts EXCEPT FROM {before})"
        rows = self._connection.execute(f"SELECT {', '.join(TYPES)} FROM {changed} ORDER BY customer_id").fetchall()
        gone = self._connection.execute(
            f"SELECT customer_id FROM {before} ANTI JOIN contacts USING (customer_id) ORDER BY customer_id"
        ).fetchall()
        self._differs = bool(rows or gone)
        return [_contact(row) for row in rows], [customer_id for (customer_id,) in gone]

    def new_answers_before(self, day: date) -> int:
        """How many answers to the law's subjects are new since the last copy and yet of before a day.

        To be asked between `changed` and `keep`.
        """
        new = " + ".join(
            f"count(*) FILTER (now.{s}_on < DATE '{day}' AND "
            f"(now.{s}_answer, now.{s}_on) IS DISTINCT FROM (old.{s}_answer, old.{s}_on))"
            for s in LAW_SUBJECTS
        )
        query = f"SELECT {new} FROM contacts AS now LEFT JOIN {self._copied} AS old USING (customer_id)"
        return int(scalar(self._connection, query)) if self._differs else 0

    def keep(self) -> None:
        """Note that all of it was written."""
        target = f"{literal(str(self._path))} (FORMAT parquet, COMPRESSION zstd)"
        self._connection.execute(f"COPY (FROM contacts ORDER BY customer_id) TO {target}")
        self._store.upload([(self._path, self._key)])

    def _before(self) -> str:
        if not self._store.keys(self._key):
            return f"({_EMPTY})"
        (path,) = self._store.download([self._key], self._path.parent)
        copied = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
        return f"(FROM ({_EMPTY}) UNION ALL BY NAME FROM {copied})"  # an earlier version's lacks columns


def _contact(row: tuple[Value | None, ...]) -> Contact:
    customer_id, *values = row
    return Contact(
        str(customer_id), {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}
    )


def _now_sql() -> str:
    """SQL: whoever can be reached or has answered, with the columns of TYPES.

    What customers files say goes before what orders say.
    """
    named = ("name", "email", "phone")
    texts = ", ".join(
        f"coalesce(person.{name}, buyer.{name}) AS {name}" if name in named else f"person.{name}" for name in _TEXTS
    )
    consents = ", ".join(f"{subject}_{part}" for subject in SUBJECTS for part in ("answer", "on", "at"))
    answers = (f"{subject}_answer" for subject in SUBJECTS)
    known = ", ".join(("email", "phone", "push_token", "refused_email_at::VARCHAR", *answers))
    return f"""
        SELECT * FROM (
            SELECT customer_id, {texts}, last_product, last_category, purchase_on, purchase_kinds, refused_email_at,
                {consents}, {", ".join(own_products.COLUMNS)}
            FROM ({_persons_sql()}) AS person
            FULL JOIN ({_buyers_sql()}) AS buyer USING (customer_id)
            LEFT JOIN (SELECT customer_id, last_product, last_category FROM features) AS feature USING (customer_id)
            LEFT JOIN ({_purchases_sql()}) AS purchase USING (customer_id)
            LEFT JOIN ({_REFUSALS}) AS refusal USING (customer_id)
            LEFT JOIN {own_products.OWN} USING (customer_id)
            WHERE coalesce(merged_into = customer_id, true)
        ) WHERE coalesce({known}) IS NOT NULL
    """


def _persons_sql() -> str:
    """SQL: what customers files say: of each person and column the newest value."""
    texts = ", ".join(f"arg_max({of}, version) FILTER ({of} IS NOT NULL) AS {name}" for name, of in _TEXTS.items())
    return f"""
        SELECT customer_id, {texts}, {", ".join(map(_consent_sql, SUBJECTS))},
            arg_max(merged_into, version) FILTER (merged_into IS NOT NULL) AS merged_into
        FROM shard_customers GROUP BY customer_id
    """


def _consent_sql(subject: str) -> str:
    """SQL: the newest answer, its day, and its moment where the same row tells it.

    What came with a merged account counts where it is stricter (design §5, promise 12), or where there is nothing else.
    A moment that is yet to come is taken as not told: else a mistaken year would outlast every refusal (law.in_force).
    """
    seen = facts.seen_on("version")
    told, accepts = _told(_DATED[subject]) if subject in _DATED else "NULL::TIMESTAMP", f"accepts_{subject}"
    own = f"NOT {facts.handed_over('version')}"
    order = f"{{stricter: NOT ({own} OR {accepts}), own: {own}, version: version}}"

    def newest(value: str) -> str:
        return f"arg_max({{value: {value}}}, {order}) FILTER ({accepts} IS NOT NULL).value"

    return f"""
        {newest(f"CASE WHEN {accepts} THEN 'given' ELSE 'withdrawn' END")} AS {subject}_answer,
        {newest(f"coalesce({told}::DATE, {seen})")} AS {subject}_on,
        {newest(f"epoch({told}::TIMESTAMPTZ)::BIGINT")} AS {subject}_at"""


def _told(at: str) -> str:
    """SQL: a moment that a customers file tells, unless it was yet to come; two days are left for clocks and zones."""
    due = f"{facts.seen_at('version')} + INTERVAL 2 DAYS"
    return f"CASE WHEN coalesce({at}::TIMESTAMPTZ <= {due}, true) THEN {at} END"


def _buyers_sql() -> str:
    """SQL: what orders say: of each customer the contact data of the newest order that has it."""
    names = ("customer_name AS name", "email", "phone")
    newest = ", ".join(
        f"arg_max({name.split()[0]}, ordered_at) FILTER ({name.split()[0]} IS NOT NULL) AS {name.split()[-1]}"
        for name in names
    )
    return f"SELECT customer_id, {newest} FROM ({_ORDERS}) WHERE customer_id IS NOT NULL GROUP BY customer_id"


def _purchases_sql() -> str:
    """SQL: the last counted order in which contact data was given, and the categories of what was bought.

    Not of who was erased and came back: files may tell of a refusal without its day, and such rows are put aside.
    """
    return f"""
        SELECT customer_id, last::DATE AS purchase_on,
            list_sort(list(DISTINCT category) FILTER (category IS NOT NULL)) AS purchase_kinds
        FROM (
            SELECT line.*, max(ordered_at) OVER (PARTITION BY customer_id) AS last
            FROM shard_lines AS line
            SEMI JOIN (SELECT order_id FROM ({_ORDERS}) WHERE email IS NOT NULL OR phone IS NOT NULL) USING (order_id)
            ANTI JOIN (SELECT customer_id FROM shard_engagement WHERE kind = '{facts.RETURNED}') USING (customer_id)
        ) WHERE ordered_at = last GROUP BY customer_id, last
    """


_REFUSALS = """
    SELECT customer_id, max(epoch(happened_at))::BIGINT AS refused_email_at FROM shard_engagement
    WHERE kind IN ('complained', 'unsubscribed') GROUP BY customer_id"""
"""SQL: who unsubscribed by the link of an e-mail, or complained."""
_ORDERS = """
    SELECT order_id, customer_id, ordered_at, email, phone, customer_name FROM (
        SELECT NULL::VARCHAR AS email, NULL::VARCHAR AS phone, NULL::VARCHAR AS customer_name WHERE false
        UNION ALL BY NAME FROM shard_orders
    )"""
"""SQL: orders with their contact data, which not every ledger object has."""
