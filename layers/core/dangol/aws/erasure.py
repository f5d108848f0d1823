"""The tables, queues and dropped files, as an erasure sees them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from dangol.aws.conditions import write_if
from dangol.aws.pages import paged
from dangol.aws.profiles import BLOCKED, DynamoProfiles
from dangol.aws.replies import DynamoReplies
from dangol.aws.runs import KEPT_DAYS
from dangol.aws.tables import segment_bucket
from dangol.moves.campaign.messages import Arm, RunState

_SAME_UPLOAD = timedelta(seconds=5)
"""S3 tells of an upload with a time of its own."""
_NOBODY = "skipped no_profile"
_PLACES = ("customers", "memberships", "deliveries", "profiles", "invitations", "waiting_lists")
_Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableNames:
    """As deployed."""

    customers: str
    memberships: str
    profiles: str
    deliveries: str
    invitations: str
    runs: str


class DynamoErasure:
    """ErasableTables (see dangol.moves.forget_doors). `segments` are all in which somebody may be."""

    def __init__(self, resource: Any, names: TableNames, segments: Iterable[str]) -> None:
        self._client = resource.meta.client
        self._replies = DynamoReplies(resource, names.invitations)
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
        removed = dict.fromkeys(_PLACES, 0)
        for name, table, key in self._keys(customer_ids):
            answer = self._client.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")
            removed[name] += "Attributes" in answer
        removed["invitations"] = sum(map(self._replies.forget, customer_ids))
        for before, after in self._lists(set(customer_ids)):
            removed["waiting_lists"] += self._replace(before, after)
        return removed

    def left(self, customer_ids: Sequence[str]) -> dict[str, int]:
        """See ErasableTables."""
        left = dict.fromkeys(_PLACES, 0)
        for name, table, key in self._keys(customer_ids):
            left[name] += self._is_there(table, key)
        for customer_id in customer_ids:
            left["profiles"] += self._is_there(self._names.profiles, {"customer_id": customer_id})
        left["invitations"] = sum(map(self._replies.count_of, customer_ids))
        left["waiting_lists"] = len(list(self._lists(set(customer_ids))))
        return left

    def _keys(self, customer_ids: Sequence[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
        """(place, table, key) of every row that may be about people; the marks in `Profiles` are none."""
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

    def _lists(self, ids: set[str]) -> Iterator[tuple[_Item, _Item]]:
        """Rows of `Runs` that name people, and what they should be: what waits to be sent, and where runs ended."""
        without: dict[str, Callable[[_Item, set[str]], _Item]] = {
            "campaign-waiting": _batch_without,
            "notice-waiting": _notices_without,
            "campaign-run": _run_without,
        }
        for kind, changed in without.items():
            for item in self._query(self._names.runs, Key("kind").eq(kind)):
                after = changed(item, ids)
                if after != item:
                    yield item, after

    def _replace(self, before: _Item, after: _Item) -> bool:
        """Write a row of `Runs`, if it is there and its list as it was; whether it was."""
        (name,) = (name for name in before if before[name] != after[name])
        written = write_if(
            self._client.update_item,
            TableName=self._names.runs,
            Key={"kind": before["kind"], "id": before["id"]},
            UpdateExpression="SET #list = :after",
            # It still waits, or stands there: what was put on the queue meanwhile must not wait a second time.
            ConditionExpression="#list = :before",
            ExpressionAttributeNames={"#list": name},
            ExpressionAttributeValues={":before": before[name], ":after": after[name]},
        )
        return written is not None

    def _query(self, table: str, condition: Any) -> Iterator[Mapping[str, Any]]:
        return paged(self._client.query, TableName=table, KeyConditionExpression=condition, ConsistentRead=True)


def _batch_without(item: _Item, ids: set[str]) -> _Item:
    """A batch of a campaign that waits. They count as skipped, but where a batch only counts what others sent."""
    batch = item["batch"]
    kept = [customer_id for customer_id in batch["customers"] if customer_id not in ids]
    if len(kept) == len(batch["customers"]):
        return item
    skipped = 0 if batch.get("arm") == Arm.TALLY else len(batch["customers"]) - len(kept)
    counts = (
        {**batch["counts"], _NOBODY: int(batch["counts"].get(_NOBODY, 0)) + skipped} if skipped else batch["counts"]
    )
    return {**item, "batch": {**batch, "customers": kept, "counts": counts}}


def _notices_without(item: _Item, ids: set[str]) -> _Item:
    """People to whom the law's notices are to be sent."""
    return {**item, "people": [customer_id for customer_id in item["people"] if customer_id not in ids]}


def _run_without(item: _Item, ids: set[str]) -> _Item:
    """A run that ended at somebody, cancelled while its audience was read. One that goes on will leave them behind."""
    bucket, _, after = str(item["cursor"]).partition(" ")
    over = item["state"] not in (RunState.LAUNCHING, RunState.SENDING)
    return {**item, "cursor": f"{bucket} "} if over and after in ids else item


class DroppedFiles:
    """Tells which dropped files are ingested, by their receipts in `Runs`."""

    def __init__(self, resource: Any, runs: str, s3: Any, bucket: str) -> None:
        self._table = resource.Table(runs)
        self._s3 = s3
        self._bucket = bucket
        self._taken: dict[str, datetime] = {}
        """When the last upload of each key that has a receipt was made."""
        self._read = False

    def is_taken(self, key: str) -> bool:
        """Whether the upload that lies under a key now has a receipt, or is older than receipts are kept."""
        try:
            there = self._s3.head_object(Bucket=self._bucket, Key=key)["LastModified"] - _SAME_UPLOAD
        except ClientError:
            return False
        if there < datetime.now(UTC) - timedelta(days=KEPT_DAYS):
            return True
        if not self._read:
            self._note_receipts(Key("kind").eq("file"))
            self._read = True
        elif not self._has(key, there):  # it may have been ingested since; receipts are named by the time of the upload
            self._note_receipts(Key("kind").eq("file") & Key("id").gte(f"{there:%Y%m%dT%H%M%SZ}"))
        return self._has(key, there)

    def _has(self, key: str, since: datetime) -> bool:
        return key in self._taken and self._taken[key] >= since

    def _note_receipts(self, condition: Any) -> None:
        for item in paged(self._table.query, KeyConditionExpression=condition, ConsistentRead=True):
            at = datetime.fromisoformat(item["uploaded_at"])
            self._taken[item["key"]] = max(at, self._taken.get(item["key"], at))


def is_any_busy(sqs: Any, urls: Iterable[str]) -> bool:
    """Whether messages of these queues are being worked on."""
    name = "ApproximateNumberOfMessagesNotVisible"
    found = (sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"] for url in urls)
    return any(int(attributes[name]) for attributes in found)
