"""Each function with the event it gets: what is in AWS afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.stub import Stubber
from dangol import wiring
from dangol.aws.requests import DailyRun
from dangol.ledger.layout import shard_of
from dangol.moves.configure import live_configuration

from functions.configure import app as configure
from functions.ingest import app as ingest
from functions.plan_refresh import app as plan_refresh
from functions.record_engagement import app as record_engagement
from functions.refresh import app as refresh
from functions.report import app as report
from tests.integration.conftest import SHARDS, TODAY, Aws, Context, body_of, example, with_body
from tests.schemas import problems, schema_of

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

ORDERS = """주문번호,고객번호,주문일시,결제금액,이메일
o1,c1,2026-11-21 10:00,30000,kim@example.com
o2,c1,2026-11-22 10:00,50000,kim@example.com
o3,c3,2026-11-01 10:00,20000,lee@example.com
o4,c3,어제,20000,lee@example.com
"""
C1, C3 = shard_of("c1", SHARDS), shard_of("c3", SHARDS)
POLICY = b'rfm:\n  - {id: recent, where: "recency_days <= 7"}\n'


def dropped(aws: Aws, function: str, data: bytes) -> dict[str, Any]:
    """The example event of an upload, and the object it tells of in the bucket."""
    event = example(function)
    body = body_of(event)
    found = body["detail"]["object"]
    stored = aws.s3.put_object(Bucket=aws.bucket, Key=found["key"], Body=data)
    found |= {"size": len(data), "etag": stored["ETag"].strip('"'), "version-id": stored["VersionId"]}
    body["detail"]["bucket"]["name"] = aws.bucket
    return with_body(event, body)


def asked(shard: int, tries: int = 1, **changes: Any) -> dict[str, Any]:
    """The example event of a refresh, for a shard."""
    event = example("refresh")
    return with_body(event, body_of(event) | {"shard": shard} | changes, tries=tries)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> Iterator[Stubber]:
    """The daily run that waits for an answer; the test says for which."""
    with Stubber(boto3.client("stepfunctions")) as stub:
        monkeypatch.setattr(wiring, "daily_run", lambda: DailyRun(stub.client))
        yield stub
        stub.assert_no_pending_responses()


def test_ingest_takes_a_file_once(aws: Aws, context: Context) -> None:
    event = dropped(aws, "ingest", ORDERS.encode("cp949"))
    assert ingest.handler(event, context) == {"batchItemFailures": []}

    (receipt,) = aws.rows(aws.runs)
    assert problems("runs-file", [receipt]) == []
    assert receipt["key"] == "incoming/orders/주문 내역 1.csv"
    counts = [receipt[f"rows_{name}"] for name in ("read", "accepted", "superseded", "rejected")]
    assert counts == [4, 3, 0, 1]
    requests = aws.taken(aws.refresh_queue)
    assert {request["shard"] for request in requests} == {C1, C3} == {int(shard) for shard in receipt["shards"]}
    assert {(request["as_of"], request["reason"]) for request in requests} == {(TODAY, "file")}
    rejects = aws.s3.get_object(Bucket=aws.bucket, Key=receipt["rejects_key"])["Body"].read().decode("utf-8-sig")
    assert "어제" in rejects
    ((kind, detail),) = aws.events()
    assert (kind, problems("file-ingested", [detail])) == ("File Ingested", [])
    assert detail["rows_accepted"] == 3

    # The receipt comes back from DynamoDB with numbers of its own.
    assert ingest.handler(event, context) == {"batchItemFailures": []}
    assert aws.events() == []
    assert aws.taken(aws.refresh_queue) == []
    assert aws.rows(aws.runs) == [receipt]


def test_ingest_rejects_what_it_cannot_read_and_does_not_try_again(aws: Aws, context: Context) -> None:
    event = dropped(aws, "ingest", b"%PDF-1.7")
    assert ingest.handler(event, context) == {"batchItemFailures": []}
    (receipt,) = aws.rows(aws.runs)
    assert (receipt["status"], problems("runs-file", [receipt])) == ("rejected", [])
    ((kind, detail),) = aws.events()
    assert (kind, problems("file-rejected", [detail])) == ("File Rejected", [])


def test_ingest_leaves_a_replaced_file_to_the_event_of_the_other(aws: Aws, context: Context) -> None:
    event = dropped(aws, "ingest", b"old")
    aws.s3.put_object(Bucket=aws.bucket, Key="incoming/orders/주문 내역 1.csv", Body=ORDERS.encode())
    assert ingest.handler(event, context) == {"batchItemFailures": []}
    (receipt,) = aws.rows(aws.runs)
    assert (receipt["status"], problems("runs-file", [receipt])) == ("replaced", [])
    assert aws.events() == []


def test_ingest_ignores_folders(aws: Aws, context: Context) -> None:
    event = example("ingest")
    body = body_of(event)
    body["detail"]["object"] |= {"key": "incoming/orders/", "size": 0}
    assert ingest.handler(with_body(event, body), context) == {"batchItemFailures": []}
    assert aws.rows(aws.runs) == []


def test_ingest_fails_in_the_open_when_aws_does(aws: Aws, context: Context) -> None:
    """SQS delivers it again, and at last into the dead letters."""
    event = dropped(aws, "ingest", ORDERS.encode())
    boto3.client("dynamodb").delete_table(TableName=aws.runs)
    with pytest.raises(BatchProcessingError):
        ingest.handler(event, context)


@pytest.mark.parametrize(("function", "queue"), [("ingest", "ingest_queue"), ("refresh", "refresh_queue")])
def test_what_fails_is_tried_again_soon(
    aws: Aws, context: Context, monkeypatch: pytest.MonkeyPatch, function: str, queue: str
) -> None:
    url, sqs, told = getattr(aws, queue), boto3.client("sqs"), []
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "240"})
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "1"} if queue == "refresh_queue" else {}
    sqs.send_message(QueueUrl=url, MessageBody="{}", **fifo)
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=5400)["Messages"]
    change = sqs.change_message_visibility
    monkeypatch.setattr(sqs, "change_message_visibility", lambda **call: (told.append(call), change(**call)))
    monkeypatch.setattr(wiring.shared, "client", lambda service: {"sqs": sqs}[service])
    for tries in (1, 2, 3, 4):
        event = with_body(example(function), {}, tries=tries)
        event["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
        with pytest.raises(BatchProcessingError):
            {"ingest": ingest, "refresh": refresh}[function].handler(event, context)
    assert {call["QueueUrl"] for call in told} == {url}
    assert [call["VisibilityTimeout"] for call in told] == [60, 240, 60, 60]  # never later than the queue would have it


def filled(aws: Aws, context: Context) -> None:
    """The file is taken; nobody has been told of its refreshes."""
    ingest.handler(dropped(aws, "ingest", ORDERS.encode()), context)
    aws.taken(aws.refresh_queue)
    aws.events()


def test_refresh_brings_the_tables_up_to_date_and_answers_who_waits(
    aws: Aws, context: Context, waiting: Stubber
) -> None:
    filled(aws, context)
    waiting.add_response("send_task_success", {})
    assert refresh.handler(asked(C1), context) == {"batchItemFailures": []}

    customers, memberships = aws.rows(aws.customers), aws.rows(aws.memberships)
    assert problems("customers", customers) == []
    assert problems("memberships", memberships) == []
    assert {row["customer_id"]: row["segment"] for row in customers} == {"c1": "potential_loyal"}
    assert {row["segment"] for row in memberships} == {"potential_loyal"}
    (run,) = (row for row in aws.rows(aws.runs) if row["kind"] == "refresh")
    assert (problems("runs-refresh", [run]), run["id"]) == ([], f"daily-2026-11-22#shard-{C1:04d}")
    events = aws.events()
    assert [kind for kind, _ in events] == ["Segment Changed", "Refresh Completed"]
    for kind, detail in events:
        assert problems(schema_of(kind), [detail]) == []

    waiting.add_response("send_task_success", {})
    refresh.handler(asked(C1), context)
    assert aws.events() == []
    assert aws.rows(aws.customers) == customers


def test_refresh_of_a_file_answers_nobody(aws: Aws, context: Context, waiting: Stubber) -> None:
    filled(aws, context)
    assert refresh.handler(asked(C3, task_token=None, reason="file"), context) == {"batchItemFailures": []}
    assert {row["customer_id"] for row in aws.rows(aws.customers)} == {"c3"}


def broken(aws: Aws) -> None:
    """The ledger of a shard holds something that is no Parquet."""
    aws.s3.put_object(Bucket=aws.bucket, Key=f"ledger/orders/shard={C1:04d}/part-broken.parquet", Body=b"broken")


@pytest.mark.parametrize("tries", [1, 2])
def test_refresh_that_fails_is_tried_again_before_it_tells(
    aws: Aws, context: Context, waiting: Stubber, tries: int
) -> None:
    broken(aws)
    with pytest.raises(BatchProcessingError):
        refresh.handler(asked(C1, tries), context)


def test_refresh_that_fails_for_the_last_time_tells_who_waits(aws: Aws, context: Context, waiting: Stubber) -> None:
    broken(aws)
    token = body_of(example("refresh"))["task_token"]
    waiting.add_response("send_task_failure", {}, {"taskToken": token, "error": "InvalidInputException"})
    with pytest.raises(BatchProcessingError):
        refresh.handler(asked(C1, tries=3), context)


def test_a_poison_request_tells_who_waits_as_well(aws: Aws, context: Context, waiting: Stubber) -> None:
    token = body_of(example("refresh"))["task_token"]
    waiting.add_response("send_task_failure", {}, {"taskToken": token, "error": "ValueError"})
    with pytest.raises(BatchProcessingError):
        refresh.handler(asked(C1, tries=3, as_of="one day"), context)


def test_the_last_try_is_that_of_the_template() -> None:
    from tests.e2e.test_template import resources

    assert resources("AWS::SQS::Queue")["RefreshQueue"]["RedrivePolicy"]["maxReceiveCount"] == refresh.LAST_TRY


@pytest.fixture
def machine(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The daily run as a state machine; moto only notes its executions."""
    client = boto3.client("stepfunctions")
    made = client.create_state_machine(
        name="dangol-daily-refresh", definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
    )
    monkeypatch.setenv("DANGOL_DAILY_STATE_MACHINE_ARN", made["stateMachineArn"])

    def started() -> list[dict[str, Any]]:
        executions = client.list_executions(stateMachineArn=made["stateMachineArn"])["executions"]
        return [json.loads(client.describe_execution(executionArn=e["executionArn"])["input"]) for e in executions]

    return started


