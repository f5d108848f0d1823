"""Function `forget`: of whom it is asked to forget nothing is left in any table or any version of any object."""

from __future__ import annotations

import gzip
import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import duckdb
import pytest
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.deliveries import DynamoDeliveries
from dangol.aws.erasure import DroppedFiles
from dangol.aws.notices import DynamoNoticeList
from dangol.aws.profiles import DynamoProfiles
from dangol.aws.replies import DynamoReplies
from dangol.campaigns.gate import ProfileChanged
from dangol.campaigns.invitations.replies import Reply
from dangol.configuration import to_json
from dangol.ledger.contact import Contact
from dangol.moves.campaign.messages import Arm, Batch, Delivery, Run, RunState, Status
from dangol.moves.configure import LIVE_KEY

from functions.export_audiences import app as export_audiences
from functions.forget import app as forget
from functions.ingest import app as ingest
from functions.record_engagement import app as record_engagement
from functions.refresh import app as refresh
from tests.integration.conftest import TODAY, Aws, Context, body_of, example, with_body
from tests.integration.deployed import Dangol, command, deploy
from tests.schemas import problems
from tests.workbooks import workbook

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

HEADER = "order_id,customer_id,ordered_at,amount,email,phone,customer_name\n"
KIM = "c1,{on},30000,kim@example.com,010-1234-5678,김단골\n"
ORDERS = HEADER + (
    f"o1,{KIM.format(on='2026-11-01')}"
    f"o2,{KIM.format(on='어제')}"
    "o3,c2,2026-11-01,30000,lee@example.com,,이손님\n"
    "o4,c2,어제,30000,lee@example.com,,이손님\n"
)
PERSONAL = ("kim@example.com", "1234-5678", "김단골", "'c1'", "#c1'", '"c1"')
_UPLOADS = count(1)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _queues(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGOL_INGEST_QUEUE_URL", aws.engagement_queue)
    monkeypatch.setattr(forget, "RESERVE", timedelta(minutes=5))  # of five: it does not wait


def drop(aws: Aws, context: Context, key: str, data: bytes) -> dict[str, Any]:
    """Upload a file, have it taken, and the shards refreshed; its receipt."""
    event = example("ingest")
    body = body_of(event)
    stored = aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=data)
    body["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    found = {"key": key, "size": len(data), "etag": stored["ETag"].strip('"'), "sequencer": f"{next(_UPLOADS):016X}"}
    body["detail"]["object"] |= found
    body["detail"]["bucket"]["name"] = aws.bucket
    assert ingest.handler(with_body(event, body), context) == {"batchItemFailures": []}
    refreshed(aws, context)
    return next(row for row in aws.rows(aws.runs) if row.get("key") == key)


def refreshed(aws: Aws, context: Context) -> None:
    for request in aws.taken(aws.refresh_queue):
        assert refresh.handler(with_body(example("refresh"), request), context) == {"batchItemFailures": []}


def erased(aws: Aws, context: Context, *ids: str) -> dict[str, Any]:
    """Call the function until it is done."""
    for _ in range(5):
        answer = forget.handler({"customers": list(ids)}, context)
        if answer["done"]:
            return answer
        refreshed(aws, context)
    raise AssertionError("never done")


def everything(aws: Aws) -> str:
    """All tables, and every version of every object with Parquet as its cells, as one text."""
    tables = (aws.customers, aws.memberships, aws.profiles, aws.deliveries, aws.runs, aws.invitations)
    texts = [repr([aws.rows(table) for table in tables])]
    versions = aws.s3.list_object_versions(Bucket=aws.bucket).get("Versions", [])
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        for number, version in enumerate(versions):
            one = {"Key": version["Key"], "VersionId": version["VersionId"]}
            body: bytes = aws.s3.get_object(Bucket=aws.bucket, **one)["Body"].read()
            if version["Key"].endswith(".parquet"):
                path = Path(folder) / f"{number}.parquet"
                path.write_bytes(body)
                texts.append(repr(connection.execute(f"FROM read_parquet('{path}')").fetchall()))
            else:
                texts.append(body.decode("utf-8", "replace") + body.decode("cp949", "replace"))
    return "\n".join(texts)


def left(aws: Aws) -> list[str]:
    text = everything(aws)
    return [word for word in PERSONAL if word in text]


def test_nothing_is_left_in_any_table_or_any_version_of_any_object(aws: Aws, context: Context) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    drop(aws, context, "incoming/orders/b.csv", (HEADER + "o7,c2,2026-11-02,1,lee@example.com,,이손님\n").encode())
    drop(aws, context, "incoming/orders/a.csv", ORDERS.replace("30000", "30001").encode("cp949"))
    drop(aws, context, "incoming/orders/c.csv.gz", gzip.compress(ORDERS.encode()))
    rows = [line.split(",") for line in ORDERS.splitlines()]
    drop(aws, context, "incoming/orders/d.xlsx", workbook({"주문": rows}))
    assert set(left(aws)) >= {"kim@example.com", "김단골", "'c1'"}

    proof = erased(aws, context, "c1")
    assert (proof["clean"], proof["left"], left(aws)) == (True, {}, [])
    assert proof["removed"]["dropped_files"] == 3
    assert proof["removed"]["rejected_rows"] == 4
    assert proof["removed"]["replaced_versions"] > 0
    kept = {row["Key"] for row in aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix="incoming/")["Contents"]}
    assert kept == {"incoming/orders/b.csv"}
    assert "이손님" in everything(aws)
    assert [row["customer_id"] for row in aws.rows(aws.customers)] == ["c2"]
    (run,) = (row for row in aws.rows(aws.runs) if row["kind"] == "forget")
    assert problems("runs-forget", [run]) == []

    receipt = drop(aws, context, "incoming/orders/e.csv", ORDERS.encode())
    assert (receipt["rows_accepted"], receipt["rows_rejected"], problems("runs-file", [receipt])) == (1, 3, [])
    aws.s3.delete_object(Bucket=aws.bucket, Key="incoming/orders/e.csv")
    text = "".join(repr(aws.rows(table)) for table in (aws.customers, aws.memberships, aws.profiles, aws.runs))
    assert [word for word in PERSONAL if word in text] == []


