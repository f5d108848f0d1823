"""What campaigns will cost, a run and a month: whom they reach, how often they run, what a message takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dangol.campaigns.definition import Campaign
from dangol.campaigns.schedule import next_tick
from dangol.costs.prices import Usage
from dangol.costs.usage import DAYS, Messages, usage_of_messages

ASSUMED = (
    "whoever is in a segment and has agreed to the channel can be reached; where no file tells who has agreed, all can",
    "nobody answers, so that everybody gets every step; caps, quiet hours and the sending quota stop nobody",
    "segments stay as large as they are today; with again_after a person gets a campaign once within it",
    "a quarter of the e-mails is opened, SES tells four events of each, and SES lets fifty a second through",
    "free tiers, taxes, logs and traces are not counted",
)
"""Beside what the units say; told with every prediction."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a campaign is about."""

    people: int
    """Members of the segment."""
    agreed: Mapping[str, int]
    """By channel: those of them to whom advertising may be sent."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one campaign will do."""

    campaign: str
    people: int
    a_run: Mapping[str, float]
    """Messages of one run by channel, all steps together."""
    runs: float
    """A month."""
    share: float
    """Of the runs of a month that reach a person, as far as again_after lets them; 1: all."""
    run_usage: Usage
    month_usage: Usage


def predict(campaign: Campaign, audience: Audience, global_holdout: float, now: datetime) -> Prediction:
    """What a campaign will do in the month from `now` (with time zone) on."""
    asked = _messages(campaign, audience, global_holdout)
    runs = float(runs_in(campaign, now, timedelta(days=DAYS)))
    share = _share(campaign, runs)
    monthly = [Messages(one.channel, one.asked * runs, one.sent * runs * share) for one in asked]
    a_run = {one.channel: 0.0 for one in asked}
    for one in asked:
        a_run[one.channel] += one.sent
    usage = (usage_of_messages(asked), usage_of_messages(monthly))
    return Prediction(campaign.id, audience.people, a_run, runs, share, *usage)


def runs_in(campaign: Campaign, now: datetime, period: timedelta) -> int:
    """How often a campaign is due within a period."""
    count, moment = 0, now
    while (tick := next_tick(campaign.schedule, moment)) and tick <= now + period:
        count, moment = count + 1, tick
    return count


def _messages(campaign: Campaign, audience: Audience, global_holdout: float) -> Sequence[Messages]:
    """Those of one run, by step and channel."""
    kept = (1 - campaign.holdout) * (1 - global_holdout) if campaign.advertising else 1.0
    return [
        Messages(
            channel, audience.people, (audience.agreed[channel] if campaign.advertising else audience.people) * kept
        )
        for step in campaign.steps
        for channel in step.variants
    ]


def _share(campaign: Campaign, runs: float) -> float:
    if not runs or campaign.again_after is None:
        return 1.0
    most = max(1.0, timedelta(days=DAYS) / campaign.again_after)
    return min(1.0, most / runs)
