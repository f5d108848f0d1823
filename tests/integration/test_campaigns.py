"""Campaigns through their functions and adapters: what is in AWS afterwards, and what SES and SNS are told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import RLock
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from dangol import wiring
from dangol.aws.batch_queue import DynamoAudience
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.mail import SesAccount, SesMailer
from dangol.aws.profiles import DynamoProfiles
from dangol.aws.pushes import SnsPusher
from dangol.aws.quota import Rate, SesQuota
from dangol.aws.tables import DynamoServingTables
from dangol.campaigns import winner
from dangol.campaigns.caps import Cap
from dangol.campaigns.gate import Ask, Gate, Held, Passed
from dangol.campaigns.items import OwnProducts
from dangol.campaigns.links import Action, Link, sign
from dangol.channels.email import Email
from dangol.configuration import to_json
from dangol.ledger.contact import Contact
from dangol.ledger.layout import shard_of
from dangol.moves.campaign.launch import new_run
from dangol.moves.campaign.messages import Batch, Delivery, Status
from dangol.moves.campaign.posts import Mail, Notification, NotNow, Refused, Sent, Unsure
from dangol.moves.configure import LIVE_KEY
from dangol.moves.messages import Membership

from functions.deliver import app as deliver
from functions.ingest import app as ingest
from functions.launch import app as launch
from functions.measure import app as measure
from functions.record_engagement import app as record_engagement
from functions.refresh import app as refresh
from functions.track import app as track
from functions.unsubscribe import app as unsubscribe
from tests.integration.conftest import LINK_KEY, SHARDS, Aws, Context, body_of, example, with_body
from tests.schemas import problems
from tests.senders import CHANNELS, HELLO, NOON, TWO_MAILS, hello, profile_row, settings

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

RUN = "hello-20261124T0300Z"
MESSAGING = """country: KR
sender: {name: 단골상점, email: hello@dangol.kr, phone: 02-123-4567, address: 서울, url: "https://dangol.kr"}
"""


@pytest.fixture(autouse=True)
def one_call_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB checks a condition and writes in one step, moto in two: between them no other thread may come."""
    lock, call = RLock(), BaseClient._make_api_call

    def alone(client: Any, *arguments: Any) -> Any:
        with lock:
            return call(client, *arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", alone)


class Ses:
    """SES's client: keeps what it is sent, and answers as the test says."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.statuses: list[str] = []
        self.quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 1_000.0, "SentLast24Hours": 0.0}
        self.account = {"SendingEnabled": True, "ProductionAccessEnabled": True}
        self.verified = {"dangol.kr": True}

    def send_bulk_email(self, **call: Any) -> dict[str, Any]:
        self.sent.append(call)
        results = [{"Status": "SUCCESS", "MessageId": f"m{n}"} for n in range(len(call["BulkEmailEntries"]))]
        for result, status in zip(results, self.statuses, strict=False):
            result["Status"] = status
        return {"BulkEmailEntryResults": results}

    def get_account(self) -> dict[str, Any]:
        return self.account | {"SendQuota": self.quota}

    def get_email_identity(self, EmailIdentity: str) -> dict[str, Any]:  # noqa: N803
        if EmailIdentity not in self.verified:
            raise ClientError({"Error": {"Code": "NotFoundException"}}, "GetEmailIdentity")
        return {"VerifiedForSendingStatus": self.verified[EmailIdentity]}


class Sns:
    """SNS's client."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def create_platform_endpoint(self, PlatformApplicationArn: str, Token: str) -> dict[str, str]:  # noqa: N803
        return {"EndpointArn": f"{PlatformApplicationArn.replace(':app/', ':endpoint/')}/{Token}"}

    def publish(self, **call: Any) -> dict[str, str]:
        self.published.append(call)
        return {"MessageId": f"p{len(self.published)}"}


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


@pytest.mark.parametrize(
    ("account", "says"),
    [({"ProductionAccessEnabled": False}, "sandbox"), ({"SendingEnabled": False}, "paused"), ({}, None)],
)
def test_what_ses_says_of_the_account_is_told_before_a_launch(account: dict[str, bool], says: str | None) -> None:
    ses = Ses()
    ses.account |= account
    complaint = SesAccount(ses).complaint(hello(), "hello@dangol.kr")
    assert (says in complaint) if says else complaint is None  # type: ignore[operator]


@pytest.fixture
def book(aws: Aws) -> DynamoProfiles:
    return DynamoProfiles(boto3.resource("dynamodb"), aws.profiles)


def put_person(aws: Aws) -> None:
    boto3.resource("dynamodb").Table(aws.profiles).put_item(Item=profile_row("c1"))


def test_in_dynamodb_too_ten_campaigns_at_once_against_a_cap_of_five_send_five(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    gate = Gate(book, settings(Cap(5, timedelta(days=1))).send_rules("Asia/Seoul"))
    read = book.read(["c1"])["c1"]
    asks = [Ask(f"run-{n}", 0, hello(f"campaign_{n}").message(0, "email", NOON)) for n in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda ask: gate.ask(ask, read, "call", NOON, lambda profile: "hello"), asks))
    assert sum(isinstance(answer, Passed) for answer in answers) == 5
    (row,) = aws.rows(aws.profiles)
    assert (len(row["sent"]["email"]), row["revision"], problems("profiles", [row])) == (5, 6, [])
    (passed, *_) = [ask for ask, answer in zip(asks, answers, strict=True) if isinstance(answer, Passed)]
    assert isinstance(gate.ask(passed, read, "other", NOON, lambda profile: "hello"), Held)


def test_the_products_that_concern_a_person_come_back_as_they_were_put(aws: Aws, book: DynamoProfiles) -> None:
    own = OwnProducts("p1", ("p1", "p2"), cart=("p3",), restocked=("p4",))
    lists = {"own_bought": ["p1", "p2"], "own_cart": ["p3"], "own_restocked": ["p4"]}
    book.put_contacts([Contact("c1", {"email": "kim@example.com", "own_last": "p1", **lists})])
    assert book.read(["c1"])["c1"].products == own
    assert problems("profiles", aws.rows(aws.profiles)) == []
    book.put_contacts([Contact("c1", {"email": "kim@example.com"})])
    assert book.read(["c1"])["c1"].products == OwnProducts()


def test_notes_raise_the_revision_and_bring_nobody_back(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    book.unsubscribe("c1", "email", NOON)
    book.retire("c1", "push", "token-c1")
    book.unsubscribe("erased", "email", NOON)
    book.retire("erased", "email", "erased@example.com")
    (row,) = aws.rows(aws.profiles)
    assert (row["revision"], row["unsubscribed_email"], row["dead_push"]) == (3, int(NOON.timestamp()), "token-c1")
    book.remove(["c1"])
    assert aws.rows(aws.profiles) == []


def test_the_last_word_against_a_channel_counts_in_whatever_order_they_come(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    for minutes in (5, 1, 7, 7):
        book.unsubscribe("c1", "email", NOON + timedelta(minutes=minutes))
    (row,) = aws.rows(aws.profiles)
    assert (row["unsubscribed_email"], row["revision"]) == (int(NOON.timestamp()) + 7 * 60, 3)


def test_nothing_is_noted_in_the_place_of_who_is_being_erased(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    book.block(["c1"])
    book.unsubscribe("c1", "email", NOON)
    book.retire("c1", "email", "c1@example.com")
    (row,) = aws.rows(aws.profiles)
    assert row == {"customer_id": "c1", "erased": True}


def request(method: str, token: str) -> dict[str, Any]:
    event = example("unsubscribe")
    event["requestContext"]["http"]["method"] = method
    event["queryStringParameters"] = {"token": token}
    return event


def test_only_a_post_unsubscribes_and_only_with_a_link_of_ours(aws: Aws, context: Context) -> None:
    put_person(aws)
    token = sign(Link(Action.UNSUBSCRIBE, "c1", f"email {RUN}"), LINK_KEY.encode())
    shown = unsubscribe.handler(request("GET", token), context)
    assert (shown["statusCode"], '<form method="post">' in shown["body"]) == (200, True)
    for method in ("HEAD", "OPTIONS", "PUT"):
        unsubscribe.handler(request(method, token), context)
    assert "unsubscribed_email" not in aws.rows(aws.profiles)[0]
    assert "frame-ancestors 'none'" in shown["headers"]["Content-Security-Policy"]
    for method in ("GET", "POST"):
        for bad in ("", "nonsense", token[:-2], sign(Link(Action.ACCEPT, "c1", "style"), LINK_KEY.encode())):
            assert unsubscribe.handler(request(method, bad), context)["statusCode"] == 400
    assert "unsubscribed_email" not in aws.rows(aws.profiles)[0]
    done = unsubscribe.handler(request("POST", token), context)
    assert (done["statusCode"], "수신거부되었습니다" in done["body"], "<form" in done["body"]) == (200, True, False)
    assert aws.rows(aws.profiles)[0]["unsubscribed_email"] > 1_700_000_000


def test_the_ledger_keeps_who_unsubscribed_when_the_table_is_lost(aws: Aws, context: Context) -> None:
    orders = b"order_id,customer_id,ordered_at,amount,email\no1,c1,2026-11-21,100,c1@example.com\n"
    dropped = body_of(example("ingest"))
    stored = aws.s3.put_object(Bucket=aws.bucket, Key=dropped["detail"]["object"]["key"], Body=orders)
    dropped["detail"]["object"] |= {"size": len(orders), "etag": stored["ETag"].strip('"')}
    ingest.handler(with_body(example("ingest"), dropped), context)
    token = sign(Link(Action.UNSUBSCRIBE, "c1", f"email {RUN}"), LINK_KEY.encode())
    unsubscribe.handler(request("POST", token), context)
    (told,) = aws.taken(aws.engagement_queue)
    assert told["mail"]["tags"] == {"dangol-customer": ["c1"], "dangol-run": [RUN]}
    record_engagement.handler(with_body(example("track"), told), context)
    asked = {**body_of(example("refresh")), "shard": shard_of("c1", SHARDS), "task_token": None}
    refresh.handler(with_body(example("refresh"), asked), context)
    (row,) = aws.rows(aws.profiles)
    assert problems("profiles", [row]) == []
    assert wiring.profiles().read(["c1"])["c1"].unsubscribed.keys() == {"email"}
    assert abs(int(row["refused_email_at"]) - datetime.now(UTC).timestamp()) < 100


def test_a_link_goes_on_working_when_the_key_was_changed(aws: Aws, context: Context) -> None:
    put_person(aws)
    token = sign(Link(Action.UNSUBSCRIBE, "c1", f"email {RUN}"), LINK_KEY.encode())
    boto3.client("secretsmanager").put_secret_value(SecretId="link", SecretString="another secret that signs the links")
    assert unsubscribe.handler(request("POST", token), context)["statusCode"] == 200


def tracked(kind: str, **details: Any) -> dict[str, Any]:
    event = example("track")
    body = {**body_of(event), "eventType": kind}
    body[kind.lower()] = {"timestamp": "2026-11-24T03:05:00.000Z"} | details
    return with_body(event, body)


def test_bounces_complaints_opens_and_clicks_are_noted(aws: Aws, context: Context, book: DynamoProfiles) -> None:
    put_person(aws)
    table = boto3.resource("dynamodb").Table(aws.deliveries)
    table.put_item(Item={"run_customer": f"{RUN}#c1", "channel": "email"})
    soft = tracked("Bounce", bounceType="Transient", bouncedRecipients=[{"emailAddress": "c1@example.com"}])
    hard = tracked("Bounce", bounceType="Permanent", bouncedRecipients=[{"emailAddress": "c1@example.com"}])
    for event, profile in (
        (soft, {}),
        (hard, {"dead_email": "c1@example.com"}),
        (
            tracked("Complaint", complainedRecipients=[{"emailAddress": "then@example.com"}]),
            {
                "unsubscribed_email": int(datetime(2026, 11, 24, 3, 5, tzinfo=UTC).timestamp()),
                "dead_email": "then@example.com",
            },
        ),
    ):
        assert track.handler(event, context) == {"batchItemFailures": []}
        assert {name: aws.rows(aws.profiles)[0].get(name) for name in profile} == profile
    assert "dead_email" not in profile_row("c1")
    for event in (
        tracked("Open", userAgent="Mozilla/5.0"),  # Apple's proxy
        tracked("Click", userAgent="Barracuda scanner"),
        tracked("Click", timestamp="2026-11-24T03:00:05.000Z", userAgent="Mozilla/5.0 (iPhone)"),  # at once
        tracked("Open", userAgent="Mozilla/5.0 (iPhone)"),
    ):
        track.handler(event, context)
    assert aws.rows(aws.deliveries)[0]["answers"] == {"opened"}
    body = {**body_of(tracked("Click")), "mail": {**body_of(tracked("Click"))["mail"]}}
    body["mail"]["tags"] = body["mail"]["tags"] | {"dangol-customer": ["erased"]}
    assert track.handler(with_body(example("track"), body), context) == {"batchItemFailures": []}
    assert len(aws.rows(aws.deliveries)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"status": "unknown"}, "sent"),
        ({"status": "deferred", "reason": "quota", "until": "2026-11-24T03:15:00+00:00"}, "sent"),
        (None, "sent"),  # the sender died before it recorded anything
        ({"status": "sent", "variant": "a", "message_id": "m0"}, "sent"),
        ({"status": "failed", "reason": "message_rejected"}, "failed"),
    ],
)
def test_that_ses_took_a_message_settles_what_is_open(
    aws: Aws, context: Context, before: dict[str, str] | None, after: str
) -> None:
    put_person(aws)
    about = {"run_customer": f"{RUN}#c1", "channel": "email", "run": RUN, "customer_id": "c1", "step": 0}
    row = about | {"at": "2026-11-24T03:00:00+00:00", "expires_at": 1} | (before or {})
    if before:
        boto3.resource("dynamodb").Table(aws.deliveries).put_item(Item=row)
    for _ in range(2):
        assert track.handler(tracked("Send"), context) == {"batchItemFailures": []}
    (found,) = aws.rows(aws.deliveries)
    assert (found["status"], problems("deliveries", [found])) == (after, [])
    if before and before["status"] in ("sent", "failed"):
        assert found == row
    else:
        assert found["message_id"] == body_of(tracked("Send"))["mail"]["messageId"]
        assert {"reason", "until"} & found.keys() == set()
    assert aws.rows(aws.profiles) == [profile_row("c1")]


def test_what_a_sender_recorded_meanwhile_stays(aws: Aws) -> None:
    row = {"run_customer": f"{RUN}#c1", "channel": "email", "run": RUN, "customer_id": "c1", "step": 0}
    row |= {"status": "failed", "reason": "message_rejected", "at": NOON.isoformat(), "expires_at": 1}
    boto3.resource("dynamodb").Table(aws.deliveries).put_item(Item=row)
    wiring.deliveries().was_sent(RUN, "c1", 0, "email", NOON, "m1")
    assert aws.rows(aws.deliveries) == [row]


@pytest.mark.parametrize(
    ("before", "after"), [(Status.SENT, Status.SENT), (Status.DEFERRED, Status.UNKNOWN), (None, Status.UNKNOWN)]
)
def test_what_is_in_doubt_is_unknown_unless_a_slow_sender_recorded_it_meanwhile(
    aws: Aws, before: Status | None, after: Status
) -> None:
    table = wiring.deliveries()
    doubtful = Delivery(RUN, "c1", "email", 0, Status.UNKNOWN, NOON)
    if before:
        table.write([replace(doubtful, status=before)])
    assert table.note_unknown(doubtful).status is after
    assert table.read(RUN, 0, "email", ["c1"])["c1"].status is after


def test_of_an_erased_person_no_sending_is_noted(aws: Aws, context: Context) -> None:
    assert track.handler(tracked("Send"), context) == {"batchItemFailures": []}
    assert (aws.rows(aws.deliveries), aws.rows(aws.profiles)) == ([], [])
    wiring.profiles().block(["c1"])
    assert track.handler(tracked("Send"), context) == {"batchItemFailures": []}
    assert aws.rows(aws.deliveries) == []


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


def test_clicks_on_all_links_at_once_are_no_answer_and_a_later_one_is(aws: Aws, context: Context) -> None:
    row = {"run_customer": f"{RUN}#c1", "channel": "email", "run": RUN, "customer_id": "c1", "step": 0}
    table = boto3.resource("dynamodb").Table(aws.deliveries)
    table.put_item(Item=row | {"status": "sent", "at": NOON.isoformat(), "expires_at": 1})
    read = wiring.deliveries().read
    for second, link, answers in (
        ("10:00", "https://dangol.kr/a", {"clicked"}),
        ("10:02", "https://dangol.kr/b", set()),
        ("10:02", "https://dangol.kr/b", set()),
        ("20:00", "https://dangol.kr/b", {"clicked"}),
    ):
        at = f"2026-11-24T03:{second}.000Z"
        track.handler(tracked("Click", timestamp=at, link=link, userAgent="Mozilla/5.0 (iPhone)"), context)
        assert read(RUN, 0, "email", ["c1"])["c1"].answers == answers
    (found,) = aws.rows(aws.deliveries)
    assert (len(found["clicks"]), problems("deliveries", [found])) == (3, [])
    for minute in range(60):
        at = f"2026-11-24T04:{minute:02d}:00.000Z"
        track.handler(tracked("Click", timestamp=at, link="https://dangol.kr/a"), context)
    assert len(aws.rows(aws.deliveries)[0]["clicks"]) == 40


def mail(person: str = "c1") -> Mail:
    return Mail(f"{person}@example.com", person, Email("a@dangol.kr", "제목", "<p>글</p>", "글", (("X-A", "b"),)))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("SUCCESS", Sent("m0")),
        ("ACCOUNT_THROTTLED", NotNow("account_throttled", soon=True)),
        ("TRANSIENT_FAILURE", NotNow("transient_failure", soon=True)),
        ("ACCOUNT_DAILY_QUOTA_EXCEEDED", NotNow("account_daily_quota_exceeded", soon=False)),
        ("ACCOUNT_SENDING_PAUSED", NotNow("account_sending_paused", soon=False)),
        ("MESSAGE_REJECTED", Refused("message_rejected")),
    ],
)
def test_each_entry_of_a_call_has_its_own_outcome(status: str, outcome: object) -> None:
    ses = Ses()
    ses.statuses = [status]
    assert SesMailer(ses, "set").send([mail(), mail("c2")], RUN, 0) == [outcome, Sent("m1")]


