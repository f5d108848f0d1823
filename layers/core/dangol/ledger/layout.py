"""Names in the ledger: shards, versions of files, keys of objects."""

import hashlib
import json
from datetime import UTC, date, datetime

from dangol.errors import LedgerMismatch
from dangol.ledger.store import ObjectStore

ORDERS, OWNERS = "orders", "order_owners"
"""Kinds of the ledger: orders by customer, and for each order the shard that holds it."""

_FORMAT = 1
LAYOUT_KEY = "ledger/layout.json"
"""Where the number of shards is noted."""
CHANGES = "ledger/changes/"
"""Where changes of membership are kept, by day."""


def shard_of(text: str, shards: int) -> int:
    """The shard of a customer id (or, among the owners, of an order id): stable for ever."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") % shards


def shard_sql(column: str, shards: int) -> str:
    """SQL: the same as `shard_of`."""
    return f"(md5_number_lower({column}) % {shards})::USMALLINT"


def file_version(event_time: datetime, sequencer: str, key: str) -> str:
    """A name for one upload that sorts by the time S3 took it, not by its arrival here.

    Within a second S3's sequencer decides, and last the key. Sequencers differ in length and compare
    filled up on the right (source: AWS re:Post, "duplicate messages for the same Amazon S3 event").
    `event_time` has a time zone.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{event_time.astimezone(UTC):%Y%m%dT%H%M%SZ}-{sequencer.upper().ljust(24, '0')}-{digest}"


def shard_prefix(kind: str, shard: int) -> str:
    """Where the objects of one shard lie."""
    return f"ledger/{kind}/shard={shard:04d}/"


def kind_prefix(kind: str, shard: int | None) -> str:
    """The same; with None, where the objects of all shards lie."""
    return f"ledger/{kind}/" if shard is None else shard_prefix(kind, shard)


def part_key(kind: str, shard: int, version: str, number: int = 0) -> str:
    """What one file brought to a shard. The same for each try to bring it."""
    return f"{shard_prefix(kind, shard)}part-{version}-{number}.parquet"


def base_key(kind: str, shard: int, merged: list[str]) -> str:
    """The compaction of the objects `merged`."""
    digest = hashlib.sha256("\n".join(merged).encode()).hexdigest()[:16]
    return f"{shard_prefix(kind, shard)}base-{digest}.parquet"


def is_base(key: str) -> bool:
    """Whether an object is a compaction, which holds each order once."""
    return key.rpartition("/")[2].startswith("base-")


def changes_prefix(as_of: date) -> str:
    """Where the changes of membership of a day lie."""
    return f"ledger/changes/as_of={as_of}/"


def changes_key(as_of: date, shard: int, generation: int) -> str:
    """Where the changes of membership lie that led to a shard's generation."""
    return f"{changes_prefix(as_of)}shard-{shard:04d}-{generation:09d}.parquet"


def note_layout(store: ObjectStore, shards: int) -> None:
    """Note the number of shards on first use. Raises LedgerMismatch when it was another before."""
    if not check_layout(store, shards):
        store.write(LAYOUT_KEY, json.dumps({"format": _FORMAT, "shards": shards}).encode())


def number_of_shards(store: ObjectStore) -> int:
    """As noted on first use."""
    return int(json.loads(store.read(LAYOUT_KEY))["shards"])


def check_layout(store: ObjectStore, shards: int) -> bool:
    """Whether the number of shards is noted. Raises LedgerMismatch when it was another before.

    With another number of shards every customer would be looked for in the wrong place.
    """
    if LAYOUT_KEY not in store.keys(LAYOUT_KEY):
        return False
    found = json.loads(store.read(LAYOUT_KEY))
    if found != {"format": _FORMAT, "shards": shards}:
        raise LedgerMismatch(
            f"the ledger has {found['shards']} shards (format {found['format']}), this deployment expects "
            f"{shards} (format {_FORMAT}); deploy with NumberOfShards={found['shards']}"
        )
    return True
