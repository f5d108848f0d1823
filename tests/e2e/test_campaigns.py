"""A campaign on the local AWS, each function with its own role: from files to mails, pushes and answers."""

from __future__ import annotations

import json
import re
import ssl
import tempfile
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from botocore.exceptions import ClientError
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.deliveries import DynamoDeliveries
from dangol.aws.tables import segment_bucket
from dangol.campaigns.invitations.links import Invited, answer_links
from dangol.moves.campaign.launch import new_run

from examples.sandbox.local_aws import ROOT, wait_for
from tests.schemas import problems
from tests.senders import HELLO, profile_row

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

MESSAGING = """country: KR
sender: {name: 단골상점, email: hello@dangol.kr, phone: 02-123-4567, address: 서울, url: "https://dangol.kr"}
global_holdout: 0.001
"""
PEOPLE = "customer_id,email,customer_name,accepts_email,accepts_push,accepts_night_push,push_token,push_platform\n" + (
    "c1,kim@example.com,김단골,yes,yes,yes,token-c1,android\n"
    "c2,lee@example.com,이손님,yes,no,no,token-c2,android\n"
    "c3,park@example.com,박거절,no,no,no,,\n"
    "c11,jung@example.com,정비교,yes,no,no,,\n"  # by lot in the holdout
)
ORDERS = "order_id,customer_id,ordered_at,amount\n" + "".join(f"o{n},c{n},2026-11-21,30000\n" for n in (1, 2, 3, 11))
SEGMENTS = """rfm:
  - {id: loyal, where: "recency_days <= 7"}
  - {id: vip_loyal, where: "orders_lifetime < 0"}
segments:
  - {id: potential_loyal, where: "recency_days > 7"}
  - {id: big_spender, where: "recency_days > 7"}
"""


class Shop:
    """A stack with a campaign, and the mail and push services it speaks to."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.outputs, self.physical_id = stack, stack.outputs, stack.physical_id
        self.campaigns = DynamoCampaigns(stack.aws.resource("dynamodb"), stack.outputs["RunsTableName"])

    def drop(self, key: str, text: str) -> None:
        self.stack.client("s3").put_object(Bucket=self.outputs["BucketName"], Key=key, Body=text.encode())

    def rows(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self.stack.aws.resource("dynamodb").Table(self.outputs[f"{table}TableName"]).scan()["Items"]
        )
        return found

    def launch(self) -> dict[str, int]:
        """What the scheduler does each minute."""
        answer = self.stack.client("lambda").invoke(FunctionName=self.physical_id("LaunchFunction"), Payload=b"{}")
        found = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return dict(found)

    def run(self, day: int, campaign: str = "hello") -> str:
        """Start a run of a campaign, and see it to its end; its id."""
        run = new_run(campaign, datetime.now(UTC).replace(hour=day))
        assert self.campaigns.create(run)

        def over() -> bool:
            self.launch()
            found = self.campaigns.find(run.id)
            assert found is None or not found.reason, found
            return found is not None and found.state == "completed"

        wait_for("the run is over", over, interval=0.5)
        return run.id

    def mails(self, notices: bool = False) -> list[dict[str, Any]]:
        """What SES took: of campaign `hello`, or the law's notices."""
        return [
            mail
            for mail in self.stack.aws.mails()
            if mail["Source"].endswith("<hello@dangol.kr>") and ("처리 결과 안내" in mail["Subject"]) == notices
        ]

    def open(
        self, url: str, method: str = "GET", host: str | None = None, body: str = "List-Unsubscribe=One-Click"
    ) -> tuple[int, str]:
        request = urllib.request.Request(url, method=method, headers={"Host": host} if host else {})
        if method == "POST":
            request.data = body.encode()
        trusted = ssl.create_default_context(cafile=str(self.stack.aws.certificate))
        try:
            with urllib.request.urlopen(request, context=trusted) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def follow(self, link: str, method: str, body: str = "List-Unsubscribe=One-Click") -> tuple[int, str]:
        """Call a function's URL: its host is that of the local AWS."""
        parts = urllib.parse.urlsplit(link)
        return self.open(f"{self.stack.aws.endpoint}{parts.path}?{parts.query}", method, parts.netloc, body)


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    sns, ses = stack.client("sns"), stack.client("sesv2")
    application = sns.create_platform_application(Name="shop", Platform="GCM", Attributes={"PlatformCredential": "key"})
    ses.create_email_identity(EmailIdentity="dangol.kr")
    outputs = stack.aws.deploy(
        "campaigns",
        ROOT / "template.yaml",
        NumberOfShards="1",
        FixedDate="2026-11-22",
        FcmApplicationArn=application["PlatformApplicationArn"],
    )
    made = Shop(replace(stack, name="campaigns", outputs=outputs))
    made.drop("config/segments.yaml", SEGMENTS)
    made.drop("config/messaging.yaml", MESSAGING)
    hello = HELLO.format(id="hello", purpose="advertising", more="holdout: 0.15").replace(
        "every: day", "every: month, days: [1]"
    )
    wait_for("the segments are live", lambda: "loyal" in str(live(made)))
    made.drop("config/campaigns/hello.yaml", hello)
    wait_for("the campaign is live", lambda: {"messaging.yaml", "campaigns/hello.yaml"} <= live(made).keys())
    made.drop("incoming/customers/people.csv", PEOPLE)
    made.drop("incoming/orders/a.csv", ORDERS)
    wait_for("everybody is known", lambda: len(made.rows("Profiles")) == 4 and len(members(made)) == 4)
    yield made
    stack.client("cloudformation").delete_stack(StackName="campaigns")


