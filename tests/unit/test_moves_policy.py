"""A new policy moves customers as time does: those whom it concerns, and no others."""

from __future__ import annotations

from dangol.segments.policy import load_policy

from tests.world import FIRST_DAY, SMALL_POLICY, Row, World

ORDERS = [Row("o1", "c1", 0, 100), Row("o2", "c2", 0, 100), Row("o3", "c2", 0, 100)]


def refreshed_with(policy: str, world: World) -> set[tuple[str, str, str]]:
    """(customer, segment, change) of the events that the policy leads to."""
    world.bus.events.clear()
    world.tables.written.clear()
    world.policy = load_policy(policy.encode(), "config/segments.yaml")
    world.refresh_all(FIRST_DAY)
    return {(e["customer_id"], e["segment"], e["change"]) for e in world.bus.of("Segment Changed")}


def ordered(world: World) -> World:
    world.drop_and_ingest(ORDERS, second=1)
    world.refresh_all(FIRST_DAY)
    return world


def test_a_new_policy_rewrites_only_whom_it_moves() -> None:
    with World(shards=1) as world:
        moved = refreshed_with(SMALL_POLICY.replace(">= 2", ">= 3"), ordered(world))
        assert moved == {("c2", "repeat", "exited")}
        assert world.tables.customers["c2"].segments == ("unclassified",)
        assert world.tables.customers["c2"].policy_version == world.policy.version
        assert world.tables.customers["c1"].policy_version != world.policy.version
        assert len(world.tables.written) == 2


def test_a_policy_with_other_names_and_the_same_rules_writes_nothing() -> None:
    with World(shards=1) as world:
        assert refreshed_with(SMALL_POLICY.replace("id: repeat", "id: repeat, name: again"), ordered(world)) == set()
        assert world.tables.written == []


def test_a_policy_with_its_segments_in_another_order_writes_nothing() -> None:
    with World(shards=1) as world:
        both = '  - {id: one_time, where: "orders_lifetime == 1"}\n  - {id: ever, where: "orders_lifetime >= 1"}\n'
        rfm, _, _ = SMALL_POLICY.partition("  - {id: repeat")
        refreshed_with(rfm + both, ordered(world))
        assert refreshed_with(rfm + "".join(reversed(both.splitlines(keepends=True))), world) == set()
        assert world.tables.written == []


def test_a_segment_that_is_gone_is_left_by_all() -> None:
    with World(shards=1) as world:
        without = "\n".join(line for line in SMALL_POLICY.splitlines() if "id: new" not in line)
        assert refreshed_with(without, ordered(world)) == {
            ("c1", "new", "exited"),
            ("c1", "unclassified", "entered"),
        }
        assert {segment for segment, _ in world.tables.memberships} == {"unclassified", "one_time", "repeat"}


def test_a_segment_that_changes_its_section_is_not_left_by_who_stays_in_it() -> None:
    """Nor is the membership just written removed again."""
    with World(shards=1) as world:
        rule = '  - {id: new, where: "recency_days <= 5 and orders_90d == 1 and orders_lifetime == 1"}\n'
        independent = SMALL_POLICY.replace(rule, "") + rule
        assert refreshed_with(independent, ordered(world)) == {("c1", "unclassified", "entered")}
        assert ("new", "c1") in world.tables.memberships
        assert world.tables.customers["c1"].segments == ("unclassified", "new", "one_time")

        assert refreshed_with(SMALL_POLICY, world) == {("c1", "unclassified", "exited")}
        assert world.tables.customers["c1"].segments == ("new", "one_time")
        assert ("new", "c1") in world.tables.memberships
