"""The whole system on the local AWS: what is dropped in the bucket, and what everybody sees of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from examples.sandbox.local_aws import ROOT, wait_for
from tests.schemas import plain, problems, schema_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

TODAY = date(2026, 11, 22)
PERSON = ("kim.chulsoo@example.com", "010-1234-5678", "김철수")
HEADER = "주문번호,고객번호,주문일시,결제금액,주문상태,상품명,이메일,휴대전화,고객명\n"
NUMBERS = count(1)


def row(order: str, customer: str, days_ago: int, amount: object, status: str = "배송완료") -> str:
    on = TODAY - timedelta(days=days_ago)
    return f"{order},{customer},{on} 12:00,{amount},{status},코트,{','.join(PERSON)}\n"


ORDERS = HEADER + "".join(
    [
        *(row(f"v{number}", "c1", number % 3, 2_500_000) for number in range(20)),
        row("n1", "c2", 1, 30_000),
        row("p1", "c3", 9, 40_000),
        row("p2", "c3", 9, 40_000),
        row("r1", "c4", 45, 40_000),
        row("u1", "c5", 0, 40_000, "취소완료"),
        row("x1", "c6", 1, "삼만원"),
    ]
)
SEGMENTS = {"c1": "vip_loyal", "c2": "new", "c3": "potential_loyal", "c4": "at_risk", "c5": "unclassified"}


class Shop:
    """A stack of its own, and a service that listens to its bus."""

    def __init__(self, stack: Stack, outputs: dict[str, str]) -> None:
        self.stack, self.outputs = stack, outputs
        self.bucket = outputs["BucketName"]
        self._heard: list[tuple[str, dict[str, Any]]] = []
        self._ear = self._listen()

    def client(self, service: str) -> Any:
        return self.stack.client(service)

    def _listen(self) -> str:
        name, bus = self.outputs["EventBusName"], self.outputs["EventBusName"]
        sqs, events = self.client("sqs"), self.client("events")
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["dangol"]}')["RuleArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "ear", "Arn": arn}])
        return str(queue)

    def drop(self, key: str, data: str | bytes) -> None:
        body = data.encode() if isinstance(data, str) else data
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def read(self, key: str) -> str:
        body: bytes = self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body.decode("utf-8-sig")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What was heard so far; of one kind, or all."""
        sqs = self.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._ear, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                event = json.loads(message["Body"])
                self._heard.append((event["detail-type"], event["detail"]))
                sqs.delete_message(QueueUrl=self._ear, ReceiptHandle=message["ReceiptHandle"])
        return [detail for known, detail in self._heard if kind in (None, known)]

    def kinds(self) -> list[tuple[str, dict[str, Any]]]:
        self.events()
        return self._heard

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in Customers, Memberships or Runs."""
        return self._scan(self.client("dynamodb"), self.outputs[f"{table}TableName"])

    @staticmethod
    def _scan(client: Any, table: str) -> list[dict[str, Any]]:
        pages = client.get_paginator("scan").paginate(TableName=table)
        return [_plain_item(item) for page in pages for item in page["Items"]]

    def runs(self, kind: str) -> list[dict[str, Any]]:
        return [run for run in self.rows("Runs") if run["kind"] == kind]

    def waiting(self, queue: str) -> int:
        """Messages of a queue, by its logical id, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.physical_id(queue)
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(value) for value in found.values())

    def physical_id(self, logical_id: str) -> str:
        resource = self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(resource["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def name(self) -> str:
        return self.outputs["EventBusName"].removesuffix("-events")

    def settled(self) -> bool:
        """Whether nothing is under way."""
        return not any(self.waiting(queue) for queue in ("IngestQueue", "ConfigQueue", "RefreshQueue"))

    def receipt(self, key: str) -> dict[str, Any]:
        """The answer to a dropped file, once its shards are refreshed."""
        found = wait_for(f"receipt of {key}", lambda: [run for run in self.runs("file") if run["key"] == key])
        wait_for("the queues are empty", self.settled)
        return found[-1]

    def run(self, **request: str) -> dict[str, Any]:
        """A daily run, at its end."""
        client = self.client("stepfunctions")
        arn = client.start_execution(stateMachineArn=self.outputs["DailyRefreshArn"], input=json.dumps(request))
        return self.ended(arn["executionArn"])

    def ended(self, arn: str) -> dict[str, Any]:
        def over() -> Any:
            found = self.client("stepfunctions").describe_execution(executionArn=arn)
            return None if found["status"] == "RUNNING" else found

        return dict(wait_for("the daily run ends", over))


def _plain_item(item: dict[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: plain(deserialize(value)) for name, value in item.items()}


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    name = f"shop{next(NUMBERS)}"
    outputs = stack.aws.deploy(name, ROOT / "template.yaml", NumberOfShards="3", FixedDate=TODAY.isoformat())
    yield Shop(stack, outputs)
    stack.client("cloudformation").delete_stack(StackName=name)


def segments(shop: Shop) -> dict[str, str]:
    return {customer["customer_id"]: customer["segment"] for customer in shop.rows("Customers")}


def test_a_dropped_file_becomes_a_receipt_rejects_customers_memberships_and_events(shop: Shop) -> None:
    key = "incoming/orders/2026 상반기/주문 내역 (1).csv"
    shop.drop(key, ORDERS.encode("cp949"))
    receipt = shop.receipt(key)

    assert problems("runs-file", [receipt]) == []
    counts = [receipt[f"rows_{name}"] for name in ("read", "accepted", "superseded", "rejected")]
    assert counts == [26, 25, 0, 1]
    rejects = shop.read(receipt["rejects_key"])
    assert "삼만원" in rejects
    assert PERSON[0] in rejects

    customers, memberships = shop.rows("Customers"), shop.rows("Memberships")
    assert problems("customers", customers) == []
    assert problems("memberships", memberships) == []
    assert segments(shop) == SEGMENTS
    listed = {(row["segment"], row["customer_id"]) for row in memberships}
    assert listed == {(segment, c["customer_id"]) for c in customers for segment in c["segments"]}

    # As another service does it, with nothing but the policy that the template offers.
    reader = shop.stack.client_with_policy(shop.outputs["ReadSegmentsPolicyArn"], "dynamodb")
    found = [item for number in range(16) for item in bucket(reader, shop, f"vip_10_plus#{number}")]
    assert [item["customer_id"]["S"] for item in found] == ["c1"]
    customer = reader.get_item(TableName=shop.outputs["CustomersTableName"], Key={"customer_id": {"S": "c3"}})["Item"]
    assert (customer["orders_90d"]["N"], customer["aov_90d"]["N"]) == ("2", "40000")

    wait_for("every change is heard", lambda: len(shop.events("Segment Changed")) >= len(memberships))
    wait_for("the refreshes are over", lambda: len(shop.events("Refresh Completed")) == len(receipt["shards"]))
    for kind, detail in shop.kinds():
        assert problems(schema_of(kind), [detail]) == []
    assert {(e["segment"], e["customer_id"]) for e in shop.events("Segment Changed")} == listed
    assert {e["change"] for e in shop.events("Segment Changed")} == {"entered"}
    assert [e["rows_accepted"] for e in shop.events("File Ingested")] == [25]

    # The same event once more changes nothing.
    told = len(shop.kinds())
    body = {
        "time": receipt["uploaded_at"],
        "detail": {"object": {"key": key, "size": 1, "etag": "x", "sequencer": receipt["id"].split("-")[1]}},
    }
    queue = shop.outputs["IngestQueueUrl"]
    shop.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    wait_for("the queues are empty", shop.settled)
    assert (shop.runs("file"), shop.rows("Customers"), len(shop.kinds())) == ([receipt], customers, told)

    logged = logs(shop)
    assert "refreshed" in logged
    seen = json.dumps([shop.rows("Runs"), customers, memberships, shop.kinds()], ensure_ascii=False) + logged
    assert [word for word in PERSON if word in seen] == []


def bucket(reader: Any, shop: Shop, name: str) -> list[dict[str, Any]]:
    """One of the sixteen queries that list a segment."""
    answer = reader.query(
        TableName=shop.outputs["MembershipsTableName"],
        KeyConditionExpression="segment_bucket = :bucket",
        ExpressionAttributeValues={":bucket": {"S": name}},
    )
    return list(answer["Items"])


def logs(shop: Shop) -> str:
    """All that the functions logged."""
    pages = shop.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{shop.name}")
    return "\n".join(event["message"] for page in pages for event in page["events"])


def moves(shop: Shop) -> set[tuple[str, str | None, str | None]]:
    """Customer, from and to of each change heard so far."""
    return {(e["customer_id"], e["from"], e["to"]) for e in shop.events("Segment Changed")}


def test_time_alone_moves_customers_and_a_day_is_refreshed_once(shop: Shop) -> None:
    shop.drop("incoming/orders/a.csv", ORDERS)
    shop.receipt("incoming/orders/a.csv")
    first = shop.run()
    assert first["status"] == "SUCCEEDED"
    done = json.loads(first["output"])
    assert (done["as_of"], done["failed"], done["customers"]) == (TODAY.isoformat(), 0, 5)
    wait_for("the first changes are heard", lambda: len(moves(shop)) >= 7)
    before = moves(shop)

    later = (TODAY + timedelta(days=30)).isoformat()
    output = json.loads(shop.run(as_of=later)["output"])
    assert segments(shop) == SEGMENTS | {"c1": "unclassified", "c2": "at_risk", "c3": "at_risk", "c4": "unclassified"}
    wanted = {
        ("c1", "vip_loyal", "unclassified"),
        ("c2", "new", "at_risk"),
        ("c3", "potential_loyal", "at_risk"),
        ("c4", "at_risk", "unclassified"),
    }
    wait_for("the moves are heard", lambda: moves(shop) - before == wanted)
    assert "고객 4명이 세그먼트를 옮겼습니다." in shop.read(output["report_key"])
    assert "Moved to another segment: 4." in shop.read(f"reports/{later}/report.en.html")
    summaries = [json.loads(shop.read(f"reports/{day}/summary.json")) for day in (TODAY.isoformat(), later)]
    assert problems("report", summaries) == []
    assert [sum(source["files"] for source in one["quality"]["sources"]) for one in summaries] == [1, 0]
    assert {(c["from"], c["to"]) for flow in summaries[1]["moves"] for c in flow["cells"]} > {
        move[1:] for move in wanted
    }
    assert problems("runs-daily", shop.runs("daily")) == []

    wait_for("the run is heard of", lambda: sum(e["scope"] == "all" for e in shop.events("Refresh Completed")) == 2)
    customers, told = shop.rows("Customers"), len(shop.events("Segment Changed"))
    again = json.loads(shop.run(as_of=later)["output"])
    assert again["customers"] == 5
    wait_for("the run is heard of", lambda: sum(e["scope"] == "all" for e in shop.events("Refresh Completed")) == 3)
    assert (shop.rows("Customers"), len(shop.events("Segment Changed"))) == (customers, told)
    of_the_last = [run for run in shop.runs("refresh") if run["run_id"] == again["run_id"]]
    assert [run["customers_written"] for run in of_the_last] == [0, 0, 0]
    assert problems("runs-refresh", shop.runs("refresh")) == []
    assert [problem for kind, e in shop.kinds() for problem in problems(schema_of(kind), [e])] == []


def test_lost_tables_are_rebuilt_as_they_were(shop: Shop) -> None:
    shop.drop("incoming/orders/a.csv", ORDERS)
    shop.receipt("incoming/orders/a.csv")
    shop.run(as_of=(TODAY + timedelta(days=20)).isoformat())
    before = {table: by_key(shop.rows(table)) for table in ("Customers", "Memberships")}
    dynamodb = shop.client("dynamodb")
    for table, names in {"Customers": ["customer_id"], "Memberships": ["segment_bucket", "customer_id"]}.items():
        for row_ in shop.rows(table):
            key = {name: {"S": row_[name]} for name in names}
            dynamodb.delete_item(TableName=shop.outputs[f"{table}TableName"], Key=key)
    assert shop.run(reason="rebuild")["status"] == "SUCCEEDED"
    assert {table: by_key(shop.rows(table)) for table in ("Customers", "Memberships")} == before


def by_key(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row_.get("segment_bucket", "") + row_["customer_id"]: row_ for row_ in rows}


def test_a_newer_export_replaces_the_older_and_an_order_may_change_its_customer(shop: Shop) -> None:
    shop.drop("incoming/orders/old.csv", HEADER + row("o1", "c1", 1, 10_000) + row("o2", "c1", 1, 20_000))
    shop.receipt("incoming/orders/old.csv")
    shop.drop("incoming/orders/new.csv", HEADER + row("o1", "c4", 1, 15_000) + row("o2", "c1", 1, 25_000))
    shop.receipt("incoming/orders/new.csv")
    totals = {customer["customer_id"]: customer["revenue_lifetime"] for customer in shop.rows("Customers")}
    assert totals == {"c1": 25_000, "c4": 15_000}


def test_a_file_that_cannot_be_read_is_rejected_and_not_tried_again(shop: Shop) -> None:
    files = {
        "incoming/orders/a.pdf": b"%PDF-1.7",
        "incoming/orders/b.csv": ORDERS[200:].encode(),
        "incoming/c.csv": b"x",
    }
    for key, data in files.items():
        shop.drop(key, data)
    wait_for("all are rejected", lambda: len(shop.events("File Rejected")) == len(files))
    wait_for("the queues are empty", shop.settled)
    assert {run["key"]: run["status"] for run in shop.runs("file")} == dict.fromkeys(files, "rejected")
    assert problems("runs-file", shop.runs("file")) == []
    assert problems("file-rejected", shop.events("File Rejected")) == []
    assert shop.waiting("IngestDeadLetters") == 0
    assert len(shop.kinds()) == len(files)
    assert [word for word in PERSON if word in json.dumps(shop.kinds(), ensure_ascii=False) + logs(shop)] == []


GOOD = 'rfm:\n  - {id: recent, name: 최근, where: "recency_days <= 7"}\n'


def test_a_bad_configuration_is_refused_and_a_good_one_goes_live_and_moves_everybody(shop: Shop) -> None:
    shop.drop("incoming/orders/a.csv", ORDERS)
    shop.receipt("incoming/orders/a.csv")
    shop.drop("config/segments.yaml", GOOD.replace("recency_days", "recencydays"))
    (refused,) = wait_for("it is refused", lambda: shop.events("File Rejected"))
    assert refused["reason"].startswith("config/segments.yaml, line 2: ")
    assert "recency_days" in refused["reason"]
    wait_for("the queues are empty", shop.settled)
    assert segments(shop) == SEGMENTS
    executions = shop.client("stepfunctions").list_executions(stateMachineArn=shop.outputs["DailyRefreshArn"])
    assert executions["executions"] == []

    shop.drop("config/segments.yaml", GOOD)
    (run,) = wait_for("it goes live", lambda: shop.runs("daily"))
    assert run["reason"] == "configuration"
    assert segments(shop) == {"c1": "recent", "c2": "recent"} | dict.fromkeys(["c3", "c4", "c5"], "unclassified")
    assert {run["status"] for run in shop.runs("configuration")} == {"refused", "live"}
    assert problems("runs-configuration", shop.runs("configuration")) == []
    wait_for("the queues are empty", shop.settled)
    assert shop.waiting("ConfigDeadLetters") == 0


def test_a_shard_that_cannot_be_refreshed_ends_in_the_dead_letters_and_the_run_fails(shop: Shop) -> None:
    shop.drop("incoming/orders/a.csv", ORDERS)
    shop.receipt("incoming/orders/a.csv")
    sqs = shop.client("sqs")
    sqs.set_queue_attributes(QueueUrl=shop.outputs["RefreshQueueUrl"], Attributes={"VisibilityTimeout": "1"})
    shop.drop("ledger/orders/shard=0001/part-broken.parquet", b"broken")

    run = shop.run(as_of=(TODAY + timedelta(days=30)).isoformat())
    assert run["status"] == "FAILED"
    wait_for("the request is given up", lambda: shop.waiting("RefreshDeadLetters") == 1)
    wait_for("the queues are empty", shop.settled)
    assert shop.runs("daily") == []
    refreshed = {run["shard"] for run in shop.runs("refresh") if run["reason"] == "daily"}
    assert refreshed == {0, 2}  # the others do not suffer

    # Once the cause is gone, the next run finds everything as it should be.
    shop.client("s3").delete_object(Bucket=shop.bucket, Key="ledger/orders/shard=0001/part-broken.parquet")
    assert shop.run(as_of=(TODAY + timedelta(days=30)).isoformat())["status"] == "SUCCEEDED"
    assert segments(shop)["c2"] == "at_risk"
