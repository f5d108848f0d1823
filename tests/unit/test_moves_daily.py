"""For which date and which shards a daily run is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from dangol.moves.daily import plan_refresh
from dangol.moves.messages import REASONS, RefreshRequest
from dangol.shop import Shop

TODAY = date(2026, 11, 22)


def plan(shards: int = 2, **request: Any) -> dict[str, Any]:
    return plan_refresh(request, "run-1", shards, lambda: TODAY, Shop("Asia/Seoul").date_of)


def test_a_run_started_by_hand_is_for_today_and_all_shards() -> None:
    assert plan() == {
        "as_of": "2026-11-22",
        "reason": "daily",
        "run_id": "run-1",
        "shards": [{"shard": 0}, {"shard": 1}],
    }


@pytest.mark.parametrize(
    ("scheduled", "day"),
    [
        ("2026-11-21T18:00:00Z", "2026-11-22"),  # 03:00 in Seoul
        ("2026-11-21T14:59:59Z", "2026-11-21"),
        ("<aws.scheduler.scheduled-time>", "2026-11-22"),  # by a scheduler that does not fill it in
    ],
)
def test_the_date_of_the_schedule_is_a_date_in_the_shop(scheduled: str, day: str) -> None:
    assert plan(scheduled_time=scheduled)["as_of"] == day


def test_a_fixed_date_holds_for_scheduled_runs_as_well() -> None:
    def fixed(moment: datetime) -> date:
        return TODAY

    request = {"scheduled_time": "2027-01-01T18:00:00Z"}
    assert plan_refresh(request, "run-1", 1, lambda: TODAY, fixed)["as_of"] == TODAY.isoformat()


def test_a_date_that_is_asked_for_wins() -> None:
    asked = plan(as_of="2026-01-31", reason="replay", scheduled_time="2026-11-21T18:00:00Z")
    assert (asked["as_of"], asked["reason"]) == ("2026-01-31", "replay")


@pytest.mark.parametrize("request_", [{"as_of": "tomorrow"}, {"reason": "because"}])
def test_a_request_that_cannot_be_meant_is_an_error(request_: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"tomorrow|because"):
        plan(**request_)


@pytest.mark.parametrize("token", [None, "AQCk"])
@pytest.mark.parametrize("reason", REASONS)
def test_a_request_comes_off_the_queue_as_it_went_on(reason: str, token: str | None) -> None:
    request = RefreshRequest(7, TODAY, reason, "run-1", token)
    assert RefreshRequest.from_dict(request.as_dict()) == request
    assert ("task_token" in request.as_dict()) == bool(token)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"shard": "x", "as_of": "2026-11-22", "reason": "daily", "run_id": "r"},
        {"shard": 1, "as_of": "2026-11-22", "reason": "because", "run_id": "r"},
        {"shard": 1, "as_of": "22.11.2026", "reason": "daily", "run_id": "r"},
    ],
)
def test_a_body_that_is_no_request_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        RefreshRequest.from_dict(body)
