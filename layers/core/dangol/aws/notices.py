"""Whom the law's notices are to reach: table `Runs`, kind notice-waiting, a row of at most a thousand people."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from boto3.dynamodb.conditions import Key

from dangol.aws.pages import paged

_KIND = "notice-waiting"
_KEPT_DAYS = 45
"""Longer than a notice is due."""


class DynamoNoticeList:
    """NoticeList (see dangol.moves.campaign.messages)."""

    def __init__(self, resource: Any, table: str) -> None:
        self._table = resource.Table(table)

    def put(self, part: str, people: Sequence[str]) -> None:
        """See NoticeList."""
        expires = int(time.time()) + _KEPT_DAYS * 24 * 3600
        self._table.put_item(Item={"kind": _KIND, "id": part, "people": list(people), "expires_at": expires})

    def waiting(self, after: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
        """See NoticeList."""
        condition = Key("kind").eq(_KIND) & Key("id").gt(after or " ")  # every name begins with a digit
        found = paged(self._table.query, KeyConditionExpression=condition, ConsistentRead=True)
        yield from ((item["id"], tuple(item["people"])) for item in found)

    def forget(self, part: str) -> None:
        """See NoticeList."""
        self._table.delete_item(Key={"kind": _KIND, "id": part})
