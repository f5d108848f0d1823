"""An invitation to sessions: where and when they are, for how many, and until when one may answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Place:
    """Where sessions are: either `address` or `link` is given."""

    names: Mapping[str, str]
    """ko and en."""
    address: str | None = None
    link: str | None = None
    """Of an online session; https. Shown to who has booked, and to nobody else."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One session that people may choose."""

    start: datetime
    """With the invitation's time zone; to the minute."""
    length: timedelta
    capacity: int
    """How many people."""
    place: str
    """Id of the place."""

    @property
    def id(self) -> str:
        """What bookings are kept by: 20261211T1400-store."""
        return f"{self.start:%Y%m%dT%H%M}-{self.place}"

    @property
    def end(self) -> datetime:
        """When it is over, in the same zone."""
        return (self.start.astimezone(UTC) + self.length).astimezone(self.start.tzinfo)


@dataclass(frozen=True, slots=True)
class Invitation:
    """One round of sessions: each person answers once, and may change the answer until `answer_by`."""

    id: str
    names: Mapping[str, str]
    """ko and en, as guests read it."""
    welcome: Mapping[str, str]
    """ko and en; what the page says above the slots, or nothing."""
    answer_by: datetime
    """With time zone."""
    time_zone: str
    """IANA name."""
    places: Mapping[str, Place]
    slots: tuple[Slot, ...]
    """By start."""

    def slot(self, slot_id: str) -> Slot | None:
        """A slot by its id."""
        return next((slot for slot in self.slots if slot.id == slot_id), None)

    @property
    def ends_at(self) -> datetime:
        """When the last session is over."""
        return max(slot.end for slot in self.slots)

    def offered(self, now: datetime) -> tuple[Slot, ...]:
        """The slots that may still be chosen, taken ones included: none after `answer_by`, none that has begun."""
        return tuple(slot for slot in self.slots if now < slot.start) if now < self.answer_by else ()

    def complaint(self, now: datetime) -> str | None:
        """Why nobody can be invited any more, and what to do; None: they can."""
        if self.offered(now):
            return None
        late = "'answer_by' is past" if now >= self.answer_by else "every slot is past"
        return f"invitations/{self.id}.yaml: {late}; set new days, or name another invitation in the campaign"
