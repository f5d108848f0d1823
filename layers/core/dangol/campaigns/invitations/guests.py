"""Who comes to which session, and who does not."""

from collections.abc import Iterable
from dataclasses import dataclass

from dangol.campaigns.invitations.definition import Invitation, Slot
from dangol.campaigns.invitations.replies import Reply


@dataclass(frozen=True, slots=True)
class Session:
    """One slot and who booked it, in the order in which they did."""

    slot: Slot
    guests: tuple[Reply, ...]

    @property
    def is_overbooked(self) -> bool:
        """Whether more come than there are seats: only where the capacity was lowered afterwards."""
        return len(self.guests) > self.slot.capacity


@dataclass(frozen=True, slots=True)
class GuestList:
    """All replies to an invitation."""

    sessions: tuple[Session, ...]
    declined: tuple[Reply, ...]
    stranded: tuple[Reply, ...]
    """Who booked a slot that is not in the invitation any more."""


def guest_list(invitation: Invitation, replies: Iterable[Reply]) -> GuestList:
    """The replies by slot."""
    found = sorted(replies, key=lambda reply: (reply.at, reply.customer_id))
    known = {slot.id for slot in invitation.slots}
    return GuestList(
        tuple(Session(slot, tuple(r for r in found if r.slot == slot.id)) for slot in invitation.slots),
        tuple(reply for reply in found if reply.slot is None),
        tuple(reply for reply in found if reply.slot and reply.slot not in known),
    )
