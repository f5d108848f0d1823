"""Who is in a segment, by table `Memberships`."""

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.conditions import Key

from dangol.aws.tables import BUCKETS


def members_of(table: Any, segment: str) -> Iterator[tuple[str, str]]:
    """(customer_id, ISO date since when): a Query for each of the buckets, never a scan. `table` is boto3's."""
    for bucket in range(BUCKETS):
        query: dict[str, Any] = {"KeyConditionExpression": Key("segment_bucket").eq(f"{segment}#{bucket}")}
        while query:
            page = table.query(**query)
            yield from ((item["customer_id"], item["since"]) for item in page["Items"])
            last = page.get("LastEvaluatedKey")
            query = {**query, "ExclusiveStartKey": last} if last else {}