def test_a_file_that_is_not_ingested_yet_is_not_deleted_but_named(aws: Aws, context: Context) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    aws.s3.put_object(Bucket=aws.bucket, Key="incoming/orders/new.csv", Body=ORDERS.encode())
    proof = erased(aws, context, "c1")
    assert (proof["clean"], proof["left"]) == (False, {"objects": ["incoming/orders/new.csv"]})


def test_what_campaigns_know_of_them_goes_too(aws: Aws, context: Context) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    dynamodb = boto3.resource("dynamodb")
    campaigns = DynamoCampaigns(dynamodb, aws.runs)
    run = Run("hello-20261122T0300Z", "hello", NOW, RunState.LAUNCHING, bucket=3, after="c1")
    campaigns.create(run)
    campaigns.cancel(run)
    going_on = replace(run, id="hello-20261123T0300Z")
    campaigns.create(going_on)
    campaigns.wait([Batch(run.id, "hello", NOW, 1, "email", "p", ("c1", "c2"))], NOW)
    tally = Batch(run.id, "hello", NOW, 1, "email", "q", ("c1", "c2"), arm=Arm.TALLY)
    campaigns.wait([tally], NOW)
    sent = [Delivery(run.id, person, "email", step, Status.SENT, NOW) for person in ("c1", "c2") for step in (0, 1)]
    DynamoDeliveries(dynamodb, aws.deliveries).write(sent)
    DynamoNoticeList(dynamodb, aws.runs).put("2026-11-22#0000", ["c1", "c2"])
    replies = DynamoReplies(dynamodb, aws.invitations)
    replies.replace(None, Reply("talk", "c1", "s1", run.id, NOW), 1, NOW + timedelta(days=1))

    proof = erased(aws, context, "c1")
    assert (proof["clean"], left(aws)) == (True, [])
    removed = proof["removed"]
    assert [removed[place] for place in ("deliveries", "waiting_lists", "invitations")] == [2, 4, 1]
    assert {row["customer_id"] for row in aws.rows(aws.deliveries)} == {"c2"}
    batches = [(batch.customers, batch.counts) for _, batch in campaigns.due(NOW)]
    assert batches == [(("c2",), {"skipped no_profile": 1}), (("c2",), {})], "a tally counts what others sent"
    found = campaigns.find(going_on.id)
    assert found is not None
    assert found.after == "c1", "a run that goes on will leave them behind"
    assert replies.taken("talk") == {}, "the seat is free again"


