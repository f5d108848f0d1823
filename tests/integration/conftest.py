"""AWS in memory (moto), with the resources of the template, and the environment that the template gives a function."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from dangol import wiring
from moto import mock_aws

# Powertools reads its variables when a function is imported.
os.environ |= {"POWERTOOLS_METRICS_NAMESPACE": "Dangol", "POWERTOOLS_SERVICE_NAME": "dangol"}

REGION = "ap-northeast-2"
TODAY = "2026-11-22"
SHARDS = 3
IDENTITY_KEY = "a secret of the stack"
LINK_KEY = "a secret of the stack that signs links"
EVENTS = Path(__file__).resolve().parents[2] / "events"


@dataclass(frozen=True)
class Aws:
    """What the template makes of it, by name, and clients."""

    bucket: str
    customers: str
    memberships: str
    runs: str
    profiles: str
    deliveries: str
    invitations: str
    refresh_queue: str
    """URL."""
    delivery_queue: str
    """URL."""
    engagement_queue: str
    """URL."""
    bus: str
    heard: str
    """URL of a queue that hears every event of the bus."""
    ingest_queue: str
    """URL."""

    @property
    def s3(self) -> Any:
        return boto3.client("s3")

    @property
    def sqs(self) -> Any:
        return boto3.client("sqs")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table."""
        found: list[dict[str, Any]] = boto3.resource("dynamodb").Table(table).scan()["Items"]
        return found

    def taken(self, queue: str) -> list[dict[str, Any]]:
        """What waits in a queue, which is empty afterwards."""
        bodies: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Kind and detail of what the bus was told since."""
        return [(event["detail-type"], event["detail"]) for event in self.taken(self.heard)]


@pytest.fixture
def one_call_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB checks conditions and writes in one step, moto in several: between them no other thread may come."""
    lock, call = RLock(), BaseClient._make_api_call

    def alone(client: Any, *arguments: Any) -> Any:
        with lock:
            return call(client, *arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", alone)


@pytest.fixture
def aws(one_call_at_a_time: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An account with nothing in it but the resources; the functions find them by their environment."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws(config={"core": {"reset_boto3_session": False}}):  # a session remembers what it read of AWS
        made = _resources()
        secrets = boto3.client("secretsmanager")
        identity, password, link_key = (
            secrets.create_secret(Name=name, SecretString=value)["ARN"]
            for name, value in (("identity", IDENTITY_KEY), ("password", "none"), ("link", LINK_KEY))
        )
        for name, value in {
            "BUCKET": made.bucket,
            "CUSTOMERS_TABLE": made.customers,
            "MEMBERSHIPS_TABLE": made.memberships,
            "RUNS_TABLE": made.runs,
            "PROFILES_TABLE": made.profiles,
            "DELIVERIES_TABLE": made.deliveries,
            "INVITATIONS_TABLE": made.invitations,
            "DELIVERY_QUEUE_URL": made.delivery_queue,
            "LINK_KEY_ARN": link_key,
            "ENGAGEMENT_QUEUE_URL": made.engagement_queue,
            "EMAIL_CONFIGURATION_SET": "dangol-email",
            "UNSUBSCRIBE_URL": "https://unsubscribe.example.com/",
            "RESPOND_URL": "https://respond.example.com/",
            "FCM_APPLICATION_ARN": f"arn:aws:sns:{REGION}:123456789012:app/GCM/shop",
            "APNS_APPLICATION_ARN": "",
            "REFRESH_QUEUE_URL": made.refresh_queue,
            "INGEST_QUEUE_URL": made.ingest_queue,
            "EVENT_BUS": made.bus,
            "TIME_ZONE": "Asia/Seoul",
            "CURRENCY": "KRW",
            "SHARDS": str(SHARDS),
            "FIXED_DATE": TODAY,
            "IDENTITY_KEY_ARN": identity,
            "FILE_PASSWORD_ARN": password,
            "DAILY_STATE_MACHINE_ARN": f"arn:aws:states:{REGION}:123456789012:stateMachine:dangol-daily-refresh",
        }.items():
            monkeypatch.setenv(f"DANGOL_{name}", value)
        _forget_clients()
        yield made
    _forget_clients()


def _forget_clients() -> None:
    """As a new container would begin."""
    for moves in (wiring.environment, wiring.shared, wiring.append, wiring.refresh, wiring.campaign, wiring.upkeep):
        for door in vars(moves).values():
            if hasattr(door, "cache_clear"):
                door.cache_clear()


def _resources() -> Aws:
    s3, sqs, events = boto3.client("s3"), boto3.client("sqs"), boto3.client("events")
    s3.create_bucket(Bucket="dangol-test", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="dangol-test", VersioningConfiguration={"Status": "Enabled"})
    for table, keys in {
        "customers": ["customer_id"],
        "memberships": ["segment_bucket", "customer_id"],
        "runs": ["kind", "id"],
        "profiles": ["customer_id"],
        "deliveries": ["run_customer", "channel"],
        "invitations": ["invitation", "entry"],
    }.items():
        boto3.client("dynamodb").create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
        )
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "messageGroup"}
    refresh = sqs.create_queue(
        QueueName="refresh.fifo", Attributes=fifo | {"FifoThroughputLimit": "perMessageGroupId"}
    )["QueueUrl"]
    names = ("delivery", "engagement", "heard", "ingest")
    delivery, engagement, heard, ingest = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in names)
    arn = sqs.get_queue_attributes(QueueUrl=heard, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="dangol-events")
    events.put_rule(Name="all", EventBusName="dangol-events", EventPattern='{"source": ["dangol"]}')
    events.put_targets(Rule="all", EventBusName="dangol-events", Targets=[{"Id": "heard", "Arn": arn}])
    tables = ("customers", "memberships", "runs", "profiles", "deliveries", "invitations")
    return Aws("dangol-test", *tables, refresh, delivery, engagement, "dangol-events", heard, ingest)


@dataclass(frozen=True)
class Context:
    """LambdaContext, as far as anybody looks."""

    function_name: str = "dangol-test"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:123456789012:function:dangol-test"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def context() -> Context:
    return Context()


def example(function: str) -> dict[str, Any]:
    """events/<function>.json"""
    event: dict[str, Any] = json.loads((EVENTS / f"{function}.json").read_text("utf-8"))
    return event


def with_body(event: dict[str, Any], body: dict[str, Any], *, tries: int = 1) -> dict[str, Any]:
    """An event of a queue with another body in its one message, received for the so manieth time."""
    (record,) = event["Records"]
    attributes = {**record["attributes"], "ApproximateReceiveCount": str(tries)}
    return {"Records": [{**record, "body": json.dumps(body, ensure_ascii=False), "attributes": attributes}]}


def body_of(event: dict[str, Any]) -> dict[str, Any]:
    (record,) = event["Records"]
    body: dict[str, Any] = json.loads(record["body"])
    return body
