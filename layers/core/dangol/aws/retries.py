"""Trying again soon what failed, on queues whose messages are hidden for long.

A queue hides a message for six times as long as its function may run, 90 minutes for the slow ones. Who fails in an
orderly way need not wait for that: what hides the message is shortened to minutes. Who is killed, or may not do so,
waits the whole time.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

logger = logging.getLogger(__name__)

WAITS = (60, 300, 60)
"""Seconds after the first failure, the second, and the third, after which the queue gives the message up."""


@contextmanager
def tried_again_soon(client: Any, queue_url: str, records: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Have SQS messages (`Records` of a Lambda event) come again soon if what is done with them raises anything."""
    try:
        yield
    except Exception:
        _shorten(client, queue_url, records)
        raise


def _shorten(client: Any, queue_url: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Hide messages no longer than WAITS, and never longer than the queue would."""
    try:
        found = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])
        usual = int(found["Attributes"]["VisibilityTimeout"])
        for record in records:
            count = min(int(record["attributes"]["ApproximateReceiveCount"]), len(WAITS))
            client.change_message_visibility(
                QueueUrl=queue_url,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=min(WAITS[count - 1], usual),
            )
    except ClientError as error:  # they come again all the same, later
        logger.warning("messages are not tried again sooner: %s", error.response["Error"]["Code"])
