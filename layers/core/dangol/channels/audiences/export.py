"""One numbered export of an audience to a platform: what its list held and holds, and the files that follow."""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from dangol.channels.audiences.files import PLATFORMS, Row, additions, file_of, removals, target

AUDIENCES = "audiences/"
STATES = f"{AUDIENCES}state/"
"""What was exported last; nobody's but the exporter's."""


@dataclass(frozen=True, slots=True)
class Export:
    """One export. Its files follow from it alone, so they can be written again."""

    audience: str
    platform: str
    number: int = 0
    """From 1; 0 before the first."""
    on: str = ""
    """ISO date in the shop's zone."""
    before: frozenset[Row] = frozenset()
    """What the platform's list held."""
    rows: frozenset[Row] = frozenset()
    """What it holds once every change so far is applied."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Members of the segment whom it did not name, by LeftOut."""
    written: bool = True
    """Whether the files are."""

    @property
    def state_key(self) -> str:
        """Where this is kept."""
        return f"{STATES}{self.platform}/{self.audience}.json"

    @property
    def full_key(self) -> str:
        """The whole list, of the last export."""
        return f"{AUDIENCES}{self.platform}/{self.audience}/full.csv"

    @property
    def is_large_enough(self) -> bool:
        """Whether the whole list may be written."""
        return len(self.rows) >= PLATFORMS[self.platform].minimum

    @property
    def full(self) -> bytes:
        """The whole list."""
        return file_of(self.rows, self.platform)

    @property
    def changes(self) -> dict[str, frozenset[Row]]:
        """What to take off the list and to put on it, by key; the order does not matter."""
        prefix = f"{AUDIENCES}{self.platform}/{self.audience}/changes/{self.number:08d}-{self.on}-"
        found = {"additions": additions(self.before, self.rows), "removals": removals(self.before, self.rows)}
        return {f"{prefix}{name}.csv": rows for name, rows in found.items() if rows}

    @property
    def run_id(self) -> str:
        """In `Runs`."""
        return f"{self.audience}#{self.platform}#{self.number:08d}"

    def following(self, now: Set[Row], left_out: Mapping[str, int], on: date) -> "Export | None":
        """The next export for what the audience is now; None where the list stays as it is."""
        rows = target(now, self.rows, self.platform)
        if rows == self.rows:
            return None
        return replace(
            self,
            number=self.number + 1,
            on=on.isoformat(),
            before=self.rows,
            rows=rows,
            left_out=left_out,
            written=False,
        )

    def done(self) -> "Export":
        """The same, once its files are written: then nobody asks what was before."""
        return replace(self, before=frozenset(), left_out={}, written=True)

    def facts(self) -> dict[str, Any]:
        """Counts of it, for `Runs`."""
        return {
            "audience": self.audience,
            "platform": self.platform,
            "number": self.number,
            "on": self.on,
            "people": len(self.rows),
            "added": len(additions(self.before, self.rows)),
            "removed": len(removals(self.before, self.rows)),
            "full": self.is_large_enough,
            "left_out": dict(self.left_out),
        }

    def to_json(self) -> bytes:
        """As kept."""
        found = {
            "number": self.number,
            "on": self.on,
            "before": sorted(self.before),
            "rows": sorted(self.rows),
            "left_out": dict(self.left_out),
            "written": self.written,
        }
        return json.dumps(found).encode()

    @classmethod
    def from_json(cls, audience: str, platform: str, text: bytes) -> "Export":
        """What `to_json` made a text of."""
        found: dict[str, Any] = json.loads(text)
        rows = {name: frozenset(Row(*row) for row in found[name]) for name in ("before", "rows")}
        return cls(audience, platform, **{**found, **rows})
