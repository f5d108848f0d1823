"""The tables and the bus: what DynamoDB and EventBridge refuse is sent again, and in the end it is an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from dangol.aws.bus import EventBridgeBus
from dangol.aws.pages import paged
from dangol.aws.runs import DynamoRuns
from dangol.aws.tables import BUCKETS, DynamoServingTables, segment_bucket
from dangol.errors import DangolError
from dangol.moves.messages import Membership
from dangol.segments.state import Customer

from tests.integration.conftest import Aws
from tests.schemas import problems

DAY = date(2026, 11, 22)
CUSTOMER = Customer(
    customer_id="고객 1",
    segment="loyal",
    previous_segment="new",
    segments=("loyal", "repeat"),
    since=(DAY, date(2026, 11, 1)),
    orders_90d=3,
    aov_90d=100 / 3,
    orders_lifetime=3,
    revenue_lifetime=100.0,
    first_order_on=date(2026, 11, 1),
    last_order_on=DAY,
    as_of=DAY,
    policy_version="0123456789ab",
)
NO_ORDERS = replace(
    CUSTOMER,
    customer_id="c2",
    previous_segment=None,
    orders_90d=0,
    aov_90d=None,
    orders_lifetime=0,
    revenue_lifetime=0.0,
    first_order_on=None,
    last_order_on=None,
)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited, or would have been."""
    waited: list[float] = []
    monkeypatch.setattr("dangol.aws.batches.time.sleep", waited.append)
    return waited


@pytest.fixture
def tables(aws: Aws) -> DynamoServingTables:
    return DynamoServingTables(boto3.resource("dynamodb"), aws.customers, aws.memberships)


def test_customers_are_rows_as_documented(aws: Aws, tables: DynamoServingTables) -> None:
    tables.put_customers([CUSTOMER, NO_ORDERS])
    rows = {row["customer_id"]: row for row in aws.rows(aws.customers)}
    assert problems("customers", rows.values()) == []
    assert rows["고객 1"] == {
        "customer_id": "고객 1",
        "segment": "loyal",
        "segment_since": "2026-11-22",
        "previous_segment": "new",
        "segments": ["loyal", "repeat"],
        "orders_90d": 3,
        "aov_90d": Decimal("33.3333"),
        "orders_lifetime": 3,
        "revenue_lifetime": 100,
        "first_order_on": "2026-11-01",
        "last_order_on": "2026-11-22",
        "as_of": "2026-11-22",
        "policy_version": "0123456789ab",
    }
    missing = {"previous_segment", "aov_90d", "first_order_on", "last_order_on"}
    assert rows["고객 1"].keys() - rows["c2"].keys() == missing


def test_a_segment_is_listed_by_a_query_for_each_of_its_buckets(aws: Aws, tables: DynamoServingTables) -> None:
    tables.put_memberships([Membership("loyal", f"c{number}", DAY) for number in range(60)])
    tables.put_memberships([Membership("loyal_too", "c1", DAY)])
    assert problems("memberships", aws.rows(aws.memberships)) == []
    table = boto3.resource("dynamodb").Table(aws.memberships)
    found = []
    for bucket in range(BUCKETS):
        key = Key("segment_bucket").eq(f"loyal#{bucket}")
        found += [(bucket, row["customer_id"]) for row in table.query(KeyConditionExpression=key)["Items"]]
    assert sorted(customer for _, customer in found) == sorted(f"c{number}" for number in range(60))
    assert len({bucket for bucket, _ in found}) > 10


def test_a_customer_stays_in_one_bucket_for_ever() -> None:
    assert [segment_bucket("loyal", name) for name in ("c1", "고객 7")] == ["loyal#10", "loyal#7"]


def test_more_rows_than_fit_a_batch_are_written_and_removed(aws: Aws, tables: DynamoServingTables) -> None:
    tables.put_customers([replace(CUSTOMER, customer_id=f"c{number}") for number in range(61)])
    tables.put_memberships([Membership("loyal", f"c{number}", DAY) for number in range(61)])
    assert (len(aws.rows(aws.customers)), len(aws.rows(aws.memberships))) == (61, 61)
    tables.delete_customers([f"c{number}" for number in range(60)])
    tables.delete_memberships([("loyal", f"c{number}") for number in range(60)])
    assert [row["customer_id"] for row in aws.rows(aws.customers)] == ["c60"]
    assert [row["customer_id"] for row in aws.rows(aws.memberships)] == ["c60"]


def test_nothing_to_write_calls_nobody() -> None:
    tables = DynamoServingTables(SimpleNamespace(meta=SimpleNamespace(client=None)), "customers", "memberships")
    tables.put_customers([])
    tables.delete_customers([])
    tables.put_memberships([])
    tables.delete_memberships([])
    EventBridgeBus(None, "bus").publish("Segment Changed", [])


