"""Table `Runs`: receipts of files, refreshes and configurations."""

import time
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.conditions import Key

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
        query = {"KeyConditionExpression": condition & Key("id").gt(run_id) if run_id else condition}
        found: list[Mapping[str, Any]] = []
        while query:
            page = self._table.query(**query, ConsistentRead=True)
            found += page["Items"]
            last = page.get("LastEvaluatedKey")
            query = {**query, "ExclusiveStartKey": last} if last else {}
        return found

    def note(self, kind: str, run_id: str, facts: Mapping[str, Any]) -> None:
        """See Runs."""
        expires = int(time.time()) + KEPT_DAYS * 24 * 3600
        self._table.put_item(Item={**facts, "kind": kind, "id": run_id, "expires_at": expires})
