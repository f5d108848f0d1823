"""Function `unsubscribe`: whom a link takes off the list, and that the ledger keeps it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from dangol import wiring
from dangol.campaigns.links import Action, Link, sign
from dangol.ledger.layout import shard_of

from functions.ingest import app as ingest
from functions.record_engagement import app as record_engagement
from functions.refresh import app as refresh
from functions.unsubscribe import app as unsubscribe
from tests.integration.conftest import LINK_KEY, SHARDS, Aws, Context, body_of, example, with_body
from tests.integration.services import RUN, put_person
from tests.schemas import problems

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


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
