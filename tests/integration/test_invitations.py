"""Invitations through the functions, the table and the command: from the message's links to the list of guests."""

from __future__ import annotations

import csv
import json
import random
from base64 import b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.exceptions import ClientError
from dangol import wiring
from dangol.aws import conditions
from dangol.aws.profiles import DynamoProfiles
from dangol.aws.replies import DynamoReplies
from dangol.campaigns.invitations.replies import DECLINE, Reply
from dangol.configuration import to_json
from dangol.moves.campaign.respond import KEPT, Busy, Responder, SlotFull
from dangol.moves.configure import LIVE_KEY

from functions.deliver import app as deliver
from functions.launch import app as launch
from functions.respond import app as respond
from tests.guests import FIRST, NOW, ONLINE, RUN, SECOND, TEXT, FakeAnswers, FakeGuests, style_talk, token
from tests.integration.conftest import LINK_KEY, Aws, Context, example, with_body
from tests.integration.deployed import Dangol, command, deploy
from tests.integration.services import MESSAGING
from tests.messages import SENDER
from tests.schemas import problems
from tests.senders import HELLO, profile_row

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

KEY = LINK_KEY.encode()
INVITE = (
    HELLO.format(id="invite", purpose="advertising", more="invitation: style_talk")
    .replace(
        "body: 반가워요.}]\n  push", "body: 반가워요., buttons: [{text: 네, link: '{{ links.accept }}'}]}]\n  push"
    )
    .replace("title: 안녕하세요, body: 반가워요.", "title: 안녕하세요, body: 반가워요., link: '{{ links.decline }}'")
)


@pytest.fixture
def shop(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """An invitation and a campaign that names it are live; noon of 1 December in Seoul; c1 and c2 are known."""
    files = {"messaging.yaml": MESSAGING, "campaigns/invite.yaml": INVITE, "invitations/style_talk.yaml": TEXT}
    live = to_json({name: text.encode() for name, text in files.items()})
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=live)
    for person in ("c1", "c2"):
        boto3.resource("dynamodb").Table(aws.profiles).put_item(Item=profile_row(person) | {"phone": "010-1-2"})
    monkeypatch.setattr(wiring.shared, "now", lambda: NOW)
    return aws


@pytest.fixture
def replies(aws: Aws) -> DynamoReplies:
    return DynamoReplies(boto3.resource("dynamodb"), aws.invitations)


def request(method: str, token: str, **form: str) -> dict[str, Any]:
    event = example("respond")
    event["requestContext"]["http"]["method"] = method
    event["queryStringParameters"] = {"token": token}
    return event | {"body": b64encode(urlencode(form).encode()).decode()}


def seats(aws: Aws) -> dict[str, int]:
    """Seats taken by slot, as the table counts them, after they were found to be what the replies say."""
    rows = aws.rows(aws.invitations)
    assert problems("invitations", rows) == []
    counted = {(row["invitation"], row["entry"]): int(row["taken"]) for row in rows if "taken" in row}
    booked = Counter((row["invitation"], f"slot#{row['slot']}") for row in rows if row.get("status") == "accepted")
    assert +Counter(counted) == booked
    return {entry.removeprefix("slot#"): count for (_, entry), count in booked.items()}