def live(shop: Shop) -> dict[str, str]:
    try:
        found = shop.stack.client("s3").get_object(
            Bucket=shop.outputs["BucketName"], Key="config/live/configuration.json"
        )
    except ClientError:
        return {}
    return dict(json.loads(found["Body"].read()))


def members(shop: Shop, segment: str = "loyal") -> list[dict[str, Any]]:
    return [row for row in shop.rows("Memberships") if row["segment"] == segment]


def outcomes(shop: Shop, run: str) -> dict[tuple[str, str], tuple[str, str | None]]:
    rows = [row for row in shop.rows("Deliveries") if row["run"] == run]
    assert problems("deliveries", rows) == []
    return {(row["customer_id"], row["channel"]): (row["status"], row.get("reason")) for row in rows}


def test_a_segment_gets_its_mails_and_pushes_once_and_who_unsubscribes_none_any_more(shop: Shop) -> None:
    first = shop.run(1)
    refused = ("skipped", "no_consent")
    assert outcomes(shop, first) == {
        ("c1", "email"): ("sent", None),
        ("c1", "push"): ("sent", None),
        ("c2", "email"): ("sent", None),
        ("c2", "push"): refused,
        ("c3", "email"): refused,
        ("c3", "push"): ("skipped", "no_address"),
        ("c11", "email"): ("skipped", "holdout"),
        ("c11", "push"): ("skipped", "no_address"),
    }
    assert problems("profiles", shop.rows("Profiles")) == []
    mails = {mail["To"][0]: mail for mail in shop.mails()}
    assert mails.keys() == {"kim@example.com", "lee@example.com"}
    kim = mails["kim@example.com"]
    assert kim["Subject"] == "(광고) 김단골님, 안녕하세요"
    assert "반가워요." in kim["BodyHtml"]

    # The batches come again: nothing is sent.
    runs = [row for row in shop.rows("Runs") if row["kind"] == "campaign-run"]
    assert problems("runs-campaign-run", runs) == []
    batch = {"run": first, "campaign": "hello", "run_at": runs[0]["run_at"], "step": 0}
    body = batch | {"channel": "email", "part": "again", "customers": ["c1", "c2", "c3"], "counts": {}}
    sqs = shop.stack.client("sqs")
    sqs.send_message(QueueUrl=shop.outputs["DeliveryQueueUrl"], MessageBody=json.dumps(body))
    wait_for("it was worked off", lambda: f"{first}#0#email#again" in {row["id"] for row in shop.rows("Runs")})
    assert len(shop.mails()) == 2

    link = re.search(r"https://[^\s\"]+\?token=[\w.-]+", kim["BodyText"])
    assert link
    assert shop.follow(link[0], "GET")[0] == 200
    assert [row for row in shop.rows("Profiles") if "unsubscribed_email" in row] == []
    assert shop.follow(link[0], "POST")[0] == 200
    assert shop.follow(link[0][:-3], "POST")[0] == 400
    assert [row["customer_id"] for row in shop.rows("Profiles") if "unsubscribed_email" in row] == ["c1"]

    # A file that was exported before does not bring the consent back.
    shop.drop("incoming/customers/more.csv", PEOPLE.replace("김단골", "김새봄"))
    wait_for("it was read", lambda: "김새봄" in {row["name"] for row in shop.rows("Profiles")})
    second = shop.run(2)
    found = outcomes(shop, second)
    assert (found["c1", "email"], found["c2", "email"]) == (refused, ("sent", None))
    assert Counter(mail["To"][0] for mail in shop.mails()) == {"kim@example.com": 1, "lee@example.com": 2}


