"""What a run of a campaign is measured by, and who it set out to address: kept when it is launched.

Later edits of the campaign change neither. Imported by functions that do not compute.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from dangol.campaigns.assignment import in_global_holdout, in_holdout
from dangol.campaigns.definition import Campaign, Goal
from dangol.campaigns.settings import Settings
from dangol.shop import Shop

RECIPIENTS = "ledger/recipients/"
"""`campaign=ID/run=RUN/plan.json` beside it the people, a part a batch."""
PURCHASE = Goal(within_days=14)
"""What a campaign without a goal is measured by."""
SETTLING = timedelta(days=7)
"""After the last day that counts, for files that come late, and refunds."""


class TrialArm(StrEnum):
    """What the hash of a person decided. Stored: the words never change."""

    TREATED = "treated"
    HOLDOUT = "holdout"
    """Of this campaign: what the others are compared with."""
    GLOBAL_HOLDOUT = "global_holdout"
    """Of all campaigns; not compared with, since it hears from the others neither."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run, and what it is measured by. Moments are UTC."""

    run: str
    campaign: str
    names: Mapping[str, str]
    """ko and en."""
    run_at: datetime
    goal: Goal
    holdout: float
    """Share of people the campaign leaves out; 0 for what is not advertising."""
    global_holdout: float
    steps: tuple[tuple[datetime, tuple[str, ...]], ...]
    """When each message is due, and by which channels."""
    expires: timedelta
    """What was not sent so long after it was due never is."""
    attribution: Mapping[str, timedelta]
    """By channel: how long after a message a purchase is put down to it."""

    def arm_of(self, person: str) -> TrialArm:
        """In the order of the send gate, which decides by the same hash."""
        if in_global_holdout(person, self.global_holdout):
            return TrialArm.GLOBAL_HOLDOUT
        return TrialArm.HOLDOUT if in_holdout(person, self.campaign, self.holdout) else TrialArm.TREATED

    def first_day(self, shop: Shop) -> date:
        """The day of the run."""
        return shop.date_of(self.run_at)

    def last_day(self, shop: Shop) -> date:
        """The last day on which the goal can be reached."""
        return self.first_day(shop) + timedelta(days=self.goal.within_days)

    def sent_by(self, shop: Shop) -> date:
        """The day by whose end no message of the run can be sent any more."""
        return shop.date_of(self.steps[-1][0] + self.expires)

    def final_on(self, shop: Shop) -> date:
        """From this day on its numbers are final."""
        longest = max(self.attribution.values(), default=timedelta())
        return max(self.last_day(shop), self.sent_by(shop) + longest) + SETTLING

    def to_json(self) -> bytes:
        """As it is stored; times in seconds."""
        return json.dumps(
            {
                "run": self.run,
                "campaign": self.campaign,
                "names": dict(self.names),
                "run_at": self.run_at.isoformat(),
                "goal": {"within_days": self.goal.within_days, "segment": self.goal.segment},
                "holdout": self.holdout,
                "global_holdout": self.global_holdout,
                "steps": [[due_at.isoformat(), list(channels)] for due_at, channels in self.steps],
                "expires": self.expires.total_seconds(),
                "attribution": {channel: window.total_seconds() for channel, window in self.attribution.items()},
            },
            ensure_ascii=False,
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Plan":
        """What `to_json` wrote."""
        found: dict[str, Any] = json.loads(data)
        return cls(
            **{name: found[name] for name in ("run", "campaign", "names", "holdout", "global_holdout")},
            run_at=datetime.fromisoformat(found["run_at"]),
            goal=Goal(**found["goal"]),
            steps=tuple((datetime.fromisoformat(due_at), tuple(channels)) for due_at, channels in found["steps"]),
            expires=timedelta(seconds=found["expires"]),
            attribution={channel: timedelta(seconds=window) for channel, window in found["attribution"].items()},
        )


def plan_of(campaign: Campaign, run: str, run_at: datetime, settings: Settings) -> Plan:
    """The plan of a run that is being launched. Holdouts are for advertising only (see decision.decide)."""
    return Plan(
        run=run,
        campaign=campaign.id,
        names=campaign.names,
        run_at=run_at,
        goal=campaign.goal or PURCHASE,
        holdout=campaign.holdout if campaign.advertising else 0.0,
        global_holdout=settings.global_holdout if campaign.advertising else 0.0,
        steps=tuple((campaign.due_at(n, run_at), tuple(step.variants)) for n, step in enumerate(campaign.steps)),
        expires=campaign.expires + (campaign.winner.after if campaign.winner else timedelta()),  # the rest comes later
        attribution={channel: settings.attribution[channel] for channel in campaign.channels},
    )


def folder_of(campaign: str) -> str:
    """Where plans and people of a campaign's runs lie."""
    return f"{RECIPIENTS}campaign={campaign}/"


def plan_key(campaign: str, run: str) -> str:
    """Where the plan of a run lies."""
    return f"{folder_of(campaign)}run={run}/plan.json"


def part_key(campaign: str, run: str, part: str) -> str:
    """Where a part of a run's people lies; the same for each try to write it."""
    return f"{folder_of(campaign)}run={run}/part-{part}.jsonl.gz"


def people_to_lines(plan: Plan, people: Iterable[str]) -> bytes:
    """People with their arms, as a part holds them."""
    lines = (json.dumps({"customer_id": one, "arm": plan.arm_of(one).value}, ensure_ascii=False) for one in people)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def people_in_lines(data: bytes) -> Iterator[str]:
    """The people of a part."""
    for line in gzip.decompress(data).splitlines():
        yield json.loads(line)["customer_id"]
