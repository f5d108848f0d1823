"""Where measured numbers lie, as Parquet that Athena and DuckDB read in place (docs/analysts.md)."""

from datetime import date, timedelta

from dangol.measurement.plan import Plan
from dangol.shop import Shop

DELIVERIES, OUTCOMES, RESULTS = "deliveries", "outcomes", "results"
"""One object a run, by campaign and day of the run."""
RUN_TABLES = (DELIVERIES, OUTCOMES, RESULTS)

ANALYTICS = "analytics/"
FIRST_ADDRESSED = "first_addressed"
FIRST_ADDRESSED_KEY = f"{ANALYTICS}{FIRST_ADDRESSED}/people.parquet"
"""Whom campaigns addressed first when, in one object (together.py)."""
_LOOK_BACK = timedelta(days=60)
"""Messages of runs so long before others may still be what a purchase is put down to."""


def run_key(table: str, plan: Plan, shop: Shop) -> str:
    """Where a table's rows of one run lie."""
    return f"{table_prefix(table)}campaign={plan.campaign}/run_date={plan.first_day(shop)}/{plan.run}.parquet"


def segments_key(as_of: date) -> str:
    """Where the sizes of segments of a day lie."""
    return f"{ANALYTICS}segments/as_of={as_of}/segments.parquet"


def table_prefix(table: str) -> str:
    """Where a table's rows of all runs lie."""
    return f"{ANALYTICS}{table}/"


def may_matter(key: str, first_day: date) -> bool:
    """Whether messages at a key may still be what a purchase on `first_day` or later is put down to."""
    run_date = key.partition("/run_date=")[2][:10]
    return run_date >= (first_day - _LOOK_BACK).isoformat()


def run_of(key: str) -> str:
    """The run whose rows lie at a key."""
    return key.rpartition("/")[2].removesuffix(".parquet")
