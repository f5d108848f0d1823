"""What launching and delivering hand to each other, and the doors they go through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from dangol.campaigns.gate import Profile
from dangol.errors import DangolError

CAMPAIGN_COMPLETED = "Campaign Completed"
CAMPAIGN_MEASURED = "Campaign Measured"
CAMPAIGN_RESULT, CAMPAIGN_TOTAL, CAMPAIGNS_TOGETHER = "campaign-result", "campaign-total", "campaigns-together"
"""Kinds of `Runs`: what one run changed; a campaign's runs together; all campaigns together (dangol.moves.measure)."""


class Status(StrEnum):
    """What became of one message to one person. Stored: the words never change."""

    SENT = "sent"
    SKIPPED = "skipped"
    """It will not be sent, for a reason of decision.Reason."""
    DEFERRED = "deferred"
    """It may not go yet, for a reason of decision.Reason."""
    FAILED = "failed"
    """The mail or push service refused it for good."""
    UNKNOWN = "unknown"
    """The sender died while the service was called: it may have been sent, so it is not sent again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of `Deliveries`."""

    run: str
    customer_id: str
    channel: str
    step: int
    """From 0."""
    status: Status
    at: datetime
    """When it became so; UTC."""
    reason: str | None = None
    variant: str | None = None
    message_id: str | None = None
    """The service's own."""
    until: datetime | None = None
    """Of a deferred one: when it is asked again, or later."""
    answers: frozenset[str] = frozenset()
    """What the person did with it: opened, clicked."""


