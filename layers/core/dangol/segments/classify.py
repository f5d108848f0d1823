"""From features to segments: rules over columns of DuckDB's table `features`."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dangol.engine import literal, literals
from dangol.segments.features import DATE, FEATURES, TEXT
from dangol.segments.folding import fold, fold_sql
from dangol.segments.language.columns import Mask
from dangol.segments.language.frames import columns_of
from dangol.segments.language.names import interactions_in
from dangol.segments.language.syntax import Did
from dangol.segments.memberships import factorized, memberships
from dangol.segments.policy import Policy

_KINDS = {feature.name: feature.kind for feature in FEATURES}


def classify(connection: duckdb.DuckDBPyConnection, policy: Policy, as_of: date) -> None:
    """Make view `customers` from table `features` and, if the policy needs it, the relation `interactions`.

    `features`: customer_id VARCHAR, unique, and a column per feature (DOUBLE or BIGINT, DATE, VARCHAR, BOOLEAN; NULL
    where missing); a feature without a column is missing for everybody. A table, whose rows keep their order.
    `interactions`: customer_id, kind (bought, carted, wished, viewed) VARCHAR, happened_on DATE, product_id,
    product_name, category VARCHAR; only up to `as_of`, the shop's date.
    `customers` has the columns of `features`, segment VARCHAR (the RFM segment's id), segments VARCHAR[] (ids of the
    other segments the customer is in, sorted; empty when none).
    """
    columns = columns_of(_frame(connection, policy.needs.features), _KINDS)
    found = memberships(policy, columns, as_of, _done(connection, policy, as_of, columns.size))
    sets, distinct = factorized(found.others)
    _keep(connection, "assigned", {"code": found.rfm, "combination": sets}, "FROM found")
    # Which segments a combination of bits means: few rows, and no text of SQL that grows with them.
    listed = f"list_filter({_list(policy.other_ids)}, lambda id, i: (bits >> (i - 1)) & 1 = 1)"
    _keep(
        connection,
        "combinations",
        {"combination": np.arange(len(distinct)), "bits": distinct},
        f"SELECT combination, {listed} AS segments FROM found",
    )
    # A view: to put the columns side by side costs less than to write them once more, and to look up a list by its
    # position less than to join. Nothing here is temporary, so that cursors see it as well: a file can be written
    # while the summary is made.
    connection.execute(f"""
        CREATE OR REPLACE VIEW customers AS
        SELECT
            features.*,
            ({_list(policy.rfm_ids)})[code + 1] AS segment,
            (SELECT list(segments ORDER BY combination) FROM combinations)[combination + 1] AS segments
        FROM features POSITIONAL JOIN assigned
    """)


def _frame(connection: duckdb.DuckDBPyConnection, needed: Iterable[str]) -> pd.DataFrame:
    """The columns of table `features` that are needed and there, as columns_of wants them; text is categorical."""
    types = {name: kind for name, kind, *_ in connection.execute("DESCRIBE features").fetchall()}
    there = sorted(name for name in needed if name in types)
    texts = {name: _distinct(connection, name) for name in there if _KINDS[name] == TEXT and types[name] == "VARCHAR"}
    fetched = [f"{_number(name, types[name])} AS {name}" for name in there if _KINDS[name] != TEXT]
    fetched += [f"coalesce(enum_code({name}::{_enum(name)})::INTEGER, -1) AS {name}" for name in texts]
    query = f"SELECT {', '.join(['true AS row', *fetched])} FROM features"
    found: dict[str, NDArray[Any]] = connection.execute(query).fetchnumpy()  # type: ignore[assignment]
    for name in texts:
        connection.execute(f"DROP TYPE {_enum(name)}")
    rows = pd.RangeIndex(len(found.pop("row")))
    categories = {name: pd.Index(values, dtype=object) for name, values in texts.items()}
    categorical = {name: pd.Categorical.from_codes(found[name], values) for name, values in categories.items()}
    return pd.DataFrame({**found, **categorical}, index=rows, copy=False)


def _number(name: str, kind: str) -> str:
    """SQL: a DOUBLE as language.columns.numbers has it, NaN where missing."""
    if _KINDS[name] == DATE and kind == "DATE":
        name = f"({name} - DATE '1970-01-01')"
    return f"coalesce({name}::DOUBLE, 'NaN'::DOUBLE)"


def _distinct(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, ...]:
    """The distinct texts of a feature; an ENUM of them gives each row its code."""
    connection.execute(f"CREATE OR REPLACE TYPE {_enum(name)} AS ENUM (SELECT DISTINCT {name} FROM features)")
    values = connection.execute(f"SELECT unnest(enum_range(NULL::{_enum(name)}))::VARCHAR").fetchall()
    return tuple(value for (value,) in values)


def _enum(name: str) -> str:
    return f"texts_of_{name}"


def _done(connection: duckdb.DuckDBPyConnection, policy: Policy, as_of: date, size: int) -> dict[Did, Mask]:
    """Of each condition on interactions, for which rows of table `features` it holds."""
    conditions = sorted(frozenset[Did]().union(*(interactions_in(rule.where) for rule in policy.rules)), key=str)
    if not conditions:
        return {}
    asked = ", ".join(f"bool_or({_did(condition, as_of)}) AS did_{i}" for i, condition in enumerate(conditions))
    folded = ", ".join(f"{fold_sql(name)} AS {name}" for name in ("category", "product_id", "product_name"))
    rows = connection.execute(f"""
        SELECT position, done.* EXCLUDE (customer_id)
        FROM (SELECT customer_id, row_number() OVER () - 1 AS position FROM features)
        JOIN (
            SELECT customer_id, {asked}
            FROM (SELECT customer_id, kind, happened_on, {folded} FROM interactions)
            GROUP BY customer_id
        ) AS done USING (customer_id)
    """).fetchnumpy()
    found = {}
    for i, condition in enumerate(conditions):
        found[condition] = np.zeros(size, dtype=np.bool_)
        found[condition][rows["position"]] = rows[f"did_{i}"]
    return found


def _did(condition: Did, as_of: date) -> str:
    what = literal(fold(condition.what))
    named = f"{what} IN (category, product_id, product_name)"
    since = f" AND happened_on > DATE '{condition.within.before(as_of)}'" if condition.within else ""
    return f"coalesce(kind = {literal(condition.kind)} AND {named}{since}, false)"


def _keep(
    connection: duckdb.DuckDBPyConnection, table: str, found: Mapping[str, NDArray[np.generic]], rows: str
) -> None:
    """Make a table of arrays, which the query `rows` reads as `found`."""
    connection.register("found", dict(found))
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS {rows}")
    connection.unregister("found")


def _list(ids: Iterable[str]) -> str:
    return "CAST([" + literals(ids) + "] AS VARCHAR[])"