def test_from_the_first_moment_on_nobody_can_claim_a_message_to_them_or_write_them_anew(
    aws: Aws, context: Context
) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    profiles = DynamoProfiles(boto3.resource("dynamodb"), aws.profiles)
    before = profiles.read(["c1"])["c1"]
    assert not forget.handler({"customers": ["c1"]}, context)["done"]
    with pytest.raises(ProfileChanged) as changed:
        profiles.mark(before)
    assert changed.value.now is None
    profiles.put_contacts([Contact("c1", {"email": "kim@example.com"})])
    profiles.remove(["c1"])
    assert profiles.read(["c1"]) == {}
    assert "kim@example.com" not in repr(aws.rows(aws.profiles))
    erased(aws, context, "c1")
    assert "c1" not in {row["customer_id"] for row in aws.rows(aws.profiles)}


def test_what_became_of_messages_from_before_is_not_recorded_any_more(aws: Aws, context: Context) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    erased(aws, context, "c1")

    def told(at: datetime) -> list[str]:
        event = example("record_engagement")
        record = event["Records"][0]
        body = json.loads(record["body"])
        body["mail"] |= {"timestamp": at.isoformat()}
        body["mail"]["tags"]["dangol-customer"] = ["c1"]
        event["Records"] = [{**record, "body": json.dumps(body)}]
        record_engagement.handler(event, context)
        found = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix="ledger/engagement/").get("Contents", [])
        return [item["Key"] for item in found]

    assert told(datetime.now(UTC) - timedelta(days=1)) == []
    assert len(told(datetime.now(UTC) + timedelta(days=1))) == 1, "whoever came back is a new customer"


def test_the_push_service_forgets_their_devices(aws: Aws, context: Context) -> None:
    sns = boto3.client("sns")
    made = sns.create_platform_application(Name="shop", Platform="GCM", Attributes={"PlatformCredential": "key"})
    application = made["PlatformApplicationArn"]
    for token in ("token-1", "token-2"):
        sns.create_platform_endpoint(PlatformApplicationArn=application, Token=token)
    people = "customer_id,accepts_push,push_token,push_platform\nc1,yes,token-1,android\nc2,yes,token-2,android\n"
    drop(aws, context, "incoming/customers/a.csv", people.encode())
    assert erased(aws, context, "c1")["removed"]["push_endpoints"] == 1
    left = sns.list_endpoints_by_platform_application(PlatformApplicationArn=application)["Endpoints"]
    assert [endpoint["Attributes"]["Token"] for endpoint in left] == ["token-2"]
    sns.delete_platform_application(PlatformApplicationArn=application)
    proof = erased(aws, context, "c2")
    assert (proof["clean"], proof["removed"]["push_endpoints"]) == (True, 0)


def test_a_dropped_file_counts_as_ingested_from_its_receipt_on(aws: Aws, context: Context) -> None:
    files = DroppedFiles(boto3.resource("dynamodb"), aws.runs, aws.s3, aws.bucket)
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    aws.s3.put_object(Bucket=aws.bucket, Key="incoming/orders/b.csv", Body=b"waits")
    assert [files.is_taken(f"incoming/orders/{name}.csv") for name in "abc"] == [True, False, False]
    drop(aws, context, "incoming/orders/b.csv", ORDERS.encode())
    assert files.is_taken("incoming/orders/b.csv"), "while the erasure waited it was ingested"


@pytest.mark.parametrize(("seconds", "taken"), [(0, True), (5, True), (6, False)])
def test_another_upload_under_the_same_key_waits_for_a_receipt_of_its_own(aws: Aws, seconds: int, taken: bool) -> None:
    """S3's own time of an upload is seconds behind that of its event at most."""
    dynamodb, at = boto3.resource("dynamodb"), datetime.now(UTC).replace(microsecond=0)
    receipt = {"kind": "file", "id": f"{at:%Y%m%dT%H%M%SZ}-1", "key": "incoming/a.csv", "uploaded_at": at.isoformat()}
    dynamodb.Table(aws.runs).put_item(Item=receipt)
    head = {"LastModified": at + timedelta(seconds=seconds)}
    files = DroppedFiles(dynamodb, aws.runs, SimpleNamespace(head_object=lambda **_: head), aws.bucket)
    assert files.is_taken("incoming/a.csv") == taken