class Arm(StrEnum):
    """What a batch is in a run that finds a winner (dangol.campaigns.winner)."""

    ALL = ""
    """Of other runs, and those whom the variants are tried on."""
    REST = "rest"
    """Those who get the winner."""
    TALLY = "tally"
    """No message: those whose answers are counted."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a run: one message to some people."""

    run: str
    campaign: str
    run_at: datetime
    """When the run was due, or the rest of its audience; steps and expiries count from it. UTC."""
    step: int
    channel: str
    part: str
    """Names the part within run, step and channel."""
    customers: tuple[str, ...]
    """Those who are left of it."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What became of the others."""
    arm: Arm = Arm.ALL

    @property
    def id(self) -> str:
        """The same however often the batch comes, and whoever is left of it."""
        return f"{self.run}#{self.step}#{self.channel}#{self.part}"

    @property
    def rest_id(self) -> str:
        """Of its people as well: launchers that read an audience one after the other may have found different ones."""
        return f"{self.id}#{sha256(' '.join(self.customers).encode()).hexdigest()[:12]}"

    def as_dict(self) -> dict[str, Any]:
        """As on the queue."""
        return {
            "run": self.run,
            "campaign": self.campaign,
            "run_at": self.run_at.isoformat(),
            "step": self.step,
            "channel": self.channel,
            "part": self.part,
            "customers": list(self.customers),
            "counts": dict(self.counts),
            "arm": self.arm.value,
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Batch":
        """From the queue. Raises KeyError or ValueError for a body that is none."""
        run_at = datetime.fromisoformat(body["run_at"]).astimezone(UTC)
        counts = {name: int(count) for name, count in body["counts"].items()}
        whole = (body["run"], body["campaign"], run_at, int(body["step"]), body["channel"], body["part"])
        return cls(*whole, tuple(body["customers"]), counts, Arm(body.get("arm", "")))


class RunState(StrEnum):
    """Where a run of a campaign stands."""

    LAUNCHING = "launching"
    """Its audience is being read."""
    SENDING = "sending"
    """All of its audience is in batches."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """It could not be launched, for a reason that a person must mend."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a campaign, kept in `Runs`."""

    id: str
    campaign: str
    run_at: datetime
    """When it was due; UTC, to the minute."""
    state: RunState
    bucket: int = 0
    """Of `Memberships`: the next to be read, or that is being read."""
    after: str | None = None
    """The last customer of the bucket that was read."""
    recipients: int = 0
    """People read so far."""
    batches: int = 0
    """Not yet worked off."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Messages by what became of them: 'sent', 'skipped no_consent' and so on."""
    reason: str | None = None
    """Why it was refused."""
    tallies: int = 0
    """Parts of the test of variants that are not counted yet."""
    tally: Mapping[str, int] = field(default_factory=dict)
    """What the test came to so far (dangol.campaigns.winner.score_key)."""
    winners: Mapping[str, str] | None = None
    """The variants that won, by channel; None as long as that is not decided."""


class Campaigns(Protocol):
    """What is known of campaigns and their runs."""

    def looked_at(self, campaign: str) -> datetime | None:
        """Until when a campaign's schedule was worked off; None before the first look."""

    def look(self, campaign: str, at: datetime) -> None:
        """Note that."""

    def is_paused(self, campaign: str) -> bool:
        """Whether somebody paused a campaign."""

    def create(self, run: Run) -> bool:
        """Note a new run; False if there is one of its id."""

    def find(self, run_id: str) -> Run | None:
        """A run."""

    def open_runs(self) -> Sequence[Run]:
        """Those that are not over."""

    def advance(self, before: Run, after: Run) -> bool:
        """Move a run whose audience is being read, if it stands as before; batches and tallies are added up."""

    def settle(self, batch: Batch, counts: Mapping[str, int]) -> None:
        """Count a batch that is worked off; once, however often it is told."""

    def count(self, batch: Batch, tally: Mapping[str, int]) -> None:
        """Count a part of the test of variants; once, however often it is told."""

    def choose(self, run_id: str, winners: Mapping[str, str]) -> Mapping[str, str]:
        """Note who won, unless that is decided; what is decided then."""

    def close(self, run: Run) -> None:
        """A run is over, if its audience stands as it was read; its state says how."""

    def wait(self, batches: Sequence[Batch], until: datetime) -> None:
        """Keep batches until a minute; what is left of one for others is another."""

    def due(self, now: datetime) -> Iterable[tuple[object, Batch]]:
        """Batches that waited long enough, each with a key for `forget`."""

    def forget(self, key: object) -> None:
        """A batch that waited is on the queue."""


class BatchQueue(Protocol):
    """Where senders take batches from; each comes at least once."""

    def put(self, batches: Sequence[Batch]) -> None:
        """Put batches on it."""


class Audience(Protocol):
    """Who is in a segment."""

    buckets: int
    """In so many parts."""

    def page(self, segment: str, bucket: int, after: str | None, limit: int) -> tuple[list[str], bool]:
        """At most `limit` customers of one part, behind the one named, in order; and whether there may be more."""


class NoticeList(Protocol):
    """People whom the law's notices are to reach, until their messages are on the queue."""

    def put(self, part: str, people: Sequence[str]) -> None:
        """Put people on the list; a part of the same name is replaced."""

    def waiting(self, after: str | None) -> Iterable[tuple[str, tuple[str, ...]]]:
        """The parts behind the one named, in the order of their names, each with its people."""

    def forget(self, part: str) -> None:
        """Take a part off the list."""


class Recipients(Protocol):
    """Where it is kept whom a run set out to address (see dangol.measurement.plan)."""

    def write(self, key: str, data: bytes) -> None:
        """Create or replace an object."""


class Deliveries(Protocol):
    """Table `Deliveries`."""

    def read(self, run: str, step: int, channel: str, customers: Sequence[str]) -> dict[str, Delivery]:
        """What is known of one message, by customer."""

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """Create or replace: what only the sender knows who claimed a message."""

    def note(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Create, but for those of which something final is recorded; what is there then, in any order."""


class Profiles(Protocol):
    """Table `Profiles`, beside ProfileBook."""

    def read(self, customer_ids: Sequence[str]) -> dict[str, Profile]:
        """The profiles of people, as far as there are any."""

    def retire(self, customer_id: str, channel: str, address: str) -> None:
        """Note that an address is dead."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send."""

    count: int
    start: datetime
    """Not earlier than that; UTC."""


class Quota(Protocol):
    """What all senders together may send."""

    def take(self, wanted: int, now: datetime, latest: datetime) -> Grant:
        """Leave for at most `wanted` messages, from a moment that is not after `latest`; for none if there is none."""


class Overtaken(DangolError):
    """Another sender is at the same batch: let it finish, and look again later."""

    def __str__(self) -> str:
        return "another sender is at this batch; it is looked at again later"
