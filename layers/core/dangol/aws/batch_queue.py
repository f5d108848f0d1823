"""The queues that campaigns write to, and the table that says who is in a segment."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from boto3.dynamodb.conditions import Key

from dangol.aws.tables import BUCKETS
from dangol.moves.campaign.messages import Batch


class SqsBatchQueue:
    """BatchQueue (see dangol.moves.campaign.messages)."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, batches: Sequence[Batch]) -> None:
        """See BatchQueue."""
        for batch in batches:
            self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(batch.as_dict()))


class SqsJournal:
    """Journal (see dangol.moves.campaign.answers)."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def tell(self, event: Mapping[str, Any]) -> None:
        """See Journal."""
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(event))


class DynamoAudience:
    """Audience (see dangol.moves.campaign.messages), by table `Memberships`."""

    buckets = BUCKETS

    def __init__(self, table: Any) -> None:
        self._table = table

    def page(self, segment: str, bucket: int, after: str | None, limit: int) -> tuple[list[str], bool]:
        """See Audience."""
        partition = f"{segment}#{bucket}"
        start = {"ExclusiveStartKey": {"segment_bucket": partition, "customer_id": after}} if after else {}
        page = self._table.query(
            KeyConditionExpression=Key("segment_bucket").eq(partition),
            ProjectionExpression="customer_id",
            Limit=limit,
            **start,
        )
        return [item["customer_id"] for item in page["Items"]], "LastEvaluatedKey" in page
