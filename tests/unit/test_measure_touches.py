"""What is put down to a message: which of those that touched a person, within which time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from dangol.moves.campaign.messages import Status

from tests.measuring import RUN, MeasuredWorld, at, utc
from tests.senders import NOON, hello

PUSH_ONLY = "\n  push: [{id: a, title: 안녕하세요, body: 반가워요.}]\n"
WEEK = "goal: {reach: purchase, within: 7 days}\nholdout: 0.5"


@pytest.fixture
def world() -> Iterator[MeasuredWorld]:
    with MeasuredWorld(hello(more=WEEK)) as made:
        yield made


def test_a_purchase_is_put_down_to_the_last_message_that_touched_the_person_in_time(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.tell(
        world.mail("Delivery", "c00", utc(24, 12, 1)),
        world.mail("Open", "c00", utc(24, 13)),
        world.mail("Delivery", "c04", utc(24, 12, 1)),
        world.mail("Click", "c04", utc(24, 12, 1), "https://dangol.kr"),  # at once: a scanner
        world.mail("Open", "c09", utc(25, 20)),
    )
    world.sell(
        ("o1", "c00", at(25, 11), 10_000),  # push at 12:00, then opened at 13:00
        ("o2", "c00", at(29, 13), 10_000),  # the last moment of five days
        ("o3", "c00", at(29, 13, 1), 10_000),
        ("o4", "c04", at(25, 12), 10_000),  # the last moment of push's 24 hours
        ("o5", "c04", at(25, 12, 1), 10_000),
        ("o6", "c09", at(25, 19), 10_000),  # before they opened it
    )
    world.measure(20)
    found = world.result()
    assert found["attributed"] == {"orders": 3, "revenue": 30_000.0}
    by_part = {(row["channel"], row.get("variant")): row for row in found["parts"]}
    assert by_part.keys() == {("email", None), ("email", "a"), ("push", None), ("push", "a")}
    assert {key: row["attributed_orders"] for key, row in by_part.items() if key[1]} == {
        ("email", "a"): 2,
        ("push", "a"): 1,
    }
    told = {name: by_part["email", "a"][name] for name in ("sent", "delivered", "opened", "clicked")}
    assert told == {"sent": 4, "delivered": 2, "opened": 2, "clicked": 0}


def test_the_moments_of_the_run_and_of_the_opening_count_themselves(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.tell(world.mail("Open", "c00", utc(26, 13)))
    world.sell(("o1", "c00", at(26, 13), 10_000), ("o2", "c04", at(24, 12), 5_000))
    world.measure(20)
    assert world.result()["attributed"] == {"orders": 2, "revenue": 15_000.0}
    assert world.result()["bought"] == {"people": 2, "orders": 2, "revenue": 15_000.0}


def test_a_push_of_which_it_is_not_known_whether_it_went_out_may_be_what_touched_a_person(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    for person, status in (("c00", Status.UNKNOWN), ("c04", Status.FAILED)):
        key = (RUN, person, "push", 0)
        world.deliveries.rows[key] = replace(world.deliveries.rows[key], status=status)
    world.sell(("o1", "c00", at(25, 9), 10_000), ("o2", "c04", at(25, 9), 5_000))
    world.measure(20)
    assert world.result()["attributed"] == {"orders": 1, "revenue": 10_000.0}


def test_of_mails_it_is_told_what_happened_up_to_the_end_of_the_day_in_the_shop(world: MeasuredWorld) -> None:
    world.people(10)
    world.run()
    world.tell(world.mail("Open", "c00", utc(24, 23, 59)), world.mail("Open", "c04", utc(25, 0, 1)))
    world.measure(0)
    assert world.result()["messages"]["opened"] == 1
    world.measure(1)
    assert world.result()["messages"]["opened"] == 2


def test_of_several_campaigns_the_last_touch_has_the_purchase_and_sums_do_not_double() -> None:
    second, other = hello("other", more="goal: {reach: purchase, within: 30 days}"), "other-20261124T0200Z"
    earlier = replace(second, schedule=replace(second.schedule, cron="0 11 * * *"))
    with MeasuredWorld(hello(more=WEEK), earlier) as world:
        world.people(10)
        world.now = NOON - timedelta(hours=1)
        world.run()
        world.now = NOON
        world.run()
        world.sell(
            ("o1", "c00", at(24, 12, 30), 10_000), ("o2", "c00", at(24, 11, 30), 5_000), ("o3", "c01", at(24, 14), 1)
        )
        world.measure(20)
        assert world.result()["attributed"] == {"orders": 1, "revenue": 10_000.0}
        assert world.result(other)["attributed"] == {"orders": 2, "revenue": 5_001.0}
        assert (world.result()["state"], world.result(other)["state"]) == ("final", "open")
        world.measure(21)  # the first is measured no more; what is its own stays so
        assert world.result(other)["attributed"] == {"orders": 2, "revenue": 5_001.0}


def test_a_run_that_is_measured_no_more_can_still_be_what_touched_a_person_last() -> None:
    pushed = hello("other", more="goal: {reach: purchase, within: 30 days}", channels=PUSH_ONLY)
    with MeasuredWorld(hello(more=WEEK)) as world:
        world.people(10)
        world.run()
        world.now, world.definitions = NOON + timedelta(days=3), {"other": pushed}
        world.run()  # a push at 12:00 of the 27th
        world.tell(world.mail("Open", "c00", utc(27, 20)))
        world.sell(("o1", "c00", at(28, 9), 10_000), ("o2", "c04", at(28, 9), 5_000))
        for day in (20, 21):  # on the second the first run's numbers stand
            assert world.measure(day)["final"] == (day == 20)
            assert world.result()["attributed"] == {"orders": 1, "revenue": 10_000.0}
            assert world.result("other-20261127T0300Z")["attributed"] == {"orders": 1, "revenue": 5_000.0}
