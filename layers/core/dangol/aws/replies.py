"""Table `Invitations`: seats taken by slot, and what each person replied. No contact data.

invitation | entry
its id | slot#<id of the slot>: seats taken
its id | reply#<customer_id>: what the person replied
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from dangol.aws.conditions import FAILED, is_busy, transact
from dangol.aws.pages import paged
from dangol.campaigns.invitations.replies import Reply
from dangol.errors import DangolError
from dangol.moves.campaign.respond import Busy, SlotFull

_SLOT, _REPLY = "slot#", "reply#"


class DynamoReplies:
    """Replies (see dangol.moves.campaign.respond)."""

    def __init__(self, resource: Any, table: str) -> None:
        self._name = table
        self._table = resource.Table(table)
        self._client = resource.meta.client

    def taken(self, invitation: str) -> Mapping[str, int]:
        """See Replies."""
        rows = self._rows(invitation, _SLOT)
        return {row["entry"].removeprefix(_SLOT): int(row["taken"]) for row in rows if row["taken"]}

    def find(self, invitation: str, customer_id: str) -> Reply | None:
        """See Replies."""
        key = _reply_key(invitation, customer_id)
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return _reply(item) if item else None

    def replies(self, invitation: str) -> list[Reply]:
        """Everybody's, by customer_id."""
        return [_reply(row) for row in self._rows(invitation, _REPLY)]

    def replace(self, before: Reply | None, after: Reply, capacity: int, kept_until: datetime) -> bool:
        """See Replies."""
        expires = int(kept_until.timestamp())
        put = {"Put": {"TableName": self._name, "Item": reply_item(after, expires), **_still(before)}}
        take = self._take(after.invitation, after.slot, capacity, expires) if after.slot else None
        free = self._free(before.invitation, before.slot) if before and before.slot else None
        return self._write(put, take, free)

    def forget(self, customer_id: str) -> int:
        """Remove all that a person replied and free their seats; to how many invitations."""
        replies = list(map(_reply, self._scan(Attr("customer_id").eq(customer_id))))
        for reply in replies:
            self._remove(reply)
        return len(replies)

    def count_of(self, customer_id: str) -> int:
        """To how many invitations a person replied."""
        return sum(1 for _ in self._scan(Attr("customer_id").eq(customer_id)))

    def _remove(self, reply: Reply | None) -> None:
        while reply:  # as it is now: the person may be changing it
            key = _reply_key(reply.invitation, reply.customer_id)
            delete = {"Delete": {"TableName": self._name, "Key": key, **_still(reply)}}
            slot = reply.slot if reply.slot and self._is_taken(reply.invitation, reply.slot) else None
            free = self._free(reply.invitation, slot) if slot else None
            removed = self._write(delete, None, free)
            reply = None if removed else self.find(reply.invitation, reply.customer_id)

    def _is_taken(self, invitation: str, slot: str) -> bool:
        """Whether seats of a slot are counted; the count may expire a while before the replies do."""
        key = {"invitation": invitation, "entry": _SLOT + slot}
        return bool(self._table.get_item(Key=key, ConsistentRead=True).get("Item", {}).get("taken"))

    def _take(self, invitation: str, slot: str, capacity: int, expires: int) -> dict[str, Any]:
        return self._move(
            (invitation, slot),
            "ADD taken :one SET expires_at = :expires",
            "attribute_not_exists(taken) OR taken < :capacity",  # a seat is left
            {":one": 1, ":capacity": capacity, ":expires": expires},
        )

    def _free(self, invitation: str, slot: str) -> dict[str, Any]:
        # Nobody gives back a seat that nobody took: else one more than there are could be taken.
        return self._move((invitation, slot), "ADD taken :less", "taken > :none", {":less": -1, ":none": 0})

    def _move(self, key: tuple[str, str], update: str, condition: str, values: Mapping[str, int]) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._name,
                "Key": {"invitation": key[0], "entry": _SLOT + key[1]},
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _write(self, reply: dict[str, Any], take: dict[str, Any] | None, free: dict[str, Any] | None) -> bool:
        """A reply with the seats it moves, all or nothing; False if it is not any more what it was."""
        writes = [write for write in (reply, take, free) if write]
        try:
            refused = transact(self._client, writes)
        except ClientError as error:
            if is_busy(error):
                raise Busy from error
            raise
        if refused[:1] == [FAILED]:
            return False
        if take and refused[1:2] == [FAILED]:
            raise SlotFull
        if refused:
            raise DangolError("a seat would be given back that nobody took")
        return True

    def _rows(self, invitation: str, kind: str) -> Iterator[dict[str, Any]]:
        condition = Key("invitation").eq(invitation) & Key("entry").begins_with(kind)
        return paged(self._table.query, ConsistentRead=True, KeyConditionExpression=condition)

    def _scan(self, condition: Any) -> Iterator[dict[str, Any]]:
        return paged(self._table.scan, ConsistentRead=True, FilterExpression=condition)


def _reply_key(invitation: str, customer_id: str) -> dict[str, str]:
    return {"invitation": invitation, "entry": _REPLY + customer_id}


def _still(reply: Reply | None) -> dict[str, Any]:
    """The condition that a person's reply is what was read, as far as it concerns seats."""
    if reply is None:
        return {"ConditionExpression": "attribute_not_exists(entry)"}
    if reply.slot is None:
        return {"ConditionExpression": "attribute_exists(entry) AND attribute_not_exists(slot)"}
    return {"ConditionExpression": "slot = :slot", "ExpressionAttributeValues": {":slot": reply.slot}}


def reply_item(reply: Reply, expires_at: int) -> dict[str, Any]:
    """A row of `Invitations`; `expires_at` in seconds since 1970."""
    item = {
        **_reply_key(reply.invitation, reply.customer_id),
        "customer_id": reply.customer_id,
        "status": "accepted" if reply.slot else "declined",
        "slot": reply.slot,
        "run": reply.run,
        "replied_at": reply.at.isoformat(timespec="seconds"),
        "expires_at": expires_at,
    }
    return {name: value for name, value in item.items() if value is not None}


def _reply(item: Mapping[str, Any]) -> Reply:
    at = datetime.fromisoformat(item["replied_at"])
    return Reply(item["invitation"], item["customer_id"], item.get("slot"), item["run"], at)
