"""Launch: find the campaigns that are due, put their audiences in batches, wake what waited, and close what is over.

Every step may be done again, and by two launchers at once: a run is created once by its id, its audience is read along
a cursor that moves only from where it stood, and a batch that comes twice is worked off once (deliver).
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dangol.campaigns.definition import Campaign
from dangol.campaigns.schedule import due_ticks
from dangol.campaigns.settings import SETTINGS_FILE, Settings
from dangol.measurement.plan import part_key, people_to_lines, plan_key, plan_of
from dangol.moves.campaign.batches import batches_of, part_of
from dangol.moves.campaign.messages import (
    CAMPAIGN_COMPLETED,
    Arm,
    Audience,
    BatchQueue,
    Campaigns,
    NoticeList,
    Recipients,
    Run,
    RunState,
)
from dangol.moves.messages import EventBus

logger = logging.getLogger(__name__)

RESERVE = timedelta(seconds=15)
"""Kept to finish the step under way."""
PART = 1000
"""People of one batch: twenty calls to SES, and a message on the queue of less than its 256 KB."""
FIRST_LOOK = timedelta(minutes=2)
"""How far back a campaign's first look goes, a little more than from one to the next: older ticks were before it."""
NOTED_EACH = timedelta(hours=1)
"""How often a look that found nothing is noted: a write a minute would cost more than the looks."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors of a launcher."""

    campaigns: Campaigns
    audience: Audience
    queue: BatchQueue
    bus: EventBus
    recipients: Recipients
    complaint: Callable[[Campaign], str | None]
    """What a person must mend before a campaign can be sent, by what the mail service says; None: nothing."""
    notices: NoticeList


