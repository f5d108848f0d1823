"""What is written and published of a difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from dangol.moves.messages import Membership
from dangol.moves.serve import Served, rewrite, serve
from dangol.segments.state import Change, Customer, Difference, Stamp

from tests.fakes import FakeBus, FakeTables

DAY = date(2026, 11, 22)
STAMP = Stamp(shard=3, generation=7, as_of=DAY, policy_version="abc")
C1 = Customer(
    customer_id="c1",
    segment="loyal",
    previous_segment="new",
    segments=("loyal", "repeat"),
    since=(DAY, date(2026, 11, 1)),
    orders_90d=2,
    aov_90d=150.0,
    orders_lifetime=2,
    revenue_lifetime=300.0,
    first_order_on=date(2026, 11, 1),
    last_order_on=DAY,
    as_of=DAY,
    policy_version="abc",
)
ENTERED = Change("c1", "loyal", "entered", "new", "loyal", DAY, 3, "id-1")
EXITED = Change("c1", "new", "exited", "new", "loyal", None, None, "id-2")


def test_a_difference_reaches_tables_and_bus() -> None:
    tables, bus = FakeTables(), FakeBus()
    tables.put_memberships([Membership("new", "c1", DAY), Membership("new", "c9", DAY)])
    tables.put_customers([replace(C1, customer_id="c9")])
    done = serve(Difference([C1], ["c9"], [ENTERED, EXITED]), tables, bus, STAMP)
    assert tables.customers == {"c1": C1}
    assert tables.memberships == {
        ("loyal", "c1"): Membership("loyal", "c1", DAY),
        ("new", "c9"): Membership("new", "c9", DAY),
    }
    assert done == Served(customers=2, memberships=2, changes=2)
    entered, exited = bus.of("Segment Changed")
    assert entered == {
        "id": "id-1",
        "customer_id": "c1",
        "segment": "loyal",
        "change": "entered",
        "from": "new",
        "to": "loyal",
        "days_out": 3,
        "as_of": "2026-11-22",
        "policy_version": "abc",
    }
    assert (exited["segment"], exited["change"], exited["from"], exited["to"]) == ("new", "exited", "new", "loyal")


def test_the_tables_are_written_before_anybody_is_told() -> None:
    """Who hears of a change and looks the customer up finds it."""
    calls: list[str] = []

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: calls.append(name)

    serve(Difference([C1], ["c9"], [ENTERED, EXITED]), Noting(), Noting(), STAMP)  # type: ignore[arg-type]
    assert calls[-1] == "publish"
    assert calls.count("publish") == 1


def test_a_rewrite_writes_everything_and_tells_nobody() -> None:
    tables = FakeTables()
    assert rewrite([C1], tables) == Served(customers=1, memberships=2, changes=0)
    assert tables.customers == {"c1": C1}
    assert {key: row.since for key, row in tables.memberships.items()} == {
        ("loyal", "c1"): DAY,
        ("repeat", "c1"): date(2026, 11, 1),
    }


def test_what_was_served_adds_up() -> None:
    assert Served(1, 2, 3) + Served(10, 20, 30) == Served(11, 22, 33)
