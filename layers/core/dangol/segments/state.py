"""The state of a shard's customers, and how one state follows from the one before.

`State.customers`, one row per customer, sorted by customer_id:
    customer_id str; segment str (RFM segment); previous_segment str or None; orders_90d, orders_lifetime
    int64; aov_90d, revenue_lifetime float64 (shop's currency, NaN when missing); first_order_on,
    last_order_on, as_of datetime64 (dates in the shop's zone, NaT when missing); policy_version str.
    `as_of` and `policy_version` are those at which the row last changed. There is no recency_days: it
    changes every day and is as_of − last_order_on.
`State.memberships`, one row per customer and segment, sorted by both:
    customer_id str; segment str; rfm bool (is it the RFM segment); since datetime64 (first day in it).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_Mask = NDArray[np.bool_]

STORED_FEATURES = (
    "orders_90d",
    "aov_90d",
    "orders_lifetime",
    "revenue_lifetime",
    "first_order_on",
    "last_order_on",
)
CUSTOMER_COLUMNS = ("customer_id", "segment", "previous_segment", *STORED_FEATURES, "as_of", "policy_version")
MEMBERSHIP_COLUMNS = ("customer_id", "segment", "rfm", "since")

_DATES = ("first_order_on", "last_order_on", "as_of", "since")
_NUMBERS = {
    "orders_90d": "int64",
    "aov_90d": "float64",
    "orders_lifetime": "int64",
    "revenue_lifetime": "float64",
    "rfm": "bool",
}


@dataclass(frozen=True, slots=True)
class State:
    """Customers and memberships of one shard; columns as in the module's docstring."""

    customers: pd.DataFrame
    memberships: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one state to the next."""

    written: pd.DataFrame
    """Customers to write: new ones, and those with a changed feature, segment or membership."""
    removed: list[str]
    """Customers that are no more: an order of theirs turned out to be another person's."""
    changes: pd.DataFrame
    """Entries and exits, sorted: customer_id, segment, change ('entered' or 'exited'), from, to, since.

    For RFM segments `from` and `to` name both sides of a move (None for who joins or leaves altogether);
    for others one of them is None. `since` is the day of entry, NaT for an exit.
    """


def empty_state() -> State:
    """Nobody yet."""
    return typed_state(
        pd.DataFrame({name: [] for name in CUSTOMER_COLUMNS}),
        pd.DataFrame({name: [] for name in MEMBERSHIP_COLUMNS}),
    )


def typed_state(customers: pd.DataFrame, memberships: pd.DataFrame) -> State:
    """The frames with the columns, dtypes and order of the module's docstring."""
    return State(
        _typed(customers[list(CUSTOMER_COLUMNS)], ["customer_id"]),
        _typed(memberships[list(MEMBERSHIP_COLUMNS)], ["customer_id", "segment"]),
    )


def advance(before: State, classified: pd.DataFrame, as_of: date, policy_version: str) -> State:
    """The state on `as_of`, given the one before and the customers as they are now classified.

    `classified`: customer_id, segment, segments (lists of ids) and STORED_FEATURES. Who was in a segment
    keeps the date since when; a row in which nothing changed keeps its as_of and policy_version.
    """
    memberships = _memberships(classified)
    known = memberships.merge(
        before.memberships[["customer_id", "segment", "since"]], how="left", on=["customer_id", "segment"]
    )
    memberships["since"] = known["since"].fillna(pd.Timestamp(as_of)).to_numpy()
    customers = classified[["customer_id", "segment", *STORED_FEATURES]].copy()
    old = customers[["customer_id"]].merge(
        before.customers[["customer_id", "segment", "previous_segment"]], how="left", on="customer_id"
    )
    moved = old["segment"].notna().to_numpy() & (old["segment"] != customers["segment"]).to_numpy()
    customers["previous_segment"] = np.where(moved, old["segment"], old["previous_segment"])
    customers["as_of"] = pd.Timestamp(as_of)
    customers["policy_version"] = policy_version
    after = typed_state(customers, memberships)
    return _unchanged_rows_kept(before, after)


