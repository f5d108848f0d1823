"""One shard without the people who are being erased, as a refresh of it: so never beside another refresh."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dangol.erasure.plan import Plan, plan_key, request_of
from dangol.ledger import erasing
from dangol.ledger.notices import NoticeLog
from dangol.ledger.store import ObjectStore
from dangol.moves.messages import FORGET, RefreshRequest


@dataclass(slots=True)
class ShardErasing:
    """What is to be done before and after the shard is computed. Done again, it changes nothing."""

    connection: duckdb.DuckDBPyConnection
    store: ObjectStore
    shard: int
    plan: Plan
    folder: Path
    rows: int = 0
    """Erased so far."""

    def begin(self) -> None:
        """Take them out of what the shard's state follows from. Computed anew, it leaves the tables without them."""
        self._erase(erasing.inputs_of(self.store, self.shard), "before", self.plan.request)

    def end(self) -> None:
        """Take them out of what follows from it, the record of their leaving included; and say that it is done."""
        self._erase(erasing.outcomes_of(self.store, self.shard), "after")
        NoticeLog(self.store, self.connection, self.shard).forget(self.plan.person.ids)
        self.store.write(self.plan.done_key(self.shard), json.dumps({"rows": self.rows}).encode())

    def _erase(self, keys: list[str], name: str, under: str | None = None) -> None:
        # In a folder of its own: DuckDB may remember files by their path, and these are written anew.
        folder = self.folder / f"erasing-{name}"
        folder.mkdir(exist_ok=True)
        self.rows += erasing.erase_from(self.connection, self.store, keys, self.plan.person, folder, under)


def erasing_of(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, request: RefreshRequest, folder: Path
) -> ShardErasing | None:
    """What a refresh is to erase; None for any other refresh, and for an erasure that is over."""
    if request.reason != FORGET:
        return None
    try:
        plan = Plan.from_json(store.read(plan_key(request_of(request.run_id))))
    except FileNotFoundError:
        return None
    return ShardErasing(connection, store, request.shard, plan, folder)
