"""A shop in which somebody is erased: their files, the tables, and what the erasure speaks to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from dangol.engine import connect
from dangol.identity import LOCAL_KEY
from dangol.moves.forget import Forgetter
from dangol.moves.forget_doors import Clock, Outside

from tests.world import SHOP, World

NOW = datetime(2026, 1, 3, 3, tzinfo=UTC)
HEADER = "order_id,customer_id,ordered_at,amount,email,phone,customer_name\n"
KIM = "c1,2026-01-01,100,kim@example.com,010-1234-5678,김단골\n"
ORDERS = (
    HEADER + f"o1,{KIM}o2,{KIM}"
    "o3,c10,2026-01-01,100,lee@example.com,010-9999-0000,이손님\n"
    "o4,c1,어제,100,kim@example.com,010-1234-5678,김단골\n"
    "o5,c10,어제,100,lee@example.com,,이손님\n"
)
PEOPLE = (
    "customer_id,email,phone,customer_name,accepts_email,push_token,push_platform\n"
    "c1,Kim@Example.com,,김단골,yes,token-1,fcm\n"
    "c10,lee@example.com,,이손님,yes,,\n"
)
PERSONAL = ("kim@example.com", "Kim@Example.com", "1234-5678", "김단골", "token-1")


@dataclass
class Tables:
    """ErasableTables over a world's fakes."""

    world: World

    def block(self, customer_ids: Sequence[str]) -> int:
        return int(self.world.profiles.block(customer_ids))

    def unblock(self, customer_ids: Sequence[str]) -> None:
        self.world.profiles.unblock(customer_ids)

    def remove(self, customer_ids: Sequence[str]) -> dict[str, int]:
        left = self.left(customer_ids)
        self.world.tables.delete_customers([one for one in customer_ids if one in self.world.tables.customers])
        self.world.tables.delete_memberships([key for key in self.world.tables.memberships if key[1] in customer_ids])
        return {name: left[name] for name in ("customers", "memberships")}

    def left(self, customer_ids: Sequence[str]) -> dict[str, int]:
        tables = self.world.tables
        return {
            "customers": sum(one in tables.customers for one in customer_ids),
            "memberships": sum(person in customer_ids for _, person in tables.memberships),
            "profiles": len(self.world.profiles.read(customer_ids)),
        }


class Eraser:
    """A shop whose queue works while somebody is erased."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.exported = 0
        self.tokens: list[tuple[str, str]] = []
        self.is_taken: Callable[[str], bool] = lambda key: True
        self.is_busy: Callable[[], bool] = lambda: False
        self.now = NOW

    def forgetter(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> Forgetter:
        door = self.world._watched
        outside = Outside(
            store=door(self.world.store),
            tables=door(Tables(self.world)),
            queue=door(self.world.queue),
            runs=door(self.world.runs),
            is_taken=self.is_taken,
            is_busy=self.is_busy,
            export=self._export,
            forget_token=self._forget_token,
        )
        clock = Clock(lambda: self.now, lambda: self.world.today, door(self).sleep)
        return Forgetter(connection, outside, clock, LOCAL_KEY, folder)

    def sleep(self, _: float) -> None:
        self.world.work_off()

    def call(self, act: Callable[[Forgetter], dict[str, Any]]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="dangol-") as folder, connect(SHOP, Path(folder)) as connection:
            return act(self.forgetter(connection, Path(folder)))

    def forget(self, *ids: str) -> dict[str, Any]:
        return self.call(lambda forgetter: forgetter.forget(ids, self.now + timedelta(minutes=10)))

    def look(self, *ids: str) -> dict[str, Any]:
        return self.call(lambda forgetter: forgetter.look(ids))

    def _export(self) -> None:
        self.exported += 1

    def _forget_token(self, platform: str, token: str) -> bool:
        self.tokens.append((platform, token))
        return True


def words(text: str) -> set[str]:
    return {word for word in (*PERSONAL, "'c1'", "c1,") if word in text}
