"""What the moves hand to each other and to the world, and the doors they go through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # messages are imported by functions that do not compute
    from dangol.segments.state import Customer

SEGMENT_CHANGED = "Segment Changed"
REFRESH_COMPLETED = "Refresh Completed"
FILE_INGESTED = "File Ingested"
FILE_REJECTED = "File Rejected"

DAILY, FILE, REPLAY, REBUILD, CONFIGURATION, MERGE = "daily", "file", "replay", "rebuild", "configuration", "merge"
FORGET = "forget"
REASONS = (DAILY, FILE, REPLAY, REBUILD, CONFIGURATION, MERGE, FORGET)
_REASON_CHARS = 4_000
"""More would not fit an event for long (256 KB) nor help anybody."""


def rejected(key: str, version: str, reason: str) -> dict[str, str]:
    """The event `File Rejected`: who reads it can correct the file. `reason` must not quote the file's rows."""
    return {"key": key, "version": version, "reason": shortened(reason)}


def shortened(reason: str) -> str:
    """A reason that fits everywhere."""
    return reason if len(reason) <= _REASON_CHARS else reason[: _REASON_CHARS - 1] + "…"


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """Please refresh this shard."""

    shard: int
    as_of: date
    """In the shop's zone. Only a replay goes back behind the date a shard is at."""
    reason: str
    """One of REASONS."""
    run_id: str
    """What asked for it: a file's version, or a daily run."""
    task_token: str | None = None
    """Of the daily run that waits for the answer."""

    def as_dict(self) -> dict[str, object]:
        """As on the queue."""
        body = {
            "shard": self.shard,
            "as_of": self.as_of.isoformat(),
            "reason": self.reason,
            "run_id": self.run_id,
        }
        return body | ({"task_token": self.task_token} if self.task_token else {})

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "RefreshRequest":
        """From the queue. Raises KeyError or ValueError for a body that is none."""
        if body["reason"] not in REASONS:
            raise ValueError(f"unknown reason '{body['reason']}'; known are {', '.join(REASONS)}")
        as_of = date.fromisoformat(body["as_of"])
        return cls(int(body["shard"]), as_of, body["reason"], body["run_id"], body.get("task_token"))


@dataclass(frozen=True, slots=True)
class Membership:
    """A row of table `Memberships`."""

    segment: str
    customer_id: str
    since: date


class ServingTables(Protocol):
    """The tables other services read. Every method may be called again with the same rows."""

    def put_customers(self, customers: "Sequence[Customer]") -> None:
        """Write rows of `Customers`."""

    def delete_customers(self, customer_ids: Sequence[str]) -> None:
        """Remove rows of `Customers`."""

    def put_memberships(self, memberships: Sequence[Membership]) -> None:
        """Write rows of `Memberships`."""

    def delete_memberships(self, memberships: Sequence[tuple[str, str]]) -> None:
        """Remove rows of `Memberships`, named by (segment, customer_id)."""


class EventBus(Protocol):
    """Where the rest of the company listens."""

    def publish(self, kind: str, details: Sequence[Mapping[str, object]]) -> None:
        """Publish events of one kind, at least once each; returns when all are accepted."""


class Runs(Protocol):
    """What was done: files, refreshes, configurations."""

    def find(self, kind: str, run_id: str) -> Mapping[str, Any] | None:
        """The facts noted of a run, if any."""

    def note(self, kind: str, run_id: str, facts: Mapping[str, Any]) -> None:
        """Create or replace them."""


class RefreshQueue(Protocol):
    """Where refreshes are asked for: one after the other for each shard."""

    def ask(self, requests: Sequence[RefreshRequest]) -> None:
        """Put requests on the queue."""
