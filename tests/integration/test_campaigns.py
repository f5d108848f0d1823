"""Campaigns through their functions: what is in AWS afterwards, and what SES and SNS are told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from dangol import wiring
from dangol.aws.tables import DynamoServingTables
from dangol.campaigns import winner
from dangol.configuration import to_json
from dangol.moves.configure import LIVE_KEY
from dangol.moves.messages import Membership

from functions.deliver import app as deliver
from functions.ingest import app as ingest
from functions.launch import app as launch
from functions.measure import app as measure
from functions.refresh import app as refresh
from functions.track import app as track
from tests.integration.conftest import Aws, Context, body_of, example, with_body
from tests.integration.services import MESSAGING, RUN, Ses, Sns, tracked
from tests.schemas import problems
from tests.senders import CHANNELS, HELLO, NOON, TWO_MAILS, profile_row

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def services(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Ses, Sns]]:
    """SES and SNS in place of moto's, which has no SendBulkEmail; noon in Seoul."""
    ses, sns, client = Ses(), Sns(), boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **more: {"sesv2": ses, "sns": sns}.get(name) or client(name, **more)
    )
    monkeypatch.setattr(wiring.shared, "now", lambda: NOON)
    return ses, sns


@pytest.fixture
def shop(aws: Aws) -> Aws:
    """Campaign `hello` is live, and two people are in its segment."""
    files = {
        "messaging.yaml": MESSAGING,
        "campaigns/hello.yaml": HELLO.format(id="hello", purpose="advertising", more=""),
    }
    live = to_json({name: text.encode() for name, text in files.items()})
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=live)
    tables = DynamoServingTables(boto3.resource("dynamodb"), aws.customers, aws.memberships)
    tables.put_memberships([Membership("loyal", person, NOON.date()) for person in ("c1", "c2")])
    for person in ("c1", "c2"):
        boto3.resource("dynamodb").Table(aws.profiles).put_item(Item=profile_row(person))
    return aws


def batches(aws: Aws) -> list[dict[str, Any]]:
    return [with_body(example("deliver"), body) for body in aws.taken(aws.delivery_queue)]


