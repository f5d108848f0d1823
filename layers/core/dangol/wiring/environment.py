"""What the template gives to functions: the one place that reads the environment."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from dangol.shop import Shop

_PYTHON_MB = 600
"""MiB of a function's memory that are not DuckDB's: Python, pandas, buffers."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template gives to every function."""

    bucket: str
    customers_table: str
    memberships_table: str
    runs_table: str
    refresh_queue_url: str
    event_bus: str
    shop: Shop
    shards: int
    fixed_date: date | None
    """The date taken as today, for sandboxes and replays."""

    def today(self) -> date:
        """The calendar date in the shop."""
        return self.date_of(datetime.now(UTC))

    def date_of(self, moment: datetime) -> date:
        """The calendar date in the shop at an instant."""
        return self.fixed_date or self.shop.date_of(moment)


@cache
def settings() -> Settings:
    """The environment, read once."""
    fixed = os.environ.get("DANGOL_FIXED_DATE", "")
    return Settings(
        bucket=os.environ["DANGOL_BUCKET"],
        customers_table=os.environ["DANGOL_CUSTOMERS_TABLE"],
        memberships_table=os.environ["DANGOL_MEMBERSHIPS_TABLE"],
        runs_table=os.environ["DANGOL_RUNS_TABLE"],
        refresh_queue_url=os.environ["DANGOL_REFRESH_QUEUE_URL"],
        event_bus=os.environ["DANGOL_EVENT_BUS"],
        shop=Shop(os.environ["DANGOL_TIME_ZONE"], os.environ["DANGOL_CURRENCY"]),
        shards=int(os.environ["DANGOL_SHARDS"]),
        fixed_date=date.fromisoformat(fixed) if fixed else None,
    )


def variable(name: str) -> str:
    """What the template gives to some functions only. KeyError where it does not."""
    return os.environ[name]


def duckdb_mb() -> int:
    """MiB that a database may take."""
    return max(int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")) - _PYTHON_MB, 256)
