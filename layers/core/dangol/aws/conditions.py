"""Writes to DynamoDB that happen only while a condition holds.

DynamoDB refuses a write that meets a transaction on the same row. That is no answer to the condition, and boto3 does
not try it again: it is done here.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")
FAILED = "ConditionalCheckFailed"
"""Why a write of a transaction was refused: its condition does not hold."""
_MEANWHILE = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Why a write that is in order is refused for the moment: others write to the same row."""
_TRIES = 14
_LONGEST_WAIT = 0.5
"""Seconds between tries, at random so that they part; about 3 in all."""


def write_if(write: Callable[..., Mapping[str, Any]], **request: Any) -> Mapping[str, Any] | None:
    """DynamoDB's answer to a write whose `request` has a ConditionExpression; None where that does not hold."""
    try:
        return _unless_met(lambda: write(**request))
    except ClientError as error:
        if error.response["Error"]["Code"] != f"{FAILED}Exception":
            raise
        return None


def transact(client: Any, writes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Make writes all or nothing; [] when they are made, else of each why it is refused, FAILED or 'None' for some.

    Raises ClientError when others were still at the same rows in the end (see is_busy), and for all else.
    """
    try:
        _unless_met(lambda: client.transact_write_items(TransactItems=list(writes)))
    except ClientError as error:
        if FAILED not in _reasons(error):
            raise
        return _reasons(error)
    return []


def is_busy(error: ClientError) -> bool:
    """Whether a write was refused because others wrote to the same rows."""
    meanwhile = not _MEANWHILE.isdisjoint(_reasons(error)) and FAILED not in _reasons(error)
    return meanwhile or error.response["Error"]["Code"] == "TransactionConflictException"


def _unless_met(write: Callable[[], T]) -> T:
    """What a write answers, made again as long as it meets others."""
    for attempt in range(_TRIES):
        try:
            return write()
        except ClientError as error:
            if attempt == _TRIES - 1 or not is_busy(error):
                raise
        time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.02 * 2**attempt)))  # noqa: S311 - no secret
    raise AssertionError("the last try returns or raises")


def _reasons(error: ClientError) -> list[str]:
    """Of a transaction that was cancelled, by write."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", ())]
