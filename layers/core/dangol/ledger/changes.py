"""Which RFM segment customers were in on an earlier day, by the changes that the ledger keeps for ever.

Each refresh that changed something left its generation's changes, also one without any. So the names of the objects
tell which generation a shard was at on a day: the last one of the latest date up to it. Who has changed since is who is
in a later generation; a replay of the past in between is one of those and undone with them.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dangol.engine import literal, literals
from dangol.ledger.store import ObjectStore

_PREFIX = "ledger/changes/"
_KEY = re.compile(r".*/as_of=(\d{4}-\d\d-\d\d)/shard-(\d+)-(\d+)\.parquet")

NOBODY = "(SELECT NULL::VARCHAR AS customer_id, NULL::VARCHAR AS was WHERE false)"
"""SQL: as ChangeLog.moved, of nobody."""


@dataclass(frozen=True, slots=True)
class _Generation:
    """The changes that led to one generation of a shard."""

    key: str
    as_of: date
    shard: int
    number: int


class ChangeLog:
    """The changes of all shards; those needed are copied into `folder`, each once."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._paths: dict[str, Path] = {}
        matches = filter(None, map(_KEY.fullmatch, store.keys(_PREFIX)))
        self._generations = [
            _Generation(match[0], date.fromisoformat(match[1]), int(match[2]), int(match[3])) for match in matches
        ]

    @property
    def first_day(self) -> date | None:
        """The first day of which anything is known."""
        return min((one.as_of for one in self._generations), default=None)

    def moved(self, since: date, rfm: Collection[str]) -> str:
        """SQL: customer_id and was, the RFM segment on `since` (NULL: no customer yet), of who changed it later.

        `rfm` are the ids of RFM segments; of who moved from one to another those of former policies count as well.
        """
        later = self._later_than(since)
        if not later:
            return NOBODY
        paths = self._copied([one.key for one in later])
        names = [literal(str(path)) for path in paths]
        numbers = ", ".join(str(one.number) for one in later)
        listed = ", ".join(names)
        ids = literals(rfm)
        return f"""(
            SELECT customer_id, first(from_segment ORDER BY generation) AS was FROM (
                SELECT customer_id, from_segment, map([{listed}], [{numbers}])[filename] AS generation
                FROM read_parquet([{listed}], hive_partitioning = false, filename = true)
                WHERE (from_segment IS NOT NULL AND to_segment IS NOT NULL)
                    OR coalesce(from_segment, to_segment) IN ({ids})
            ) GROUP BY customer_id
        )"""

    def _later_than(self, day: date) -> list[_Generation]:
        # Keys are sorted by date and then by generation, so the last one up to the day is where the shard was.
        reached = {one.shard: one.number for one in self._generations if one.as_of <= day}
        return [one for one in self._generations if one.number > reached.get(one.shard, 0)]

    def _copied(self, keys: list[str]) -> list[Path]:
        missing = [key for key in keys if key not in self._paths]
        self._paths |= dict(zip(missing, self._store.download(missing, self._folder), strict=True))
        return [self._paths[key] for key in keys]
