"""Table `Deliveries`: what became of each message."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from dangol.aws.batches import send_all
from dangol.aws.profiles import CONDITION_FAILED
from dangol.moves.campaign.messages import Delivery, Status

KEPT_DAYS = 400
_READ_AT_ONCE = 100
_WRITTEN_AT_ONCE = 25


class DynamoDeliveries:
    """Deliveries (see dangol.moves.campaign.messages) and AnswerBook (see dangol.moves.campaign.answers)."""

    def __init__(self, resource: Any, table: str) -> None:
        self._client = resource.meta.client
        self._table = table

    def read(self, run: str, step: int, channel: str, customers: Sequence[str]) -> dict[str, Delivery]:
        """See Deliveries."""
        found: dict[str, Delivery] = {}

        def read(keys: list[dict[str, str]]) -> tuple[list[dict[str, str]], str]:
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            found.update({item["customer_id"]: _delivery(item) for item in answer["Responses"][self._table]})
            return answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"], f"{self._table} is throttled"

        send_all([_key(run, person, step, channel) for person in dict.fromkeys(customers)], _READ_AT_ONCE, read)
        return found

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """See Deliveries."""

        def write(requests: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
            left = self._client.batch_write_item(RequestItems={self._table: requests})["UnprocessedItems"]
            return left.get(self._table, []), f"{self._table} is throttled"

        send_all([{"PutRequest": {"Item": delivery_item(one)}} for one in deliveries], _WRITTEN_AT_ONCE, write)

    def note_unknown(self, delivery: Delivery) -> Delivery:
        """See Deliveries."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=delivery_item(delivery),
                # Nothing is known, or only that it was to come later: a slow sender may have recorded it meanwhile.
                ConditionExpression="attribute_not_exists(channel) OR #status = :deferred",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":deferred": Status.DEFERRED.value},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            person = delivery.customer_id
            return self.read(delivery.run, delivery.step, delivery.channel, [person])[person]
        return delivery

    def answer(self, run: str, customer_id: str, step: int, channel: str, kind: str) -> None:
        """See AnswerBook."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(run, customer_id, step, channel),
                UpdateExpression="ADD answers :kind",
                ConditionExpression="attribute_exists(channel)",  # of an erased person nothing is noted
                ExpressionAttributeValues={":kind": {kind}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise


def delivery_item(delivery: Delivery) -> dict[str, Any]:
    """A row of `Deliveries`: moments as ISO text, what is missing left out."""
    key = _key(delivery.run, delivery.customer_id, delivery.step, delivery.channel)
    item = {
        **key,
        "run": delivery.run,
        "customer_id": delivery.customer_id,
        "step": delivery.step,
        "status": delivery.status.value,
        "at": delivery.at.isoformat(timespec="seconds"),
        "reason": delivery.reason and str(delivery.reason),
        "variant": delivery.variant,
        "message_id": delivery.message_id,
        "until": delivery.until and delivery.until.isoformat(timespec="seconds"),
        "answers": set(delivery.answers) or None,
        "expires_at": int(time.time()) + KEPT_DAYS * 24 * 3600,
    }
    return {name: value for name, value in item.items() if value is not None}


def _key(run: str, customer_id: str, step: int, channel: str) -> dict[str, str]:
    return {"run_customer": f"{run}#{customer_id}", "channel": f"{channel}#{step}" if step else channel}


def _delivery(item: Mapping[str, Any]) -> Delivery:
    return Delivery(
        run=item["run"],
        customer_id=item["customer_id"],
        channel=item["channel"].partition("#")[0],
        step=int(item["step"]),
        status=Status(item["status"]),
        at=datetime.fromisoformat(item["at"]),
        reason=item.get("reason"),
        variant=item.get("variant"),
        message_id=item.get("message_id"),
        until=datetime.fromisoformat(item["until"]) if "until" in item else None,
        answers=frozenset(item.get("answers", ())),
    )
