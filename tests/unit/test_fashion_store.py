"""The generated store is the same every time, adds up, and has a customer for every segment.

The segments are computed here a second time, from dictionaries and the written definitions, so that this file
can disagree with the generator and with the package.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from examples.sandbox.fashion_store import BAD_ROWS, COLUMNS, TODAY, write_year

Row = dict[str, str]
SEGMENTS = {"vip_loyal", "loyal", "big_spender", "new", "potential_loyal", "at_risk"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_year(tmp_path_factory.mktemp("year"))


@pytest.fixture(scope="module")
def rows(paths: list[Path]) -> list[Row]:
    return [row for path in paths for row in read(path)]


@pytest.fixture(scope="module")
def orders(rows: list[Row]) -> dict[str, list[Row]]:
    """The readable rows by order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not is_bad(row):
            found[row["order_id"]].append(row)
    return found


def read(path: Path) -> Iterator[Row]:
    """An export's rows under the English headers."""
    english = {korean: column for column, korean in COLUMNS.items()}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield {english.get(header, header): value for header, value in row.items()}


def is_bad(row: Row) -> bool:
    """No date, no amount, or no customer; an amount may be blank on the further items of an order."""
    try:
        day_of(row)
    except ValueError:
        return True
    return not row["customer_id"] or not (row["amount"] or row["product_id"])


def day_of(row: Row) -> date:
    return date.fromisoformat(row["ordered_at"][:10])


def segment_sizes(orders: dict[str, list[Row]], as_of: date) -> Counter[str]:
    """Customers in each segment, from the first rows of their orders."""
    by_customer: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for first, *_ in orders.values():
        if first["status"] in ("paid", "partially_refunded") and day_of(first) <= as_of:
            net = int(first["amount"]) - int(first["refunded_amount"] or 0)
            by_customer[first["customer_id"]].append(((as_of - day_of(first)).days, net))
    return Counter(segment(counted) for counted in by_customer.values())


def segment(counted: list[tuple[int, int]]) -> str:
    """The segment of a customer with these counted orders: (days ago, KRW)."""
    recency = min(days for days, _ in counted)
    recent = [net for days, net in counted if days < 90]
    frequency = len(recent)
    if not recent:
        return "unclassified"
    mean = sum(recent) / frequency
    if recency <= 3 and frequency >= 20 and mean >= 500_000:
        return "vip_loyal" if mean >= 2_000_000 else "loyal"
    if recency <= 7 and frequency <= 20 and mean >= 2_000_000:
        return "big_spender"
    if mean > 500_000 or frequency > 5:
        return "unclassified"
    if recency <= 5 and len(counted) == 1:
        return "new"
    if recency <= 10:
        return "potential_loyal"
    return "at_risk" if 30 <= recency <= 60 else "unclassified"


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    def written(name: str, seed: int) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in write_year(tmp_path / name, seed=seed, orders=500)}

    first = written("first", seed=1)
    assert first == written("again", seed=1)
    assert first != written("other", seed=2)


def test_there_is_a_file_for_each_month_and_only_the_newest_has_korean_headers(paths: list[Path]) -> None:
    headers = [path.read_text(encoding="utf-8-sig").splitlines()[0].split(",") for path in paths]
    assert [paths[0].name, paths[-1].name, len(paths)] == ["주문내역_2025-12.csv", "주문내역_2026-11.csv", 12]
    assert headers == [list(COLUMNS)] * 11 + [list(COLUMNS.values())]
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in paths)


def test_the_line_items_of_each_order_come_to_its_amount(orders: dict[str, list[Row]]) -> None:
    for order_id, items in orders.items():
        amounts = {row["amount"] for row in items} - {""}
        total = sum(int(row["quantity"]) * int(row["unit_price"]) for row in items)
        assert amounts == {str(total)}, order_id
        assert len({(row["customer_id"], row["ordered_at"], row["status"]) for row in items}) == 1, order_id


def test_refunds_are_whole_or_in_part_as_the_status_says(orders: dict[str, list[Row]]) -> None:
    statuses = Counter(items[0]["status"] for items in orders.values())
    assert statuses.keys() == {"paid", "cancelled", "refunded", "partially_refunded", "pending"}
    for first, *_ in orders.values():
        share = int(first["refunded_amount"] or 0) / int(first["amount"])
        match first["status"]:
            case "refunded":
                assert share == 1
            case "partially_refunded":
                assert 0 < share < 1
            case _:
                assert share == 0


def test_the_bad_rows_are_as_many_as_it_says(rows: list[Row]) -> None:
    assert sum(map(is_bad, rows)) == BAD_ROWS == 36


def test_a_small_year_has_as_many_bad_rows(tmp_path: Path) -> None:
    assert sum(is_bad(row) for path in write_year(tmp_path, orders=50) for row in read(path)) == BAD_ROWS


def test_it_is_a_year_of_about_twenty_thousand_orders_by_four_thousand_people(
    orders: dict[str, list[Row]],
) -> None:
    customers = {items[0]["customer_id"] for items in orders.values()}
    days = {day_of(items[0]) for items in orders.values()}
    assert len(orders) == pytest.approx(20_000, rel=0.05)
    assert len(customers) == 4_000
    assert date(2025, 12, 1) <= min(days)
    assert max(days) == TODAY


def test_nobody_in_it_can_be_reached(orders: dict[str, list[Row]]) -> None:
    for first, *_ in orders.values():
        assert first["email"].endswith("@example.com")
        assert first["email"].isascii()
        assert first["phone"].startswith("010-0000-")


def test_every_segment_is_alive_and_many_customers_are_in_none(orders: dict[str, list[Row]]) -> None:
    sizes = segment_sizes(orders, TODAY)
    assert {name for name in SEGMENTS if sizes[name] >= 24} == SEGMENTS
    assert sizes["unclassified"] >= 1_000


def test_without_new_orders_time_empties_the_loyal_segments_and_fills_at_risk(
    orders: dict[str, list[Row]],
) -> None:
    today, tomorrow, week, month = (segment_sizes(orders, TODAY + timedelta(days)) for days in (0, 1, 7, 30))
    for name in SEGMENTS - {"at_risk"}:
        assert today[name] > tomorrow[name] > 0
        assert tomorrow[name] > week[name] >= month[name] == 0
    assert today["at_risk"] < tomorrow["at_risk"] < week["at_risk"] < month["at_risk"]


def test_another_today_moves_the_year(tmp_path: Path) -> None:
    paths = write_year(tmp_path, today=date(2024, 1, 31), orders=500)
    days = [day_of(row) for path in paths for row in read(path) if not is_bad(row)]
    assert [paths[0].name, paths[-1].name] == ["주문내역_2023-02.csv", "주문내역_2024-01.csv"]
    assert date(2023, 2, 1) <= min(days) <= max(days) == date(2024, 1, 31)