def test_a_run_is_compared_with_those_it_left_out(shop: Shop) -> None:
    run = shop.campaigns.find(shop.run(5))
    assert run
    day = run.run_at.astimezone(ZoneInfo("Asia/Seoul")).date()
    shop.drop("incoming/orders/bought.csv", f"order_id,customer_id,ordered_at,amount\nb1,c2,{day},50000\n")
    wait_for("it was read", lambda: "incoming/orders/bought.csv" in {row.get("key") for row in shop.rows("Runs")})
    answer = shop.stack.client("lambda").invoke(
        FunctionName=shop.physical_id("MeasureFunction"), Payload=json.dumps({"as_of": day.isoformat()})
    )
    done = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, done

    results = [row for row in shop.rows("Runs") if row["kind"] == "campaign-result" and row["campaign"] == "hello"]
    assert problems("runs-campaign-result", results) == []
    compared = [row["arms"] for row in results]  # each person in one run, whichever comes first
    assert {
        arm: (sum(one[arm]["people"] for one in compared), sum(one[arm]["reached"] for one in compared))
        for arm in ("treated", "holdout")
    } == {"treated": (2, 1), "holdout": (1, 0)}
    (together,) = (row for row in shop.rows("Runs") if row["kind"] == "campaigns-together")
    assert problems("runs-campaigns-together", [together]) == []
    assert (together["arms"]["treated"]["people"], together["arms"]["treated"]["reached"]) == (3, 1)
    s3, bucket = shop.stack.client("s3"), shop.outputs["BucketName"]
    assert "홀드아웃 1명 중 0명" in s3.get_object(Bucket=bucket, Key=done["page_key"])["Body"].read().decode()
    with tempfile.TemporaryDirectory() as folder:
        key = f"analytics/outcomes/campaign=hello/run_date={day}/{run.id}.parquet"
        s3.download_file(bucket, key, f"{folder}/outcomes.parquet")
        rows = duckdb.sql(
            f"SELECT customer_id, arm, reachable FROM '{folder}/outcomes.parquet' ORDER BY ALL"
        ).fetchall()
    assert [row[:2] for row in rows] == [("c1", "treated"), ("c11", "holdout"), ("c2", "treated"), ("c3", "treated")]


def test_who_measures_reads_no_profile_and_changes_nothing_of_the_ledger(shop: Shop) -> None:
    dynamodb, s3 = shop.stack.client_of("measure", "dynamodb"), shop.stack.client_of("measure", "s3")
    profile = {"TableName": shop.outputs["ProfilesTableName"], "Key": {"customer_id": {"S": "probe"}}}
    assert denied(dynamodb.get_item, **profile)
    assert denied(dynamodb.scan, TableName=shop.outputs["DeliveriesTableName"])
    assert denied(s3.put_object, Bucket=shop.outputs["BucketName"], Key="ledger/probe", Body=b"")
    assert denied(s3.get_object, Bucket=shop.outputs["BucketName"], Key="incoming/customers/people.csv")
    (people,) = shop.stack.client("s3").list_objects_v2(Bucket=shop.outputs["BucketName"], Prefix="ledger/customers/")[
        "Contents"
    ][:1]
    assert denied(s3.get_object, Bucket=shop.outputs["BucketName"], Key=people["Key"])
    launcher = shop.stack.client_of("launch", "s3")
    assert denied(launcher.put_object, Bucket=shop.outputs["BucketName"], Key="ledger/orders/probe", Body=b"")


