"""Table `Profiles` follows the ledger: only what changed is written, and what senders noted is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from dangol.moves.messages import REBUILD

from tests.fakes import Crash
from tests.senders import FakeProfiles
from tests.world import FIRST_DAY, World

KEY = "incoming/customers/people.csv"
PEOPLE = "customer_id,email,customer_name,accepts_email,email_consent_at,accepts_push,push_token,push_platform\n"
KIM = "c1,kim@example.com,김단골,yes,2025-12-01 10:00,yes,token-1,android\n"
LEE = "c2,lee@example.com,이손님,no,,,,\n"


@pytest.fixture
def world() -> Iterator[World]:
    with World(shards=1) as made:
        made.profiles = FakeProfiles()
        yield made


def drop(world: World, text: str, second: int, key: str = KEY) -> None:
    world.ingest(world.drop(text, second, key))
    world.work_off()


def test_a_customers_file_becomes_profiles(world: World) -> None:
    drop(world, PEOPLE + KIM + LEE, second=1)
    assert world.profiles.rows == {
        "c1": {
            "customer_id": "c1",
            "name": "김단골",
            "email": "kim@example.com",
            "push_token": "token-1",
            "push_platform": "fcm",
            "consents": {
                "email": {"answer": "given", "on": "2025-12-01", "at": 1764550800},  # 01:00 UTC
                "push": {"answer": "given", "on": "2026-01-01"},  # nobody told when: the day of the file
            },
            "revision": 1,
        },
        "c2": {
            "customer_id": "c2",
            "name": "이손님",
            "email": "lee@example.com",
            "consents": {"email": {"answer": "withdrawn", "on": "2026-01-01"}},
            "revision": 1,
        },
    }


def test_a_second_refresh_writes_nobody_and_a_new_file_writes_whom_it_changes(world: World) -> None:
    drop(world, PEOPLE + KIM + LEE, second=1)
    world.refresh_all(FIRST_DAY)
    assert world.profiles.written == ["c1", "c2"]
    drop(world, "customer_id,email\nc1,kim@example.com\nc2,lee@new.example.com\n", second=100_000)
    assert world.profiles.written == ["c1", "c2", "c2"]
    row = world.profiles.rows["c2"]
    assert (row["email"], row["name"]) == ("lee@new.example.com", "이손님")


def test_a_consent_of_a_day_to_come_outlasts_no_refusal(world: World) -> None:
    drop(world, PEOPLE + KIM.replace("2025-12-01 10:00", "2062-12-01 10:00"), second=1)
    assert world.profiles.rows["c1"]["consents"]["email"] == {"answer": "given", "on": "2026-01-01"}
    world.profiles.unsubscribe("c1", "email", datetime(2026, 1, 1, 3, tzinfo=UTC))
    (now,) = world.profiles.read(["c1"]).values()
    assert now.recipient("r1", "Asia/Seoul").consents["email"].answer == "withdrawn"


def test_an_answer_without_a_moment_keeps_the_day_on_which_it_was_first_seen(world: World) -> None:
    drop(world, PEOPLE + LEE, second=1)
    drop(world, PEOPLE + LEE.replace("이손님", "이단골"), second=200_000)
    assert world.profiles.rows["c2"]["name"] == "이단골"
    assert world.profiles.rows["c2"]["consents"]["email"]["on"] == "2026-01-01"
    drop(world, PEOPLE + LEE.replace(",no,", ",yes,"), second=400_000)
    assert world.profiles.rows["c2"]["consents"]["email"] == {"answer": "given", "on": "2026-01-06"}  # 05:06 in Seoul


def test_a_withdrawal_in_a_newer_file_wins(world: World) -> None:
    drop(world, PEOPLE + KIM, second=1)
    drop(world, "customer_id,accepts_email\nc1,no\n", second=100)
    consent = world.profiles.rows["c1"]["consents"]["email"]
    assert consent == {"answer": "withdrawn", "on": "2026-01-01"}


def test_what_senders_noted_is_left_alone(world: World) -> None:
    drop(world, PEOPLE + KIM, second=1)
    own = {"claims": {"run#0#email": ["call", 1, 2]}, "sent": {"email": [1]}, "unsubscribed_email": 1}
    world.profiles.note("c1", **own)
    drop(world, PEOPLE + KIM.replace("kim@", "kim.new@"), second=100)
    row = world.profiles.rows["c1"]
    assert (row["email"], {name: row[name] for name in own}) == ("kim.new@example.com", own)


def test_contacts_of_orders_fill_what_customers_files_do_not_say(world: World) -> None:
    header = "order_id,customer_id,ordered_at,amount,email,customer_name,product_name,category\n"
    kim, choi = "kim@old.example.com,김주문,가방,잡화\n", "choi@example.com,최구매,코트,아우터\n"
    orders = f"o1,c1,2026-01-01,100,{kim}o2,c3,2026-01-01,100,{choi}"
    drop(world, header + orders, second=1, key="incoming/orders/a.csv")
    drop(world, PEOPLE + KIM, second=2)
    one, other = world.profiles.rows["c1"], world.profiles.rows["c3"]
    assert (one["email"], one["name"], one["last_product"]) == ("kim@example.com", "김단골", "가방")
    assert (other["email"], other["name"], other["last_category"]) == ("choi@example.com", "최구매", "아우터")
    assert other["purchase"] == {"on": "2026-01-01", "kinds": ["아우터"]}
    assert "consents" not in other


def test_a_merged_account_is_written_to_no_more_and_its_withdrawal_counts(world: World) -> None:
    drop(world, PEOPLE + KIM + LEE, second=1)
    drop(world, "customer_id,merged_into\nc2,c1\n", second=100)
    assert set(world.profiles.rows) == {"c1"}
    assert world.profiles.rows["c1"]["consents"]["email"]["answer"] == "withdrawn"
    assert world.profiles.rows["c1"]["email"] == "kim@example.com"


def test_consent_to_ad_audiences_is_one_of_its_own_and_the_stricter_of_merged_accounts_counts(world: World) -> None:
    drop(world, "customer_id,email,제3자 제공동의\nc1,kim@example.com,동의\nc2,lee@example.com,거부\n", second=1)
    assert world.profiles.rows["c1"]["consents"] == {"ad_audiences": {"answer": "given", "on": "2026-01-01"}}
    assert world.profiles.rows["c2"]["consents"]["ad_audiences"]["answer"] == "withdrawn"
    drop(world, "customer_id,merged_into\nc2,c1\n", second=100)
    assert world.profiles.rows["c1"]["consents"]["ad_audiences"]["answer"] == "withdrawn"


def test_a_rebuild_writes_everybody(world: World) -> None:
    drop(world, PEOPLE + KIM + LEE, second=1)
    before, world.profiles.rows = dict(world.profiles.rows), {}
    world.refresh_all(FIRST_DAY, REBUILD)
    assert world.profiles.rows == before


def test_a_crash_anywhere_ends_as_without_it(world: World) -> None:
    world.ingest(world.drop(PEOPLE + KIM + LEE, 1, KEY))
    crash = Crash()
    rows = rows_after(world, crash)
    assert rows.keys() == {"c1", "c2"}
    for at in range(len(crash.calls)):
        assert rows_after(world, Crash(at, halfway=True)) == rows


def rows_after(world: World, crash: Crash) -> dict[str, dict[str, Any]]:
    """The profiles after a copy of this world worked on, but for their revisions."""
    with world.copy() as twin:
        twin.profiles, twin.crash = FakeProfiles(), crash
        twin.work_off()
        return {name: row | {"revision": 0} for name, row in twin.profiles.rows.items()}


def test_a_buyer_who_cannot_be_reached_has_no_profile(world: World) -> None:
    orders = (
        "order_id,customer_id,ordered_at,amount,email\no1,c1,2026-01-01,100,\no2,c2,2026-01-01,100,lee@example.com\n"
    )
    drop(world, orders, second=1, key="incoming/orders/a.csv")
    assert list(world.profiles.rows) == ["c2"]
    drop(world, orders.replace("100,\n", "100,kim@example.com\n"), second=2, key="incoming/orders/b.csv")
    assert world.profiles.rows["c1"]["email"] == "kim@example.com"