def refusing(error: Exception) -> Any:
    def call(**_: Any) -> None:
        raise error

    return call


def client_error(code: str, status: int = 400, call: str = "Send") -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, call)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (EndpointConnectionError(endpoint_url="https://ses"), NotNow("mail service not reached", soon=True)),
        (ReadTimeoutError(endpoint_url="https://ses"), Unsure()),
        (client_error("InternalFailure", 500), Unsure()),
        (client_error("TooManyRequestsException", 429), NotNow("TooManyRequestsException", soon=True)),
        (client_error("SendingPausedException"), NotNow("SendingPausedException", soon=False)),
    ],
)
def test_a_call_that_fails_says_whether_it_may_have_gone_through(error: Exception, outcome: object) -> None:
    client = SimpleNamespace(send_bulk_email=refusing(error))
    assert SesMailer(client, "set").send([mail(), mail("c2")], RUN, 0) == [outcome, outcome]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (client_error("EndpointDisabled"), Refused("endpoint_disabled", dead=True)),
        (client_error("InvalidParameter", call="CreatePlatformEndpoint"), Refused("invalid_token", dead=True)),
        (client_error("InvalidParameter", call="Publish"), Refused("invalid_message")),
        (client_error("Throttled", 429), NotNow("Throttled", soon=True)),
        (client_error("AuthorizationError", 403), NotNow("AuthorizationError", soon=False)),
        (client_error("InternalError", 500), Unsure()),
        (ReadTimeoutError(endpoint_url="https://sns"), Unsure()),
    ],
)
def test_what_sns_answers_to_a_push(error: Exception, outcome: object) -> None:
    sns = Sns()
    sns.publish = refusing(error)  # type: ignore[method-assign]
    pusher = SnsPusher(sns, {"fcm": "arn:aws:sns:eu-west-1:1:app/GCM/shop"})
    notifications = [Notification("c1", "fcm", "t1", "{}", {}), Notification("c2", "apns", "t2", "{}", {})]
    assert pusher.send(notifications) == [outcome, Refused("no_platform_application")]


