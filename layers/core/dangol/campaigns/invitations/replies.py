"""What guests reply to an invitation, and what they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dangol.campaigns.content import Sender
from dangol.campaigns.invitations.definition import Invitation, Slot
from dangol.campaigns.links import Action

DECLINE = "decline"
"""The choice of no slot; no slot is called so."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one person answered to one invitation."""

    invitation: str
    """Id."""
    customer_id: str
    slot: str | None
    """Id of the slot they booked; None: they declined, or gave their seat back."""
    run: str
    """The run of a campaign whose message they answered."""
    at: datetime
    """UTC, to the second."""


class Result(StrEnum):
    """What a visit came to."""

    SHOWN = "shown"
    BOOKED = "booked"
    DECLINED = "declined"
    FULL = "full"
    """The slot they chose has no seat left; what they had before stays."""
    UNCLEAR = "unclear"
    """They chose nothing, or what is not offered."""
    OVER = "over"
    """Nothing can be changed any more."""
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a guest is shown."""

    result: Result
    asked: Action
    """Which of the two links they followed."""
    invitation: Invitation | None
    """None: it is not live any more."""
    reply: Reply | None
    """As it stands."""
    offered: tuple[Slot, ...]
    """What they may choose from; nothing: their reply is final."""
    taken: Mapping[str, int]
    """Seats by slot."""
    host: Sender
    """The shop."""

    @property
    def booked(self) -> Slot | None:
        """The slot in which they have a seat, if it still exists."""
        return self.invitation.slot(self.reply.slot) if self.invitation and self.reply and self.reply.slot else None
