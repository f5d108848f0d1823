"""Respond: a guest follows the link of an invitation, and chooses a slot, another one, or none.

A reply and the seat it takes or frees are one write (Replies.replace), on condition that the reply is still what was
read and the slot has a seat: so parallel guests never share the last seat, and one guest never has two. The same reply
given again changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from dangol.campaigns.content import Sender
from dangol.campaigns.invitations.definition import Invitation, Slot
from dangol.campaigns.invitations.links import Invited, invited_by, invited_of
from dangol.campaigns.invitations.replies import DECLINE, Reply, Result, Visit
from dangol.campaigns.links import Action, BadLink, ExpiredLink
from dangol.errors import DangolError
from dangol.moves.campaign.answers import AnswerBook

KEPT = timedelta(days=400)
"""For which replies are kept after the last session."""
_TRIES = 5
"""A reply is read again and written when the same guest changed it at the same moment."""


class SlotFull(DangolError):
    """No seat is left in a slot."""

    def __str__(self) -> str:
        return "no seat is left in this slot"


class Busy(DangolError):
    """Too many people reply at the same moment; the same again a little later works."""

    def __str__(self) -> str:
        return "too many people reply at the same moment; try again"


class Replies(Protocol):
    """Table `Invitations`."""

    def taken(self, invitation: str) -> Mapping[str, int]:
        """Seats taken by slot; of no other slot is one taken."""

    def find(self, invitation: str, customer_id: str) -> Reply | None:
        """What a person replied last."""

    def replace(self, before: Reply | None, after: Reply, capacity: int, kept_until: datetime) -> bool:
        """Put a reply in the place of the one that was read, and move its seat, all or nothing.

        `capacity` is of the slot of `after`, another than that of `before`. False if the reply is not `before` any
        more. Raises SlotFull or Busy.
        """


class Guests(Protocol):
    """Who may reply."""

    def is_known(self, customer_id: str) -> bool:
        """Whether there is such a person: one who was erased cannot come back by an old link."""


@dataclass(frozen=True, slots=True)
class _Guest:
    """Who came, and what they may choose."""

    invited: Invited
    asked: Action
    invitation: Invitation | None
    reply: Reply | None
    offered: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Responder:
    """Takes what guests send."""

    replies: Replies
    answers: AnswerBook
    guests: Guests
    find: Callable[[str], Invitation | None]
    """The live invitation of an id."""
    keys: Sequence[bytes]
    """Of links."""
    host: Sender
    clock: Callable[[], datetime]

    def look(self, token: str) -> Visit:
        """What the page shows; nothing is changed. Raises BadLink."""
        return self._visit(self._guest(token), Result.SHOWN)

    def reply(self, token: str, choice: str) -> Visit:
        """Take a choice, DECLINE or the id of a slot, and what the page shows then. Raises BadLink."""
        guest = self._guest(token)
        result, asked = self._take(guest, choice), guest.invited
        reply = self.replies.find(asked.invitation, asked.customer_id) if guest.offered else guest.reply
        return self._visit(replace(guest, reply=reply), result)

    def _guest(self, token: str) -> _Guest:
        now = self.clock()
        try:
            invited, asked = invited_by(token, self.keys, now)
            closed = False
        except ExpiredLink as late:  # who has booked still finds the way by it
            invited, asked, closed = invited_of(late.link), late.link.action, True
        if not self.guests.is_known(invited.customer_id):
            raise BadLink
        invitation = self.find(invited.invitation)
        reply = self.replies.find(invited.invitation, invited.customer_id) if invitation else None
        if invitation is None or closed or _has_begun(invitation, reply, now):
            return _Guest(invited, asked, invitation, reply, ())
        return _Guest(invited, asked, invitation, reply, invitation.offered(now))

    def _take(self, guest: _Guest, choice: str) -> Result:
        if not guest.offered:
            return Result.OVER
        slot = next((slot for slot in guest.offered if slot.id == choice), None)
        if slot is None and choice != DECLINE:
            return Result.UNCLEAR
        asked = guest.invited
        self.answers.answer(asked.run, asked.customer_id, asked.step, asked.channel, "clicked")
        try:
            return self._book(guest, slot)
        except SlotFull:
            return Result.FULL
        except Busy:
            return Result.BUSY

    def _book(self, guest: _Guest, slot: Slot | None) -> Result:
        """Let the guest's reply be this slot, or none."""
        asked, invitation, before = guest.invited, guest.invitation, guest.reply
        assert invitation, "something of it is offered"
        at = self.clock().replace(microsecond=0)
        after = Reply(asked.invitation, asked.customer_id, slot.id if slot else None, asked.run, at)
        for _ in range(_TRIES):
            same = before is not None and before.slot == after.slot
            if same or self.replies.replace(before, after, slot.capacity if slot else 0, invitation.ends_at + KEPT):
                return Result.BOOKED if slot else Result.DECLINED
            before = self.replies.find(asked.invitation, asked.customer_id)
        raise Busy

    def _visit(self, guest: _Guest, result: Result) -> Visit:
        taken = self.replies.taken(guest.invited.invitation) if guest.offered else {}
        return Visit(result, guest.asked, guest.invitation, guest.reply, guest.offered, taken, self.host)


def _has_begun(invitation: Invitation, reply: Reply | None, now: datetime) -> bool:
    """Whether the session that a guest booked has begun: then it stands."""
    slot = invitation.slot(reply.slot) if reply and reply.slot else None
    return slot is not None and now >= slot.start
