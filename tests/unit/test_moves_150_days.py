"""Time alone: 150 days without a new file, and exactly the changes that recomputing each day from nothing gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from dangol.engagement.events import tag_of
from dangol.engine import connect
from dangol.ledger.shard import ShardLedger
from dangol.moves.engage import EngagementRecorder
from dangol.segments.classify import classify
from dangol.segments.compute import make_features, make_interactions
from dangol.segments.policy import default_policy

from tests.world import FIRST_DAY, SHOP, World

DAYS = 150
Members = dict[str, frozenset[str]]
Change = tuple[date, str, str, str]
"""Day, customer, segment, 'entered' or 'exited'."""

CUSTOMERS = """customer_id,gender,city,subscribed_on,accepts_email,birthday
c1,F,서울,2024-01-01,yes,1990-03-01
c2,M,부산,2025-12-20,yes,1985-07-07
c3,F,수원,2025-09-20,no,
c4,,성남시,2025-12-31,yes,
s1,F,인천,2025-12-01,yes,
s2,M,서울,2026-02-10,yes,
"""
INTERESTS = """customer_id,kind,product_id,happened_at
s1,cart,p1,2025-12-31 10:00
c2,wishlist,p2,2025-12-30 10:00
"""


def orders() -> str:
    rows = [f"a{n},c1,2025-12-{10 + n:02},2500000" for n in range(21)]
    rows += [f"b{n},c2,2025-11-{10 + n:02},300000" for n in range(12)]
    rows += ["c1,c3,2025-12-28,90000", "d1,c4,2025-10-20,1200000", "d2,c4,2025-11-20,40000"]
    rows += ["e1,c5,2026-02-01,70000", "e2,c6,2025-12-31,3000000"]  # e1: of a day to come
    return "order_id,customer_id,ordered_at,amount\n" + "\n".join(rows) + "\n"


def opened(customer_id: str, at: str) -> str:
    mail = {"timestamp": at, "messageId": f"m-{customer_id}-{at}", "tags": {"dangol-customer": [tag_of(customer_id)]}}
    return json.dumps(
        {"eventType": "Open", "mail": mail, "open": {"timestamp": at, "userAgent": "Mozilla/5.0 (iPhone)"}}
    )


@pytest.fixture
def world() -> Iterator[World]:
    with World(shards=1, policy=default_policy()) as world:
        for kind, text in (("orders", orders()), ("customers", CUSTOMERS), ("interests", INTERESTS)):
            world.ingest(world.drop(text, 1, f"incoming/{kind}/a.csv"))
        with TemporaryDirectory() as scratch, connect(SHOP, Path(scratch)) as connection:
            events = [opened("c1", "2025-12-30T01:00:00Z"), opened("s1", "2025-12-05T01:00:00Z")]
            EngagementRecorder(connection, world.store, 1, Path(scratch)).take(dict(enumerate_text(events)))
        yield world


def enumerate_text(texts: list[str]) -> list[tuple[str, str]]:
    return [(str(number), text) for number, text in enumerate(texts)]


def recomputed(world: World, days: list[date]) -> list[Members]:
    """Who is in which segments on each of the days, from the ledger and nothing before it."""
    found = []
    with TemporaryDirectory() as scratch, connect(SHOP, Path(scratch)) as connection:
        ledger = ShardLedger(connection, world.store, None, Path(scratch))
        ledger.load(ledger.keys())
        sources = ledger.sources()
        for day in days:
            make_interactions(connection, sources, day)
            make_features(connection, sources, day, world.policy.needs.features)
            classify(connection, world.policy, day)
            rows: list[Any] = connection.execute("SELECT customer_id, segment, segments FROM customers").fetchall()
            found.append({who: frozenset([segment, *others]) for who, segment, others in rows})
    return found


def between(day: date, before: Members, after: Members) -> Iterator[Change]:
    for who in before.keys() | after.keys():
        was, now = before.get(who, frozenset()), after.get(who, frozenset())
        yield from ((day, who, segment, "entered") for segment in now - was)
        yield from ((day, who, segment, "exited") for segment in was - now)


def test_150_days_change_what_recomputing_every_day_changes(world: World) -> None:
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS + 1)]
    world.work_off()
    for day in days[1:]:
        world.refresh_all(day)

    told = world.bus.of("Segment Changed")
    heard = {(date.fromisoformat(e["as_of"]), e["customer_id"], e["segment"], e["change"]) for e in told}
    states = [{}, *recomputed(world, days)]
    expected = {change for n, day in enumerate(days) for change in between(day, states[n], states[n + 1])}
    assert heard == expected
    assert len(told) == len(heard) == len({event["id"] for event in told})  # each once
    assert len([change for change in heard if change[0] > FIRST_DAY]) > 50
    moved = {segment for day, _, segment, _ in heard if day > FIRST_DAY}
    assert {"engaged", "cooling", "semi_engaged", "drifting", "unengaged", "at_risk", "cart_waiting"} <= moved

    end = states[-1]
    assert {who: frozenset(one.segments) for who, one in world.tables.customers.items()} == end
    assert {(m.segment, m.customer_id) for m in world.tables.memberships.values()} == {
        (segment, who) for who, segments in end.items() for segment in segments
    }


def test_the_ledger_of_changes_holds_what_was_told(world: World) -> None:
    world.work_off()
    for number in range(1, 40):
        world.refresh_all(FIRST_DAY + timedelta(days=number))
    with connect(SHOP, world.bucket) as connection:
        query = f"SELECT id FROM read_parquet('{world.bucket}/ledger/changes/*/*.parquet', hive_partitioning = false)"
        kept = [change for (change,) in connection.execute(query).fetchall()]
    assert sorted(kept) == sorted(event["id"] for event in world.bus.of("Segment Changed"))


def test_what_was_bought_last_stands_while_only_time_passes_and_follows_an_order_that_comes_due() -> None:
    header = "order_id,customer_id,ordered_at,amount,product_name,category"
    orders = [
        header,
        "o1,c1,2025-12-20,100,코트,아우터",
        "o2,c1,2026-01-04,100,니트,상의",
        "o3,c2,2025-12-01,100,가방,잡화",
    ]
    with World(shards=1) as world:
        world.ingest(world.drop("\n".join(orders) + "\n", 1))
        seen = []
        for day in range(1, 7):
            world.refresh_all(FIRST_DAY + timedelta(days=day))
            of = world.tables.customers
            seen.append((of["c1"].last_product, of["c1"].favorite_category, of["c2"].last_product))
    due = 2  # days after which o2 is there
    assert seen == [("코트", "아우터", "가방")] * due + [("니트", "상의", "가방")] * (6 - due)