CATALOGUE = """product_id,product_name,category,price,url,launched_on,in_stock,restocked_on
p1,울 코트,아우터,300000,https://dangol.kr/p1,2026-11-01,yes,
p2,<다운> & 재킷,아우터,500000,https://dangol.kr/p2?a=1&b=2,2026-11-02,yes,
p3,패딩 조끼,아우터,90000,https://dangol.kr/p3,2026-11-03,no,
p4,머플러,,9000,javascript:alert(1),,yes,2026-11-21
"""


def test_the_campaigns_of_the_seed_show_items_and_fall_back_without_a_catalogue(shop: Shop) -> None:
    for name in ("potential_loyal_picks", "big_spender_preview"):
        shop.drop(f"config/campaigns/{name}.yaml", (ROOT / "config" / "campaigns" / f"{name}.yaml").read_text("utf-8"))
        wait_for(f"{name} is live", lambda: f"campaigns/{name}.yaml" in live(shop))  # noqa: B023 - waits here
    shop.drop("incoming/customers/two.csv", PEOPLE.split("\n")[0] + "\n" + TWO)
    shop.drop("incoming/orders/two.csv", TWO_ORDERS)
    wait_for("both are known", lambda: len(shop.rows("Profiles")) == 6 and len(members(shop, "big_spender")) == 2)
    shop.run(1, "potential_loyal_picks")
    fallback = "지난번 선택하신 스타일, 이번엔 이런 건 어떠세요?"
    assert titles(shop) == {"choi@example.com": [fallback], "jung@example.com": [fallback]}
    assert "- " not in text_to(shop, "choi@example.com")

    shop.drop("incoming/products/a.csv", CATALOGUE)
    shop.drop("incoming/interests/a.csv", "customer_id,kind,product_id,happened_at\nk3,wishlist,p4,2026-11-12 10:00\n")
    wait_for(
        "what concerns them is known", lambda: len([row for row in shop.rows("Profiles") if "products" in row]) == 2
    )
    assert problems("profiles", shop.rows("Profiles")) == []
    shop.run(2, "potential_loyal_picks")
    to_choi, to_jung = text_to(shop, "choi@example.com"), text_to(shop, "jung@example.com")
    assert "아우터를 좋아하시는 분들이" in to_choi
    assert items_in(to_choi) == ["<다운> & 재킷, ₩500,000"]  # p1 was bought, p3 is out of stock
    assert items_in(to_jung) == ["머플러, ₩9,000"]
    assert titles(shop)["jung@example.com"][-1].startswith("혹시 놓치신 건 아닐까해요.")

    shop.run(3, "big_spender_preview")
    html = mails_to(shop, "choi@example.com")[-1]["BodyHtml"]
    assert '<a class="ink" href="https://dangol.kr/p2?a=1&amp;b=2"' in html
    assert "&lt;다운&gt; &amp; 재킷" in html
    assert "울 코트" not in html
    assert items_in(text_to(shop, "jung@example.com")) == ["<다운> & 재킷, ₩500,000", "울 코트, ₩300,000"]
    assert "javascript" not in str(shop.mails())

    plan = shop.stack.client("lambda").invoke(FunctionName=shop.physical_id("PlanRefreshFunction"), Payload=b"{}")
    assert "FunctionError" not in plan, plan["Payload"].read()
    found = shop.stack.client("s3").list_objects_v2(Bucket=shop.outputs["BucketName"], Prefix="ledger/sales/")
    assert [one["Key"] for one in found["Contents"]] == ["ledger/sales/sales.parquet"]


# Neither is in a holdout of these campaigns.
TWO = "k1,choi@example.com,최구매,yes,no,no,,\nk3,jung@example.com,정관심,yes,no,no,,\n"
TWO_ORDERS = """order_id,customer_id,ordered_at,amount,product_id,product_name,category
t1,k1,2026-11-10,300000,p1,울 코트,아우터
t2,k3,2026-11-10,300000,,,
"""


