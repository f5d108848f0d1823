"""A deployed stack as those see it who use it: a bucket, three tables, a state machine and a bus."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from boto3.dynamodb.conditions import Key
from dangol.files.receipt import Receipt
from dangol.reports.summary import SegmentLine, Summary

from examples.sandbox.local_aws import LocalAws

Item = Mapping[str, Any]

_AT_ONCE = 10
"""Messages that SNS takes in one call."""
BUCKETS = 16
"""Partitions of each segment in table `Memberships`."""


@dataclass(frozen=True, slots=True)
class Written:
    """What refreshes wrote, by their own account in table `Runs`."""

    customers: int
    memberships: int
    changes: int
    """Events `Segment Changed`."""

    @classmethod
    def by(cls, refreshes: Iterable[Item]) -> Written:
        """All of them together."""
        found = list(refreshes)
        return cls(*(sum(int(run[name]) for run in found) for name in _FACTS))

    @property
    def items(self) -> int:
        """Writes to DynamoDB."""
        return self.customers + self.memberships


_FACTS = ("customers_written", "memberships_written", "changes")


class DeployedShop:
    """One stack. Nothing but its outputs is known of it."""

    def __init__(self, aws: LocalAws, stack: str, outputs: Mapping[str, str]) -> None:
        self.stack = stack
        self.outputs = outputs
        self._bucket = aws.resource("s3").Bucket(outputs["BucketName"])
        self._machines = aws.client("stepfunctions")
        self._topics = aws.client("sns")
        self._queues = aws.client("sqs")
        tables = aws.resource("dynamodb")
        self._aws = aws
        self._deliveries = tables.Table(outputs["DeliveriesTableName"])
        self._customers = tables.Table(outputs["CustomersTableName"])
        self._memberships = tables.Table(outputs["MembershipsTableName"])
        self._runs = tables.Table(outputs["RunsTableName"])

    def drop(self, key: str, body: bytes) -> None:
        """Put a file into the bucket."""
        self._bucket.put_object(Key=key, Body=body)

    def read(self, key: str) -> bytes:
        """A file of the bucket."""
        body: bytes = self._bucket.Object(key).get()["Body"].read()
        return body

    def tell_of_mail(self, events: Sequence[Item]) -> None:
        """Publish what became of mail, as SES does."""
        for first in range(0, len(events), _AT_ONCE):
            self._topics.publish_batch(
                TopicArn=self.outputs["EngagementTopicArn"],
                PublishBatchRequestEntries=[
                    {"Id": str(number), "Message": json.dumps(event)}
                    for number, event in enumerate(events[first : first + _AT_ONCE])
                ],
            )

    def recorded_events(self, folder: Path) -> int:
        """How many events of mail the ledger has."""
        paths = []
        for number, summary in enumerate(self._bucket.objects.filter(Prefix="ledger/engagement/")):
            paths.append(str(folder / f"engagement-{number}.parquet"))
            self._bucket.download_file(summary.key, paths[-1])
        count = "SELECT count(DISTINCT (message_id, kind, happened_at, link)) FROM read_parquet(?)"
        return int(duckdb.sql(count, params=[paths]).fetchall()[0][0]) if paths else 0

    def runs(self, kind: str) -> list[Item]:
        """What table `Runs` has of a kind: file, configuration, refresh, daily."""
        return _all(self._runs, Key("kind").eq(kind))

    def refreshes_for(self, receipts: Iterable[Item]) -> list[Item]:
        """The refreshes that files asked for, as far as they are done."""
        versions = {receipt["id"] for receipt in receipts}
        return [run for run in self.runs("refresh") if run["run_id"] in versions]

    def refreshes_because(self, reason: str, day: date) -> list[Item]:
        """The refreshes for a reason (daily, configuration) and a day."""
        return [run for run in self.runs("refresh") if (run["reason"], run["as_of"]) == (reason, day.isoformat())]

    def start_daily_run(self, day: date) -> str:
        """What the scheduler does each night, for a day of our choice; the execution."""
        request = json.dumps({"as_of": day.isoformat()})
        return str(
            self._machines.start_execution(stateMachineArn=self.outputs["DailyRefreshArn"], input=request)[
                "executionArn"
            ]
        )

    def has_ended(self, execution: str) -> bool:
        """Whether a daily run is over. RuntimeError if it failed."""
        found = self._machines.describe_execution(executionArn=execution)
        if found["status"] not in ("RUNNING", "SUCCEEDED"):
            raise RuntimeError(f"the daily run {found['status']}: {found.get('error')} {found.get('cause')}")
        return bool(found["status"] == "SUCCEEDED")

    def summary(self, day: date) -> Summary:
        """The numbers of the report that the daily run of a day wrote."""
        found = json.loads(self.read(f"reports/{day}/summary.json"))
        return Summary(
            as_of=date.fromisoformat(found["as_of"]),
            customers=found["customers"],
            revenue=found["revenue"],
            rfm=[SegmentLine(**line) for line in found["rfm"]],
            segments=[(segment, name, members) for segment, name, members in found["segments"]],
            unclassified=[(days, counts) for days, counts in found["unclassified"]],
        )

    def customers(self) -> int:
        """How many table `Customers` has; the local AWS knows at once, the real one every six hours."""
        self._customers.reload()
        return int(self._customers.item_count)

    def customer(self, customer_id: str) -> Item:
        """One customer, read with GetItem."""
        item: Item = self._customers.get_item(Key={"customer_id": customer_id})["Item"]
        return item

    def members(self, segment: str) -> list[Item]:
        """Everybody in a segment: one Query for each of its partitions."""
        partitions = (Key("segment_bucket").eq(f"{segment}#{bucket}") for bucket in range(BUCKETS))
        return [item for partition in partitions for item in _all(self._memberships, partition)]

    def member(self, segment: str) -> str | None:
        """The customer_id of somebody in a segment."""
        for bucket in range(BUCKETS):
            partition = Key("segment_bucket").eq(f"{segment}#{bucket}")
            for item in self._memberships.query(KeyConditionExpression=partition, Limit=1)["Items"]:
                return str(item["customer_id"])
        return None

    def launch(self) -> None:
        """What the scheduler does each minute: call function `launch`."""
        found = self._aws.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId="LaunchFunction"
        )
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        answer = self._aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        if "FunctionError" in answer:
            raise RuntimeError(f"function launch failed: {answer['Payload'].read().decode()}")

    def deliveries(self) -> list[Item]:
        """What became of each message."""
        pages = self._deliveries.meta.client.get_paginator("scan").paginate(TableName=self._deliveries.name)
        return [item for page in pages for item in page["Items"]]

    def mails(self, domain: str) -> list[dict[str, Any]]:
        """What SES took of a sender's domain."""
        return [mail for mail in self._aws.mails() if f"@{domain}>" in mail["Source"]]

    def deliver_again(self, rows: Iterable[Item]) -> int:
        """Put every batch that was worked off on the queue a second time, as SQS may; how many they are."""
        people: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            people[row["run"], row["channel"]].append(row["customer_id"])
        runs = {run["id"]: run for run in self.runs("campaign-run")}
        batches = [batch["id"].split("#") for batch in self.runs("campaign-batch")]
        for run, step, channel, part in batches:
            about = {"run": run, "campaign": runs[run]["campaign"], "run_at": runs[run]["run_at"], "step": int(step)}
            batch = about | {"channel": channel, "part": part, "customers": people[run, channel], "counts": {}}
            self._queues.send_message(QueueUrl=self.outputs["DeliveryQueueUrl"], MessageBody=json.dumps(batch))
        return len(batches)

    def has_delivered(self) -> bool:
        """Whether senders have taken all there is on their queue, and are done with it."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._queues.get_queue_attributes(QueueUrl=self.outputs["DeliveryQueueUrl"], AttributeNames=names)
        return not any(int(count) for count in found["Attributes"].values())

    def rejects(self, receipt: Item) -> list[dict[str, str]]:
        """The rejected rows of one file."""
        text = self.read(receipt["rejects_key"]).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))


def total(receipts: Iterable[Item]) -> Receipt:
    """Several receipts as one."""
    found = list(receipts)
    reasons: Counter[str] = Counter()
    for receipt in found:
        reasons.update({column: int(rows) for column, rows in receipt["reasons"].items()})
    rows = {name: sum(int(receipt[name]) for receipt in found) for name in _ROWS}
    files = tuple(receipt["key"] for receipt in found)
    return Receipt(files, **rows, reasons=dict(reasons.most_common()))


_ROWS = ("rows_read", "rows_accepted", "rows_superseded", "rows_rejected")


def _all(table: Any, condition: Any) -> list[Item]:
    """Every page of a Query."""
    page = table.query(KeyConditionExpression=condition)
    items = list(page["Items"])
    while "LastEvaluatedKey" in page:
        page = table.query(KeyConditionExpression=condition, ExclusiveStartKey=page["LastEvaluatedKey"])
        items += page["Items"]
    return items
