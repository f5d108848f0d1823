"""Customers, interests and e-mail engagement on the local AWS: from what is dropped and told to segments."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from dangol.configuration import to_json

from examples.sandbox.local_aws import ROOT, wait_for
from tests.e2e.test_pipeline import ORDERS, TODAY, Shop, logs, segments, shop
from tests.schemas import problems

__all__ = ["shop"]  # the fixture

CUSTOMERS = """회원번호,이름,이메일,성별,도시,가입일,이메일수신
c1,김단골,kim.dangol@example.com,여,서울특별시 마포구,2025-01-01,Y
s1,박구독,park.gudok@example.com,남,부산,2026-07-01,Y
"""
INTERESTS = """회원번호,구분,상품번호,일시
s1,장바구니,p1,2026-11-19 10:00
"""


def ids(shop: Shop, customer_id: str) -> set[str]:
    found = [row for row in shop.rows("Customers") if row["customer_id"] == customer_id]
    return set(found[0]["segments"]) if found else set()


def told_by_ses(shop: Shop, *bodies: dict[str, Any]) -> None:
    """What SES does: the local AWS has no event publishing."""
    topic = shop.outputs["EngagementTopicArn"]
    for body in bodies:
        shop.client("sns").publish(TopicArn=topic, Message=json.dumps(body))


def test_people_become_customers_and_engagement_moves_them(shop: Shop) -> None:
    for kind, text in (("orders", ORDERS), ("customers", CUSTOMERS), ("interests", INTERESTS)):
        shop.drop(f"incoming/{kind}/a.csv", text)
        receipt = shop.receipt(f"incoming/{kind}/a.csv")
        assert (receipt["status"], problems("runs-file", [receipt])) == ("ingested", [])
    wait_for("the queues are empty", shop.settled)
    wait_for("both are in their segments", lambda: {"near_seoul", "female_vip"} <= ids(shop, "c1"))
    assert {"never_purchased", "cart_waiting", "unengaged", "male"} <= ids(shop, "s1")
    assert "near_seoul" not in ids(shop, "s1")

    records = json.loads((ROOT / "events/record_engagement.json").read_text("utf-8"))["Records"]
    events = [json.loads(record["body"]) for record in records]
    for event in events:
        event["mail"]["tags"]["dangol-customer"] = ["s1"]
    told_by_ses(shop, *events)
    keys = lambda: shop.client("s3").list_objects_v2(Bucket=shop.bucket, Prefix="ledger/engagement/").get("KeyCount")  # noqa: E731
    wait_for("the events are in the ledger", keys, timeout=120)
    assert shop.run(as_of=TODAY.isoformat())["status"] == "SUCCEEDED"
    assert {"engaged", "never_purchased"} <= ids(shop, "s1")
    assert "unengaged" not in ids(shop, "s1")

    # Time alone: thirty-one days later nobody has written, bought or clicked.
    shop.run(as_of=(TODAY + timedelta(days=31)).isoformat())
    assert "engaged" not in ids(shop, "s1")
    assert "cooling" in ids(shop, "s1")
    assert problems("customers", shop.rows("Customers")) == []
    assert shop.waiting("EngagementDeadLetters") == 0
    personal = ("김단골", "kim.dangol", "박구독", "park.gudok", "마포구", "부산")
    seen = json.dumps([shop.kinds(), shop.rows("Customers"), shop.rows("Runs")], ensure_ascii=False) + logs(shop)
    assert [word for word in personal if word in seen] == []


def test_a_pushed_configuration_goes_live_as_one_version(shop: Shop) -> None:
    shop.drop("incoming/orders/a.csv", ORDERS)
    shop.receipt("incoming/orders/a.csv")
    pushed = {
        "segments.yaml": b'rfm:\n  - {id: buyer, where: "orders_lifetime >= 1"}\nscores: standard\n',
        "rates.yaml": b"rates:\n  - {currency: USD, on: 2026-11-21, rate: 1400}\n",
    }
    shop.drop("config/pushed/20261122T000000Z-1", to_json(pushed))
    run = wait_for("the daily run is over", lambda: shop.runs("daily"))[0]
    assert run["reason"] == "configuration"
    (outcome,) = shop.runs("configuration")
    assert (outcome["id"], outcome["status"]) == ("20261122T000000Z-1", "live")
    assert problems("runs-configuration", [outcome]) == []
    assert set(segments(shop).values()) == {"buyer", "unclassified"}
    assert problems("customers", shop.rows("Customers")) == []
    assert all("r_score" in row for row in shop.rows("Customers") if row["segment"] == "buyer")

    foreign = "주문번호,고객번호,주문일시,결제금액,통화\nu1,c9,2026-11-22 10:00,100,USD\n"
    shop.drop("incoming/orders/usd.csv", foreign)
    assert shop.receipt("incoming/orders/usd.csv")["rows_accepted"] == 1
    wait_for("the queues are empty", shop.settled)
    (kim,) = (row for row in shop.rows("Customers") if row["customer_id"] == "c9")
    assert kim["revenue_lifetime"] == 140_000