def test_a_guest_looks_books_moves_and_declines_by_the_link(shop: Aws, context: Context) -> None:
    link = token("c1", key=KEY)
    table = boto3.resource("dynamodb").Table(shop.deliveries)
    table.put_item(Item={"run_customer": f"{RUN}#c1", "channel": "email"})
    shown = respond.handler(request("GET", link), context)
    assert (shown["statusCode"], '<form method="post">' in shown["body"]) == (200, True)
    assert shown["headers"]["Cache-Control"] == "no-store"
    assert shown["headers"]["Referrer-Policy"] == "no-referrer"
    assert shop.rows(shop.invitations) == []
    booked = respond.handler(request("POST", link, choice=FIRST), context)
    assert (booked["statusCode"], "예약되었습니다" in booked["body"], "단골상점" in booked["body"]) == (200, True, True)
    assert (seats(shop), shop.rows(shop.deliveries)[0]["answers"]) == ({FIRST: 1}, {"clicked"})
    full = respond.handler(request("POST", token("c2", key=KEY), choice=FIRST), context)
    assert (full["statusCode"], "방금 마감되었어요" in full["body"]) == (409, True)
    assert respond.handler(request("POST", link, choice=ONLINE), context)["statusCode"] == 200
    assert seats(shop) == {ONLINE: 1}
    assert respond.handler(request("POST", link), context)["statusCode"] == 400
    assert respond.handler(request("POST", link, choice=DECLINE), context)["statusCode"] == 200
    assert seats(shop) == {}
    (reply,) = (row for row in shop.rows(shop.invitations) if "customer_id" in row)
    assert (reply["status"], reply["run"], reply["replied_at"]) == ("declined", RUN, "2026-12-01T03:00:00+00:00")
    assert int(reply["expires_at"]) == int((style_talk().ends_at + KEPT).timestamp())


def test_links_that_are_not_the_persons_own_do_nothing(shop: Aws, context: Context) -> None:
    good = token("c1", key=KEY)
    erased = token("gone", key=KEY)
    for bad in ("", "nonsense", good[:-2], token("c1"), good.replace("W", "X", 1), erased):
        for event in (request("GET", bad), request("POST", bad, choice=FIRST)):
            assert respond.handler(event, context)["statusCode"] == 400
    late = token("c1", until=NOW - timedelta(minutes=1), key=KEY)
    assert respond.handler(request("GET", late), context)["statusCode"] == 200
    assert respond.handler(request("POST", late, choice=FIRST), context)["statusCode"] == 410
    assert shop.rows(shop.invitations) == []


def test_an_event_as_lambda_gives_it_is_answered(shop: Aws, context: Context) -> None:
    event = example("respond")
    assert respond.choice_of(event) == FIRST
    assert respond.choice_of(event | {"body": f"choice={FIRST}", "isBase64Encoded": False}) == FIRST
    assert respond.choice_of({}) == ""
    for nonsense in ("choice=%FF%FE", "\x00", "&" * 900, "x" * 2000 + f"&choice={FIRST}"):
        assert respond.choice_of({"body": nonsense}) != FIRST
    assert respond.choice_of({"body": "/////w==", "isBase64Encoded": True}) == ""
    assert respond.handler(event, context)["statusCode"] == 400  # its token is an example


def test_forty_guests_at_once_take_five_seats(shop: Aws, replies: DynamoReplies) -> None:
    five = style_talk(TEXT.replace("capacity: 2", "capacity: 5"))
    responder = Responder(replies, FakeAnswers(), FakeGuests(), lambda _: five, [KEY], SENDER, lambda: NOW)
    with ThreadPoolExecutor(40) as pool:
        results = Counter(pool.map(lambda n: responder.reply(token(f"c{n}", key=KEY), SECOND).result.value, range(40)))
    assert results == {"booked": 5, "full": 35}
    assert seats(shop) == {SECOND: 5}


def test_guests_who_choose_at_random_at_once_leave_seats_and_replies_in_step(shop: Aws, replies: DynamoReplies) -> None:
    responder = Responder(replies, FakeAnswers(), FakeGuests(), lambda _: style_talk(), [KEY], SENDER, lambda: NOW)
    rng = random.Random(5)
    moves = [(f"c{rng.randrange(6)}", rng.choice([FIRST, SECOND, ONLINE, DECLINE])) for _ in range(60)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda move: responder.reply(token(move[0], key=KEY), move[1]), moves))
    assert all(count <= {FIRST: 1, SECOND: 2, ONLINE: 1}[slot] for slot, count in seats(shop).items())


def reply(person: str, slot: str | None, invitation: str = "style_talk") -> Reply:
    return Reply(invitation, person, slot, RUN, NOW)


