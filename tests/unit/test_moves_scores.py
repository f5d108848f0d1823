"""Quintile scores of a deployed shop: borders of the whole base, though each shard is computed by itself."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from dangol.engine import connect
from dangol.ledger.borders import keep_borders
from dangol.segments.compute import Sources, make_features
from dangol.segments.policy import load_policy

from tests.world import FIRST_DAY, SHOP, Row, World

POLICY = """
rfm:
  - {id: buyer, where: "orders_lifetime >= 1"}
segments:
  - {id: best, where: "r_score == 5 and f_score >= 4"}
scores: standard
"""
ROWS = [Row(f"o{n}-{i}", f"c{n}", n % 7, 1_000 * (n + 1)) for n in range(60) for i in range(1 + n % 4)]


def keep(world: World, day: date) -> bool:
    """What the daily run does first."""
    with TemporaryDirectory() as scratch, connect(SHOP, Path(scratch)) as connection:
        return keep_borders(connection, world.store, day, Path(scratch))


def scores(world: World) -> dict[str, tuple[int | None, ...]]:
    return {who: (one.r_score, one.f_score, one.m_score) for who, one in world.tables.customers.items()}


def scored(shards: int, day: date) -> dict[str, tuple[int | None, ...]]:
    with World(shards, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        world.today = day
        world.drop_and_ingest(ROWS, second=1)
        world.work_off()
        assert set(scores(world).values()) == {(None, None, None)}  # no borders yet
        assert keep(world, day)
        world.refresh_all(day)
        return scores(world)


def test_scores_do_not_depend_on_the_shards() -> None:
    day = date(2026, 1, 8)
    assert scored(1, day) == scored(5, day)


def test_scores_are_those_of_all_customers_together() -> None:
    day = date(2026, 1, 8)
    with duckdb.connect() as connection:
        rows = ", ".join(
            f"('{r.customer_id}', DATE '{FIRST_DAY}' + {r.day}, {r.amount}::DECIMAL(18, 4), true)" for r in ROWS
        )
        connection.execute(
            f"CREATE TABLE purchases AS FROM (VALUES {rows}) AS t(customer_id, ordered_on, amount, counted)"
        )
        names = ("r_score", "f_score", "m_score")
        make_features(connection, Sources("purchases", whole=True), day, names)
        found = connection.execute(f"SELECT customer_id, {', '.join(names)} FROM features").fetchall()
    assert scored(3, day) == {who: tuple(values) for who, *values in found}
    assert Counter(m for *_, m in scored(3, day).values()) == dict.fromkeys(range(1, 6), 12)


def test_everybody_is_in_one_group_beside_the_default() -> None:
    with World(2, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        world.drop_and_ingest(ROWS, second=1)
        keep(world, FIRST_DAY)
        world.work_off()
        keep(world, date(2026, 1, 8))
        world.refresh_all(date(2026, 1, 8))
        groups = {rule.id for rule in world.policy.scores}
        assert {len(groups & set(one.segments)) for one in world.tables.customers.values()} == {1}
        assert {one.segment for one in world.tables.customers.values()} == {"buyer"}


def test_a_replay_uses_the_borders_of_its_day_and_a_second_refresh_writes_nothing() -> None:
    with World(2, load_policy(POLICY.encode(), "config/segments.yaml")) as world:
        world.drop_and_ingest(ROWS, second=1)
        world.work_off()
        keep(world, date(2026, 1, 8))
        world.refresh_all(date(2026, 1, 8))
        first = scores(world)
        world.drop_and_ingest([Row(f"n{n}", f"n{n}", 9, 9) for n in range(60)], second=2)
        world.today = date(2026, 1, 10)
        world.work_off()
        keep(world, date(2026, 1, 10))
        world.refresh_all(date(2026, 1, 10))
        assert scores(world) != first
        written = len(world.tables.written)
        world.refresh_all(date(2026, 1, 10))
        assert len(world.tables.written) == written
        world.refresh_all(date(2026, 1, 8), "replay")
        assert {who: scores(world)[who] for who in first} == first


def test_without_customers_there_are_no_borders() -> None:
    with World(2) as world:
        assert not keep(world, FIRST_DAY)
