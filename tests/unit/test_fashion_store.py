"""The generated store is the same every time, adds up, and has a customer for every segment.

The segments are computed here a second time, from dictionaries and the written definitions, so that this file
can disagree with the generator and with the package.
"""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from dangol.engagement.events import email_event
from dangol.segments.places import place

from examples.sandbox.fashion_orders import BAD_ROWS, COLUMNS
from examples.sandbox.fashion_people import GUESTS, PER_BUYER
from examples.sandbox.fashion_store import Store, write_store
from examples.sandbox.fashion_year import TODAY, make_year
from examples.sandbox.newsletters import MACHINES, READERS, told_by_ses

Row = dict[str, str]
SEGMENTS = {"vip_loyal", "loyal", "big_spender", "new", "potential_loyal", "at_risk"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("year"), make_year())


@pytest.fixture(scope="module")
def paths(store: Store) -> list[Path]:
    return list(store.orders)


@pytest.fixture(scope="module")
def members(store: Store) -> dict[str, Row]:
    """customers.csv by customer id."""
    return {row["고객번호"]: row for row in table(store.customers)}


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


def table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read(path: Path) -> Iterator[Row]:
    """An export's rows under the English headers."""
    english = {korean: column for column, korean in COLUMNS.items()}
    for row in table(path):
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
        write_store(tmp_path / name, make_year(seed=seed, orders=500))
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    first, other = written("first", seed=1), written("other", seed=2)
    assert first == written("again", seed=1)
    assert len(first) == 15
    assert all(first[name] != other[name] for name in first)


def test_the_orders_are_those_they_have_always_been(paths: list[Path]) -> None:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    assert digest == "4253cef7c2d773cb0c2e1ac1adfe763f814b34940c932e589db0de427182b449"


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
    paths = write_store(tmp_path, make_year(orders=50)).orders
    assert sum(is_bad(row) for path in paths for row in read(path)) == BAD_ROWS


def test_it_is_a_year_of_about_twenty_thousand_orders_by_four_thousand_people(
    orders: dict[str, list[Row]],
) -> None:
    customers = {items[0]["customer_id"] for items in orders.values()}
    days = {day_of(items[0]) for items in orders.values()}
    assert len(orders) == pytest.approx(20_000, rel=0.05)
    assert len(customers) == 4_000
    assert date(2025, 12, 1) <= min(days)
    assert max(days) == TODAY


def test_nobody_in_it_can_be_reached(orders: dict[str, list[Row]], members: dict[str, Row]) -> None:
    found = {(first["email"], first["phone"]) for first, *_ in orders.values()}
    found |= {(row["이메일"], row["휴대전화"]) for row in members.values()}
    for email, phone in found:
        assert email.endswith("@example.com")
        assert email.isascii()
        assert phone.startswith("010-0000-")


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
    store = write_store(tmp_path, make_year(date(2024, 1, 31), orders=500))
    paths = store.orders
    days = [day_of(row) for path in paths for row in read(path) if not is_bad(row)]
    assert [paths[0].name, paths[-1].name] == ["주문내역_2023-02.csv", "주문내역_2024-01.csv"]
    assert date(2023, 2, 1) <= min(days) <= max(days) == date(2024, 1, 31)


# ---- people, products, interests, newsletters ------------------------------------------------------------


def test_most_buyers_are_members_with_the_same_name_and_address_and_some_members_never_bought(
    orders: dict[str, list[Row]], members: dict[str, Row]
) -> None:
    buyers = {first["customer_id"]: first for first, *_ in orders.values()}
    both = buyers.keys() & members.keys()
    assert len(both) == pytest.approx(len(buyers) * (1 - GUESTS), rel=0.05)
    assert len(members.keys() - buyers.keys()) == round(PER_BUYER * len(buyers))
    for customer_id in both:
        bought, member = buyers[customer_id], members[customer_id]
        assert (bought["customer_name"], bought["email"]) == (member["고객명"], member["이메일"])


def test_nobody_bought_before_they_joined_and_nobody_joins_tomorrow(
    orders: dict[str, list[Row]], members: dict[str, Row]
) -> None:
    joined = {customer_id: date.fromisoformat(row["가입일"]) for customer_id, row in members.items()}
    assert all(day_of(first) >= joined.get(first["customer_id"], date.min) for first, *_ in orders.values())
    assert max(joined.values()) <= TODAY


def test_nobody_is_pushed_who_did_not_consent_and_by_night_only_who_is_by_day(members: dict[str, Row]) -> None:
    for row in members.values():
        assert bool(row["푸시토큰"]) == bool(row["푸시플랫폼"]) == (row["푸시 수신동의"] == "동의")
        assert row["푸시 수신동의"] == "동의" or row["야간 푸시 수신동의"] == "거부"
    assert {row["이메일 수신동의"] for row in members.values()} == {"동의", "거부"}


def test_every_city_is_one_that_the_gazetteer_knows(members: dict[str, Row]) -> None:
    cities = {row["도시"] for row in members.values()} - {""}
    assert [city for city in cities if place(city) is None] == []
    assert {"여", "남", ""} == {row["성별"] for row in members.values()}


def test_the_catalogue_has_all_that_was_sold_since_before_its_first_sale(
    store: Store, orders: dict[str, list[Row]]
) -> None:
    products = {row["상품번호"]: row for row in table(store.products)}
    for items in orders.values():
        for item in items:
            product = products[item["product_id"]]
            assert (product["상품명"], product["판매가"]) == (item["product_name"], item["unit_price"])
            assert date.fromisoformat(product["출시일"]) < day_of(item)


def test_some_products_are_new_limited_sold_out_or_back(store: Store) -> None:
    products = table(store.products)
    assert sum(row["출시일"] > "2026-11-01" for row in products) >= 20
    assert min(Counter(row["한정수량"] for row in products).values()) >= 10
    assert sum(row["재고여부"] == "N" for row in products) >= 5
    assert sum(bool(row["재입고일"]) for row in products) >= 5
    assert not any(row["재입고일"] and row["재고여부"] == "N" for row in products)


def test_carts_lead_to_orders_or_wait_and_nobody_looks_at_what_is_not_sold(store: Store, rows: list[Row]) -> None:
    interests, products = table(store.interests), {row["상품번호"] for row in table(store.products)}
    ordered = {(row["customer_id"], row["product_id"], row["ordered_at"][:10]) for row in rows}
    carts = [(row["고객번호"], row["상품번호"], row["일시"][:10]) for row in interests if row["구분"] == "장바구니"]
    assert {row["구분"] for row in interests} == {"장바구니", "찜", "조회"}
    assert {row["상품번호"] for row in interests} <= products
    assert max(row["일시"][:10] for row in interests) <= TODAY.isoformat()
    assert len(set(carts) & ordered) >= 1_000
    assert len(set(carts) - ordered) >= 500


def test_newsletters_go_to_members_who_accept_them_and_some_are_opened_by_machines_only(
    store: Store, members: dict[str, Row]
) -> None:
    told = told_by_ses(store)
    events = [email_event(event) for event in told.events]
    readers = {event.customer_id for event in events if event}
    assert None not in events
    assert len(readers) == READERS + MACHINES
    assert {members[reader]["이메일 수신동의"] for reader in readers} == {"동의"}
    scanned = [event for event in events if event and event.customer_id == told.scanned[0]]
    assert [event.kind for event in scanned] == ["delivered", "opened", "clicked", "clicked"]
    assert (scanned[-1].happened_at - scanned[0].happened_at).total_seconds() <= 3
