"""Writes to DynamoDB that happen only while a condition holds."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError


def write_if(write: Callable[..., Mapping[str, Any]], **request: Any) -> Mapping[str, Any] | None:
    """DynamoDB's answer to a write whose `request` has a ConditionExpression; None where that does not hold."""
    try:
        return write(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return None
