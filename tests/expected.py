"""What the tables must hold, computed once more: plain Python, no DuckDB, no pandas, no rule language.

Knows `world.SMALL_POLICY` by heart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from tests.fakes import FakeTables
from tests.world import FIRST_DAY, Row

Change = tuple[str, str, str, str | None, str | None, date]
"""customer, segment, entered or exited, from, to, as_of."""


@dataclass(frozen=True)
class Standing:
    """All that is known of one customer."""

    features: tuple[int, float | None, int, float, date | None, date | None]
    """orders_90d, aov_90d, orders_lifetime, revenue_lifetime, first_order_on, last_order_on."""
    segment: str
    previous: str | None
    since: Mapping[str, date]
    """First day in each segment."""
    as_of: date
    """The day anything of this changed last."""


def newest_orders(files: Iterable[Iterable[Row]]) -> dict[str, Row]:
    """The orders of files given in the order of their uploads: the newest version of each wins."""
    return {row.order_id: row for rows in files for row in rows}


def features(orders: Iterable[Row], as_of: date) -> dict[str, tuple[Any, ...]]:
    """Standing.features of each customer who has an order by then, counted or not."""
    today = (as_of - FIRST_DAY).days
    known: dict[str, list[Row]] = {}
    for row in orders:
        if row.day <= today:
            known.setdefault(row.customer_id, []).append(row)
    return {
        customer: _features([row for row in rows if row.status == "paid"], today) for customer, rows in known.items()
    }


def _features(paid: list[Row], today: int) -> tuple[Any, ...]:
    recent = [row.amount for row in paid if row.day > today - 90]
    days = sorted(row.day for row in paid)
    return (
        len(recent),
        sum(recent) / len(recent) if recent else None,
        len(paid),
        float(sum(row.amount for row in paid)),
        FIRST_DAY + timedelta(days=days[0]) if days else None,
        FIRST_DAY + timedelta(days=days[-1]) if days else None,
    )


def segments(found: tuple[Any, ...], as_of: date) -> tuple[str, set[str]]:
    """The RFM segment, and the others."""
    orders, value, lifetime, _, _, last = found
    recency = None if last is None else (as_of - last).days
    others = {"repeat"} if lifetime >= 2 else {"one_time"} if lifetime == 1 else set()
    if recency is None:
        return "unclassified", others
    if recency <= 3 and orders >= 3 and value is not None and value >= 200:
        return "vip", others
    if recency <= 5 and orders == 1 and lifetime == 1:
        return "new", others
    if 30 <= recency <= 60 and orders <= 2:
        return "fading", others
    return "unclassified", others


@dataclass
class Expected:
    """The state of all customers, brought from one day to the next."""

    customers: dict[str, Standing] = field(default_factory=dict)

    def advance(self, orders: Iterable[Row], as_of: date) -> tuple[set[str], set[Change]]:
        """Move on to `as_of`; which customers' rows changed or went, and which changes were to be published."""
        before, changes = self.customers, set[Change]()
        after = {
            customer: _standing(before.get(customer), found, as_of)
            for customer, found in features(orders, as_of).items()
        }
        for customer in before.keys() | after.keys():
            changes |= _changes(customer, before.get(customer), after.get(customer), as_of)
        self.customers = after
        return {
            customer for customer in before.keys() | after.keys() if before.get(customer) != after.get(customer)
        }, changes


def _standing(before: Standing | None, found: tuple[Any, ...], as_of: date) -> Standing:
    rfm, others = segments(found, as_of)
    since = {segment: before.since.get(segment, as_of) if before else as_of for segment in {rfm} | others}
    if before is None:
        return Standing(found, rfm, None, since, as_of)
    previous = before.previous if before.segment == rfm else before.segment
    now = Standing(found, rfm, previous, since, before.as_of)
    return now if now == before else replace(now, as_of=as_of)


def _changes(customer: str, before: Standing | None, after: Standing | None, as_of: date) -> set[Change]:
    was, now = before.since.keys() if before else set(), after.since.keys() if after else set()
    rfm_was, rfm_now = before.segment if before else None, after.segment if after else None
    found = set[Change]()
    for segment in now - was:
        found.add((customer, segment, "entered", rfm_was if segment == rfm_now else None, segment, as_of))
    for segment in was - now:
        found.add((customer, segment, "exited", segment, rfm_now if segment == rfm_was else None, as_of))
    return found


def differences(tables: FakeTables, expected: Expected, *, history: bool = True) -> list[str]:
    """In what the tables differ from what is expected; without `history`, since when and whence is left out."""
    problems = [f"{customer} is missing" for customer in expected.customers.keys() - tables.customers.keys()]
    for customer, row in tables.customers.items():
        standing = expected.customers.get(customer)
        if standing is None:
            problems.append(f"{customer} should not be there")
            continue
        found = (
            row.orders_90d,
            row.aov_90d,
            row.orders_lifetime,
            row.revenue_lifetime,
            row.first_order_on,
            row.last_order_on,
        )
        wanted: dict[str, Any] = {
            "features": standing.features,
            "segment": standing.segment,
            "segments": set(standing.since),
        }
        got: dict[str, Any] = {"features": found, "segment": row.segment, "segments": set(row.segments)}
        if history:
            wanted |= {
                "previous": standing.previous,
                "since": standing.since[standing.segment],
                "as_of": standing.as_of,
            }
            got |= {"previous": row.previous_segment, "since": row.segment_since, "as_of": row.as_of}
        problems += [
            f"{customer}: {name} {got[name]}, expected {wanted[name]}" for name in wanted if got[name] != wanted[name]
        ]
        if row.segments[0] != row.segment or len(set(row.segments)) != len(row.segments):
            problems.append(f"{customer}: segments {row.segments}")
    wanted_members = {(s, c): day for c, standing in expected.customers.items() for s, day in standing.since.items()}
    members = {key: row.since for key, row in tables.memberships.items()}
    if (history and members != wanted_members) or members.keys() != wanted_members.keys():
        problems.append(f"memberships {members}, expected {wanted_members}")
    return problems


def members_told(events: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """(segment, customer_id) of who is in what, for someone who only listens to `Segment Changed`, each id once."""
    seen, members = set(), set[tuple[str, str]]()
    for event in events:
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        member = (event["segment"], event["customer_id"])
        (members.add if event["change"] == "entered" else members.discard)(member)
    return members
