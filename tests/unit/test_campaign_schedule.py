"""Campaigns are due when their words say, in their time zone, whatever its clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dangol.campaigns.schedule import Schedule, complaint, daily, due_ticks, monthly, next_tick, weekly
from hypothesis import given
from hypothesis import strategies as st

SEOUL, NEW_YORK = "Asia/Seoul", "America/New_York"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def at(text: str, zone: str = SEOUL) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_words_become_cron() -> None:
    assert weekly(("tue", "thu"), 11, 0) == "0 11 * * TUE,THU"
    assert monthly((1, 15, "last"), 9, 30) == "30 9 1,15,L * *"
    assert daily(7, 5) == "5 7 * * *"


def test_a_tick_is_due_from_its_minute_on_and_only_once() -> None:
    tuesdays = Schedule(SEOUL, "0 11 * * TUE")
    before, tick = at("2026-11-24 10:59"), at("2026-11-24 11:00")
    assert due_ticks(tuesdays, before - timedelta(hours=1), before).due == ()
    assert due_ticks(tuesdays, before, tick).due == (tick,)
    assert due_ticks(tuesdays, tick, tick + timedelta(minutes=5)).due == ()
    assert next_tick(tuesdays, tick) == at("2026-12-01 11:00")


def test_a_missed_tick_is_caught_up_within_its_limit() -> None:
    daily_at_ten = Schedule(SEOUL, "0 10 * * *", catch_up=timedelta(hours=6))
    after = at("2026-11-20 12:00")
    in_time = due_ticks(daily_at_ten, after, at("2026-11-22 16:00"))
    assert in_time.due == (at("2026-11-22 10:00"),)
    assert in_time.missed == (at("2026-11-21 10:00"),)
    too_late = due_ticks(daily_at_ten, after, at("2026-11-22 16:01"))
    assert too_late.due == ()
    assert too_late.missed == (at("2026-11-21 10:00"), at("2026-11-22 10:00"))


def test_no_more_than_the_limit_are_due_and_they_are_the_latest() -> None:
    hourly = Schedule(SEOUL, "0 * * * *", catch_up=timedelta(hours=12))
    ticks = due_ticks(hourly, at("2026-11-22 00:30"), at("2026-11-22 04:30"), limit=2)
    assert ticks.due == (at("2026-11-22 03:00"), at("2026-11-22 04:00"))
    assert ticks.missed == (at("2026-11-22 01:00"), at("2026-11-22 02:00"))


def test_once_is_once() -> None:
    once = Schedule(SEOUL, once=datetime(2026, 12, 1, 10))  # noqa: DTZ001 - in the schedule's zone
    assert due_ticks(once, NOW, at("2026-12-01 10:00")).due == (at("2026-12-01 10:00"),)
    assert due_ticks(once, at("2026-12-01 10:00"), at("2026-12-01 12:00")).due == ()
    assert next_tick(once, at("2026-12-01 10:00")) is None


def test_an_hour_that_the_clocks_skip_is_run_when_they_have_skipped_it() -> None:
    nightly = Schedule(NEW_YORK, "30 2 * * *")
    ticks = due_ticks(nightly, at("2026-03-07 12:00", NEW_YORK), at("2026-03-09 12:00", NEW_YORK), limit=9)
    assert [tick.isoformat() for tick in (*ticks.missed, *ticks.due)] == [
        "2026-03-08T03:00:00-04:00",
        "2026-03-09T02:30:00-04:00",
    ]


def test_an_hour_that_the_clocks_repeat_is_run_once() -> None:
    nightly = Schedule(NEW_YORK, "30 1 * * *")
    ticks = due_ticks(nightly, at("2026-10-31 12:00", NEW_YORK), at("2026-11-01 12:00", NEW_YORK), limit=9)
    assert [tick.isoformat() for tick in (*ticks.missed, *ticks.due)] == ["2026-11-01T01:30:00-04:00"]


def test_the_hour_is_the_zones_winter_and_summer() -> None:
    schedule = Schedule(NEW_YORK, "0 11 * * *")
    for day, offset in (("2026-01-10", "-05:00"), ("2026-07-10", "-04:00")):
        tick = next_tick(schedule, at(f"{day} 00:00", NEW_YORK))
        assert tick is not None
        assert tick.isoformat() == f"{day}T11:00:00{offset}"


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        (Schedule(SEOUL, "0 11 30 2 *"), "'0 11 30 2 *' is no cron expression that ever fires"),
        (Schedule(SEOUL, "0 11 31 4,6 *"), "ever fires"),
        (Schedule(SEOUL, "every tuesday"), "five fields"),
        (Schedule(SEOUL, "0 25 * * *"), "Bad hour"),
        (Schedule(SEOUL, "*/5 * * * *"), "more than once an hour"),
        (Schedule(SEOUL, "0,30 11 * * *"), "more than once an hour"),
        (Schedule(SEOUL, "0 11 * * * *"), "Wrong number of fields"),
        (Schedule(SEOUL, "0 0 11 * * *"), "Wrong number of fields"),
        (Schedule(SEOUL, once=at("2026-11-22 11:59")), "its only time is past"),
        (Schedule(SEOUL, once=at("2026-11-22 12:01")), None),
        (Schedule(SEOUL, "0 11 29 2 *"), None),
        (Schedule(SEOUL, "0 * * * *"), None),
        (Schedule(SEOUL, "0 11 * * MON#1"), None),
    ],
)
def test_a_schedule_that_does_not_work_is_told(schedule: Schedule, reason: str | None) -> None:
    found = complaint(schedule, NOW)
    assert found is None if reason is None else reason in (found or "")


@given(
    st.sampled_from(["0 11 * * TUE", "30 1 * * *", "15 */6 * * *", "0 2 1,L * *"]),
    st.sampled_from([SEOUL, NEW_YORK, "Australia/Lord_Howe", "UTC"]),
    st.lists(st.integers(1, 60 * 24 * 3), min_size=1, max_size=12),
)
def test_looking_often_or_seldom_finds_the_same_ticks_each_once(cron: str, zone: str, minutes: list[int]) -> None:
    schedule = Schedule(zone, cron, catch_up=timedelta(days=5))
    looks = [NOW]
    for step in minutes:
        looks.append(looks[-1] + timedelta(minutes=step))
    often = [
        tick
        for earlier, later in pairwise(looks)
        for found in [due_ticks(schedule, earlier, later, limit=99)]
        for tick in (*found.missed, *found.due)
    ]
    seldom = due_ticks(schedule, looks[0], looks[-1], limit=999)
    horizon = looks[-1] - timedelta(days=31)
    assert [tick for tick in often if tick > horizon] == [*seldom.missed, *seldom.due]