def test_a_reply_takes_the_place_of_the_one_that_was_read_and_of_no_other(shop: Aws, replies: DynamoReplies) -> None:
    until = NOW + KEPT
    first, second, none = reply("c1", FIRST), reply("c1", SECOND), reply("c1", None)
    assert replies.replace(None, first, 1, until)
    for stale in (None, none, second):
        assert not replies.replace(stale, reply("c1", ONLINE), 1, until)
    with pytest.raises(SlotFull):
        replies.replace(None, reply("c2", FIRST), 1, until)
    assert (replies.find("style_talk", "c1"), replies.find("style_talk", "c2"), seats(shop)) == (
        first,
        None,
        {FIRST: 1},
    )
    assert replies.replace(first, none, 0, until)
    assert not replies.replace(first, second, 2, until)
    assert replies.replace(none, second, 2, until)
    assert (replies.replies("style_talk"), seats(shop)) == ([second], {SECOND: 1})


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that a writer would make."""
    waits: list[float] = []
    monkeypatch.setattr(conditions.time, "sleep", waits.append)
    return waits


def meeting_others(replies: DynamoReplies, times: int, *reasons: str) -> None:
    """Let DynamoDB refuse the first writes for these reasons."""
    client, left = replies._client, iter(range(times))

    def write(**call: Any) -> Any:
        if next(left, None) is None:
            return client.transact_write_items(**call)
        answer: Any = {"Error": {"Code": "TransactionCanceledException"}}
        raise ClientError(answer | {"CancellationReasons": [{"Code": r} for r in reasons]}, "TransactWriteItems")

    replies._client = SimpleNamespace(transact_write_items=write)


def test_a_write_that_meets_another_is_made_again_and_given_up_in_the_end(
    shop: Aws, replies: DynamoReplies, quickly: list[float]
) -> None:
    meeting_others(replies, 5, "None", "TransactionConflict")
    assert replies.replace(None, reply("c1", FIRST), 1, NOW)
    assert (len(quickly), seats(shop)) == (5, {FIRST: 1})
    meeting_others(replies, 1000, "TransactionConflict", "None")
    with pytest.raises(Busy):
        replies.replace(None, reply("c2", SECOND), 2, NOW)
    assert 1 < sum(quickly) < 10  # seconds: far less than the function's timeout
    meeting_others(replies, 1, "ValidationError", "None")
    with pytest.raises(ClientError):
        replies.replace(None, reply("c2", SECOND), 2, NOW)


def test_a_person_whose_seat_expired_before_their_reply_is_forgotten_all_the_same(
    shop: Aws, replies: DynamoReplies
) -> None:
    replies.replace(None, Reply("tea", "c1", "s1", "r", NOW), 1, NOW + timedelta(days=1))
    boto3.resource("dynamodb").Table(shop.invitations).delete_item(Key={"invitation": "tea", "entry": "slot#s1"})
    assert (replies.forget("c1"), shop.rows(shop.invitations)) == (1, [])


def test_forgetting_a_person_frees_their_seats_everywhere(shop: Aws, replies: DynamoReplies) -> None:
    for one in (reply("c1", FIRST), reply("c2", SECOND), reply("c1", SECOND, "tea"), reply("c1", None, "old")):
        assert replies.replace(None, one, 2, NOW + KEPT)
    assert replies.forget("c1") == 3
    assert "c1" not in repr(shop.rows(shop.invitations))
    assert (seats(shop), replies.taken("tea"), replies.forget("c1")) == ({SECOND: 1}, {}, 0)
    assert replies.replace(None, reply("c3", FIRST), 1, NOW + KEPT)


def launched(aws: Aws, context: Context) -> list[dict[str, Any]]:
    """What the pushes and mails of a run of `invite` said, after everything was sent."""
    boto3.resource("dynamodb").Table(aws.memberships).put_item(
        Item={"segment_bucket": "loyal#0", "customer_id": "c1", "segment": "loyal", "since": "2026-11-24"}
    )
    return [launch.handler(example("launch"), context)] + [
        deliver.handler(with_body(example("deliver"), body), context) for body in aws.taken(aws.delivery_queue)
    ]


class Post:
    """SES's and SNS's client in one: keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_bulk_email(self, **call: Any) -> dict[str, Any]:
        entries = call["BulkEmailEntries"]
        self.sent += [e["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"] for e in entries]
        return {"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": "m"} for _ in entries]}

    def publish(self, **call: Any) -> dict[str, str]:
        self.sent.append(call["Message"])
        return {"MessageId": "p"}

    def create_platform_endpoint(self, **call: Any) -> dict[str, str]:
        return {"EndpointArn": "arn:endpoint"}

    def get_account(self) -> dict[str, Any]:
        quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 1_000.0, "SentLast24Hours": 0.0}
        return {"SendingEnabled": True, "ProductionAccessEnabled": True, "SendQuota": quota}

    def get_email_identity(self, **call: Any) -> dict[str, Any]:
        return {"VerifiedForSendingStatus": True}