def mails_to(shop: Shop, address: str) -> list[dict[str, Any]]:
    return [mail for mail in shop.mails() if mail["To"] == [address]]


def text_to(shop: Shop, address: str) -> str:
    return str(mails_to(shop, address)[-1]["BodyText"])


def titles(shop: Shop) -> dict[str, list[str]]:
    two = ("choi@example.com", "jung@example.com")
    return {to: [mail["Subject"].removeprefix("(광고) ") for mail in mails_to(shop, to)] for to in two}


def items_in(text: str) -> list[str]:
    return re.findall("^- (.*)$", text, re.MULTILINE)


def test_a_hard_bounce_and_a_complaint_are_heeded_by_the_next_run(shop: Shop) -> None:
    event = json.loads((ROOT / "events" / "track.json").read_text("utf-8"))["Records"][0]["body"]
    bounce = json.loads(event.replace("c1@shop.example", "lee@example.com"))
    bounce["mail"]["tags"]["dangol-customer"] = ["c2"]
    topic = shop.physical_id("EngagementTopic")
    shop.stack.client("sns").publish(TopicArn=topic, Message=json.dumps(bounce))

    def retired() -> bool:
        return "lee@example.com" in {row.get("dead_email") for row in shop.rows("Profiles")}

    wait_for("the bounce is noted", retired)
    assert outcomes(shop, shop.run(3))["c2", "email"] == ("skipped", "suppressed")


def test_what_ses_tells_settles_an_open_message_and_a_burst_of_clicks_is_nobody(shop: Shop) -> None:
    run, table = "hello-20260101T0000Z", shop.stack.aws.resource("dynamodb").Table(shop.outputs["DeliveriesTableName"])
    row = {"run_customer": f"{run}#c2", "channel": "email", "run": run, "customer_id": "c2", "step": 0}
    table.put_item(Item=row | {"status": "unknown", "at": "2026-01-01T00:00:00+00:00", "expires_at": 2_000_000_000})
    body = json.loads(json.loads((ROOT / "events" / "track.json").read_text("utf-8"))["Records"][0]["body"])
    body["mail"]["tags"] |= {"dangol-customer": ["c2"], "dangol-run": [run]}
    clicks = [{"timestamp": f"2026-11-24T03:10:0{n}.000Z", "link": f"https://dangol.kr/{n}"} for n in (0, 1)]
    for event in ({"eventType": "Send"}, *({"eventType": "Click", "click": click} for click in clicks)):
        shop.stack.client("sns").publish(TopicArn=shop.physical_id("EngagementTopic"), Message=json.dumps(body | event))

    def noted() -> bool:
        found = table.get_item(Key={"run_customer": row["run_customer"], "channel": "email"})["Item"]
        return found["status"] == "sent" and len(found.get("clicks", ())) == 2

    wait_for("all three are noted", noted)
    deliveries = DynamoDeliveries(shop.stack.aws.resource("dynamodb"), shop.outputs["DeliveriesTableName"])
    assert deliveries.read(run, 0, "email", ["c2"])["c2"].answers == frozenset()


def test_a_consent_is_confirmed_by_mail_once(shop: Shop) -> None:
    told = f"c4,choi@example.com,yes,{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
    shop.drop("incoming/customers/dated.csv", f"customer_id,email,accepts_email,email_consent_at\n{told}")
    wait_for("it is on the list", lambda: "notice-waiting" in {row["kind"] for row in shop.rows("Runs")})
    waiting = [row for row in shop.rows("Runs") if row["kind"] == "notice-waiting"]
    assert problems("runs-notice-waiting", waiting) == []
    for day in (1, 2):
        outcomes(shop, shop.run(day, "law-notices"))
    mails = shop.mails(notices=True)  # among them perhaps one to who unsubscribed by a link
    assert set(Counter(mail["To"][0] for mail in mails).values()) == {1}
    (mail,) = (mail for mail in mails if mail["To"] == ["choi@example.com"])
    assert mail["Subject"] == "[단골상점] 광고성 정보 수신동의 처리 결과 안내"
    assert all(part in mail["BodyText"] for part in ("단골상점", "이메일 광고성 정보 수신동의", "일자:", "처리 결과:"))


