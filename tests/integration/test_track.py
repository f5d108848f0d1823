"""Function `track`, and what is noted of a message by it: bounces, opens, clicks, and that SES took it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from dangol import wiring
from dangol.aws.profiles import DynamoProfiles
from dangol.moves.campaign.messages import Delivery, Status

from functions.track import app as track
from tests.integration.conftest import Aws, Context, body_of, example, with_body
from tests.integration.services import RUN, put_person, tracked
from tests.schemas import problems
from tests.senders import NOON, profile_row

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def book(aws: Aws) -> DynamoProfiles:
    return DynamoProfiles(boto3.resource("dynamodb"), aws.profiles)


def test_bounces_complaints_opens_and_clicks_are_noted(aws: Aws, context: Context, book: DynamoProfiles) -> None:
    put_person(aws)
    table = boto3.resource("dynamodb").Table(aws.deliveries)
    table.put_item(Item={"run_customer": f"{RUN}#c1", "channel": "email"})
    soft = tracked("Bounce", bounceType="Transient", bouncedRecipients=[{"emailAddress": "c1@example.com"}])
    # what came back tells where the mail was forwarded to, and a complaint whom the provider will name
    hard = tracked("Bounce", bounceType="Permanent", bouncedRecipients=[{"emailAddress": "c1@forwarded.example"}])
    for event, profile in (
        (soft, {}),
        (hard, {"dead_email": "c1@example.com"}),
        (
            tracked("Complaint", "then@example.com", complainedRecipients=[{"emailAddress": "redacted@example.com"}]),
            {
                "unsubscribed_email": int(datetime(2026, 11, 24, 3, 5, tzinfo=UTC).timestamp()),
                "dead_email": "then@example.com",
            },
        ),
    ):
        assert track.handler(event, context) == {"batchItemFailures": []}
        (row,) = aws.rows(aws.profiles)
        assert {name: row[name] for name in ("dead_email", "unsubscribed_email") if name in row} == profile
    assert "dead_email" not in profile_row("c1")
    for event in (
        tracked("Open", userAgent="Mozilla/5.0"),  # Apple's proxy
        tracked("Click", userAgent="Barracuda scanner"),
        tracked("Click", timestamp="2026-11-24T03:00:05.000Z", userAgent="Mozilla/5.0 (iPhone)"),  # at once
        tracked("Open", userAgent="Mozilla/5.0 (iPhone)"),
    ):
        track.handler(event, context)
    (delivery,) = aws.rows(aws.deliveries)
    assert (delivery["answers"], "clicks" in delivery) == ({"opened"}, False)
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


@pytest.mark.parametrize("noted", [Status.UNKNOWN, Status.SKIPPED, Status.DEFERRED])
@pytest.mark.parametrize("before", [None, *Status])
def test_what_a_sender_notes_of_a_message_that_it_did_not_send_takes_the_place_of_nothing_final(
    aws: Aws, before: Status | None, noted: Status
) -> None:
    table = wiring.deliveries()
    new = [Delivery(RUN, person, "email", 0, noted, NOON) for person in ("c1", "c2")]
    if before:
        table.write([replace(new[0], status=before)])
    open_before = before in (None, Status.DEFERRED)
    there = [new[0] if open_before else replace(new[0], status=before or noted), new[1]]
    assert table.note(new) == there
    assert table.read(RUN, 0, "email", ["c1", "c2"]) == {one.customer_id: one for one in there}


def test_of_an_erased_person_no_sending_is_noted(aws: Aws, context: Context) -> None:
    assert track.handler(tracked("Send"), context) == {"batchItemFailures": []}
    assert (aws.rows(aws.deliveries), aws.rows(aws.profiles)) == ([], [])
    wiring.profiles().block(["c1"])
    assert track.handler(tracked("Send"), context) == {"batchItemFailures": []}
    assert aws.rows(aws.deliveries) == []


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