def throttled(aws: Aws, refuse: Callable[[int, list[Any]], list[Any]]) -> DynamoServingTables:
    """Tables whose n-th batch leaves `refuse(n, requests)` unprocessed."""
    client, calls = boto3.resource("dynamodb").meta.client, []

    def batch_write_item(RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        ((table, requests),) = RequestItems.items()
        calls.append(requests)
        refused = refuse(len(calls), requests)
        taken = [request for request in requests if request not in refused]
        if taken:
            client.batch_write_item(RequestItems={table: taken})
        return {"UnprocessedItems": {table: refused} if refused else {}}

    answering = SimpleNamespace(batch_write_item=batch_write_item)
    return DynamoServingTables(SimpleNamespace(meta=SimpleNamespace(client=answering)), aws.customers, aws.memberships)


def test_what_dynamodb_left_unprocessed_is_sent_again_and_slower(aws: Aws, waits: list[float]) -> None:
    tables = throttled(aws, lambda call, requests: requests[1:] if call <= 3 else [])
    tables.put_customers([replace(CUSTOMER, customer_id=f"c{number}") for number in range(5)])
    assert len(aws.rows(aws.customers)) == 5
    assert waits == [0.1, 0.2, 0.4]


def test_what_dynamodb_never_takes_is_an_error(aws: Aws, waits: list[float]) -> None:
    tables = throttled(aws, lambda call, requests: requests)
    with pytest.raises(DangolError, match="1 of 25 were refused 8 times: customers is throttled"):
        tables.put_customers([CUSTOMER])
    assert 10 < sum(waits) < 60


def test_events_arrive_on_the_bus(aws: Aws) -> None:
    details = [{"customer_id": f"고객 {number}"} for number in range(25)]
    EventBridgeBus(boto3.client("events"), aws.bus).publish("Segment Changed", details)
    heard = aws.events()
    assert sorted(detail["customer_id"] for _, detail in heard) == sorted(d["customer_id"] for d in details)
    assert {kind for kind, _ in heard} == {"Segment Changed"}


def refusing(aws: Aws, refuse: Callable[[int], bool]) -> EventBridgeBus:
    """A bus that refuses every second entry of the calls for which `refuse(n)`."""
    client, calls = boto3.client("events"), []

    def put_events(Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        calls.append(Entries)
        refused = Entries[::2] if refuse(len(calls)) else []
        taken = [entry for entry in Entries if entry not in refused]
        if taken:
            client.put_events(Entries=taken)
        throttled = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}
        answers = [throttled if entry in refused else {"EventId": "1"} for entry in Entries]
        return {"FailedEntryCount": len(refused), "Entries": answers}

    return EventBridgeBus(SimpleNamespace(put_events=put_events), aws.bus)


def test_events_that_eventbridge_refuses_are_sent_again_and_the_others_are_not(aws: Aws, waits: list[float]) -> None:
    refusing(aws, lambda call: call <= 2).publish("Segment Changed", [{"id": number} for number in range(9)])
    assert sorted(detail["id"] for _, detail in aws.events()) == list(range(9))
    assert waits == [0.1, 0.2]


def test_events_that_eventbridge_never_takes_are_an_error(aws: Aws, waits: list[float]) -> None:
    with pytest.raises(DangolError, match="ThrottlingException"):
        refusing(aws, lambda call: True).publish("Segment Changed", [{"id": 1}])


def test_runs_are_kept_for_four_hundred_days(aws: Aws) -> None:
    runs = DynamoRuns(boto3.resource("dynamodb"), aws.runs)
    assert runs.find("file", "v1") is None
    runs.note("file", "v1", {"status": "ingested", "rows_read": 3, "reasons": {"주문금액": 1}, "shards": [0, 2]})
    runs.note("refresh", "v1", {"shard": 1})
    found = dict(runs.find("file", "v1") or {})
    assert (int(found.pop("expires_at")) - 1_700_000_000) / 86_400 > 399  # in the future; the clock is the machine's
    assert found == {
        "kind": "file",
        "id": "v1",
        "status": "ingested",
        "rows_read": 3,
        "reasons": {"주문금액": 1},
        "shards": [0, 2],
    }


def test_runs_are_listed_from_one_on_page_by_page(aws: Aws) -> None:
    runs = DynamoRuns(boto3.resource("dynamodb"), aws.runs)
    for number in range(1, 5):
        runs.note("file", f"2026110{number}", {"key": "a" * 390_000})  # so that one page has two or three
    runs.note("daily", "20261109", {})
    assert [run["id"] for run in runs.since("file", "")] == ["20261101", "20261102", "20261103", "20261104"]
    assert [run["id"] for run in runs.since("file", "20261102")] == ["20261103", "20261104"]
    assert runs.since("file", "20261104") == []


def test_rows_come_page_by_page_until_there_is_no_more() -> None:
    pages = {None: {"Items": [{"id": "a"}], "LastEvaluatedKey": "a"}, "a": {"Items": [], "LastEvaluatedKey": "b"}}
    pages["b"] = {"Items": [{"id": "c"}]}
    asked: list[Any] = []

    def read(ExclusiveStartKey: str | None = None, **wanted: Any) -> Any:  # noqa: N803
        asked.append(wanted)
        return pages[ExclusiveStartKey]

    assert list(paged(read, ConsistentRead=True)) == [{"id": "a"}, {"id": "c"}]
    assert asked == [{"ConsistentRead": True}] * 3
