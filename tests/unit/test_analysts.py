"""The guide for analysts: its queries run on what the real code writes, and its tables have the columns it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import pytest

from tests.measuring import MeasuredWorld
from tests.senders import NOON, hello, settings

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "analysts.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(-- .*?)\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Path]:
    rules = replace(settings(), global_holdout=0.001)
    with MeasuredWorld(hello(more="goal: {reach: purchase, within: 7 days}\nholdout: 0.5"), rules=rules) as world:
        world.people(10)
        world.run()
        bought = datetime.combine(date(2026, 11, 25), time(9))
        world.sell(("o1", "c00", bought, 10_000), ("o2", "c01", bought, 6_000))
        world.tell(world.mail("Open", "c00", NOON.replace(hour=4, minute=30)))
        world.ledger.refresh_all(date(2026, 11, 26))
        world.measure(20)
        yield world.ledger.bucket


def asked(bucket: Path, title: str) -> list[tuple[object, ...]]:
    """What a query of the guide finds."""
    (query,) = [query for comment, query in QUERIES if title in comment]
    return duckdb.sql(query.replace("s3://BUCKET", str(bucket))).fetchall()


def test_each_query_of_the_guide_finds_what_was_measured(bucket: Path) -> None:
    assert len(QUERIES) == 5
    assert asked(bucket, "each campaign by its groups") == [
        ("hello", "holdout", 6, 1 / 6, 1_000.0),
        ("hello", "treated", 4, 1 / 4, 2_500.0),
    ]
    monday = datetime.combine(date(2026, 11, 23), time())
    assert asked(bucket, "why messages were not sent") == [
        (monday, "email", "holdout", 6),
        (monday, "push", "holdout", 6),
    ]
    assert asked(bucket, "variants") == [
        ("hello", 0, "email", "a", 4, 1, 10_000.0),
        ("hello", 0, "push", "a", 4, 0, 0.0),
    ]
    assert asked(bucket, "hours from the message") == [("email", 1.5)]
    assert asked(bucket, "segments by day") == [
        (date(2026, 12, 14), "new", 2, 16_000.0),
        (date(2026, 12, 14), "one_time", 2, 16_000.0),
    ]


@pytest.mark.parametrize("table", ["deliveries", "outcomes", "results", "first_addressed", "segments"])
def test_the_guide_names_every_column_of_a_table_and_no_other(bucket: Path, table: str) -> None:
    path = next((bucket / "analytics" / table).rglob("*.parquet"))
    columns = duckdb.sql(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)").columns
    (cells,) = re.findall(rf"^\| `{table}` \| (.*) \|$", GUIDE, re.MULTILINE)
    arms = {"treated", "holdout", "global_holdout"} - set(columns)
    assert set(columns) == set(re.findall(r"`([a-z_0-9]+)`", cells)) - arms


@pytest.mark.parametrize("table", ["outcomes", "segments"])
def test_athena_is_told_the_columns_that_are_there(bucket: Path, table: str) -> None:
    path = next((bucket / "analytics" / table).rglob("*.parquet"))
    found = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}', hive_partitioning = false)").fetchall()
    (declared,) = re.findall(rf"CREATE EXTERNAL TABLE {table} \((.*?)\)\nPARTITIONED", GUIDE, re.DOTALL)
    types = {"VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date", "BIGINT": "bigint", "DOUBLE": "double"}
    assert [part.split() for part in declared.split(",")] == [[name, types[kind]] for name, kind, *_ in found]