def difference(before: State, after: State) -> Difference:
    """What to write and to publish so that the tables of `before` become those of `after`."""
    changed = _changed(before, after)
    removed = ~before.customers["customer_id"].isin(after.customers["customer_id"])
    return Difference(
        written=after.customers[changed].reset_index(drop=True),
        removed=before.customers.loc[removed, "customer_id"].tolist(),
        changes=_changes(before.memberships, after.memberships),
    )


def _memberships(classified: pd.DataFrame) -> pd.DataFrame:
    ids = classified["customer_id"].to_numpy()
    lists = classified["segments"].to_numpy()
    lengths = np.fromiter((len(segments) for segments in lists), dtype=np.int64, count=len(lists))
    others = [segment for segments in lists for segment in segments]
    frame = pd.DataFrame(
        {
            "customer_id": np.concatenate([ids, np.repeat(ids, lengths)]),
            "segment": [*classified["segment"], *others],
            "rfm": [True] * len(ids) + [False] * len(others),
        }
    )
    return frame.sort_values(["customer_id", "segment"], ignore_index=True)


def _unchanged_rows_kept(before: State, after: State) -> State:
    changed = _changed(before, after)
    stamps = ["as_of", "policy_version"]
    old = after.customers[["customer_id"]].merge(
        before.customers[["customer_id", *stamps]], how="left", on="customer_id"
    )
    customers = after.customers.copy()
    for column in stamps:
        customers[column] = customers[column].where(changed, old[column])
    return State(customers, after.memberships)


def _changed(before: State, after: State) -> _Mask:
    """Of which customers of `after` a feature, the segment or a membership differs, new ones included."""
    compared = ["segment", "previous_segment", *STORED_FEATURES]
    old = after.customers[["customer_id"]].merge(
        before.customers[["customer_id", *compared]], how="left", on="customer_id", indicator=True
    )
    changed = (old["_merge"] == "left_only").to_numpy().copy()
    for column in compared:
        a, b = after.customers[column], old[column]
        changed |= ~((a == b).fillna(False).to_numpy(dtype=bool) | (a.isna() & b.isna()).to_numpy())
    regrouped = _changes(before.memberships, after.memberships)["customer_id"]
    return changed | after.customers["customer_id"].isin(regrouped).to_numpy()


def _changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    both = before.merge(after, how="outer", on=["customer_id", "segment", "rfm"], suffixes=("_old", ""), indicator=True)
    both = both[both["_merge"] != "both"]
    entered = (both["_merge"] == "right_only").to_numpy()
    frame = pd.DataFrame(
        {
            "customer_id": both["customer_id"].to_numpy(),
            "segment": both["segment"].to_numpy(),
            "change": np.where(entered, "entered", "exited"),
            "from": _side(both, before, across=entered),
            "to": _side(both, after, across=~entered),
            "since": both["since"].where(entered).to_numpy(),
        }
    )
    for column in ("from", "to"):
        frame[column] = _nullable(frame[column])
    return frame.sort_values(["customer_id", "segment"], ignore_index=True)


def _side(both: pd.DataFrame, side: pd.DataFrame, across: _Mask) -> NDArray[Any]:
    """`from` (or `to`): where the change is `across`, the RFM segment there if any; else the segment itself."""
    rfm = side[side["rfm"]].set_index("customer_id")["segment"]
    there = both["customer_id"].map(rfm).where(both["rfm"])
    return np.where(across, there, both["segment"])


def _typed(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    frame = frame.copy()
    for column in frame.columns:
        if column in _DATES:
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
        elif column in _NUMBERS:
            frame[column] = frame[column].astype(_NUMBERS[column])
        else:
            frame[column] = _nullable(frame[column])
    return frame.sort_values(keys, ignore_index=True)


def _nullable(column: pd.Series) -> pd.Series:
    """Text with None, not NaN, where missing."""
    return column.astype(object).where(column.notna(), None)
