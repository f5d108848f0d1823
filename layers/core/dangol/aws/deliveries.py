"""Table `Deliveries`: what became of each message."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from typing import Any

from dangol.aws.batches import send_all
from dangol.aws.conditions import write_if
from dangol.engagement.machines import any_by_person
from dangol.moves.campaign.messages import Delivery, Status

KEPT_DAYS = 400
_READ_AT_ONCE = 100
_WRITTEN_AT_ONCE = 25
_THREADS = 8
"""Rows noted at once, each on a condition, which batches do not take: a client keeps 10 connections."""
_MOST_CLICKS = 40
"""Kept of one message: a scanner's may be many, and a row should stay small."""
_OPEN = (Status.UNKNOWN, Status.DEFERRED)
"""As far as it is not known whether it was sent."""


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

    def note(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """See Deliveries."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(self._note, deliveries))

    def _note(self, delivery: Delivery) -> Delivery:
        written = write_if(
            self._client.put_item,
            TableName=self._table,
            Item=delivery_item(delivery),
            # Nothing is known, or only that it was to come later: another sender may have recorded it meanwhile.
            ConditionExpression="attribute_not_exists(channel) OR #status = :deferred",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":deferred": Status.DEFERRED.value},
        )
        if written is not None:
            return delivery
        person = delivery.customer_id
        return self.read(delivery.run, delivery.step, delivery.channel, [person])[person]

    def answer(self, run: str, customer_id: str, step: int, channel: str, kind: str) -> None:
        """See AnswerBook."""
        known = "attribute_exists(channel)"  # of an erased person nothing is noted
        self._update(_key(run, customer_id, step, channel), "ADD answers :kind", known, {":kind": {kind}})

    def click(self, run: str, customer_id: str, step: int, channel: str, at: datetime, link: str) -> None:
        """See AnswerBook. Of a link its hash is kept."""
        click = f"{at.isoformat()} {sha256(link.encode()).hexdigest()[:8]}"
        # A message that somebody knows of, and not the thousandth click of a scanner.
        few = "attribute_exists(channel) AND (attribute_not_exists(clicks) OR size(clicks) < :most)"
        values = {":click": {click}, ":most": _MOST_CLICKS}
        self._update(_key(run, customer_id, step, channel), "ADD clicks :click", few, values)

    def is_open(self, run: str, customer_id: str, step: int, channel: str) -> bool:
        """See AnswerBook."""
        found = self.read(run, step, channel, [customer_id]).get(customer_id)
        return found is None or found.status in _OPEN

    def was_sent(self, run: str, customer_id: str, step: int, channel: str, at: datetime, message_id: str) -> None:
        """See AnswerBook."""
        item = delivery_item(Delivery(run, customer_id, channel, step, Status.SENT, at, message_id=message_id))
        key = _key(run, customer_id, step, channel)
        values = {name: value for name, value in item.items() if name not in key}
        names = {f"#{name}": name for name in values}
        self._update(
            key,
            f"SET {', '.join(f'#{name} = :{name}' for name in values)} REMOVE reason, #until",
            # Nothing final is known: what the sender itself recorded meanwhile says more.
            "attribute_not_exists(channel) OR #status IN (:unknown, :deferred)",
            {f":{name}": value for name, value in values.items()}
            | {f":{status.value}": status.value for status in _OPEN},
            names | {"#until": "until"},
        )

    def _update(
        self,
        key: Mapping[str, str],
        update: str,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> None:
        write_if(
            self._client.update_item,
            TableName=self._table,
            Key=key,
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            **({"ExpressionAttributeNames": names} if names else {}),
        )


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
        answers=frozenset(item.get("answers", ())) | _clicked(item.get("clicks", ())),
    )


def _clicked(clicks: Iterable[str]) -> frozenset[str]:
    """The answer that clicks are, if a person clicked."""
    parted = [click.split() for click in clicks]
    by_person = any_by_person([(datetime.fromisoformat(at), link) for at, link in parted])
    return frozenset({"clicked"}) if by_person else frozenset()