def test_configure_puts_a_good_policy_live_and_refreshes_by_it(aws: Aws, context: Context, machine: Any) -> None:
    filled(aws, context)
    assert configure.handler(dropped(aws, "configure", POLICY), context) == {"batchItemFailures": []}
    (run,) = (row for row in aws.rows(aws.runs) if row["kind"] == "configuration")
    assert (run["status"], problems("runs-configuration", [run])) == ("live", [])
    assert machine() == [{"reason": "configuration"}]
    assert aws.events() == []
    refresh.handler(asked(C1, task_token=None, reason="configuration"), context)
    (row,) = aws.rows(aws.customers)
    assert (row["segment"], row["policy_version"]) == ("recent", run["policy_version"])


def test_configure_refuses_a_bad_policy_and_the_last_good_one_goes_on(aws: Aws, context: Context, machine: Any) -> None:
    configure.handler(dropped(aws, "configure", POLICY), context)
    bad = dropped(aws, "configure", POLICY.replace(b"recency_days", b"frequency"))
    assert configure.handler(bad, context) == {"batchItemFailures": []}
    (run,) = (row for row in aws.rows(aws.runs) if row["kind"] == "configuration")
    assert (run["status"], problems("runs-configuration", [run])) == ("refused", [])
    ((kind, detail),) = aws.events()
    assert (kind, problems("file-rejected", [detail])) == ("File Rejected", [])
    assert "config/segments.yaml, line 2: segment 'recent'" in detail["reason"]
    assert live_configuration(wiring.store()).files == {"segments.yaml": POLICY}
    assert len(machine()) == 1