@pytest.fixture
def runs(aws: Aws) -> Any:
    return boto3.resource("dynamodb").Table(aws.runs)


def test_all_senders_together_keep_to_the_rate(runs: Any) -> None:
    rates = [Rate(runs, "email", 10) for _ in range(4)]
    late = NOON + timedelta(seconds=16)
    with ThreadPoolExecutor(4) as pool:
        grants = list(pool.map(lambda n: rates[n % 4].take(50, NOON, late), range(6)))
    granted = sorted(grant.start for grant in grants if grant.count)
    assert granted == [NOON + timedelta(seconds=5 * n) for n in range(4)]  # 50 at 10 a second take 5 s
    assert sum(grant.count for grant in grants) == 200
    assert rates[0].take(1, NOON + timedelta(minutes=1), late + timedelta(minutes=1)).start == NOON + timedelta(
        minutes=1
    )


def test_the_daily_quota_is_shared_and_never_exceeded(runs: Any) -> None:
    ses = Ses()
    ses.quota = {"Max24HourSend": 200.0, "MaxSendRate": 1000.0, "SentLast24Hours": 30.0}
    late = NOON + timedelta(minutes=5)
    with ThreadPoolExecutor(4) as pool:
        grants = list(pool.map(lambda n: SesQuota(runs, ses).take(50, NOON, late), range(8)))
    assert 120 <= sum(grant.count for grant in grants) <= 170
    while SesQuota(runs, ses).take(50, NOON, late).count:
        continue
    ses.quota["SentLast24Hours"] = 200.0
    assert SesQuota(runs, ses).take(50, NOON + timedelta(minutes=2), late).count == 0
    ses.quota["SentLast24Hours"] = 190.0
    assert SesQuota(runs, ses).take(50, NOON + timedelta(minutes=4), late).count == 10


