"""Another service that wants to hear of segment changes: a rule on the shop's bus, and a queue behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from examples.sandbox.local_aws import LocalAws

Change = Mapping[str, Any]
"""The detail of an event `Segment Changed`."""

LATEST_ARRIVAL = 20.0
"""Seconds after which an event that is still missing is taken as lost."""


class Listener:
    """Hears every `Segment Changed` from now on."""

    def __init__(self, aws: LocalAws, bus: str, name: str) -> None:
        self._sqs = aws.client("sqs")
        events = aws.client("events")
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        pattern = {"source": ["dangol"], "detail-type": ["Segment Changed"]}
        rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": _may_send(rule, arn)})
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": name, "Arn": arn}])

    def heard(self, expected: int) -> list[Change]:
        """What was published since the last call, each change once: delivery is at least once, their ids are stable.

        Waits for as many as are expected, but returns what there is, be it more or less.
        """
        changes: dict[str, Change] = {}
        deadline = time.monotonic() + LATEST_ARRIVAL
        while time.monotonic() < deadline:
            received = self._receive()
            changes |= {change["id"]: change for change in received}
            if not received and len(changes) >= expected:
                break
        return list(changes.values())

    def _receive(self) -> list[Change]:
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        messages = answer.get("Messages", [])
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
        else:
            time.sleep(0.1)
        return [json.loads(message["Body"])["detail"] for message in messages]


def _may_send(rule: str, queue: str) -> str:
    """The queue's policy: the rule may send to it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