TALK = """
id: talk
name: {{ko: 취향 이야기, en: Style talk}}
answer_by: "{answer_by}"
places: {{store: {{name: {{ko: 성수 매장, en: Seongsu store}}, address: 서울 성동구 1}}}}
slots:
  - {{start: "{start}", minutes: 60, capacity: 3, place: store}}
  - {{start: "{later}", minutes: 60, capacity: 1, place: store}}
"""


def invite(shop: Shop) -> tuple[str, str]:
    """Make an invitation and a campaign live that invites by e-mail; its two slots, for three and one."""
    start = datetime.now(ZoneInfo("Asia/Seoul")) + timedelta(days=3)
    days = {"answer_by": start - timedelta(days=1), "start": start, "later": start + timedelta(days=1)}
    shop.drop("config/invitations/talk.yaml", TALK.format(**{n: f"{day:%Y-%m-%d %H:%M}" for n, day in days.items()}))
    wait_for("the invitation is live", lambda: "invitations/talk.yaml" in live(shop))
    mail = "body: 반가워요., buttons: [{{text: 네, link: '{{{{ links.accept }}}}'}}]}}]"
    text = HELLO.replace("body: 반가워요.}}]\n  push: [{{id: a, title: 안녕하세요, body: 반가워요.}}]", mail)
    text = text.format(id="invite", purpose="advertising", more="invitation: talk\ncap_exempt: true")
    shop.drop("config/campaigns/invite.yaml", text.replace("every: day", "every: month, days: [1]"))
    wait_for("the campaign is live", lambda: "campaigns/invite.yaml" in live(shop))
    return f"{days['start']:%Y%m%dT%H%M}-store", f"{days['later']:%Y%m%dT%H%M}-store"


def test_guests_who_answer_an_invitation_at_once_take_as_many_seats_as_there_are(shop: Shop) -> None:
    first, second = invite(shop)
    profiles = shop.stack.aws.resource("dynamodb").Table(shop.outputs["ProfilesTableName"])
    profiles.put_item(Item=profile_row("g0"))
    memberships = shop.stack.aws.resource("dynamodb").Table(shop.outputs["MembershipsTableName"])
    member = {"segment_bucket": segment_bucket("loyal", "g0"), "customer_id": "g0", "segment": "loyal"}
    memberships.put_item(Item=member | {"since": "2026-11-22"})
    run = shop.run(4, "invite")
    (mail,) = (mail for mail in shop.mails() if mail["To"] == ["g0@example.com"])
    found = re.search(r"네: (https://[^\s\"]+\?token=[\w.-]+)", mail["BodyText"])
    assert found
    link = found[1]

    assert "성수 매장" in shop.follow(link, "GET")[1]
    assert shop.rows("Invitations") == []
    status, page = shop.follow(link, "POST", f"choice={second}")
    assert (status, "예약되었습니다" in page, "서울 성동구 1" in page) == (200, True, True)
    assert shop.follow(link[:-3], "POST", f"choice={first}")[0] == 400

    # Twelve guests want one of three seats at once.
    secret = shop.stack.client("secretsmanager").get_secret_value(SecretId=shop.physical_id("LinkKey"))
    people, until = [f"g{n}" for n in range(1, 13)], datetime.now(UTC) + timedelta(days=1)
    for person in people:
        profiles.put_item(Item=profile_row(person))
    url, key = link.partition("?")[0], secret["SecretString"].encode()
    links = [answer_links(Invited(p, "talk", run, 0, "email"), until, url, key)["accept"] for p in people]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: shop.follow(one, "POST", f"choice={first}"), links))
    assert Counter(status for status, _ in answers) == {200: 3, 409: 9}
    assert all(("예약되었습니다" if status == 200 else "방금 마감되었어요") in page for status, page in answers)
    rows = shop.rows("Invitations")
    assert problems("invitations", rows) == []
    assert {row["entry"]: row["taken"] for row in rows if "taken" in row} == {f"slot#{first}": 3, f"slot#{second}": 1}
    assert Counter(row.get("slot") for row in rows if "status" in row) == {first: 3, second: 1}

    assert shop.follow(link, "POST", "choice=decline")[0] == 200
    (reply,) = (row for row in shop.rows("Invitations") if row.get("customer_id") == "g0")
    assert (reply["status"], reply["run"]) == ("declined", run)
    delivery = next(row for row in shop.rows("Deliveries") if (row["run"], row["customer_id"]) == (run, "g0"))
    assert delivery["answers"] == {"clicked"}
    profiles.delete_item(Key={"customer_id": "g0"})
    assert shop.follow(link, "POST", f"choice={second}")[0] == 400