def test_configure_takes_it_easy_when_the_file_is_gone(aws: Aws, context: Context, machine: Any) -> None:
    assert configure.handler(example("configure"), context) == {"batchItemFailures": []}
    (run,) = aws.rows(aws.runs)
    assert (run["status"], problems("runs-configuration", [run])) == ("deleted", [])


def test_plan_refresh_plans_every_shard(aws: Aws, context: Context) -> None:
    assert plan_refresh.handler(example("plan_refresh"), context) == {
        "as_of": TODAY,
        "reason": "daily",
        "run_id": context.aws_request_id,
        "shards": [{"shard": shard} for shard in range(SHARDS)],
    }


def test_without_a_fixed_date_today_is_today_in_the_shop(
    aws: Aws, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANGOL_FIXED_DATE", "")
    wiring.settings.cache_clear()
    assert wiring.settings().date_of(datetime(2026, 11, 21, 15, 0, tzinfo=UTC)).isoformat() == "2026-11-22"
    before = datetime.now(UTC)
    assert (
        wiring.settings().date_of(before) <= wiring.settings().today() <= wiring.settings().date_of(datetime.now(UTC))
    )
    assert plan_refresh.handler(example("plan_refresh"), context)["as_of"] == "2026-11-22"  # 18:00 UTC the day before


def test_report_tells_of_all_shards(aws: Aws, context: Context) -> None:
    filled(aws, context)
    for shard in range(SHARDS):
        refresh.handler(asked(shard, task_token=None), context)
    aws.events()
    facts = report.handler(example("report") | {"shards": SHARDS, "refreshed": [0, 1, 2]}, context)
    assert (facts["customers"], facts["failed"]) == (2, 0)
    (run,) = (row for row in aws.rows(aws.runs) if row["kind"] == "daily")
    assert problems("runs-daily", [run]) == []
    ((kind, detail),) = aws.events()
    assert (kind, problems("refresh-completed", [detail])) == ("Refresh Completed", [])
    page = aws.s3.get_object(Bucket=aws.bucket, Key=facts["report_key"])["Body"].read().decode()
    assert "potential_loyal" in page or "잠재 충성 고객" in page


def test_record_engagement_appends_what_ses_tells(aws: Aws, context: Context) -> None:
    event = example("record_engagement")
    event["Records"].append({**event["Records"][0], "messageId": "odd", "body": "no JSON"})
    assert record_engagement.handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "odd"}]}

    ingest.handler(dropped(aws, "ingest", ORDERS.encode()), context)
    refresh.handler(asked(C1), context)
    (kim,) = (row for row in aws.rows(aws.customers) if row["customer_id"] == "c1")
    assert problems("customers", [kim]) == []
    assert (kim["last_open_on"], kim["last_click_on"]) == ("2026-11-20", "2026-11-20")
    assert "engaged" in kim["segments"]


def test_with_scores_the_plan_notes_their_borders_and_refreshes_use_them(aws: Aws, context: Context) -> None:
    configure_event = dropped(aws, "configure", POLICY + b"scores: standard\n")
    with Stubber(boto3.client("stepfunctions")) as stub, pytest.MonkeyPatch.context() as patch:
        stub.add_response("start_execution", {"executionArn": "arn", "startDate": datetime.now(UTC)})
        patch.setattr(
            wiring.upkeep, "_refresh_all", lambda: lambda reason: stub.client.start_execution(stateMachineArn="m")
        )
        configure.handler(configure_event, context)
    ingest.handler(dropped(aws, "ingest", ORDERS.encode()), context)
    for shard in range(SHARDS):
        refresh.handler(asked(shard), context)
    plan_refresh.handler({"as_of": TODAY}, context)
    refresh.handler(asked(C1), context)
    (kim,) = (row for row in aws.rows(aws.customers) if row["customer_id"] == "c1")
    assert problems("customers", [kim]) == []
    assert {"r_score", "f_score", "m_score"} <= set(kim)
    assert "File Rejected" not in {kind for kind, _ in aws.events()}
