"""Customers, products, interests and engagement: from what is dropped to segments, as orders go."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from dangol.engagement.events import tag_of
from dangol.engine import connect
from dangol.identity import LOCAL_KEY, person
from dangol.moves.engage import EngagementRecorder, Recorded
from dangol.segments.policy import Policy, load_policy

from tests.world import FIRST_DAY, SHOP, Row, World

POLICY = """
rfm:
  - {id: buyer, where: "orders_lifetime >= 1"}
segments:
  - {id: never_purchased, where: "orders_lifetime == 0"}
  - {id: engaged, where: "days_since_engaged <= 30"}
  - {id: unengaged, where: "days_unengaged >= 120"}
  - {id: women, where: "gender == 'female'"}
  - {id: near_seoul, where: "near('Seoul', 20)"}
  - {id: coat_buyers, where: "bought('아우터', 30 days)"}
  - {id: with_cart, where: "cart_items >= 1"}
  - {id: reachable, where: "accepts_email"}
"""


def policy() -> Policy:
    return load_policy(POLICY.encode(), "config/segments.yaml")


@pytest.fixture
def world() -> Any:
    with World(shards=2, policy=policy()) as world:
        yield world


def drop(world: World, kind: str, text: str, second: int) -> Any:
    receipt = world.ingest(world.drop(text, second, f"incoming/{kind}/{second}.csv"))
    world.work_off()
    return receipt


def segments(world: World, customer_id: str) -> set[str]:
    return set(world.tables.customers[customer_id].segments)


def ses(kind: str, customer_id: str, at: str, **details: str) -> str:
    """An event as SES publishes it; `at` is UTC."""
    mail = {"timestamp": "2026-01-01T00:00:00Z", "messageId": f"m-{customer_id}", "tags": {}}
    mail["tags"] = {"dangol-customer": [tag_of(customer_id)], "dangol-run": ["welcome"]}
    return json.dumps({"eventType": kind, "mail": mail, kind.lower(): {"timestamp": at, **details}})


def record(world: World, *bodies: str) -> Recorded:
    with TemporaryDirectory() as scratch, connect(SHOP, Path(scratch)) as connection:
        recorder = EngagementRecorder(connection, world.store, world.shards, Path(scratch))
        return recorder.take({str(number): body for number, body in enumerate(bodies)})


def test_a_subscriber_who_never_bought_is_in_segments(world: World) -> None:
    drop(
        world, "customers", "customer_id,gender,city,accepts_email\nc1,여,서울특별시 강남구,동의\nc2,남,부산,거부\n", 1
    )
    assert segments(world, "c1") == {"unclassified", "never_purchased", "women", "near_seoul", "reachable"}
    assert segments(world, "c2") == {"unclassified", "never_purchased"}


def test_a_later_file_with_fewer_columns_empties_nothing(world: World) -> None:
    drop(world, "customers", "customer_id,gender,accepts_email\nc1,F,yes\n", 1)
    drop(world, "customers", "customer_id,accepts_email\nc1,no\n", 2)
    assert segments(world, "c1") == {"unclassified", "never_purchased", "women"}


def test_the_newer_upload_counts_whatever_comes_first(world: World) -> None:
    newer = world.drop("customer_id,gender\nc1,M\n", 2, "incoming/customers/new.csv")
    older = world.drop("customer_id,gender\nc1,F\n", 1, "incoming/customers/old.csv")
    for file in (newer, older):
        world.ingest(file)
        world.work_off()
    assert "women" not in segments(world, "c1")


def test_a_person_is_one_in_orders_customers_and_interests(world: World) -> None:
    key = person(None, "kim@example.com", None, LOCAL_KEY)
    assert key is not None
    drop(world, "customers", "email,gender\nKim@Example.com,F\n", 1)
    drop(world, "interests", "email,kind,product_id,happened_at\nkim@example.com,cart,p1,2026-01-01\n", 2)
    assert segments(world, key) == {"unclassified", "never_purchased", "women", "with_cart"}


def test_categories_come_from_the_products_where_orders_have_none(world: World) -> None:
    drop(world, "orders", "order_id,customer_id,ordered_at,amount,product_id\no1,c1,2026-01-01,100,p1\n", 1)
    assert segments(world, "c1") == {"buyer"}
    drop(world, "products", "product_id,product_name,category\np1,울 코트,아우터\n", 2)
    assert segments(world, "c1") == {"buyer", "coat_buyers"}
    assert world.tables.customers["c1"].last_category == "아우터"
    world.refresh_all(FIRST_DAY + timedelta(days=30))
    assert segments(world, "c1") == {"buyer"}


def test_what_was_bought_leaves_the_cart(world: World) -> None:
    drop(world, "orders", "order_id,customer_id,ordered_at,amount\no1,c1,2025-12-01,100\n", 1)
    drop(world, "interests", "customer_id,kind,product_id,happened_at\nc1,장바구니,p1,2025-12-31\n", 2)
    assert "with_cart" in segments(world, "c1")
    drop(world, "orders", "order_id,customer_id,ordered_at,amount,product_id\no2,c1,2026-01-01,100,p1\n", 3)
    assert "with_cart" not in segments(world, "c1")


def test_engagement_moves_people_and_time_alone_moves_them_back(world: World) -> None:
    world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
    world.work_off()
    delivered = ses("Delivery", "c1", "2026-01-02T00:00:00Z")
    opened = ses("Open", "c1", "2026-01-02T05:00:00Z", userAgent="Mozilla/5.0 (iPhone)")
    assert record(world, delivered, opened) == Recorded(events=2, of_others=0, unreadable=())
    world.refresh_all(date(2026, 1, 2))
    assert "engaged" in segments(world, "c1")
    assert world.tables.customers["c1"].last_open_on == date(2026, 1, 2)
    world.refresh_all(date(2026, 2, 1))
    assert "engaged" in segments(world, "c1")
    world.refresh_all(date(2026, 2, 2))
    assert segments(world, "c1") == {"buyer"}
    world.refresh_all(date(2026, 5, 2))
    assert segments(world, "c1") == {"buyer", "unengaged"}


def test_scanners_do_not_engage(world: World) -> None:
    world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
    record(
        world,
        ses("Delivery", "c1", "2026-01-02T00:00:00Z"),
        ses("Click", "c1", "2026-01-02T00:00:04Z", link="https://shop.example/a", userAgent="Mozilla/5.0 (X11)"),
    )
    world.refresh_all(date(2026, 1, 3))
    assert segments(world, "c1") == {"buyer"}


def test_the_same_events_again_and_in_other_batches_write_nothing(world: World) -> None:
    world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
    events = [ses("Open", "c1", f"2026-01-02T05:00:0{second}Z") for second in range(3)]
    record(world, *events)
    world.refresh_all(date(2026, 1, 3))
    written = len(world.tables.written)
    record(world, *events[1:])
    record(world, *events)
    world.refresh_all(date(2026, 1, 3))
    assert len(world.tables.written) == written


def test_what_is_no_event_is_given_back_and_the_others_are_kept(world: World) -> None:
    of_others = json.dumps({"eventType": "Open", "mail": {"timestamp": "2026-01-02T05:00:00Z", "messageId": "x"}})
    found = record(world, "no JSON", ses("Open", "c1", "2026-01-02T05:00:00Z"), of_others, "[]", "{}")
    assert found == Recorded(events=1, of_others=1, unreadable=("0", "3", "4"))
    odd = ['{"eventType": "Open", "mail": "x"}', '{"eventType": "Open", "mail": {"tags": {"dangol-customer": [5]}}}']
    found = record(world, *odd, ses("Open", "c1", "2026-01-02T06:00:00Z"))
    assert found == Recorded(events=1, of_others=0, unreadable=("0", "1"))


def test_that_ses_tries_the_topic_is_no_event_and_no_dead_letter(world: World) -> None:
    tried = "Successfully validated SNS topic for Amazon SES event publishing."
    assert record(world, tried) == Recorded(events=0, of_others=0, unreadable=())


def test_many_objects_become_one_that_reads_the_same(world: World) -> None:
    world.drop_and_ingest([Row("o1", "c1", 0, 100)], second=1)
    for number in range(9):
        drop(world, "customers", f"customer_id,city\nc1,도시{number}\n", 10 + number)
        drop(world, "products", f"product_id,product_name\np{number},상품\n", 30 + number)
        drop(
            world, "interests", f"customer_id,kind,product_id,happened_at\nc1,cart,p{number},2026-01-01\n", 50 + number
        )
        record(world, ses("Open", "c1", f"2026-01-01T05:00:0{number}Z"))
    drop(world, "customers", "customer_id,gender\nc1,F\n", 90)
    before = world.tables.customers["c1"]
    world.refresh_all(FIRST_DAY)
    for kind in ("customers", "products", "interests", "engagement"):
        bases = [key for key in world.store.keys(f"ledger/{kind}/") if "/base-" in key]
        assert len(bases) == 1, kind
    assert world.tables.customers["c1"] == before
    assert {"women", "with_cart"} <= segments(world, "c1")
    with world.copy() as rebuilt:
        rebuilt.refresh_all(FIRST_DAY, "rebuild")
        assert rebuilt.tables.customers == world.tables.customers


def test_a_place_that_is_none_is_told(world: World) -> None:
    receipt = drop(world, "pictures", "a,b\n1,2\n", 1)
    assert receipt["status"] == "rejected"
    assert "drop it under one of incoming/orders/, incoming/customers/" in receipt["reason"]


def test_rejected_rows_of_customers_lie_in_rejects(world: World) -> None:
    receipt = drop(world, "customers", "customer_id,gender\nc1,?\nc2,F\n", 1)
    assert (receipt["rows_accepted"], receipt["rows_rejected"], receipt["reasons"]) == (1, 1, {"gender": 1})
    assert receipt["rejects_key"].startswith("rejects/customers/1.csv.")


def test_personal_data_stays_in_the_ledger(world: World) -> None:
    header = "customer_id,customer_name,email,phone,city,birthday,gender"
    drop(world, "customers", f"{header}\nc1,김단골,kim@example.com,010-1234-5678,서울,1990-03-01,F\n", 1)
    told = repr((world.tables.customers, world.tables.memberships, world.bus.events, world.runs.noted))
    for personal in ("김단골", "kim@", "1234-5678", "8210", "서울", "Seoul", "1990", "female"):
        assert personal not in told