def test_an_account_without_an_end_has_no_daily_quota(runs: Any) -> None:
    ses = Ses()
    ses.quota["Max24HourSend"] = -1.0
    assert SesQuota(runs, ses).take(50, NOON, NOON + timedelta(minutes=5)).count == 50


def test_runs_in_dynamodb_are_created_moved_counted_and_closed_once(aws: Aws) -> None:
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    run = new_run("hello", NOON)
    assert [campaigns.create(run), campaigns.create(run)] == [True, False]
    assert campaigns.open_runs() == [run]
    after = campaigns.find(run.id)
    assert after == run
    moved = run.__class__(**{**as_dict(run), "bucket": 3, "after": "c 7", "recipients": 9, "batches": 2})
    assert [campaigns.advance(run, moved), campaigns.advance(run, moved)] == [True, False]
    assert campaigns.find(run.id) == moved
    batch = Batch(run.id, "hello", NOON, 0, "email", "p", ("c1",))
    for _ in range(2):
        campaigns.settle(batch, {"sent": 3, "skipped no_consent": 1})
    counted = campaigns.find(run.id)
    assert counted is not None
    assert (counted.batches, counted.counts) == (1, {"sent": 3, "skipped no_consent": 1})
    assert [campaigns.cancel(run), campaigns.cancel(run)] == [True, False]
    campaigns.close(counted)
    assert campaigns.open_runs() == []
    assert [found.id for found in campaigns.recent("hello", 5)] == [run.id]


