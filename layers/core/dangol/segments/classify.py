"""From orders to customers: features in DuckDB, rules over a pandas frame, and both put together."""

from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dangol.engine import literal
from dangol.segments.features import FEATURES, features_sql
from dangol.segments.language.evaluate import mask
from dangol.segments.policy import Policy

_SMALL = 1 << 16


def make_features(connection: duckdb.DuckDBPyConnection, purchases: str, as_of: date) -> None:
    """Make table `features` from the relation `purchases` (see features_sql)."""
    connection.execute(f"CREATE OR REPLACE TABLE features AS {features_sql(purchases, as_of)}")


def classify(connection: duckdb.DuckDBPyConnection, policy: Policy, as_of: date) -> None:
    """Make view `customers` from table `features`.

    Columns: those of `features`, segment VARCHAR (the RFM segment's id), segments VARCHAR[] (ids of the
    other segments the customer is in, sorted; empty when none).
    """
    del as_of
    frame = _feature_frame(connection)
    sets, distinct = _factorized(membership_bits(policy, frame))
    connection.register("found", {"code": rfm_codes(policy, frame), "set": sets})
    connection.execute("CREATE OR REPLACE TABLE assigned AS FROM found")
    connection.unregister("found")
    lists = ", ".join(_list(_ids_of(policy, int(bits))) for bits in distinct) or _list([])
    # A view: to put the columns side by side costs less than to write them once more. Nothing here is
    # temporary, so that cursors see it as well: a file can be written while the summary is made.
    connection.execute(f"""
        CREATE OR REPLACE VIEW customers AS
        SELECT features.*, ({_list(policy.rfm_ids)})[code + 1] AS segment, ([{lists}])[set + 1] AS segments
        FROM features POSITIONAL JOIN assigned
    """)


def _feature_frame(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One float64 column per feature, NaN where missing, in the row order of table `features`."""
    columns = ", ".join(f"coalesce({f.name}::DOUBLE, 'NaN'::DOUBLE) AS {f.name}" for f in FEATURES)
    return pd.DataFrame(connection.execute(f"SELECT {columns} FROM features").fetchnumpy(), copy=False)


def rfm_codes(policy: Policy, features: pd.DataFrame) -> NDArray[np.int16]:
    """Position in `policy.rfm_ids` of each row's RFM segment: the first rule that holds, else the last one.

    `features`: a float64 column per feature, NaN where missing.
    """
    codes = np.full(len(features), len(policy.rfm), dtype=np.int16)
    for position in reversed(range(len(policy.rfm))):
        codes[mask(policy.rfm[position].where, features)] = position
    return codes


def membership_bits(policy: Policy, features: pd.DataFrame) -> NDArray[np.int64]:
    """The other segments of each row as one number, bit i for the policy's i-th. `features` as above."""
    bits = np.zeros(len(features), dtype=np.int64)
    for position, rule in enumerate(policy.segments):
        bits |= mask(rule.where, features).astype(np.int64) << position
    return bits


def _factorized(bits: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(position of each row's value among the distinct ones, the distinct values)."""
    if bits.size == 0 or bits.max() >= _SMALL:
        return pd.factorize(bits)
    distinct = np.flatnonzero(np.bincount(bits))  # few segments: counting is many times faster than hashing
    position = np.zeros(distinct[-1] + 1, dtype=np.int64)
    position[distinct] = np.arange(len(distinct))
    return position[bits], distinct


def _ids_of(policy: Policy, bits: int) -> list[str]:
    return sorted(rule.id for position, rule in enumerate(policy.segments) if bits >> position & 1)


def _list(ids: Sequence[str]) -> str:
    return "CAST([" + ", ".join(map(literal, ids)) + "] AS VARCHAR[])"
