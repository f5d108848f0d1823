"""Promise 9: personal data stays in the ledger and in the rejects: not in logs, events, tables, names or errors."""

from __future__ import annotations

import logging

import pytest

from tests.world import FIRST_DAY, World

PERSON = ("kim.chulsoo@example.com", "010-1234-5678", "김철수")
HEADER = "order_id,customer_id,ordered_at,amount,email,phone,customer_name\n"
CONTACT = ",".join(PERSON)


def assert_nobody_is_named(world: World, caplog: pytest.LogCaptureFixture) -> None:
    seen = {
        "logs": caplog.text,
        "events": repr(world.bus.events),
        "runs": repr(world.runs.noted),
        "tables": repr((world.tables.customers, world.tables.memberships)),
        "requests": repr(world.queue.waiting),
        "names of objects": repr(world.store.keys("")),
        "states": repr([world.store.read(key) for key in world.store.keys("ledger/state/")]),
    }
    found = [f"{word} in {where}" for word in PERSON for where, text in seen.items() if word in text]
    assert found == []


def test_contacts_are_in_the_ledger_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with World(shards=1) as world:
        good = f"o1,c1,2026-01-01,100,{CONTACT}\no2,c1,2026-01-01,100,{CONTACT}\n"
        bad = f"o3,c1,never,100,{CONTACT}\no4,c1,2026-01-01,{CONTACT},100,,\n"
        receipt = world.ingest(world.drop(HEADER + good + bad, second=1))
        assert receipt["rows_rejected"] == 2
        world.work_off()
        world.refresh_all(FIRST_DAY)
        assert_nobody_is_named(world, caplog)
        assert all(word in world.store.read(receipt["rejects_key"]).decode("utf-8-sig") for word in PERSON)


@pytest.mark.parametrize(
    "text",
    [
        f"o1,c1,2026-01-01,100,{CONTACT}\n" * 3,  # no header: the first row stands in its place
        f'order_id,customer_id,ordered_at,amount,email\no1,c1,2026-01-01,100,"{CONTACT}\n' * 3,
        f"order_id;customer_id;{CONTACT}\no1;c1;{CONTACT}\n",
    ],
    ids=["no header", "open quotation mark", "strange header"],
)
def test_a_file_that_cannot_be_read_names_nobody_either(text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with World(shards=1) as world:
        world.ingest(world.drop(text, second=1))
        world.work_off()
        assert_nobody_is_named(world, caplog)
