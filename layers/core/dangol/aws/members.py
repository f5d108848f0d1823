"""Who is in a segment, by table `Memberships`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from dangol.aws.pages import paged
from dangol.aws.tables import BUCKETS

if TYPE_CHECKING:
    from dangol.aws.profiles import DynamoProfiles
    from dangol.campaigns.gate import Profile


def members_of(table: Any, segment: str) -> Iterator[tuple[str, str]]:
    """(customer_id, ISO date since when): a Query for each of the buckets, never a scan. `table` is boto3's."""
    for bucket in range(BUCKETS):
        found = paged(table.query, KeyConditionExpression=Key("segment_bucket").eq(f"{segment}#{bucket}"))
        yield from ((item["customer_id"], item["since"]) for item in found)


class DynamoReaders:
    """Readers (see dangol.moves.audiences)."""

    def __init__(self, table: Any, book: "DynamoProfiles") -> None:
        """`table` is boto3's, of `Memberships`."""
        self._table = table
        self._book = book

    def members(self, segment: str) -> Iterator[str]:
        """See Readers."""
        return (customer_id for customer_id, _ in members_of(self._table, segment))

    def profiles(self, customer_ids: Sequence[str]) -> "Mapping[str, Profile]":
        """See Readers."""
        return self._book.read(customer_ids)
