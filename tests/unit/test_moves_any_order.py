"""Promise 1: whatever comes how often and in whatever order, each order counts once, in its newest version."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dangol.moves.messages import DAILY, FILE, RefreshRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.expected import Expected, differences, members_told, newest_orders
from tests.fakes import Crash
from tests.world import FIRST_DAY, Row, World, compacting_at

LAST_DAY = FIRST_DAY + timedelta(days=70)

rows = st.tuples(
    st.sampled_from([f"o{number}" for number in range(8)]),
    st.sampled_from([f"c{number}" for number in range(6)]),
    st.integers(0, 75),  # day; some are later than LAST_DAY
    st.sampled_from([0, 100, 250, 1000]),
    st.sampled_from(["paid", "paid", "paid", "cancelled", "unpaid", "refunded"]),
).map(lambda cells: Row(*cells))
files = st.lists(st.lists(rows, min_size=1, max_size=6, unique_by=lambda row: row.order_id), min_size=1, max_size=4)


OTHER_EVENTS = ["work", "day", "shard 0", "shard 2", "forget receipts", "crash 4", "crash 13", "crash 22"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[Row]], list[object]]:
    """Files in the order of their uploads, and what happens to them: numbers are deliveries, words other events."""
    uploads = draw(files)
    again = draw(st.lists(st.sampled_from(range(len(uploads))), max_size=3))
    others = draw(st.lists(st.sampled_from(OTHER_EVENTS), max_size=5))
    return uploads, draw(st.permutations([*range(len(uploads)), *again, *others]))


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(history=histories())
def test_any_order_of_delivery_ends_in_the_newest_version_of_each_order(
    history: tuple[list[list[Row]], list[object]],
) -> None:
    uploads, steps = history
    with World(shards=3) as world, compacting_at(orders=2, owners=1):
        for step in steps:
            _take(world, step, uploads)
        world.work_off()
        world.refresh_all(LAST_DAY)

        expected = Expected()
        expected.advance(newest_orders(uploads).values(), LAST_DAY)
        assert differences(world.tables, expected, history=False) == []
        assert members_told(world.bus.of("Segment Changed")) == world.tables.memberships.keys()


def _take(world: World, step: object, uploads: list[list[Row]]) -> None:
    if isinstance(step, int):
        # All of one name, each upload in its second: the event's time decides, not its arrival.
        world.deliver(world.drop_rows(uploads[step], second=step))
    elif step == "work":
        world.work_off()
    elif step == "day":
        world.today += timedelta(days=7)
        world.queue.ask([RefreshRequest(shard, world.today, DAILY, str(world.today)) for shard in range(world.shards)])
    elif step == "forget receipts":  # as if they had not been written: the same file is appended again
        world.runs.noted.clear()
    elif str(step).startswith("crash"):  # the next move dies so many calls from now
        world.crash = Crash(int(str(step).split()[1]))
    else:
        world.queue.ask([RefreshRequest(int(str(step).split()[1]), world.today, FILE, "again")])


V1, V2, V3 = Row("o1", "c1", 1, 100), Row("o1", "c3", 2, 250), Row("o1", "c4", 3, 1000)
"""An order that goes from customer to customer; of five shards each lies in another."""


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("compacting", [False, True])
def test_an_order_that_changes_its_customer_counts_for_the_newest_one_only(
    order: tuple[int, int, int], compacting: bool
) -> None:
    uploads = [[V1], [V2], [V3]]
    with World(shards=5) as world, compacting_at(*((1, 0) if compacting else (8, 32))):
        world.today = LAST_DAY
        for number in order:
            world.ingest(world.drop_rows(uploads[number], second=number))
            world.work_off()  # nobody else asks for the shard that the order left
        assert world.tables.customers.keys() == {"c4"}
        assert {customer for _, customer in world.tables.memberships} == {"c4"}