def as_dict(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__slots__}


def test_batches_wait_for_their_minute(aws: Aws) -> None:
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    batch = Batch(RUN, "hello", NOON, 1, "push", "p", ("c1", "고객 2"), {"sent": 3})
    campaigns.wait([batch], NOON + timedelta(seconds=30))
    assert list(campaigns.due(NOON + timedelta(seconds=59))) == []
    ((key, found),) = campaigns.due(NOON + timedelta(minutes=1))
    assert found == batch
    campaigns.forget(key)
    assert list(campaigns.due(NOON + timedelta(days=1))) == []


def test_who_writes_first_about_a_call_decides_on_it(aws: Aws) -> None:
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    assert [campaigns.begin("a"), campaigns.give_up("a"), campaigns.begin("a")] == [True, False, True]
    assert [campaigns.give_up("b"), campaigns.begin("b"), campaigns.give_up("b")] == [True, False, True]


def test_an_audience_is_read_page_by_page(aws: Aws) -> None:
    tables = DynamoServingTables(boto3.resource("dynamodb"), aws.customers, aws.memberships)
    tables.put_memberships([Membership("loyal", f"c{n}", NOON.date()) for n in range(60)])
    audience = DynamoAudience(boto3.resource("dynamodb").Table(aws.memberships))
    found: list[str] = []
    for bucket in range(audience.buckets):
        after, more = None, True
        while more:
            page, more = audience.page("loyal", bucket, after, 2)
            found += page
            after = page[-1] if page else after
    assert sorted(found) == sorted(f"c{n}" for n in range(60))


@pytest.mark.parametrize("function", ["launch", "deliver", "track", "unsubscribe", "respond"])
def test_a_function_that_sends_starts_without_what_computes(function: str) -> None:
    heavy = "{'pandas', 'duckdb', 'numpy'}"
    code = f"import sys, functions.{function}.app; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("function", ["launch", "deliver", "track", "unsubscribe", "respond"])
def test_importing_a_function_that_sends_reads_no_environment_and_builds_no_client(function: str) -> None:
    code = f"import boto3; boto3.client = boto3.resource = None; import functions.{function}.app"
    subprocess.run([sys.executable, "-c", code], env={"PATH": ""}, capture_output=True, check=True)
