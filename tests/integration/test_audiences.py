"""Function `export_audiences` and `dangol audiences`: from tables to files in the bucket."""

from __future__ import annotations

import json
from hashlib import sha256

import boto3
import pytest
from dangol.aws.tables import segment_bucket
from dangol.configuration import to_json
from dangol.moves.configure import LIVE_KEY

from functions.export_audiences import app as export_audiences
from tests.integration.conftest import Aws, Context, example
from tests.integration.deployed import Dangol, command, deploy
from tests.schemas import problems

AUDIENCES = b"audiences:\n  - {id: at_risk_ads, segment: at_risk, platforms: [meta, google]}\n"
PREFIX = "audiences/meta/at_risk_ads/"

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture(autouse=True)
def _live(aws: Aws) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({"audiences.yaml": AUDIENCES}))


def people(aws: Aws, number: int) -> None:
    """So many members of segment at_risk, of whom the last does not agree."""
    tables = boto3.resource("dynamodb")
    for n in range(number):
        person, answer = f"c{n}", "given" if n < number - 1 else "withdrawn"
        row = {"customer_id": person, "segment_bucket": segment_bucket("at_risk", person), "since": "2026-11-01"}
        tables.Table(aws.memberships).put_item(Item=row)
        consents = {"ad_audiences": {"answer": answer, "on": "2026-01-01"}}
        profile = {"customer_id": person, "revision": 1, "email": f"{person}@example.com", "consents": consents}
        tables.Table(aws.profiles).put_item(Item=profile)


def lines(aws: Aws, key: str) -> list[str]:
    body: bytes = aws.s3.get_object(Bucket=aws.bucket, Key=PREFIX + key)["Body"].read()
    return body.decode().splitlines()


def keys(aws: Aws) -> list[str]:
    found = aws.s3.list_objects_v2(Bucket=aws.bucket, Prefix=PREFIX).get("Contents", [])
    return [item["Key"].removeprefix(PREFIX) for item in found]


def test_members_who_agreed_become_lists_and_who_is_erased_is_removed(aws: Aws, context: Context) -> None:
    people(aws, 102)
    assert [facts["people"] for facts in export_audiences.handler(example("export_audiences"), context)] == [101, 101]
    assert len(lines(aws, "full.csv")) == 102
    assert lines(aws, "full.csv")[0].startswith("email,phone,madid")

    boto3.resource("dynamodb").Table(aws.profiles).delete_item(Key={"customer_id": "c7"})
    facts = export_audiences.handler({}, context)[0]
    assert (facts["added"], facts["removed"]) == (0, 1)
    assert facts["left_out"] == {"no_consent": 1, "no_profile": 1}
    hashed = sha256(b"c7@example.com").hexdigest()
    assert lines(aws, "changes/00000002-2026-11-22-removals.csv")[1:] == [f"{hashed},,,,,,,,,,,,,,"]
    assert not [line for line in lines(aws, "full.csv") if hashed in line]

    runs = [row for row in aws.rows(aws.runs) if row["kind"] == "audience"]
    assert problems("runs-audience", runs) == []
    assert len(runs) == 4

    # Too few are left: the whole list goes.
    for n in range(3):
        boto3.resource("dynamodb").Table(aws.profiles).delete_item(Key={"customer_id": f"c{n}"})
    export_audiences.handler({}, context)
    assert keys(aws) == [
        "changes/00000001-2026-11-22-additions.csv",
        "changes/00000002-2026-11-22-removals.csv",
        "changes/00000003-2026-11-22-removals.csv",
    ]


@pytest.fixture
def dangol(aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run `dangol audiences export`."""
    deploy(aws, monkeypatch, {"ExportAudiencesFunctionName": export_audiences.handler})
    return command(capsys, "audiences", "export")


def test_export_says_what_changed(aws: Aws, dangol: Dangol) -> None:
    people(aws, 101)
    line = "at_risk_ads meta: 100 people, +100 -0; left out: 1 no_consent\n"
    status, out, _ = dangol("--dry-run")
    assert (status, out.splitlines(keepends=True)[0], keys(aws)) == (0, line, [])
    assert out.endswith("2 lists; nothing was written\n")
    assert dangol()[1].splitlines()[1] == "at_risk_ads google: 100 people, +100 -0 (export 1); left out: 1 no_consent"
    assert dangol()[1].splitlines()[0] == "at_risk_ads meta: 100 people, no change (export 1); left out: 1 no_consent"
    assert json.loads(dangol("at_risk_ads", "--json")[1])[0]["people"] == 100


def test_export_names_the_nearest_audience(dangol: Dangol) -> None:
    status, _, err = dangol("at_risk")
    assert (status, "no audience 'at_risk' is live; did you mean 'at_risk_ads'?" in err) == (2, True)


def test_export_says_where_audiences_go_when_none_is_live(aws: Aws, dangol: Dangol) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({}))
    assert dangol()[:2] == (0, "no audience is live; put audiences.yaml into the folder and `dangol config push` it\n")
