"""Rows of a table that come in pages."""

from collections.abc import Callable, Iterator
from typing import Any


def paged(read: Callable[..., Any], **asked: Any) -> Iterator[dict[str, Any]]:
    """The rows that a query or a scan finds, page by page; `read` is boto3's, of a table or a client."""
    call = asked
    while call:
        page = read(**call)
        yield from page["Items"]
        last = page.get("LastEvaluatedKey")
        call = {**call, "ExclusiveStartKey": last} if last else {}
