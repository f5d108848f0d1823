"""Features beyond R, F and M: rhythm, coupons, items, engagement, the person, interests. By literal example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import duckdb
import pytest
from dangol.engine import connect
from dangol.segments.compute import Sources, make_features, make_interactions
from dangol.segments.features import FEATURES

from tests.builders import SEOUL, rows_of

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(SEOUL, tmp_path_factory.mktemp("duckdb")) as connection:
        yield connection


def table(connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Sequence[Sequence[object]]) -> str:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
    for row in rows:
        connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", list(row))
    return name


PURCHASE = "customer_id VARCHAR, ordered_on DATE, amount DECIMAL(18, 4), counted BOOLEAN, reduced BOOLEAN"
LINE = """customer_id VARCHAR, order_id VARCHAR, ordered_at TIMESTAMP, position BIGINT, product_id VARCHAR,
    product_name VARCHAR, category VARCHAR"""
PROFILE = """customer_id VARCHAR, gender VARCHAR, city VARCHAR, birthday DATE, subscribed_on DATE, latitude DOUBLE,
    longitude DOUBLE, accepts_email BOOLEAN, accepts_push BOOLEAN, accepts_night_push BOOLEAN"""
INTEREST = """customer_id VARCHAR, kind VARCHAR, product_id VARCHAR, product_name VARCHAR, category VARCHAR,
    happened_at TIMESTAMP, removed BOOLEAN"""
ENGAGEMENT = "customer_id VARCHAR, kind VARCHAR, happened_on DATE"


def features(
    connection: duckdb.DuckDBPyConnection,
    *needs: str,
    purchases: Sequence[Sequence[object]] = (),
    lines: Sequence[Sequence[object]] | None = None,
    profiles: Sequence[Sequence[object]] | None = None,
    interests: Sequence[Sequence[object]] | None = None,
    engagement: Sequence[Sequence[object]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Customer → the features asked for."""
    sources = Sources(
        purchases=table(connection, "purchases", PURCHASE, purchases),
        lines=None if lines is None else table(connection, "lines", LINE, lines),
        profiles=None if profiles is None else table(connection, "profiles", PROFILE, profiles),
        interests=None if interests is None else table(connection, "interests", INTEREST, interests),
        engagement=None if engagement is None else table(connection, "engagement", ENGAGEMENT, engagement),
        reduced=True,
    )
    make_interactions(connection, sources, AS_OF)
    make_features(connection, sources, AS_OF, needs)
    return {row["customer_id"]: {name: row[name] for name in needs} for row in rows_of(connection, "FROM features")}


def order(day: str, *, counted: bool = True, reduced: bool = False, who: str = "kim") -> tuple[object, ...]:
    return who, day, 100, counted, reduced


def person(who: str = "kim", **values: object) -> tuple[object, ...]:
    names = [column.split()[0] for column in PROFILE.split(",")]
    return tuple({"customer_id": who, **values}.get(name) for name in names)


def test_every_feature_of_the_catalogue_can_be_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    """Whatever is known; and each comes in the type of its kind, so that rules need not look."""
    types = {"number": ("DOUBLE", "BIGINT", "INTEGER"), "date": ("DATE",), "text": ("VARCHAR",), "flag": ("BOOLEAN",)}
    names = [feature.name for feature in FEATURES]
    everything = {"lines": [], "profiles": [person()], "interests": [], "engagement": []}
    for sources in ({}, everything):
        features(connection, *names, purchases=[order("2026-11-01")], **sources)
        described = {name: kind for name, kind, *_ in connection.execute("DESCRIBE features").fetchall()}
        assert {f.name: described[f.name] for f in FEATURES if described[f.name] not in types[f.kind]} == {}


