"""The orders of one shard: the newest version of each, however they lie in objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.engine import connect, literal
from dangol.ledger import layout
from dangol.ledger.orders import load_orders, purchases_sql
from dangol.ledger.shard import ShardLedger
from dangol.ledger.store import FolderStore

from tests.world import FIRST_DAY, SHOP, Row, World, compacting_at

Version = tuple[str, str | None, str, str]
"""order_id, customer_id, status, version."""

A1, A2, B1 = ("a", "c1", "paid", "v1"), ("a", "c2", "paid", "v2"), ("b", "c1", "paid", "v1")
GONE = ("a", None, "moved", "v3")


@pytest.fixture
def connection() -> Any:
    with duckdb.connect() as connection:
        yield connection


def part(connection: duckdb.DuckDBPyConnection, path: Path, rows: list[Version]) -> Path:
    values = ", ".join(
        f"({literal(order)}, {literal(customer) if customer else 'NULL'}, {literal(status)}, {literal(version)})"
        for order, customer, status, version in rows
    )
    connection.execute(f"""
        COPY (
            SELECT *, TIMESTAMP '2026-01-01' AS ordered_at, 100::DECIMAL(18, 4) AS amount, 0::DECIMAL(18, 4) AS refunded
            FROM (VALUES {values}) AS rows(order_id, customer_id, status, version)
        ) TO {literal(str(path))} (FORMAT parquet)
    """)
    return path


def loaded(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    query = "SELECT order_id, customer_id, status, version FROM shard_orders ORDER BY order_id"
    return connection.execute(query).fetchall()


def test_the_newest_version_of_each_order_wins(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = [part(connection, tmp_path / "1.parquet", [A2]), part(connection, tmp_path / "2.parquet", [A1, B1])]
    for order_of_files in (files, files[::-1]):
        load_orders(connection, order_of_files, unique=False)
        assert loaded(connection) == [A2, B1]


def test_the_same_object_twice_counts_once(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = [part(connection, tmp_path / f"{number}.parquet", [A1, B1]) for number in (1, 2)]
    load_orders(connection, files, unique=False)
    assert loaded(connection) == [A1, B1]


def test_an_order_that_moved_away_is_no_purchase(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load_orders(connection, [part(connection, tmp_path / "1.parquet", [A2, GONE, B1])], unique=False)
    assert loaded(connection) == [GONE, B1]
    assert connection.execute(f"SELECT customer_id FROM {purchases_sql('shard_orders')}").fetchall() == [("c1",)]


def test_an_order_that_moved_away_long_ago_may_come_back(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    back = ("a", "c1", "paid", "v4")
    load_orders(connection, [part(connection, tmp_path / "1.parquet", [A1, back, GONE])], unique=False)
    assert loaded(connection) == [back]


def test_a_compaction_reads_as_what_it_merged(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    store, keys = FolderStore(tmp_path / "bucket"), []
    for number, rows in enumerate([[A1, B1], [A2], [GONE]]):
        keys.append(layout.part_key(layout.ORDERS, 0, f"v{number}"))
        store.upload([(part(connection, tmp_path / "part.parquet", rows), keys[-1])])
    ledger = ShardLedger(connection, store, 0, tmp_path)
    with compacting_at(orders=3, owners=9):
        (base,) = ledger.compact(ledger.load(ledger.keys()))

    assert store.keys("") == [base]
    assert ledger.load([base]) == (base,)
    assert loaded(connection) == [GONE, B1]


def test_a_shard_without_orders_has_none(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert ShardLedger(connection, FolderStore(tmp_path / "bucket"), 0, tmp_path).load(()) == ()
    assert loaded(connection) == []


def test_a_late_part_beside_a_compaction_does_not_bring_an_old_version_back(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    base = part(connection, tmp_path / "base.parquet", [A2, B1])
    late = part(connection, tmp_path / "part.parquet", [A1])
    load_orders(connection, [base, late], unique=False)
    assert loaded(connection) == [A2, B1]


def test_a_shard_is_merged_when_it_has_eight_objects_and_not_before() -> None:
    with World(shards=1) as world:
        for number in range(1, 12):
            world.drop_and_ingest([Row(f"o{number}", "c1", 0, 100)], second=number)
            world.work_off()
            objects = world.store.keys("ledger/orders/")
            assert len(objects) == (number if number < 8 else number - 7)
            assert [layout.is_base(key) for key in objects] == [number >= 8] + [False] * (len(objects) - 1)
            world.refresh_all(FIRST_DAY)
            assert world.tables.customers["c1"].orders_lifetime == number


def test_lines_and_contacts_outlive_a_compaction() -> None:
    """The ledger is the system of record: whole orders, whatever refreshes make of them."""
    header = "order_id,customer_id,ordered_at,amount,product_name,quantity,email\n"
    with World(shards=1) as world:
        for number in range(1, 9):
            text = f"{header}o{number},c1,2026-01-01,100,코트,1,kim@example.com\no{number},c1,2026-01-01,,가방,2,\n"
            world.ingest(world.drop(text, second=number))
        world.work_off()
        (base,) = world.store.keys("ledger/orders/")
        query = f"SELECT count(*), sum(len(lines)), any_value(email) FROM {literal(str(world.bucket / base))}"
        assert duckdb.sql(query).fetchall() == [(8, 16, "kim@example.com")]


def test_all_shards_together_hold_each_order_once() -> None:
    """An order that moved leaves a mark of the same version in the shard it left."""
    with World(shards=5) as world:
        world.drop_and_ingest([Row(f"o{number}", f"c{number}", 0, 100) for number in range(20)], second=1)
        world.drop_and_ingest([Row(f"o{number}", f"d{number}", 0, 100) for number in range(20)], second=2)
        world.work_off()
        with connect(SHOP, world.bucket) as connection:
            ledger = ShardLedger(connection, world.store, None, world.bucket)
            ledger.load(ledger.keys())
            found = connection.execute(f"SELECT customer_id FROM {purchases_sql('shard_orders')}").fetchall()
    assert sorted(customer for (customer,) in found) == sorted(f"d{number}" for number in range(20))


def test_products_that_another_shard_merges_meanwhile_are_looked_for_again() -> None:
    class Merging(FolderStore):
        """Another shard's refresh removes an object between the list and the copy."""

        def download(self, keys: Sequence[str], folder: Path) -> list[Path]:
            if any("/products/" in key for key in keys) and not self.keys("ledger/products/shard=0000/base"):
                (old,) = keys
                self.write("ledger/products/shard=0000/base-1.parquet", self.read(old))
                self.delete([old])
            return super().download(keys, folder)

    with World(shards=2) as world:
        world.ingest(world.drop("product_id,product_name,category\np1,코트,아우터\n", 1, "incoming/products/a.csv"))
        with connect(SHOP, world.bucket) as connection:
            ledger = ShardLedger(connection, Merging(world.bucket), 1, world.bucket)
            assert ledger.load(ledger.keys()) == ("ledger/products/shard=0000/base-1.parquet",)
            assert connection.execute("SELECT category FROM shard_products").fetchall() == [("아우터",)]