def test_a_campaign_goes_from_its_schedule_to_ses_and_sns(
    shop: Aws, services: tuple[Ses, Sns], context: Context, capfd: pytest.CaptureFixture[str]
) -> None:
    ses, sns = services
    assert launch.handler(example("launch"), context) == {"created": 1, "launched": 1}
    asked = batches(shop)
    for event in [*asked, *asked]:  # each comes twice
        assert deliver.handler(event, context) == {"batchItemFailures": []}
    assert launch.handler(example("launch"), context) == {"completed": 1}
    assert launch.handler(example("launch"), context) == {}

    (call,) = ses.sent
    assert call["FromEmailAddress"] == "=?utf-8?b?64uo6rOo7IOB7KCQ?= <hello@dangol.kr>"
    assert call["ConfigurationSetName"] == "dangol-email"
    assert call["DefaultEmailTags"] == [{"Name": "dangol-run", "Value": RUN}, {"Name": "dangol-step", "Value": "0"}]
    first = next(e for e in call["BulkEmailEntries"] if e["Destination"] == {"ToAddresses": ["c1@example.com"]})
    data = json.loads(first["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])
    assert data["subject"] == "(광고) 손님c1님, 안녕하세요"
    assert "반가워요." in data["html"]
    assert "반가워요." in data["text"]
    assert first["ReplacementTags"] == [{"Name": "dangol-customer", "Value": "c1"}]
    headers = {header["Name"]: header["Value"] for header in first["ReplacementHeaders"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://unsubscribe.example.com/?token=")
    assert sorted(p["TargetArn"].split("/")[-1] for p in sns.published) == ["token-c1", "token-c2"]
    for push in sns.published:
        assert (push["MessageStructure"], "fcmV1Message" in push["Message"]) == ("json", True)
        assert "AWS.SNS.MOBILE.FCM.TTL" in push["MessageAttributes"]

    deliveries = shop.rows(shop.deliveries)
    assert problems("deliveries", deliveries) == []
    assert Counter((row["channel"], row["status"]) for row in deliveries) == {("email", "sent"): 2, ("push", "sent"): 2}
    assert problems("profiles", shop.rows(shop.profiles)) == []
    (run,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaign-run")
    assert problems("runs-campaign-run", [run]) == []
    assert (run["state"], run["counts"]["sent"], run["recipients"]) == ("completed", 4, 2)
    ((kind, detail),) = shop.events()
    assert (kind, problems("campaign-completed", [detail])) == ("Campaign Completed", [])
    assert (detail["sent"], detail["recipients"]) == (4, 2)
    seen = repr((shop.rows(shop.runs), deliveries, detail)) + "".join(capfd.readouterr())
    assert [word for word in ("손님c1", "c1@example.com", "token-c1") if word in seen] == []


def test_a_consent_of_a_file_is_confirmed_once(
    aws: Aws, services: tuple[Ses, Sns], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ses, _ = services
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({"messaging.yaml": MESSAGING.encode()}))
    people = "customer_id,email,accepts_email,email_consent_at\nc1,kim@example.com,yes,2026-11-21 10:00\n"
    event = body_of(example("ingest"))
    event["detail"]["object"]["key"] = key = "incoming/customers/people.csv"
    event["detail"]["object"]["etag"] = aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=people)["ETag"].strip('"')
    ingest.handler(with_body(example("ingest"), event), context)
    for request in aws.taken(aws.refresh_queue) * 2:
        refresh.handler(with_body(example("refresh"), request), context)
    waiting = [row for row in aws.rows(aws.runs) if row["kind"] == "notice-waiting"]
    assert problems("runs-notice-waiting", waiting) == []
    assert [row["people"] for row in waiting] == [["c1"]]

    for day in (22, 23):
        monkeypatch.setattr(wiring.shared, "now", lambda day=day: datetime(2026, 11, day, 1, tzinfo=UTC))
        launch.handler(example("launch"), context)
        for asked in batches(aws) * 2:
            assert deliver.handler(asked, context) == {"batchItemFailures": []}
        launch.handler(example("launch"), context)
    (call,) = ses.sent
    (entry,) = call["BulkEmailEntries"]
    data = json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])
    assert data["subject"] == "[단골상점] 광고성 정보 수신동의 처리 결과 안내"
    assert all(
        part in data["text"] for part in ("단골상점", "이메일 광고성 정보 수신동의", "2026년 11월 21일", "처리 결과:")
    )
    assert entry["ReplacementHeaders"] == []
    rows = aws.rows(aws.runs)
    assert [row["id"] for row in rows if row["kind"] == "campaign-run"] == ["law-notices-20261122T0100Z"]
    assert [row for row in rows if row["kind"] == "notice-waiting"] == []
    assert problems("profiles", aws.rows(aws.profiles)) == []
    assert problems("deliveries", aws.rows(aws.deliveries)) == []


def test_the_variant_on_which_more_clicked_goes_to_the_rest(
    aws: Aws, services: tuple[Ses, Sns], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ses, _ = services
    monkeypatch.setattr(winner, "MIN_SENT", 2)
    monkeypatch.setattr(winner, "MIN_ANSWERS", 1)
    text = HELLO.format(id="hello", purpose="advertising", more="winner: {by: clicks, after: 4 hours, share: 0.5}")
    files = {"messaging.yaml": MESSAGING, "campaigns/hello.yaml": text.replace(CHANNELS, TWO_MAILS)}
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({k: v.encode() for k, v in files.items()}))
    people = [f"c{n}" for n in range(24)]
    tables = DynamoServingTables(boto3.resource("dynamodb"), aws.customers, aws.memberships)
    tables.put_memberships([Membership("loyal", person, NOON.date()) for person in people])
    for person in people:
        boto3.resource("dynamodb").Table(aws.profiles).put_item(Item=profile_row(person))

    launch.handler(example("launch"), context)
    for event in batches(aws):
        deliver.handler(event, context)
    tested = {row["customer_id"]: row["variant"] for row in aws.rows(aws.deliveries)}
    assert (set(tested) < set(people), set(tested.values())) == (True, {"a", "b"})
    for person in (person for person, variant in tested.items() if variant == "b"):
        body = body_of(tracked("Click", userAgent="Mozilla/5.0 (iPhone)"))
        body["mail"]["tags"]["dangol-customer"] = [person]
        track.handler(with_body(example("track"), body), context)
    for minutes in range(0, 8, 2):
        monkeypatch.setattr(wiring.shared, "now", lambda minutes=minutes: NOON + timedelta(hours=4, minutes=minutes))
        launch.handler(example("launch"), context)
        for event in [one for one in batches(aws) for _ in range(2)]:  # each comes twice
            assert deliver.handler(event, context) == {"batchItemFailures": []}
    got = {row["customer_id"]: row["variant"] for row in aws.rows(aws.deliveries)}
    assert {got[person] for person in people if person not in tested} == {"b"}
    assert sum(len(call["BulkEmailEntries"]) for call in ses.sent) == 24
    (run,) = (row for row in aws.rows(aws.runs) if row["kind"] == "campaign-run")
    assert problems("runs-campaign-run", [run]) == []
    assert (run["winners"], run["tallies"], run["state"]) == ({"email": "b"}, 0, "completed")
    assert run["tally"]["email b answered"] == run["tally"]["email b sent"] > 0
    assert wiring.launcher()._doors.campaigns.choose(run["id"], {"email": "a"}) == {"email": "b"}


def test_a_run_is_measured_by_what_the_ledger_and_the_deliveries_have_of_it(
    shop: Aws, services: tuple[Ses, Sns], context: Context
) -> None:
    launch.handler(example("launch"), context)
    for event in batches(shop):
        deliver.handler(event, context)
    orders = "order_id,customer_id,ordered_at,amount\no1,c1,2026-11-24 12:30,30000\n"
    event = example("ingest")
    body = body_of(event)
    found = body["detail"]["object"]
    stored = shop.s3.put_object(Bucket=shop.bucket, Key=found["key"], Body=orders.encode())
    found |= {"size": len(orders), "etag": stored["ETag"].strip('"'), "version-id": stored["VersionId"]}
    ingest.handler(with_body(event, body), context)
    shop.events()

    assert measure.handler({"as_of": "2026-11-24"}, context)["runs"] == 1
    (row,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaign-result")
    assert problems("runs-campaign-result", [row]) == []
    assert (row["id"], row["state"], row["messages"]["sent"]) == (RUN, "open", 4)
    (together,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaigns-together")
    assert problems("runs-campaigns-together", [together]) == []
    assert (together["id"], together["arms"]["treated"]["people"]) == ("2026-11@0.001", 2)
    assert row["bought"] == {"people": 1, "orders": 1, "revenue": 30000}
    assert row["attributed"] == {"orders": 1, "revenue": 30000}  # the push was half an hour ago
    assert shop.events() == []

    wiring.measurer.cache_clear()
    assert measure.handler({"as_of": "2026-12-15"}, context) == {
        "as_of": "2026-12-15",
        "runs": 1,
        "final": 1,
        "page_key": "reports/2026-12-15/campaigns.html",
    }
    (total,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaign-total")
    assert problems("runs-campaign-total", [total]) == []
    ((kind, detail),) = shop.events()
    assert (kind, problems("campaign-measured", [detail])) == ("Campaign Measured", [])
    assert measure.handler(example("measure"), context)["runs"] == 0


def test_a_sender_that_is_not_verified_refuses_the_run(shop: Aws, services: tuple[Ses, Sns], context: Context) -> None:
    services[0].verified = {}
    assert launch.handler(example("launch"), context) == {"created": 1, "refused": 1}
    (run,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaign-run")
    assert problems("runs-campaign-run", [run]) == []
    assert "its domain dangol.kr" in run["reason"]
    assert shop.taken(shop.delivery_queue) == []


def test_a_message_that_ses_is_known_to_have_taken_is_not_sent_again(
    shop: Aws, services: tuple[Ses, Sns], context: Context
) -> None:
    launch.handler(example("launch"), context)
    asked = batches(shop)
    for person in ("c1", "c2"):
        body = body_of(tracked("Send"))
        body["mail"]["tags"]["dangol-customer"] = [person]
        track.handler(with_body(example("track"), body), context)
    for event in asked:
        deliver.handler(event, context)
    assert services[0].sent == []
    (run,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaign-run")
    assert run["counts"]["sent"] == 4
