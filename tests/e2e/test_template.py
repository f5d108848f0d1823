"""What template.yaml promises whoever deploys it: nothing lost in silence, nothing public, no right too many."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.exceptions import ClientError

from examples.sandbox.local_aws import ROOT

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

NEED_ANY_RESOURCE = {
    *("states:SendTaskSuccess", "states:SendTaskFailure"),
    *("ses:GetAccount", "ses:SendBulkEmail", "sns:CreatePlatformEndpoint", "sns:DeleteEndpoint"),
} | {
    f"logs:{action}"
    for action in (
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "DescribeResourcePolicies",
        "DescribeLogGroups",
    )
}
"""Actions for which AWS knows no narrower resource than "*"."""


class CloudFormationLoader(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"} and `!GetAtt x.y` as {"GetAtt": "x.y"}."""


def _intrinsic(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
    raise yaml.YAMLError(f"unexpected !{name}")


CloudFormationLoader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    text = (ROOT / "template.yaml").read_text("utf-8")
    parsed: dict[str, Any] = yaml.load(text, CloudFormationLoader)
    return parsed


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource of a kind, by logical id."""
    return {name: found["Properties"] for name, found in template()["Resources"].items() if found["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """The properties of each function, by its folder's name."""
    return {
        found["CodeUri"].strip("/").split("/")[-1]: found for found in resources("AWS::Serverless::Function").values()
    }


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something, with the name of who may."""
    owners = functions() | resources("AWS::Serverless::StateMachine")
    for owner, properties in owners.items():
        for policy in properties.get("Policies", []):
            yield from ((owner, statement) for statement in policy["Statement"])
    for owner, properties in resources("AWS::IAM::ManagedPolicy").items():
        yield from ((owner, statement) for statement in properties["PolicyDocument"]["Statement"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def source_queue(function: dict[str, Any]) -> str | None:
    """The logical id of the queue that feeds a function."""
    source = source_of(function)
    return str(source["Queue"]["GetAtt"]).removesuffix(".Arn") if source else None


def source_of(function: dict[str, Any]) -> dict[str, Any] | None:
    """How a queue feeds a function, if one does."""
    for event in function.get("Events", {}).values():
        if event["Type"] == "SQS":
            return dict(event["Properties"])
    return None


def test_every_function_folder_is_in_the_template_and_every_function_has_a_folder() -> None:
    assert set(functions()) == {app.parent.name for app in ROOT.glob("functions/*/app.py")}


def test_every_function_has_an_example_event() -> None:
    assert set(functions()) == {event.stem for event in ROOT.glob("events/*.json")}


@pytest.mark.parametrize("name", [name for name, function in functions().items() if source_queue(function)])
def test_the_example_event_of_a_queue_has_a_body_of_json(name: str) -> None:
    records = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))["Records"]
    assert {record["eventSource"] for record in records} == {"aws:sqs"}
    assert all(isinstance(json.loads(record["body"]), dict) for record in records)


def test_every_queue_gives_up_into_a_queue_that_raises_an_alarm() -> None:
    queues = resources("AWS::SQS::Queue")
    dead_letters = {name for name in queues if name.endswith("DeadLetters")}
    for name in queues.keys() - dead_letters:
        target = queues[name]["RedrivePolicy"]["deadLetterTargetArn"]["GetAtt"].removesuffix(".Arn")
        assert target in dead_letters, name
        assert queues[name].get("FifoQueue") == queues[target].get("FifoQueue"), name
    watched = {
        alarm["Dimensions"][0]["Value"]["GetAtt"].removesuffix(".QueueName")
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == dead_letters


def test_every_alarm_tells_somebody() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name


def test_a_message_stays_hidden_for_six_times_the_timeout_of_its_function() -> None:
    timeout = template()["Globals"]["Function"]["Timeout"]
    queues = resources("AWS::SQS::Queue")
    for name, function in functions().items():
        if source := source_of(function):
            queue = queues[str(source_queue(function))]
            collected = source.get("MaximumBatchingWindowInSeconds", 0)
            assert queue["VisibilityTimeout"] == 6 * function.get("Timeout", timeout) + collected, name


def test_everything_is_encrypted_and_can_be_brought_back() -> None:
    for name, queue in resources("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"], name
    for name, table in resources("AWS::DynamoDB::Table").items():
        assert table["SSESpecification"]["SSEEnabled"], name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
    bucket = resources("AWS::S3::Bucket")["Bucket"]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert bucket["BucketEncryption"]
    assert template()["Resources"]["Bucket"]["DeletionPolicy"] == "Retain"


def test_the_bucket_is_private_and_takes_only_tls() -> None:
    assert all(resources("AWS::S3::Bucket")["Bucket"]["PublicAccessBlockConfiguration"].values())
    (statement,) = resources("AWS::S3::BucketPolicy")["BucketPolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [{"GetAtt": "Bucket.Arn"}, {"Sub": "${Bucket.Arn}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_no_policy_allows_every_action_or_any_resource() -> None:
    for owner, statement in statements():
        actions = set(as_list(statement["Action"]))
        assert not any("*" in action for action in actions), owner
        if "*" in as_list(statement["Resource"]):
            assert actions <= NEED_ANY_RESOURCE, owner


def test_every_parameter_is_explained_and_checked() -> None:
    for name, parameter in template()["Parameters"].items():
        assert parameter["Description"], name
        assert parameter.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}, name


def test_every_third_party_package_is_pinned() -> None:
    lines = (ROOT / "layers/dependencies/requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#") and "==" not in line] == []


def denied(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether AWS refuses a call to whom makes it; other errors pass through."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
            return True
        raise
    return False


def test_ingest_appends_to_the_ledger_and_nothing_else(stack: Stack) -> None:
    s3, bucket = stack.client_of("ingest", "s3"), stack.outputs["BucketName"]
    assert not denied(s3.put_object, Bucket=bucket, Key="ledger/probe", Body=b"")
    assert not denied(s3.list_objects_v2, Bucket=bucket, Prefix="ledger/")
    assert denied(s3.delete_object, Bucket=bucket, Key="ledger/probe")
    stack.client("s3").delete_object(Bucket=bucket, Key="ledger/probe")
    assert denied(s3.put_object, Bucket=bucket, Key="config/live/probe", Body=b"")
    assert denied(s3.list_objects_v2, Bucket=bucket, Prefix="reports/")
    dynamodb = stack.client_of("ingest", "dynamodb")
    customer = {"customer_id": {"S": "probe"}}
    assert denied(dynamodb.put_item, TableName=stack.outputs["CustomersTableName"], Item=customer)


RIGHTS_NOBODY_USES = [
    ("ingest", "update_item"),
    ("refresh", "update_item"),
    ("configure", "get_item"),
    ("report", "get_item"),
    ("forget", "get_item"),
]


@pytest.mark.parametrize(("function", "call"), RIGHTS_NOBODY_USES)
def test_who_keeps_runs_does_no_more_with_them_than_it_needs(stack: Stack, function: str, call: str) -> None:
    dynamodb = stack.client_of(function, "dynamodb")
    run = {"kind": {"S": "probe"}, "id": {"S": "probe"}}
    assert denied(getattr(dynamodb, call), TableName=stack.outputs["RunsTableName"], Key=run)


def test_who_records_engagement_reads_no_ledger(stack: Stack) -> None:
    s3, bucket = stack.client_of("record_engagement", "s3"), stack.outputs["BucketName"]
    stack.client("s3").put_object(Bucket=bucket, Key="ledger/engagement/probe", Body=b"")
    assert denied(s3.get_object, Bucket=bucket, Key="ledger/engagement/probe")
    assert denied(s3.list_objects_v2, Bucket=bucket, Prefix="ledger/engagement/")
    assert not denied(s3.list_objects_v2, Bucket=bucket, Prefix="ledger/erased.json")
    stack.client("s3").delete_object(Bucket=bucket, Key="ledger/engagement/probe")


def test_refresh_writes_the_tables_and_reads_no_dropped_file(stack: Stack) -> None:
    s3, bucket = stack.client_of("refresh", "s3"), stack.outputs["BucketName"]
    stack.client("s3").put_object(Bucket=bucket, Key="reports/probe", Body=b"")
    assert denied(s3.get_object, Bucket=bucket, Key="reports/probe")
    assert denied(s3.list_objects_v2, Bucket=bucket, Prefix="incoming/")
    assert denied(s3.put_object, Bucket=bucket, Key="config/live/probe", Body=b"")
    dynamodb, table = stack.client_of("refresh", "dynamodb"), stack.outputs["CustomersTableName"]
    key = {"customer_id": {"S": "probe"}}
    assert not denied(dynamodb.batch_write_item, RequestItems={table: [{"PutRequest": {"Item": key}}]})
    assert not denied(dynamodb.batch_write_item, RequestItems={table: [{"DeleteRequest": {"Key": key}}]})
    assert denied(dynamodb.scan, TableName=table)


def test_who_is_slow_may_have_messages_come_again_soon_and_no_others(stack: Stack) -> None:
    for function, own, other in (("ingest", "IngestQueue", "RefreshQueue"), ("refresh", "RefreshQueue", "IngestQueue")):
        sqs = stack.client_of(function, "sqs")
        call = {"ReceiptHandle": "none", "VisibilityTimeout": 60}
        with pytest.raises(ClientError, match="ReceiptHandle"):  # it may, but there is no such message
            denied(sqs.change_message_visibility, QueueUrl=stack.outputs[f"{own}Url"], **call)
        assert denied(sqs.change_message_visibility, QueueUrl=stack.outputs[f"{other}Url"], **call)


def test_configure_writes_only_the_live_configuration(stack: Stack) -> None:
    s3, bucket = stack.client_of("configure", "s3"), stack.outputs["BucketName"]
    assert denied(s3.put_object, Bucket=bucket, Key="config/probe.yaml", Body=b"")
    assert denied(s3.put_object, Bucket=bucket, Key="ledger/probe", Body=b"")


def test_report_changes_nothing_but_reports(stack: Stack) -> None:
    s3, bucket = stack.client_of("report", "s3"), stack.outputs["BucketName"]
    assert not denied(s3.put_object, Bucket=bucket, Key="reports/probe", Body=b"")
    assert denied(s3.put_object, Bucket=bucket, Key="ledger/probe", Body=b"")


def test_plan_refresh_needs_nothing_and_gets_nothing(stack: Stack) -> None:
    s3, sqs = stack.client_of("plan_refresh", "s3"), stack.client_of("plan_refresh", "sqs")
    assert denied(s3.list_objects_v2, Bucket=stack.outputs["BucketName"])
    assert denied(
        sqs.send_message, QueueUrl=stack.outputs["RefreshQueueUrl"], MessageBody="{}", MessageGroupId="shard-0"
    )


def test_export_audiences_writes_lists_and_nothing_else(stack: Stack) -> None:
    s3, bucket = stack.client_of("export_audiences", "s3"), stack.outputs["BucketName"]
    assert not denied(s3.put_object, Bucket=bucket, Key="audiences/probe", Body=b"")
    assert denied(s3.put_object, Bucket=bucket, Key="ledger/probe", Body=b"")
    assert denied(s3.list_objects_v2, Bucket=bucket, Prefix="ledger/")
    dynamodb, profile = stack.client_of("export_audiences", "dynamodb"), {"customer_id": {"S": "probe"}}
    assert denied(dynamodb.put_item, TableName=stack.outputs["ProfilesTableName"], Item=profile)


def test_forget_writes_no_ledger_but_through_refreshes_and_no_configuration(stack: Stack) -> None:
    s3, bucket = stack.client_of("forget", "s3"), stack.outputs["BucketName"]
    assert denied(s3.put_object, Bucket=bucket, Key="ledger/orders/probe", Body=b"")
    assert denied(s3.delete_object, Bucket=bucket, Key="ledger/orders/probe")
    assert denied(s3.put_object, Bucket=bucket, Key="config/live/probe", Body=b"")
    assert not denied(s3.put_object, Bucket=bucket, Key="ledger/forgetting/probe", Body=b"")
    assert not denied(s3.delete_object, Bucket=bucket, Key="ledger/forgetting/probe")


def test_a_missing_object_is_not_found_rather_than_forbidden(stack: Stack) -> None:
    """S3 tells whether a key exists only to who may list it; the handlers rely on being told."""
    bucket = stack.outputs["BucketName"]
    for function, key in (("ingest", "incoming/gone"), ("refresh", "ledger/gone"), ("refresh", "config/live/gone")):
        with pytest.raises(ClientError, match="NoSuchKey"):
            stack.client_of(function, "s3").get_object(Bucket=bucket, Key=key)


def test_the_policy_for_other_services_reads_segments_and_nothing_else(stack: Stack) -> None:
    dynamodb = stack.client_with_policy(stack.outputs["ReadSegmentsPolicyArn"], "dynamodb")
    customers, memberships = stack.outputs["CustomersTableName"], stack.outputs["MembershipsTableName"]
    assert not denied(dynamodb.get_item, TableName=customers, Key={"customer_id": {"S": "probe"}})
    assert not denied(
        dynamodb.query,
        TableName=memberships,
        KeyConditionExpression="segment_bucket = :bucket",
        ExpressionAttributeValues={":bucket": {"S": "vip_loyal#0"}},
    )
    assert denied(dynamodb.scan, TableName=customers)
    assert denied(dynamodb.put_item, TableName=customers, Item={"customer_id": {"S": "probe"}})
    assert denied(
        dynamodb.get_item, TableName=stack.outputs["RunsTableName"], Key={"kind": {"S": "a"}, "id": {"S": "b"}}
    )


def test_the_layer_keeps_every_service_that_functions_speak_to() -> None:
    """The rest of botocore's descriptions of services is left out of it."""
    makefile = (ROOT / "layers/dependencies/Makefile").read_text("utf-8")
    kept = re.findall(r"^SERVICES := (.*)$", makefile, re.MULTILINE)[0].split()
    code = "".join(path.read_text("utf-8") for path in ROOT.glob("layers/core/dangol/wiring/*.py"))
    code += "".join(path.read_text("utf-8") for path in ROOT.glob("layers/core/dangol/aws/*.py"))
    used = set(re.findall(r"""(?:client|resource)\("([a-z0-9]+)\"""", code)) - {"cloudformation"}
    assert used
    assert used <= set(kept)