@pytest.fixture
def post(shop: Aws, monkeypatch: pytest.MonkeyPatch) -> Post:
    sent, client = Post(), boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **more: sent if name in ("sesv2", "sns") else client(name, **more)
    )
    return sent


def test_messages_of_the_campaign_carry_each_persons_links(shop: Aws, context: Context, post: Post) -> None:
    assert launched(shop, context)[0] == {"created": 1, "launched": 1}
    mail, push = sorted(post.sent, key=lambda text: "fcmV1Message" in text)
    found = {}
    for text, action in ((mail, "accept"), (push, "decline")):
        link = text.partition("https://respond.example.com/?token=")[2]
        found[action] = "".join(c for c in link[: link.find("\\")] if c.isalnum() or c in "-_.")
    run = "invite-20261201T0300Z"
    assert respond.handler(request("POST", found["accept"], choice=FIRST), context)["statusCode"] == 200
    assert respond.handler(request("POST", found["decline"], choice=DECLINE), context)["statusCode"] == 200
    (row,) = (row for row in shop.rows(shop.invitations) if "customer_id" in row)
    assert (row["customer_id"], row["run"]) == ("c1", run)
    deliveries = shop.rows(shop.deliveries)
    assert problems("deliveries", deliveries) == []
    assert {row["channel"]: row["answers"] for row in deliveries} == {"email": {"clicked"}, "push": {"clicked"}}


def test_an_invitation_whose_days_are_past_refuses_the_run(
    shop: Aws, context: Context, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring.shared, "now", lambda: NOW + timedelta(days=11))
    assert launched(shop, context)[0] == {"created": 1, "refused": 1}
    (run,) = (row for row in shop.rows(shop.runs) if row["kind"] == "campaign-run")
    assert run["reason"].startswith("invitations/style_talk.yaml: 'answer_by' is past; set new days")
    assert post.sent == []


