"""`dangol campaigns invitations`: who comes to the sessions of a deployed stack."""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dangol.cli.stack import Stack, open_stack, telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.campaigns.invitations.definition import Invitation
    from dangol.campaigns.invitations.guests import GuestList
    from dangol.campaigns.invitations.replies import Reply

_DONE, _FINDINGS = 0, 1
_COLUMNS = ("status", "start", "place", "customer_id", "replied_at", "run")
_CONTACTS = ("name", "phone")
_Contacts = Mapping[str, tuple[str, str]]


def add_invitations_to(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    text = "who comes to which session, and how many seats are taken; exit 1 if a guest has lost their seat"
    one = actions.add_parser("invitations", help=text, description=text)
    one.add_argument("invitation", metavar="INVITATION", help="id of the invitation, as its file is called")
    one.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack")
    one.add_argument("--contacts", action="store_true", help="with names and phone numbers: personal data")
    one.add_argument("--csv", type=Path, metavar="FILE", help="write the list there, for a spreadsheet")
    one.add_argument("--json", action="store_true", help="for programs")
    one.set_defaults(run=telling_of_aws(list_guests))


def list_guests(options: argparse.Namespace) -> int:
    """Print the slots with their guests; the status is 1 where a guest has no seat any more."""
    from dangol.campaigns.invitations.guests import guest_list

    stack = open_stack(options.stack)
    invitation = _live(stack, options.invitation)
    replies = _replies(stack, invitation.id)
    contacts = _contacts(stack, [reply.customer_id for reply in replies]) if options.contacts else {}
    guests = guest_list(invitation, replies)
    if options.json:
        print(json.dumps(_as_dict(invitation, guests, contacts), ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(invitation, guests, contacts)))
    if options.csv:
        _write_csv(options.csv, invitation, guests, contacts if options.contacts else None)
    return _FINDINGS if guests.stranded or any(session.is_overbooked for session in guests.sessions) else _DONE


def _live(stack: Stack, invitation_id: str) -> "Invitation":
    """The live invitation. Raises DangolError where there is none."""
    from dangol.document import nearest
    from dangol.moves.configure import live_configuration

    found = {one.id: one for one in live_configuration(stack.bucket()).invitations(stack.shop.time_zone)}
    if not found:
        raise DangolError("no invitation is live; put some into invitations/ of the folder and `dangol config push` it")
    if invitation_id not in found:
        raise DangolError(f"no invitation '{invitation_id}' is live; {nearest(invitation_id, found)}")
    return found[invitation_id]


def _replies(stack: Stack, invitation: str) -> "list[Reply]":
    from dangol.aws.replies import DynamoReplies

    table = stack.deployment.output("InvitationsTableName")
    return DynamoReplies(stack.boto3.resource("dynamodb"), table).replies(invitation)


def _contacts(stack: Stack, customer_ids: list[str]) -> _Contacts:
    from dangol.aws.profiles import DynamoProfiles

    profiles = DynamoProfiles(stack.boto3.resource("dynamodb"), stack.deployment.output("ProfilesTableName"))
    return profiles.names_and_phones(customer_ids)


def _lines(invitation: "Invitation", guests: "GuestList", contacts: _Contacts) -> Iterator[str]:
    until = f"{invitation.answer_by:%Y-%m-%d %H:%M} {invitation.time_zone}"
    yield f"{invitation.id} · {invitation.names['ko']} · answers until {until}"
    for session in guests.sessions:
        slot, taken = session.slot, f"{len(session.guests)} of {session.slot.capacity} taken"
        over = "  MORE THAN THERE ARE SEATS: call somebody" if session.is_overbooked else ""
        yield f"  {slot.start:%Y-%m-%d %H:%M}–{slot.end:%H:%M}  {slot.place:<10} {taken}{over}"
        yield from (_guest_line(reply, invitation, contacts) for reply in session.guests)
    if guests.stranded:
        yield "  booked a slot that is no longer offered: call them"
        yield from (_guest_line(reply, invitation, contacts) for reply in guests.stranded)
    accepted = sum(len(session.guests) for session in guests.sessions) + len(guests.stranded)
    yield f"  {accepted} accepted, {len(guests.declined)} declined"


def _guest_line(reply: "Reply", invitation: "Invitation", contacts: _Contacts) -> str:
    about = " ".join(filter(None, contacts.get(reply.customer_id, ())))
    return f"    {reply.customer_id}  {about + '  ' if about else ''}replied {_at(reply, invitation)}"


def _at(reply: "Reply", invitation: "Invitation") -> str:
    """When they replied, in the zone of the slots."""
    return f"{reply.at.astimezone(invitation.answer_by.tzinfo):%Y-%m-%d %H:%M}"


def _rows(invitation: "Invitation", guests: "GuestList", contacts: _Contacts | None) -> Iterator[list[str]]:
    """A row a reply, with _COLUMNS, and _CONTACTS where they are asked for."""
    come = (reply for session in guests.sessions for reply in session.guests)
    for reply in (*come, *guests.stranded, *guests.declined):
        slot = invitation.slot(reply.slot) if reply.slot else None
        start, place = (f"{slot.start:%Y-%m-%d %H:%M}", slot.place) if slot else (reply.slot or "", "")
        status = "accepted" if reply.slot else "declined"
        about = contacts.get(reply.customer_id, ("", "")) if contacts is not None else ()
        yield [status, start, place, reply.customer_id, _at(reply, invitation), reply.run, *about]


def _write_csv(file: Path, invitation: "Invitation", guests: "GuestList", contacts: _Contacts | None) -> None:
    """In UTF-8 with BOM, which a Korean spreadsheet opens; no cell is run as a formula."""
    from dangol.files.rejects import defused

    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*_COLUMNS, *(_CONTACTS if contacts is not None else ())])
        writer.writerows([defused(cell) for cell in row] for row in _rows(invitation, guests, contacts))
    print(f"wrote {file}", file=sys.stderr)


def _as_dict(invitation: "Invitation", guests: "GuestList", contacts: _Contacts) -> dict[str, object]:
    def guest(reply: "Reply") -> dict[str, str]:
        about = dict(zip(_CONTACTS, contacts[reply.customer_id], strict=True)) if reply.customer_id in contacts else {}
        found = {"customer_id": reply.customer_id, "replied_at": reply.at.isoformat(), "run": reply.run}
        return found | ({"slot": reply.slot} if reply.slot else {}) | about

    return {
        "invitation": invitation.id,
        "answer_by": invitation.answer_by.isoformat(),
        "slots": [
            {
                "slot": session.slot.id,
                "start": session.slot.start.isoformat(),
                "place": session.slot.place,
                "capacity": session.slot.capacity,
                "taken": len(session.guests),
                "guests": list(map(guest, session.guests)),
            }
            for session in guests.sessions
        ],
        "stranded": list(map(guest, guests.stranded)),
        "declined": list(map(guest, guests.declined)),
    }
