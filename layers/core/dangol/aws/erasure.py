"""The tables, queues and dropped files, as an erasure sees them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from dangol.aws.profiles import BLOCKED, CONDITION_FAILED, DynamoProfiles
from dangol.aws.tables import segment_bucket

_SAME_UPLOAD = timedelta(seconds=5)
"""S3 tells of an upload with a time of its own."""
_NOBODY = "skipped no_profile"


@dataclass(frozen=True, slots=True)
class TableNames:
    """As deployed."""

    customers: str
    memberships: str
    profiles: str
    deliveries: str
    runs: str


class DynamoErasure:
    """ErasableTables (see dangol.moves.forget). `segments` are all in which somebody may be."""

    def __init__(self, resource: Any, names: TableNames, segments: Iterable[str]) -> None:
        self._client = resource.meta.client
        self._names = names
        self._segments = list(segments)
        self._profiles = DynamoProfiles(resource, names.profiles)

    def block(self, customer_ids: Sequence[str]) -> int:
        """See ErasableTables."""
        return self._profiles.block(customer_ids)

    def unblock(self, customer_ids: Sequence[str]) -> None:
        """See ErasableTables."""
        self._profiles.unblock(customer_ids)

    def remove(self, customer_ids: Sequence[str]) -> dict[str, int]:
        """See ErasableTables."""
        removed = dict.fromkeys(("customers", "memberships", "deliveries", "waiting_batches"), 0)
        for name, table, key in self._keys(customer_ids):
            answer = self._client.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")
            removed[name] += "Attributes" in answer
        for item in self._waiting(customer_ids):
            removed["waiting_batches"] += self._without(item, set(customer_ids))
        return removed

    def left(self, customer_ids: Sequence[str]) -> dict[str, int]:
        """See ErasableTables."""
        left = dict.fromkeys(("customers", "memberships", "deliveries", "profiles", "waiting_batches"), 0)
        for name, table, key in self._keys(customer_ids):
            left[name] += self._is_there(table, key)
        for customer_id in customer_ids:
            left["profiles"] += self._is_there(self._names.profiles, {"customer_id": customer_id})
        left["waiting_batches"] = len(list(self._waiting(customer_ids)))
        return left

    def _keys(self, customer_ids: Sequence[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
        """(kind, table, key) of every row that may be about people; the marks in `Profiles` are none."""
        runs = [item["id"] for item in self._query(self._names.runs, Key("kind").eq("campaign-run"))]
        for customer_id in customer_ids:
            yield "customers", self._names.customers, {"customer_id": customer_id}
            for segment in self._segments:
                bucket = segment_bucket(segment, customer_id)
                yield "memberships", self._names.memberships, {"segment_bucket": bucket, "customer_id": customer_id}
            for run in runs:
                partition = Key("run_customer").eq(f"{run}#{customer_id}")
                for item in self._query(self._names.deliveries, partition):
                    key = {name: item[name] for name in ("run_customer", "channel")}
                    yield "deliveries", self._names.deliveries, key

    def _is_there(self, table: str, key: Mapping[str, str]) -> bool:
        found = self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found is not None and BLOCKED not in found

    def _waiting(self, customer_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """Batches of campaigns that wait in `Runs` and name people."""
        for item in self._query(self._names.runs, Key("kind").eq("campaign-waiting")):
            if not set(customer_ids).isdisjoint(item["batch"]["customers"]):
                yield item

    def _without(self, item: Mapping[str, Any], gone: set[str]) -> bool:
        """Write a waiting batch without people; they count as skipped. False if it waits no more."""
        batch = item["batch"]
        kept = [customer_id for customer_id in batch["customers"] if customer_id not in gone]
        skipped = int(batch["counts"].get(_NOBODY, 0)) + len(batch["customers"]) - len(kept)
        changed = {**batch, "customers": kept, "counts": {**batch["counts"], _NOBODY: skipped}}
        try:
            # It still waits: what was put on the queue meanwhile must not wait a second time.
            self._client.put_item(
                TableName=self._names.runs, Item={**item, "batch": changed}, ConditionExpression="attribute_exists(id)"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return False
        return True

    def _query(self, table: str, condition: Any) -> Iterator[Mapping[str, Any]]:
        query: dict[str, Any] = {"TableName": table, "KeyConditionExpression": condition, "ConsistentRead": True}
        while query:
            page = self._client.query(**query)
            yield from page["Items"]
            last = page.get("LastEvaluatedKey")
            query = {**query, "ExclusiveStartKey": last} if last else {}


class DroppedFiles:
    """Tells which dropped files are ingested, by their receipts in `Runs`."""

    def __init__(self, resource: Any, runs: str, s3: Any, bucket: str) -> None:
        self._table = resource.Table(runs)
        self._s3 = s3
        self._bucket = bucket
        self._taken: dict[str, datetime] | None = None

    def is_taken(self, key: str) -> bool:
        """Whether the upload that lies under a key now has a receipt."""
        if self._taken is None:
            self._taken = self._receipts()
        try:
            there = self._s3.head_object(Bucket=self._bucket, Key=key)["LastModified"]
        except ClientError:
            return False
        return key in self._taken and self._taken[key] >= there - _SAME_UPLOAD

    def _receipts(self) -> dict[str, datetime]:
        """When the last upload of each key that has a receipt was made."""
        found: dict[str, datetime] = {}
        query: dict[str, Any] = {"KeyConditionExpression": Key("kind").eq("file")}
        while query:
            page = self._table.query(**query)
            for item in page["Items"]:
                at = datetime.fromisoformat(item["uploaded_at"])
                found[item["key"]] = max(at, found.get(item["key"], at))
            last = page.get("LastEvaluatedKey")
            query = {**query, "ExclusiveStartKey": last} if last else {}
        return found


def is_any_busy(sqs: Any, urls: Iterable[str]) -> bool:
    """Whether messages of these queues are being worked on."""
    name = "ApproximateNumberOfMessagesNotVisible"
    found = (sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"] for url in urls)
    return any(int(attributes[name]) for attributes in found)