class Launcher:
    """Looks at all campaigns, once a minute."""

    def __init__(
        self, doors: Doors, definitions: Mapping[str, Campaign], settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._doors = doors
        self._definitions = definitions
        self._settings = settings
        self._clock = clock

    def look(self, left: timedelta) -> Counter[str]:
        """Do what is due, as far as it goes in the time that is `left`; how many runs and batches it concerned."""
        deadline = self._clock() + left - RESERVE
        done: Counter[str] = Counter()
        for campaign in self._definitions.values():
            done["created"] += self._create_due(campaign)
        for run in self._doors.campaigns.open_runs():
            done[self._go_on(run, deadline)] += 1
        done["woken"] = self._wake(deadline)
        return +done

    def _create_due(self, campaign: Campaign) -> int:
        """Create the run of a schedule's last tick since the last look, unless it is there or somebody paused it."""
        campaigns, now = self._doors.campaigns, self._clock()
        before = campaigns.looked_at(campaign.id)
        ticks = due_ticks(campaign.schedule, before or now - FIRST_LOOK, now)
        if ticks.missed:
            logger.warning("campaign %s missed %d ticks", campaign.id, len(ticks.missed))
        created = 0
        if ticks.due and self._has_audience(campaign) and not campaigns.is_paused(campaign.id):
            created = sum(campaigns.create(new_run(campaign.id, tick)) for tick in ticks.due)
        if ticks.due or before is None or now - before >= NOTED_EACH:
            campaigns.look(campaign.id, now)
        return created

    def _has_audience(self, campaign: Campaign) -> bool:
        """A segment may be empty; a day without notices is no run."""
        return not campaign.notices or any(True for _ in self._doors.notices.waiting(None))

    def _go_on(self, run: Run, deadline: datetime) -> str:
        """Take an open run a step further; what it did."""
        campaign = self._definitions.get(run.campaign)
        if run.state is RunState.REFUSED:  # by a launcher that died before it was done
            self._doors.campaigns.close(run)
            return "refused"
        if run.state is RunState.LAUNCHING and campaign is None:
            return self._refuse(run, "there is no such campaign any more")
        if run.state is RunState.LAUNCHING and campaign is not None:
            if not run.recipients and (reason := self._obstacle(campaign)):
                return self._refuse(run, reason)
            read = self._read_notices if campaign.notices else self._read_audience
            return read(run, campaign, deadline)
        if run.batches <= 0:
            return self._close(run)
        return "under way"

    def _obstacle(self, campaign: Campaign) -> str | None:
        """Why a campaign cannot be sent, and what to do."""
        if unfinished := self._settings.unfinished:
            return f"{SETTINGS_FILE}: fill in the sender's {', '.join(unfinished)} and drop the file under config/"
        return self._doors.complaint(campaign)

    def _read_audience(self, run: Run, campaign: Campaign, deadline: datetime) -> str:
        assert campaign.segment, "what goes live names a segment"
        while self._clock() < deadline:
            people, after = self._next_part(run, campaign.segment)
            self._note_recipients(run, campaign, people)
            after = self._hand_out(run, campaign, people, after)
            if not self._doors.campaigns.advance(run, after):
                return "launched by another"
            if after.state is RunState.SENDING:
                return "launched"
            run = after
        return "launching"

    def _note_recipients(self, run: Run, campaign: Campaign, people: list[str]) -> None:
        """Keep what the run is measured by, and whom it set out to address, before anything is sent to them."""
        plan, write = plan_of(campaign, run.id, run.run_at, self._settings), self._doors.recipients.write
        if not run.bucket and run.after is None:
            write(plan_key(campaign.id, run.id), plan.to_json())
        if people:
            write(part_key(campaign.id, run.id, part_of(run)), people_to_lines(plan, people))

    def _read_notices(self, run: Run, campaign: Campaign, deadline: datetime) -> str:
        """Put whom notices are to reach on the queue, part by part.

        A part is taken off the list last. One that stays on it after a crash comes again with the next run, and the
        gate finds that nothing is left to tell.
        """
        for part, people in self._doors.notices.waiting(run.after):
            if self._clock() >= deadline:
                return "launching"
            after = self._hand_out(run, campaign, people, replace(run, after=part))
            if not self._doors.campaigns.advance(run, after):
                return "launched by another"
            self._doors.notices.forget(part)
            run = after
        ended = replace(run, state=RunState.SENDING, batches=0, tallies=0)
        return "launched" if self._doors.campaigns.advance(run, ended) else "launched by another"

    def _hand_out(self, run: Run, campaign: Campaign, people: Sequence[str], after: Run) -> Run:
        """Put all batches of a part of the audience where they belong; the run `after` that, with what to add up."""
        batches = list(batches_of(run, campaign, people))
        for batch, due_at in batches:
            if due_at > run.run_at:
                self._doors.campaigns.wait([batch], due_at)
            else:
                self._doors.queue.put([batch])
        tallies = sum(batch.arm is Arm.TALLY for batch, _ in batches)
        return replace(after, recipients=run.recipients + len(people), batches=len(batches), tallies=tallies)

    def _next_part(self, run: Run, segment: str) -> tuple[list[str], Run]:
        """The next people of the audience, at most PART, and the run with its cursor behind them."""
        people: list[str] = []
        bucket, after, audience = run.bucket, run.after, self._doors.audience
        while len(people) < PART and bucket < audience.buckets:
            page, more = audience.page(segment, bucket, after, PART - len(people))
            people += page
            after = page[-1] if page else after
            if not more:
                bucket, after = bucket + 1, None
        state = RunState.LAUNCHING if bucket < audience.buckets else RunState.SENDING
        return people, replace(run, bucket=bucket, after=after, state=state)

    def _refuse(self, run: Run, reason: str) -> str:
        logger.error("campaign %s is not sent: %s", run.campaign, reason)
        self._doors.campaigns.close(replace(run, state=RunState.REFUSED, reason=reason))
        return "refused"

    def _close(self, run: Run) -> str:
        """End a run and tell; told again after a crash in between, with the same words."""
        ended = run if run.state is RunState.CANCELLED else replace(run, state=RunState.COMPLETED)
        self._doors.bus.publish(CAMPAIGN_COMPLETED, [completed(ended)])
        self._doors.campaigns.close(ended)
        return ended.state.value

    def _wake(self, deadline: datetime) -> int:
        woken = 0
        for key, batch in self._doors.campaigns.due(self._clock()):
            if self._clock() >= deadline:
                break
            self._doors.queue.put([batch])
            self._doors.campaigns.forget(key)
            woken += 1
        return woken


def new_run(campaign: str, run_at: datetime) -> Run:
    """The run of a campaign that is due at a moment; its id is the same for the same minute."""
    minute = run_at.astimezone(UTC).replace(second=0, microsecond=0)
    return Run(f"{campaign}-{minute:%Y%m%dT%H%MZ}", campaign, minute, RunState.LAUNCHING)


def completed(run: Run) -> dict[str, object]:
    """The event `Campaign Completed`."""
    skipped = {name.removeprefix("skipped "): n for name, n in run.counts.items() if name.startswith("skipped ")}
    failed = sum(n for name, n in run.counts.items() if name.startswith("failed"))
    return {
        "run_id": run.id,
        "campaign": run.campaign,
        "run_at": run.run_at.isoformat(),
        "state": run.state.value,
        "recipients": run.recipients,
        "sent": run.counts.get("sent", 0),
        "failed": failed,
        "unknown": run.counts.get("unknown", 0),
        "skipped": skipped,
    }
