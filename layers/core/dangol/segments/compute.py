"""From what is known of customers to their features, in SQL; only the features asked for are computed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from dangol.segments.features import DATE, FEATURE_COLUMNS, FEATURES, FLAG, NUMBER, SCORES, TEXT, WINDOW_DAYS
from dangol.segments.scores import Borders, borders_of, score_sql


@dataclass(frozen=True, slots=True)
class Sources:
    """Relations that features are made of. Where one is None, its features are missing for everybody."""

    purchases: str
    """customer_id VARCHAR, ordered_on DATE, amount DECIMAL (net), counted BOOLEAN; and reduced BOOLEAN (a coupon or
    discount was used), if coupon features are asked for and known."""
    lines: str | None = None
    """Line items of counted orders: customer_id, order_id VARCHAR, ordered_at TIMESTAMP (shop time), position BIGINT,
    product_id, product_name, category VARCHAR."""
    profiles: str | None = None
    """One row a person: customer_id, gender, city VARCHAR, birthday, subscribed_on DATE, latitude, longitude DOUBLE,
    accepts_email, accepts_push, accepts_night_push BOOLEAN."""
    interests: str | None = None
    """customer_id, kind ('cart', 'wishlist', 'view'), product_id, product_name, category VARCHAR, happened_at TIMESTAMP
    (shop time), removed BOOLEAN."""
    engagement: str | None = None
    """Opens and clicks by people: customer_id, kind ('opened', 'clicked') VARCHAR, happened_on DATE."""
    items: str | None = None
    """What the lines say of each customer, where it is known already: customer_id, favorite_category, last_category,
    last_product VARCHAR."""
    reduced: bool = False
    """Whether `purchases` has that column."""
    borders: Borders | None = None
    """Of the scores, over the whole base."""
    whole: bool = False
    """Whether these are all customers there are; then the borders are found among them."""


def make_features(
    connection: duckdb.DuckDBPyConnection, sources: Sources, as_of: date, needs: Collection[str] = ()
) -> None:
    """Make table `features`, one row a customer: FEATURE_COLUMNS and the features of the catalogue in `needs`.

    A customer is who ordered or is in a customers file, by `as_of` (the shop's date): orders after it do not exist yet,
    nor does who subscribed later. Types: numbers BIGINT or DOUBLE, dates DATE, texts VARCHAR, flags BOOLEAN; NULL where
    missing. Sums are taken exactly, in decimals, and only then made doubles. Interests are counted in table
    `interactions` (see make_interactions).
    """
    wanted = dict.fromkeys((*FEATURE_COLUMNS[1:], *needs))
    parts = [part for part in _parts(sources, as_of) if part.always or not part.columns.keys().isdisjoint(wanted)]
    known = {name: sql for part in parts for name, sql in part.columns.items()}
    columns = ", ".join(f"{known.get(name, _MISSING.get(name))} AS {name}" for name in wanted)
    joins = " ".join(f"{part.join} JOIN ({part.rows}) AS {part.name} USING (customer_id)" for part in parts[1:])
    connection.execute(
        f"CREATE OR REPLACE TABLE features AS SELECT customer_id, {columns} FROM ({parts[0].rows}) AS orders {joins}"
    )
    if scores := [name for name in SCORES if name in wanted]:
        _score(connection, borders_of(connection, "features", as_of) if sources.whole else sources.borders, scores)


def _score(connection: duckdb.DuckDBPyConnection, borders: Borders | None, scores: Sequence[str]) -> None:
    """Fill in the scores, if there are borders."""
    if borders is None:
        return
    known = score_sql(borders)
    columns = ", ".join(f"{known[name]} AS {name}" for name in scores)
    connection.execute(f"CREATE OR REPLACE TABLE features AS SELECT * REPLACE ({columns}) FROM features")


_TYPES = {NUMBER: "DOUBLE", DATE: "DATE", TEXT: "VARCHAR", FLAG: "BOOLEAN"}
_MISSING = {feature.name: f"NULL::{_TYPES[feature.kind]}" for feature in FEATURES}
"""SQL of features that nothing is known of."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one source knows, a row a customer."""

    name: str
    rows: str
    columns: Mapping[str, str]
    """Feature → SQL over the joined parts."""
    join: str = "LEFT"
    always: bool = False


def _parts(sources: Sources, as_of: date) -> Iterator[_Part]:
    today = f"DATE '{as_of}'"
    yield _orders(sources, today)
    if sources.profiles is not None:
        yield _profiles(sources.profiles, today)
    if sources.lines is not None:
        yield _items(sources, today)
    if sources.engagement is not None:
        yield _engagement(sources.engagement, today, subscribed=sources.profiles is not None)
    if sources.interests is not None:
        yield _interests(today)


def _orders(sources: Sources, today: str) -> _Part:
    window = f"counted AND ordered_on > {today} - {WINDOW_DAYS}"
    coupons = ", count(*) FILTER (counted AND reduced) AS coupon_orders" if sources.reduced else ""
    rows = f"""
        SELECT
            customer_id,
            max(ordered_on) FILTER (counted) AS last_order_on,
            min(ordered_on) FILTER (counted) AS first_order_on,
            count(*) FILTER (counted) AS orders_lifetime,
            sum(amount) FILTER (counted) AS revenue,
            count(*) FILTER ({window}) AS orders_90d,
            sum(amount) FILTER ({window}) AS revenue_90d
            {coupons}
        FROM {sources.purchases}
        WHERE ordered_on <= {today}
        GROUP BY customer_id"""
    recency = f"({today} - last_order_on)"
    gap = "((last_order_on - first_order_on)::DOUBLE / nullif(orders_lifetime - 1, 0))"
    count = "coalesce({0}, 0)" if sources.profiles is not None else "{0}"  # who never ordered is in no row of `orders`
    columns = {
        "last_order_on": "last_order_on",
        "first_order_on": "first_order_on",
        "recency_days": recency,
        "orders_90d": count.format("orders_90d"),
        "aov_90d": "revenue_90d::DOUBLE / nullif(orders_90d, 0)",
        "orders_lifetime": count.format("orders_lifetime"),
        "revenue_lifetime": "coalesce(revenue, 0)::DOUBLE",
        "days_between_orders": gap,
        "lateness": f"{recency} / nullif({gap}, 0)",
    }
    if sources.reduced:
        columns["coupon_orders"] = count.format("coupon_orders")
        columns["coupon_share"] = "coupon_orders::DOUBLE / nullif(orders_lifetime, 0)"
    return _Part("orders", rows, columns, always=True)


def _profiles(profiles: str, today: str) -> _Part:
    anniversary = f"(birthday + to_years((year({today}) - year(birthday))::INTEGER))::DATE"
    next_year = f"(birthday + to_years((year({today}) - year(birthday) + 1)::INTEGER))::DATE"
    own = ("gender", "birthday", "city", "latitude", "longitude", "subscribed_on")
    flags = ("accepts_email", "accepts_push", "accepts_night_push")
    columns = {name: name for name in (*own, *flags)} | {
        "days_subscribed": f"{today} - subscribed_on",
        "days_unengaged": f"{today} - subscribed_on",  # as long as nobody's engagement is known
        "age": f"year({today}) - year(birthday) - ({anniversary} > {today})::INTEGER",
        "days_to_birthday": f"CASE WHEN {anniversary} >= {today} THEN {anniversary} ELSE {next_year} END - {today}",
    }
    rows = f"SELECT * FROM {profiles} WHERE coalesce(subscribed_on <= {today}, true)"
    return _Part("profile", rows, columns, join="FULL", always=True)


_OF_ITEMS = ("favorite_category", "last_category", "last_product")


def _items(sources: Sources, today: str) -> _Part:
    known = f"SELECT customer_id, {', '.join(_OF_ITEMS)} FROM {sources.items}"
    rows = known if sources.items else _items_sql(str(sources.lines), today)
    return _Part("items", rows, {name: name for name in _OF_ITEMS})


def _items_sql(lines: str, today: str) -> str:
    """SQL: the newest category and product of each customer, and the category they bought most items of.

    Of line items of the same moment, the first one of some order, always the same. One number to compare, as to compare
    moments, ids and positions one by one takes three times as long.
    """
    newest = f"epoch_us(ordered_at) * {2**64}::HUGEINT + (hash(order_id) >> 16)::HUGEINT * 65536 - position"
    named = "FILTER (product_name IS NOT NULL)"
    return f"""
        SELECT customer_id,
            arg_max(category, newest) FILTER (category IS NOT NULL) AS last_category,
            arg_max(product, named) AS last_product,
            arg_max(category, {{items: items, last: last, category: category}}) FILTER (category IS NOT NULL)
                AS favorite_category
        FROM (
            SELECT customer_id, category, count(*) AS items, max(ordered_at) AS last, max(newest) AS newest,
                arg_max(product_name, newest) {named} AS product, max(newest) {named} AS named
            FROM (SELECT *, {newest} AS newest FROM {lines} WHERE ordered_at::DATE <= {today})
            GROUP BY customer_id, category
        ) GROUP BY customer_id"""


def _engagement(engagement: str, today: str, *, subscribed: bool) -> _Part:
    rows = f"""
        SELECT customer_id,
            max(happened_on) FILTER (kind = 'opened') AS last_open_on,
            max(happened_on) FILTER (kind = 'clicked') AS last_click_on
        FROM {engagement} WHERE happened_on <= {today} GROUP BY customer_id"""
    last = "greatest(last_open_on, last_click_on)"  # NULL only where both are
    start = f"coalesce({last}, subscribed_on)" if subscribed else last
    columns = {
        "last_open_on": "last_open_on",
        "last_click_on": "last_click_on",
        "days_since_open": f"{today} - last_open_on",
        "days_since_click": f"{today} - last_click_on",
        "days_since_engaged": f"{today} - {last}",
        "days_unengaged": f"{today} - {start}",
    }
    return _Part("engaged", rows, columns)


def _interests(today: str) -> _Part:
    rows = """
        SELECT customer_id,
            count(*) FILTER (kind = 'carted') AS cart_items,
            max(happened_on) FILTER (kind = 'carted') AS carted_on,
            count(*) FILTER (kind = 'wished') AS wishlist_items,
            max(happened_on) FILTER (kind = 'wished') AS wished_on,
            max(happened_on) FILTER (kind = 'viewed') AS viewed_on
        FROM interactions WHERE kind <> 'bought' GROUP BY customer_id"""
    columns = {
        "cart_items": "coalesce(cart_items, 0)",
        "wishlist_items": "coalesce(wishlist_items, 0)",
        "cart_days": f"{today} - carted_on",
        "wishlist_days": f"{today} - wished_on",
        "days_since_viewed": f"{today} - viewed_on",
    }
    return _Part("interest", rows, columns)


def make_interactions(connection: duckdb.DuckDBPyConnection, sources: Sources, as_of: date) -> None:
    """Make table `interactions`: what each customer did with which product, by `as_of`.

    customer_id VARCHAR; kind VARCHAR: 'bought' (in a counted order), 'carted' and 'wished' (still in the cart, still on
    the wish list), 'viewed'; happened_on DATE; product_id, product_name, category VARCHAR. A product leaves cart and
    wish list when a row says so or when the person buys it.
    """
    today = f"DATE '{as_of}'"
    bought = f"""
        SELECT customer_id, 'bought' AS kind, ordered_at::DATE AS happened_on, product_id, product_name, category
        FROM {sources.lines} WHERE ordered_at::DATE <= {today}"""
    latest = f"""
        SELECT * FROM {sources.interests} WHERE happened_at::DATE <= {today}
        QUALIFY row_number() OVER (
            PARTITION BY customer_id, kind, coalesce(product_id, product_name)
            ORDER BY happened_at DESC, coalesce(removed, false) DESC
        ) = 1"""
    unbought = f"""
        ANTI JOIN (SELECT * FROM {sources.lines} WHERE ordered_at::DATE <= {today}) AS line
        ON latest.kind <> 'view' AND latest.customer_id = line.customer_id AND line.ordered_at >= latest.happened_at
            AND (line.product_id = latest.product_id OR line.product_name = latest.product_name)"""
    wanted = f"""
        SELECT customer_id, CASE kind WHEN 'cart' THEN 'carted' WHEN 'wishlist' THEN 'wished' ELSE 'viewed' END AS kind,
            happened_at::DATE AS happened_on, product_id, product_name, category
        FROM ({latest}) AS latest {unbought if sources.lines else ""}
        WHERE kind = 'view' OR NOT coalesce(removed, false)"""
    parts = [bought] if sources.lines else []
    parts += [wanted] if sources.interests else []
    connection.execute(f"CREATE OR REPLACE TABLE interactions AS {' UNION ALL '.join(parts) or _NOTHING}")


_NOTHING = """
    SELECT NULL::VARCHAR AS customer_id, NULL::VARCHAR AS kind, NULL::DATE AS happened_on, NULL::VARCHAR AS product_id,
        NULL::VARCHAR AS product_name, NULL::VARCHAR AS category WHERE false
"""
