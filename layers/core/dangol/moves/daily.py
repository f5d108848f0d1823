"""The daily run: which shards to refresh for which date, and what to report at its end."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from dangol.moves.messages import DAILY, REASONS
from dangol.segments.features import SCORES
from dangol.segments.policy import Policy

DAILY_RUN = "daily"


def plan_refresh(
    request: Mapping[str, Any], run_id: str, shards: int, today: Callable[[], date], date_of: Callable[[datetime], date]
) -> dict[str, Any]:
    """What the daily run works through: {as_of, reason, run_id, shards: [{shard: 0}, …]}.

    The date is the request's `as_of`, else that of its `scheduled_time` in the shop (`date_of`), so that a
    start that was retried after midnight is still yesterday's; else today. Raises ValueError for a
    request that cannot be meant.
    """
    reason = request.get("reason", DAILY)
    if reason not in REASONS:
        raise ValueError(f"unknown reason '{reason}'; known are {', '.join(REASONS)}")
    as_of = _as_of(request, date_of) or today()
    return {
        "as_of": as_of.isoformat(),
        "reason": reason,
        "run_id": run_id,
        "shards": [{"shard": shard} for shard in range(shards)],
    }


def needs_borders(policy: Policy) -> bool:
    """Whether rules name scores, which need borders over the whole base."""
    return not policy.needs.features.isdisjoint(SCORES)


def _as_of(request: Mapping[str, Any], date_of: Callable[[datetime], date]) -> date | None:
    if "as_of" in request:
        return date.fromisoformat(request["as_of"])
    try:
        return date_of(datetime.fromisoformat(request["scheduled_time"]))
    except (KeyError, ValueError):  # started by hand, or by a scheduler that does not tell
        return None
