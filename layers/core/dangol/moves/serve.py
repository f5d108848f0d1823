"""Serve: bring the tables from one state to the next, and tell who listens."""

from collections.abc import Sequence
from dataclasses import dataclass

from dangol.moves.messages import SEGMENT_CHANGED, EventBus, Membership, ServingTables
from dangol.segments.state import Change, Customer, Difference, Stamp


@dataclass(frozen=True, slots=True)
class Served:
    """What one refresh wrote."""

    customers: int
    """Rows of `Customers` written or removed."""
    memberships: int
    """Rows of `Memberships` written or removed."""
    changes: int
    """Events published."""

    def __add__(self, other: "Served") -> "Served":
        return Served(
            self.customers + other.customers, self.memberships + other.memberships, self.changes + other.changes
        )


NOTHING = Served(0, 0, 0)


def serve(found: Difference, tables: ServingTables, bus: EventBus, stamp: Stamp) -> Served:
    """Write and publish the difference between two states, nothing else. Doing it again changes nothing."""
    entered = [Membership(c.segment, c.customer_id, c.since) for c in found.changes if c.since is not None]
    exited = [(change.segment, change.customer_id) for change in found.changes if change.since is None]
    tables.put_customers(found.written)
    tables.put_memberships(entered)
    tables.delete_memberships(exited)
    tables.delete_customers(found.removed)
    bus.publish(SEGMENT_CHANGED, [_event(change, stamp) for change in found.changes])
    return Served(len(found.written) + len(found.removed), len(entered) + len(exited), len(found.changes))


def rewrite(customers: Sequence[Customer], tables: ServingTables) -> Served:
    """Write everything a state holds, and publish nothing: for tables that were lost."""
    memberships = [
        Membership(segment, customer.customer_id, since)
        for customer in customers
        for segment, since in zip(customer.segments, customer.since, strict=True)
    ]
    tables.put_customers(customers)
    tables.put_memberships(memberships)
    return Served(len(customers), len(memberships), 0)


def _event(change: Change, stamp: Stamp) -> dict[str, object]:
    """The event `Segment Changed`."""
    return {
        "id": change.id,
        "customer_id": change.customer_id,
        "segment": change.segment,
        "change": change.change,
        "from": change.from_segment,
        "to": change.to_segment,
        "days_out": change.days_out,
        "as_of": stamp.as_of.isoformat(),
        "policy_version": stamp.policy_version,
    }