def test_rhythm_is_the_average_time_between_orders_and_how_late_the_next_one_is(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = features(
        connection,
        "days_between_orders",
        "lateness",
        purchases=[order("2026-09-23"), order("2026-10-13"), order("2026-10-23"), order("2026-11-12", counted=False)],
    )
    assert found["kim"] == {"days_between_orders": 15.0, "lateness": 2.0}  # 30 days in 2 gaps; 30 days since


def test_one_order_has_no_rhythm(connection: duckdb.DuckDBPyConnection) -> None:
    found = features(connection, "days_between_orders", "lateness", purchases=[order("2026-09-23")])
    assert found["kim"] == {"days_between_orders": None, "lateness": None}


def test_two_orders_of_one_day_have_no_lateness(connection: duckdb.DuckDBPyConnection) -> None:
    found = features(connection, "days_between_orders", "lateness", purchases=[order("2026-09-23")] * 2)
    assert found["kim"] == {"days_between_orders": 0.0, "lateness": None}


def test_coupon_use_is_of_counted_orders(connection: duckdb.DuckDBPyConnection) -> None:
    purchases = [
        order("2026-09-23", reduced=True),
        order("2026-10-13"),
        order("2026-10-23", reduced=True, counted=False),
        order("2026-10-24"),
        order("2026-10-25"),
    ]
    found = features(connection, "coupon_orders", "coupon_share", purchases=purchases)
    assert found["kim"] == {"coupon_orders": 1, "coupon_share": 0.25}


def line(order_id: str, at: str, position: int, product: str | None, category: str | None) -> tuple[object, ...]:
    return "kim", order_id, at, position, product, product, category


ITEMS = ("favorite_category", "last_category", "last_product")


def test_items_of_the_last_order_and_the_favourite(connection: duckdb.DuckDBPyConnection) -> None:
    lines = [
        line("o1", "2026-10-01 10:00", 0, "코트", "아우터"),
        line("o1", "2026-10-01 10:00", 1, "패딩", "아우터"),
        line("o2", "2026-11-01 10:00", 0, "가방", "잡화"),
        line("o2", "2026-11-01 10:00", 1, "셔츠", "상의"),
        line("o3", "2026-11-02 10:00", 0, "쿠폰북", None),
        line("o4", "2026-11-23 00:00", 0, "내일의 구두", "신발"),
    ]
    found = features(connection, *ITEMS, purchases=[order("2026-10-01")], lines=lines)
    assert found["kim"] == {"favorite_category": "아우터", "last_category": "잡화", "last_product": "쿠폰북"}


def test_of_several_favourites_the_last_bought_wins(connection: duckdb.DuckDBPyConnection) -> None:
    lines = [line("o2", "2026-11-01 10:00", 0, "가방", "잡화"), line("o1", "2026-10-01 10:00", 0, "코트", "아우터")]
    found = features(connection, *ITEMS, purchases=[order("2026-10-01")], lines=lines)
    assert found["kim"]["favorite_category"] == "잡화"


ENGAGED = ("last_open_on", "last_click_on", "days_since_open", "days_since_click", "days_since_engaged")


def test_engagement_counts_from_the_last_open_or_click(connection: duckdb.DuckDBPyConnection) -> None:
    engagement = [
        ("kim", "opened", "2026-11-02"),
        ("kim", "opened", "2026-11-12"),
        ("kim", "clicked", "2026-11-02"),
        ("kim", "clicked", "2026-11-23"),
    ]
    found = features(connection, *ENGAGED, purchases=[order("2026-10-01")], engagement=engagement)
    assert found["kim"] == {
        "last_open_on": date(2026, 11, 12),
        "last_click_on": date(2026, 11, 2),
        "days_since_open": 10,
        "days_since_click": 20,
        "days_since_engaged": 10,
    }


@pytest.mark.parametrize(
    ("subscribed", "opened", "engaged", "unengaged"),
    [
        ("2026-07-25", None, None, 120),  # a silent subscriber of four months
        ("2026-11-20", None, None, 2),  # a new one is not unengaged yet
        ("2026-01-01", "2026-11-21", 1, 1),
        (None, None, None, None),
    ],
)
def test_who_never_engaged_is_unengaged_since_the_subscription(
    connection: duckdb.DuckDBPyConnection,
    subscribed: str | None,
    opened: str | None,
    engaged: int | None,
    unengaged: int | None,
) -> None:
    found = features(
        connection,
        "days_since_engaged",
        "days_unengaged",
        profiles=[person(subscribed_on=subscribed)],
        engagement=[("kim", "opened", opened)] if opened else [("lee", "opened", "2026-11-01")],
    )
    assert found["kim"] == {"days_since_engaged": engaged, "days_unengaged": unengaged}


def test_silent_subscribers_are_unengaged_where_nobody_ever_engaged(connection: duckdb.DuckDBPyConnection) -> None:
    found = features(connection, "days_unengaged", profiles=[person(subscribed_on="2026-07-25")])
    assert found["kim"] == {"days_unengaged": 120}


def test_a_subscriber_who_never_bought_is_a_customer(connection: duckdb.DuckDBPyConnection) -> None:
    found = features(
        connection,
        *("orders_lifetime", "orders_90d", "revenue_lifetime", "recency_days", "aov_90d", "coupon_orders", "gender"),
        purchases=[order("2026-11-01", who="lee")],
        profiles=[person(gender="female", subscribed_on="2026-11-22"), person("park", subscribed_on="2026-11-23")],
    )
    assert found["kim"] == {
        "orders_lifetime": 0,
        "orders_90d": 0,
        "revenue_lifetime": 0,
        "recency_days": None,
        "aov_90d": None,
        "coupon_orders": 0,
        "gender": "female",
    }
    assert found["lee"]["orders_lifetime"] == 1
    assert "park" not in found  # subscribes tomorrow


def test_who_bought_is_a_customer_before_the_subscription(connection: duckdb.DuckDBPyConnection) -> None:
    found = features(
        connection,
        "orders_lifetime",
        "gender",
        purchases=[order("2026-11-01")],
        profiles=[person(gender="male", subscribed_on="2026-12-01")],
    )
    assert found["kim"]["orders_lifetime"] == 1


@pytest.mark.parametrize(
    ("birthday", "age", "until"),
    [
        ("1990-11-22", 36, 0),
        ("1990-11-23", 35, 1),
        ("1990-11-21", 36, 364),
        ("2000-02-29", 26, 98),  # the 28th, in a year without the 29th
        ("1950-01-01", 76, 40),
    ],
)
def test_age_and_birthday(connection: duckdb.DuckDBPyConnection, birthday: str, age: int, until: int) -> None:
    found = features(connection, "age", "days_to_birthday", profiles=[person(birthday=birthday)])
    assert found["kim"] == {"age": age, "days_to_birthday": until}


def want(kind: str, product: str, at: str, *, removed: bool | None = None) -> tuple[object, ...]:
    return "kim", kind, product, None, None, at, removed


WANTED = ("cart_items", "cart_days", "wishlist_items", "wishlist_days", "days_since_viewed")


def test_what_is_in_the_cart_and_on_the_wish_list(connection: duckdb.DuckDBPyConnection) -> None:
    interests = [
        want("cart", "p1", "2026-11-01 10:00"),
        want("cart", "p2", "2026-11-10 10:00"),
        want("cart", "p2", "2026-11-12 10:00"),  # once more
        want("cart", "p3", "2026-11-20 10:00"),
        want("cart", "p3", "2026-11-21 10:00", removed=True),
        want("wishlist", "p1", "2026-11-02 10:00"),
        want("view", "p9", "2026-11-22 10:00"),
        want("cart", "p4", "2026-11-23 10:00"),
    ]
    found = features(connection, *WANTED, purchases=[order("2026-10-01")], interests=interests)
    assert found["kim"] == {
        "cart_items": 2,
        "cart_days": 10,
        "wishlist_items": 1,
        "wishlist_days": 20,
        "days_since_viewed": 0,
    }


def test_what_was_bought_since_is_in_the_cart_no_more(connection: duckdb.DuckDBPyConnection) -> None:
    interests = [
        want("cart", "p1", "2026-11-01 10:00"),
        want("wishlist", "p1", "2026-11-03 10:00"),
        want("view", "p1", "2026-11-01 10:00"),
    ]
    lines = [line("o1", "2026-11-02 10:00", 0, "p1", "아우터")]
    found = features(connection, *WANTED, purchases=[order("2026-11-02")], lines=lines, interests=interests)
    assert found["kim"] == {
        "cart_items": 0,
        "cart_days": None,
        "wishlist_items": 1,  # wished for again after it was bought
        "wishlist_days": 19,
        "days_since_viewed": 21,
    }


def test_interactions_are_what_was_bought_is_wanted_and_was_viewed(connection: duckdb.DuckDBPyConnection) -> None:
    features(
        connection,
        purchases=[order("2026-11-02")],
        lines=[
            line("o1", "2026-11-02 10:00", 0, "코트", "아우터"),
            line("o2", "2026-11-23 10:00", 0, "코트", "아우터"),
        ],
        interests=[want("cart", "p1", "2026-11-01 10:00"), want("view", "p1", "2026-11-01 10:00")],
    )
    found = connection.execute(
        "SELECT kind, happened_on, product_id, category FROM interactions ORDER BY kind"
    ).fetchall()
    assert found == [
        ("bought", date(2026, 11, 2), "코트", "아우터"),
        ("carted", date(2026, 11, 1), "p1", None),
        ("viewed", date(2026, 11, 1), "p1", None),
    ]
