"""Table `Runs`: receipts of files, refreshes and configurations."""

import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Key

from dangol.aws.pages import paged

KEPT_DAYS = 400


class DynamoRuns:
    """Runs (see dangol.moves.messages)."""

    def __init__(self, resource: Any, table: str) -> None:
        self._table = resource.Table(table)

    def find(self, kind: str, run_id: str) -> Mapping[str, Any] | None:
        """See Runs."""
        item: Mapping[str, Any] | None = self._table.get_item(
            Key={"kind": kind, "id": run_id}, ConsistentRead=True
        ).get("Item")
        return item

    def since(self, kind: str, run_id: str) -> list[Mapping[str, Any]]:
        """See RunsSince in dangol.moves.report."""
        condition = Key("kind").eq(kind)
        wanted = condition & Key("id").gt(run_id) if run_id else condition
        return list(paged(self._table.query, KeyConditionExpression=wanted, ConsistentRead=True))

    def note(self, kind: str, run_id: str, facts: Mapping[str, Any]) -> None:
        """See Runs."""
        expires = int(time.time()) + KEPT_DAYS * 24 * 3600
        self._table.put_item(Item={**_stored(facts), "kind": kind, "id": run_id, "expires_at": expires})

    def all_of(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """See ResultBook in dangol.moves.measure; numbers are Python's own."""
        return map(_read, paged(self._table.query, KeyConditionExpression=Key("kind").eq(kind), ConsistentRead=True))


def _stored(value: Any) -> Any:
    """DynamoDB takes no floats."""
    match value:
        case float():
            return Decimal(str(value))
        case Mapping():
            return {name: _stored(one) for name, one in value.items()}
        case list() | tuple():
            return [_stored(one) for one in value]
    return value


def _read(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {name: _read(one) for name, one in value.items()}
        case list():
            return [_read(one) for one in value]
    return value