def test_a_message_that_comes_to_its_turn_after_the_time_to_answer_is_not_sent(
    shop: Aws, context: Context, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.resource("dynamodb").Table(shop.memberships).put_item(
        Item={"segment_bucket": "loyal#0", "customer_id": "c1", "segment": "loyal", "since": "2026-11-24"}
    )
    monkeypatch.setattr(wiring.shared, "now", lambda: NOW.replace(day=11, hour=3))  # Seoul's noon; answers until 15:00
    launch.handler(example("launch"), context)
    monkeypatch.setattr(wiring.shared, "now", lambda: NOW.replace(day=11, hour=6))
    for body in shop.taken(shop.delivery_queue):
        deliver.handler(with_body(example("deliver"), body), context)
    assert {row["reason"] for row in shop.rows(shop.deliveries)} == {"no_variant"}
    assert post.sent == []


# ---- the list for the store --------------------------------------------------------------------------------


@pytest.fixture
def dangol(shop: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run `dangol campaigns invitations` on the stack."""
    deploy(shop, monkeypatch)
    return command(capsys, "campaigns", "invitations")


def test_the_list_says_who_comes_when(dangol: Dangol, replies: DynamoReplies) -> None:
    replies.replace(None, reply("c1", FIRST), 1, NOW)
    replies.replace(None, reply("c2", None), 0, NOW)
    assert dangol("style_talk") == (
        0,
        "style_talk · 취향 이야기 · answers until 2026-12-11 15:00 Asia/Seoul\n"
        "  2026-12-11 14:00–15:00  store      1 of 1 taken\n"
        "    c1  replied 2026-12-01 12:00\n"
        "  2026-12-11 16:00–17:00  store      0 of 2 taken\n"
        "  2026-12-12 11:30–12:15  online     0 of 1 taken\n"
        "  1 accepted, 1 declined\n",
        "",
    )
    assert "    c1  손님c1 010-1-2  replied 2026-12-01 12:00\n" in dangol("style_talk", "--contacts")[1]
    found = json.loads(dangol("style_talk", "--json")[1])
    assert found["slots"][0] == {
        "slot": FIRST,
        "start": "2026-12-11T14:00:00+09:00",
        "place": "store",
        "capacity": 1,
        "taken": 1,
        "guests": [{"customer_id": "c1", "replied_at": "2026-12-01T03:00:00+00:00", "run": RUN, "slot": FIRST}],
    }
    assert [guest["customer_id"] for guest in found["declined"]] == ["c2"]


def test_the_list_for_a_spreadsheet_runs_no_formula(
    shop: Aws, dangol: Dangol, replies: DynamoReplies, tmp_path: Path
) -> None:
    row = profile_row("c1", "=HYPERLINK(1)") | {"phone": "+82 10"}
    boto3.resource("dynamodb").Table(shop.profiles).put_item(Item=row)
    replies.replace(None, reply("c1", FIRST), 1, NOW)
    replies.replace(None, reply("@gone", None), 0, NOW)
    file = tmp_path / "guests.csv"
    assert dangol("style_talk", "--contacts", "--csv", str(file))[0] == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(file.read_text("utf-8-sig").splitlines())) == [
        ["status", "start", "place", "customer_id", "replied_at", "run", "name", "phone"],
        ["accepted", "2026-12-11 14:00", "store", "c1", "2026-12-01 12:00", RUN, "'=HYPERLINK(1)", "'+82 10"],
        ["declined", "", "", "'@gone", "2026-12-01 12:00", RUN, "", ""],
    ]
    assert dangol("style_talk", "--csv", str(file))[0] == 0
    header, *rows = csv.reader(file.read_text("utf-8-sig").splitlines())
    assert header == ["status", "start", "place", "customer_id", "replied_at", "run"]
    assert {len(row) for row in rows} == {6}


def test_a_guest_without_a_seat_is_a_finding(dangol: Dangol, replies: DynamoReplies) -> None:
    replies.replace(None, reply("c1", FIRST), 2, NOW)
    replies.replace(None, reply("c2", FIRST), 2, NOW)
    status, out, _ = dangol("style_talk")
    assert (status, "2 of 1 taken  MORE THAN THERE ARE SEATS: call somebody" in out) == (1, True)
    replies.forget("c2")
    replies.replace(None, reply("c3", "20261201T1000-store"), 2, NOW)
    status, out, _ = dangol("style_talk")
    assert (status, "booked a slot that is no longer offered: call them\n    c3" in out) == (1, True)


def test_an_invitation_that_is_not_live_is_named_with_the_nearest(shop: Aws, dangol: Dangol) -> None:
    assert dangol("style_tak")[2] == "dangol: no invitation 'style_tak' is live; did you mean 'style_talk'?\n"
    shop.s3.delete_object(Bucket=shop.bucket, Key=LIVE_KEY)
    status, _, err = dangol("style_talk")
    assert (status, "no invitation is live; put some into invitations/ of the folder" in err) == (2, True)


def test_who_may_reply_is_told_by_the_profile(shop: Aws) -> None:
    book = DynamoProfiles(boto3.resource("dynamodb"), shop.profiles)
    assert (book.is_known("c1"), book.is_known("gone")) == (True, False)
    book.block(["c1"])  # who is being erased could book again behind the eraser's back
    assert not book.is_known("c1")