@pytest.mark.parametrize(("days", "taken"), [(399, False), (401, True)])
def test_a_dropped_file_that_outlives_its_receipt_counts_as_ingested(aws: Aws, days: int, taken: bool) -> None:
    head = {"LastModified": datetime.now(UTC) - timedelta(days=days)}
    files = DroppedFiles(
        boto3.resource("dynamodb"), aws.runs, SimpleNamespace(head_object=lambda **_: head), aws.bucket
    )
    assert files.is_taken("incoming/orders/old.csv") == taken


def test_ad_platforms_are_told_to_take_them_off_their_lists(aws: Aws, context: Context) -> None:
    audiences = b"audiences:\n  - {id: ads, segment: never_purchased, platforms: [meta]}\n"
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({"audiences.yaml": audiences}))
    people = "customer_id,email,accepts_ad_audiences\n" + "".join(f"c{n},p{n}@example.com,yes\n" for n in range(101))
    drop(aws, context, "incoming/customers/a.csv", people.encode())
    export_audiences.handler({}, context)

    def read(name: str) -> str:
        body: bytes = aws.s3.get_object(Bucket=aws.bucket, Key=f"audiences/meta/ads/{name}.csv")["Body"].read()
        return body.decode()

    theirs = sha256(b"p1@example.com").hexdigest()
    assert theirs in read("full")
    assert theirs in read(f"changes/00000001-{TODAY}-additions")
    proof = erased(aws, context, "c1")
    assert (proof["clean"], proof["removed"]["list_rows"]) == (True, 1)
    assert theirs in read(f"changes/00000002-{TODAY}-removals")
    assert theirs not in read("full")
    assert theirs not in read(f"changes/00000001-{TODAY}-additions")
    state: bytes = aws.s3.get_object(Bucket=aws.bucket, Key="audiences/state/meta/ads.json")["Body"].read()
    assert theirs not in state.decode()


@pytest.fixture
def dangol(aws: Aws, context: Context, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run `dangol forget`, while the refresh queue works between two calls."""
    deploy(aws, monkeypatch, {"ForgetFunctionName": forget.handler})
    monkeypatch.setattr("dangol.cli.forget.time.sleep", lambda seconds: refreshed(aws, context))
    return command(capsys, "forget")


def test_the_command_says_who_asks_erases_and_proves(
    aws: Aws,
    context: Context,
    dangol: Dangol,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    status, out, _ = dangol("c1")
    assert (status, out.splitlines()[0], out.splitlines()[-1]) == (1, "accounts: c1", "nothing was erased")
    assert "김단골" in everything(aws)

    proof = tmp_path / "proof.json"
    status, out, err = dangol("c1", "--yes", "--proof", str(proof))
    assert (status, left(aws)) == (0, [])
    assert "waiting for 1 shards that are being refreshed" in err
    assert "       1 rejected rows" in out
    assert "nothing names them" in out
    assert "what remains:\n  tombstones" in out
    assert json.loads(proof.read_text("utf-8"))["customers"] == ["c1"]


def test_the_command_erases_nobody_where_it_can_neither_ask_nor_leave_the_proof(
    aws: Aws, context: Context, dangol: Dangol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    status, _, err = dangol("c1")
    assert (status, "nobody is here to ask; pass --yes to erase without asking" in err) == (2, True)
    status, _, err = dangol("c1", "--yes", "--proof", str(tmp_path / "none" / "proof.json"))
    assert (status, f"there is no folder {tmp_path / 'none'}" in err) == (2, True)
    assert "김단골" in everything(aws)


def test_the_command_names_whom_an_erasure_that_was_left_is_about(aws: Aws, context: Context, dangol: Dangol) -> None:
    drop(aws, context, "incoming/orders/a.csv", ORDERS.encode())
    assert not forget.handler({"customers": ["c1", "c7"]}, context)["done"]
    status, out, _ = dangol("c1", "--yes")
    assert (status, "  an erasure was begun and never finished; forget these together: c1 c7" in out) == (1, True)
    assert dangol("c1", "c7", "--yes")[0] == 0


def test_an_address_is_no_customer_id(dangol: Dangol) -> None:
    status, _, err = dangol("kim@example.com", "--yes")
    assert (status, "give the customer id" in err) == (2, True)
