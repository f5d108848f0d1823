"""What is known of an erasure while it is under way. It is personal data, and goes with its end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from dangol.erasure.person import Person

FORGETTING = "ledger/forgetting/"
_PLAN, _RUN = "/plan.json", "forget-"


@dataclass(frozen=True, slots=True)
class Plan:
    """One erasure."""

    request: str
    """Names it; 16 hex digits."""
    at: datetime
    """When it began, UTC: what is dated before is erased."""
    person: Person
    shards: tuple[int, ...]
    """Where the accounts lie."""
    round: int = 1
    """How often every shard was gone through, counting this time."""
    asked: bool = False
    """Whether the shards were asked for this round."""
    counted: bool = False
    """Whether the rows that the shards erased this round are among what was removed."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """What was removed so far, by place."""

    @property
    def key(self) -> str:
        """Where it is kept."""
        return plan_key(self.request)

    @property
    def folder(self) -> str:
        """Where all lies that is kept of it."""
        return f"{FORGETTING}{self.request}/"

    @property
    def run_id(self) -> str:
        """Of the refreshes of this round."""
        return f"{_RUN}{self.request}-{self.round}"

    def done_key(self, shard: int) -> str:
        """Where a shard says that it is done with this round, and how many rows it erased."""
        return f"{self.folder}{self.round}-shard-{shard:04d}.json"

    def plus(self, **removed: int) -> Self:
        """With so much more removed."""
        places = {**self.removed, **{place: self.removed.get(place, 0) + n for place, n in removed.items()}}
        return replace(self, removed=places)

    def next_round(self) -> Self:
        """Once more through every shard."""
        return replace(self, round=self.round + 1, asked=False, counted=False)

    def to_json(self) -> bytes:
        """As kept."""
        found = {
            "request": self.request,
            "at": self.at.isoformat(),
            "person": self.person.as_dict(),
            "shards": list(self.shards),
            "round": self.round,
            "asked": self.asked,
            "counted": self.counted,
            "removed": dict(self.removed),
        }
        return json.dumps(found).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """What to_json made a text of."""
        found: dict[str, Any] = json.loads(text)
        at, person = datetime.fromisoformat(found["at"]), Person.from_dict(found["person"])
        return cls(**{**found, "at": at, "person": person, "shards": tuple(found["shards"])})


def plan_key(request: str) -> str:
    """Where the plan of an erasure is kept."""
    return f"{FORGETTING}{request}{_PLAN}"


def is_plan(key: str) -> bool:
    """Whether a key is that of a plan."""
    return key.startswith(FORGETTING) and key.endswith(_PLAN)


def request_of(run_id: str) -> str:
    """The erasure that a refresh is part of. Raises ValueError for another refresh."""
    if not run_id.startswith(_RUN):
        raise ValueError(f"'{run_id}' is no run of an erasure")
    return run_id.removeprefix(_RUN).rpartition("-")[0]