def test_who_takes_replies_sees_nothing_of_a_person(shop: Shop) -> None:
    dynamodb, key = shop.stack.client_of("respond", "dynamodb"), {"customer_id": {"S": "probe"}}
    profile = {"TableName": shop.outputs["ProfilesTableName"], "Key": key}
    assert not denied(dynamodb.get_item, **profile, ProjectionExpression="customer_id")
    assert denied(dynamodb.get_item, **profile)
    assert denied(dynamodb.get_item, **profile, ProjectionExpression="customer_id, phone")
    assert denied(dynamodb.update_item, **profile)
    row = {"invitation": {"S": "a"}, "entry": {"S": "b"}}
    assert denied(dynamodb.delete_item, TableName=shop.outputs["InvitationsTableName"], Key=row)
    assert denied(dynamodb.scan, TableName=shop.outputs["InvitationsTableName"])
    bucket = shop.outputs["BucketName"]
    assert denied(shop.stack.client_of("respond", "s3").list_objects_v2, Bucket=bucket, Prefix="ledger/")


def test_senders_may_do_no_more_than_they_need(shop: Shop) -> None:
    outputs, client_of = shop.outputs, shop.stack.client_of
    profile = {"TableName": outputs["ProfilesTableName"], "Key": {"customer_id": {"S": "probe"}}}
    for function in ("launch", "unsubscribe", "track", "refresh"):
        assert denied(client_of(function, "dynamodb").get_item, **profile)
    assert denied(client_of("deliver", "dynamodb").delete_item, **profile)
    assert denied(client_of("deliver", "dynamodb").scan, TableName=outputs["ProfilesTableName"])
    assert denied(client_of("deliver", "s3").list_objects_v2, Bucket=outputs["BucketName"], Prefix="ledger/")
    people = {"Bucket": outputs["BucketName"], "Key": "ledger/customers/shard=0000/people.parquet"}
    for function in ("deliver", "launch", "plan_refresh"):  # of the ledger, no more than what is nobody's own
        assert denied(client_of(function, "s3").get_object, **people)
    assert denied(client_of("launch", "sqs").receive_message, QueueUrl=outputs["DeliveryQueueUrl"])
    topic = shop.physical_id("EngagementTopic")
    assert denied(client_of("deliver", "sns").publish, TopicArn=topic, Message="{}")


def test_the_push_endpoint_of_an_erased_person_is_removed(shop: Shop) -> None:
    (found,) = shop.stack.client("cloudformation").describe_stacks(StackName="campaigns")["Stacks"]
    (arn,) = (one["ParameterValue"] for one in found["Parameters"] if one["ParameterKey"] == "FcmApplicationArn")
    sns = shop.stack.client("sns")  # the endpoint is there since the first push to them
    endpoint = sns.create_platform_endpoint(PlatformApplicationArn=arn, Token="token-c1")["EndpointArn"]
    asked = json.dumps({"customers": ["c1"]}).encode()
    answer = shop.stack.client("lambda").invoke(FunctionName=shop.physical_id("ForgetFunction"), Payload=asked)
    proof = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, proof
    assert (proof["done"], proof["clean"]) == (True, True)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_endpoint_attributes(EndpointArn=endpoint)


def denied(call: Any, **arguments: Any) -> bool:
    """Whether AWS refuses a call to whom makes it; other errors pass through."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}:
            return True
        raise
    return False
