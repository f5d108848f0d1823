"""Serve: bring the tables from one state to the next, and tell who listens."""

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from dangol.moves.messages import SEGMENT_CHANGED, Customer, EventBus, Membership, ServingTables
from dangol.segments.state import State, difference


@dataclass(frozen=True, slots=True)
class Served:
    """What one refresh wrote."""

    customers: int
    """Rows of `Customers` written or removed."""
    memberships: int
    """Rows of `Memberships` written or removed."""
    changes: int
    """Events published."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the changes of one refresh have in common."""

    shard: int
    generation: int
    as_of: date
    policy_version: str


def serve(
    before: State,
    after: State,
    tables: ServingTables,
    bus: EventBus,
    stamp: Stamp,
) -> Served:
    """Write and publish the difference between two states, nothing else. Doing it again changes nothing."""
    found = difference(before, after)
    customers = _customers(found.written, after.memberships)
    entered, exited = _split(found.changes)
    tables.put_customers(customers)
    tables.put_memberships(entered)
    tables.delete_memberships(exited)
    tables.delete_customers(found.removed)
    bus.publish(SEGMENT_CHANGED, [_change(row, stamp) for row in found.changes.to_dict("records")])
    return Served(len(customers) + len(found.removed), len(entered) + len(exited), len(found.changes))


def rewrite(state: State, tables: ServingTables) -> Served:
    """Write everything a state holds, and publish nothing: for tables that were lost."""
    customers = _customers(state.customers, state.memberships)
    memberships = [
        Membership(row["segment"], row["customer_id"], row["since"].date())
        for row in state.memberships.to_dict("records")
    ]
    tables.put_customers(customers)
    tables.put_memberships(memberships)
    return Served(len(customers), len(memberships), 0)


def _customers(rows: pd.DataFrame, memberships: pd.DataFrame) -> list[Customer]:
    mine = memberships[memberships["customer_id"].isin(rows["customer_id"])]
    rfm_first = mine.sort_values(["customer_id", "rfm", "segment"], ascending=[True, False, True])
    segments = rfm_first.groupby("customer_id")["segment"].agg(tuple)
    since = mine[mine["rfm"]].set_index("customer_id")["since"]
    return [
        Customer(
            customer_id=row["customer_id"],
            segment=row["segment"],
            segment_since=since[row["customer_id"]].date(),
            previous_segment=row["previous_segment"],
            segments=segments[row["customer_id"]],
            orders_90d=row["orders_90d"],
            aov_90d=None if pd.isna(row["aov_90d"]) else row["aov_90d"],
            orders_lifetime=row["orders_lifetime"],
            revenue_lifetime=row["revenue_lifetime"],
            first_order_on=_date(row["first_order_on"]),
            last_order_on=_date(row["last_order_on"]),
            as_of=row["as_of"].date(),
            policy_version=row["policy_version"],
        )
        for row in rows.to_dict("records")
    ]


def _split(changes: pd.DataFrame) -> tuple[list[Membership], list[tuple[str, str]]]:
    entered = changes[changes["change"] == "entered"]
    exited = changes[changes["change"] == "exited"]
    return (
        [
            Membership(segment, customer, since.date())
            for segment, customer, since in _rows(entered, ["segment", "customer_id", "since"])
        ],
        list(_rows(exited, ["segment", "customer_id"])),
    )


def _rows(frame: pd.DataFrame, columns: list[str]) -> Iterable[tuple[Any, ...]]:
    return frame[columns].itertuples(index=False, name=None)


def _change(row: Mapping[Hashable, Any], stamp: Stamp) -> dict[str, object]:
    """The event `Segment Changed`; its id is the same whenever this change is published again."""
    about = (stamp.shard, stamp.generation, stamp.as_of, row["customer_id"], row["segment"], row["change"])
    return {
        "id": hashlib.sha256("|".join(map(str, about)).encode()).hexdigest()[:32],
        "customer_id": row["customer_id"],
        "segment": row["segment"],
        "change": row["change"],
        "from": row["from"],
        "to": row["to"],
        "as_of": stamp.as_of.isoformat(),
        "policy_version": stamp.policy_version,
    }


def _date(value: pd.Timestamp) -> date | None:
    return None if pd.isna(value) else value.date()
