"""The tables in DynamoDB."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from dangol.aws.batches import send_all
from dangol.ledger.layout import shard_of
from dangol.moves.messages import Membership
from dangol.segments.state import SERVED_FEATURES, Customer

BUCKETS = 16
"""Partitions of a segment's memberships: one would throttle under many writes."""
_AT_ONCE = 25
_Request = dict[str, dict[str, Mapping[str, Any]]]


def segment_bucket(segment: str, customer_id: str) -> str:
    """Partition key of `Memberships`: the segment and one of sixteen buckets of customers."""
    return f"{segment}#{shard_of(customer_id, BUCKETS)}"


class DynamoServingTables:
    """`Customers` and `Memberships` as ServingTables (see dangol.moves.serve)."""

    def __init__(self, resource: Any, customers: str, memberships: str) -> None:
        self._client = resource.meta.client  # takes Python's types as the resource does, and serves many threads
        self._customers = customers
        self._memberships = memberships

    def put_customers(self, customers: Sequence[Customer]) -> None:
        """See ServingTables."""
        self._put(self._customers, map(customer_item, customers))

    def delete_customers(self, customer_ids: Sequence[str]) -> None:
        """See ServingTables."""
        self._delete(self._customers, ({"customer_id": customer_id} for customer_id in customer_ids))

    def put_memberships(self, memberships: Sequence[Membership]) -> None:
        """See ServingTables."""
        self._put(self._memberships, map(membership_item, memberships))

    def delete_memberships(self, memberships: Sequence[tuple[str, str]]) -> None:
        """See ServingTables."""
        keys = (
            {"segment_bucket": segment_bucket(segment, customer_id), "customer_id": customer_id}
            for segment, customer_id in memberships
        )
        self._delete(self._memberships, keys)

    def _put(self, table: str, items: Iterable[Mapping[str, Any]]) -> None:
        self._write(table, [{"PutRequest": {"Item": item}} for item in items])

    def _delete(self, table: str, keys: Iterable[Mapping[str, Any]]) -> None:
        self._write(table, [{"DeleteRequest": {"Key": key}} for key in keys])

    def _write(self, table: str, requests: Sequence[_Request]) -> None:
        def write(batch: list[_Request]) -> tuple[list[_Request], str]:
            answer = self._client.batch_write_item(RequestItems={table: batch})
            return answer["UnprocessedItems"].get(table, []), f"{table} is throttled"

        send_all(requests, _AT_ONCE, write)


def customer_item(customer: Customer) -> dict[str, Any]:
    """A row of `Customers`: dates as ISO text, numbers as decimals, missing values left out."""
    item = {
        "customer_id": customer.customer_id,
        "segment": customer.segment,
        "segment_since": customer.segment_since,
        "previous_segment": customer.previous_segment,
        "segments": list(customer.segments),
        **{name: getattr(customer, name) for name in SERVED_FEATURES},
        "as_of": customer.as_of,
        "policy_version": customer.policy_version,
    }
    return {name: _value(value) for name, value in item.items() if value is not None}


def membership_item(membership: Membership) -> dict[str, Any]:
    """A row of `Memberships`."""
    return {
        "segment_bucket": segment_bucket(membership.segment, membership.customer_id),
        "customer_id": membership.customer_id,
        "segment": membership.segment,
        "since": membership.since.isoformat(),
    }


def _value(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return Decimal(str(round(value, 4)))
    return value
