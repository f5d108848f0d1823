"""What another policy would change: who enters, who leaves, who moves, and what is only written differently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.engine import connect
from dangol.segments.compare import Comparison, Effect, compare, edits
from dangol.segments.policy import Policy, load_policy
from dangol.shop import Shop
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import rows_of

AS_OF = date(2026, 11, 22)
CUSTOMERS = {"ahn": (1, 1), "bae": (3, 2), "cho": (5, 3), "do": (9, 1), "eom": (20, 4)}
"""Id → recency_days, orders_lifetime."""
OLD = """
rfm:
  - {id: recent, name: 최근, where: recency_days <= 3}
  - {id: former, name: 예전, where: recency_days <= 10}
segments:
  - {id: repeat, name: 재구매, where: orders_lifetime >= 2}
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(Shop(), tmp_path_factory.mktemp("scratch")) as connection:
        rows = ", ".join(f"('{name}', {days}, {orders})" for name, (days, orders) in CUSTOMERS.items())
        connection.execute(
            f"CREATE TABLE features AS SELECT * FROM (VALUES {rows}) AS t(customer_id, recency_days, orders_lifetime)"
        )
        yield connection


def policy(text: str) -> Policy:
    return load_policy(text.encode(), "segments.yaml")


def changed(connection: duckdb.DuckDBPyConnection, text: str, instead: str, samples: int = 5) -> Comparison:
    """Of the old policy, with one text in it replaced by another."""
    return compare(connection, policy(OLD), policy(OLD.replace(text, instead)), AS_OF, samples)


def effect(comparison: Comparison, segment: str) -> Effect:
    (found,) = (one for one in comparison.effects if one.id == segment)
    return found


def test_the_same_policy_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(connection, "rfm:", "rfm:")
    assert not found.different
    assert found.customers == 5
    assert [(one.id, one.before, one.after) for one in found.effects] == [
        ("recent", 2, 2),
        ("former", 2, 2),
        ("repeat", 3, 3),
        ("unclassified", 1, 1),
    ]


def test_comments_and_layout_are_no_difference(connection: duckdb.DuckDBPyConnection) -> None:
    assert not changed(connection, "segments:", "# more\nsegments:   ").different


def test_a_wider_rule_takes_customers_from_the_rule_behind_it(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(connection, "recency_days <= 3", "recency_days <= 5")
    assert effect(found, "recent") == Effect("recent", 2, 3, 1, 0, ("cho",), ())
    assert effect(found, "former") == Effect("former", 2, 1, 0, 1, (), ("cho",))
    assert effect(found, "repeat").noticed is False
    assert found.moves == {("former", "recent"): 1}
    (edit,) = found.edits.of["recent"]
    assert (edit.what, edit.was, edit.now) == ("rule", "recency_days <= 3", "recency_days <= 5")


def test_a_segment_that_is_added_has_no_number_before(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(connection, "segments:", "segments:\n  - {id: four, where: orders_lifetime == 4}")
    assert effect(found, "four") == Effect("four", None, 1, 1, 0, ("eom",), ())
    assert (found.edits.added, found.edits.removed) == (("four",), ())


def test_a_segment_that_is_removed_has_no_number_after(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(connection, "  - {id: former, name: 예전, where: recency_days <= 10}\n", "")
    assert effect(found, "former") == Effect("former", 2, None, 0, 2, (), ("cho", "do"))
    assert effect(found, "unclassified") == Effect("unclassified", 1, 3, 2, 0, ("cho", "do"), ())
    assert found.moves == {("former", "unclassified"): 2}
    assert found.edits.removed == ("former",)


def test_an_added_segment_that_holds_nobody_is_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(connection, "segments:", "segments:\n  - {id: nobody, where: orders_lifetime > 99}")
    assert effect(found, "nobody") == Effect("nobody", None, 0, 0, 0, (), ())
    assert found.different


def test_at_most_so_many_ids_are_named_the_first_by_id(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(connection, "recency_days <= 3", "recency_days <= 99", samples=2)
    assert (effect(found, "recent").entered, effect(found, "recent").entering) == (3, ("cho", "do"))
    assert effect(changed(connection, "<= 3", "<= 99", samples=0), "recent").entering == ()


def test_another_name_is_a_difference_though_nobody_moves(connection: duckdb.DuckDBPyConnection) -> None:
    found = changed(
        connection, "name: 최근", "names: {ko: 방금, en: Just now}, description: new ones, reentry: 2 weeks"
    )
    assert found.different
    assert not any(one.noticed for one in found.effects)
    assert {(edit.what, edit.was, edit.now) for edit in found.edits.of["recent"]} == {
        ("name", "최근", "방금"),
        ("English name", "최근", "Just now"),
        ("description", "", "new ones"),
        ("re-entry", "", "14 days"),
    }


def test_rfm_rules_in_another_order_are_said_to_be() -> None:
    lines = OLD.splitlines()
    turned = policy("\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]))
    assert edits(policy(OLD), turned).reordered == ("rfm",)
    assert edits(policy(OLD), turned).of == {}


def test_a_rule_that_becomes_exclusive_is_of_another_kind() -> None:
    now = policy(OLD.replace("segments:\n", ""))
    (edit,) = edits(policy(OLD), now).of["repeat"]
    assert (edit.what, edit.was, edit.now) == ("kind", "segments", "rfm")


def test_nobody_at_all_is_compared_as_well(tmp_path: Path) -> None:
    with connect(Shop(), tmp_path) as connection:
        connection.execute("CREATE TABLE features (customer_id VARCHAR, recency_days BIGINT, orders_lifetime BIGINT)")
        found = changed(connection, "recency_days <= 3", "recency_days <= 5")
    assert (found.customers, found.moves, effect(found, "recent").after) == (0, {}, 0)


rules = st.builds(
    "{} {} {}".format,
    st.sampled_from(["recency_days", "orders_lifetime"]),
    st.sampled_from(["<=", ">", "=="]),
    st.integers(0, 20),
)
policies = st.builds(
    lambda rfm, others: policy(
        "rfm:\n"
        + "".join(f"  - {{id: r{number}, where: {rule}}}\n" for number, rule in rfm.items())
        + "segments:\n"
        + "".join(f"  - {{id: s{number}, where: {rule}}}\n" for number, rule in others.items())
        + "  - {id: last, where: in_segment('unclassified')}\n"
    ),
    st.dictionaries(st.integers(0, 4), rules, min_size=1, max_size=4),
    st.dictionaries(st.integers(0, 4), rules, max_size=4),
)


def members(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows_of(connection, "FROM customers"):
        for segment in (row["segment"], *row["segments"]):
            found.setdefault(segment, set()).add(row["customer_id"])
    return found


@settings(max_examples=40, deadline=None)
@given(old=policies, new=policies)
def test_of_any_two_policies_the_numbers_are_those_of_the_two_sets_of_members(
    connection: duckdb.DuckDBPyConnection, old: Policy, new: Policy
) -> None:
    compare(connection, old, old, AS_OF)
    was = members(connection)
    found = compare(connection, old, new, AS_OF, samples=99)
    now = members(connection)
    for one in found.effects:
        before, after = was.get(one.id, set()), now.get(one.id, set())
        counts: tuple[Any, ...] = (one.before or 0, one.after or 0, set(one.entering), set(one.leaving))
        assert counts == (len(before), len(after), after - before, before - after)
        assert (one.entered, one.left) == (len(one.entering), len(one.leaving))
    assert sum(found.moves.values()) == sum(len(now.get(one, set()) - was.get(one, set())) for one in new.rfm_ids)
