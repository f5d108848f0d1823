"""The products that concern each person of a shard, for what messages show (see dangol.campaigns.items.OwnProducts)."""

from datetime import date

import duckdb

from dangol.ledger.catalogue import CATALOGUE, has_catalogue, resolved, showable
from dangol.ledger.contact import OWN_PRODUCTS, TYPES

OWN = "own_products"
BOUGHT_DAYS = 90
"""For so many days nobody is shown what they bought."""
RESTOCKED_DAYS = 14
"""For so many days it is news that a product came back."""
MAX_BOUGHT, MAX_WANTED = 40, 6
"""Products of a person that are kept, the newest: of those bought, and of each other kind. They lie in `Profiles`."""
COLUMNS = ("own_last", *(f"own_{kind}" for kind in OWN_PRODUCTS))

_NOBODY = "SELECT " + ", ".join(f"NULL::{TYPES[name]} AS {name}" for name in ("customer_id", *COLUMNS)) + " WHERE false"


def make_own_products(
    connection: duckdb.DuckDBPyConnection, lines: str | None, as_of: date, *, interests: bool
) -> None:
    """Make temp table `own_products`, a row for each person whom a product of the catalogue concerns: COLUMNS.

    Reads table `catalogue` (empty: nobody), `lines` (see Sources.lines), `features` with last_order_on, and, with
    `interests`, `interactions`. NULL where there is none of a kind.
    """
    today = f"DATE '{as_of}'"
    parts = [_bought(lines, today)] if lines else []
    parts += [_wanted(today)] if interests else []
    if not has_catalogue(connection):
        parts = []
    rows = " UNION ALL BY NAME ".join([f"({_NOBODY})", *(f"({part})" for part in parts)])
    columns = ", ".join(f"any_value({name}) AS {name}" for name in COLUMNS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {OWN} AS SELECT customer_id, {columns} FROM ({rows}) GROUP BY ALL"
    )


def _bought(lines: str, today: str) -> str:
    """SQL: own_last and own_bought, of the days that count and the last one with an order."""
    recent = f"""
        SELECT line.* FROM {lines} AS line JOIN features USING (customer_id)
        WHERE ordered_at::DATE <= {today} AND coalesce(line.product_id, line.product_name) IS NOT NULL
            AND (ordered_at::DATE > {today} - {BOUGHT_DAYS} OR ordered_at::DATE = last_order_on)"""
    columns = "customer_id, {ordered_at: ordered_at, order_id: order_id, position: -position} AS place"
    return f"""
        SELECT customer_id, nullif(arg_max(coalesce(product, ''), place), '') AS own_last,
            (list(product ORDER BY place DESC, product) FILTER (product IS NOT NULL))[:{MAX_BOUGHT}] AS own_bought
        FROM (
            SELECT customer_id, product, max(place) AS place FROM ({resolved(recent, columns)}) GROUP BY ALL
        ) GROUP BY customer_id"""


def _wanted(today: str) -> str:
    """SQL: own_cart, own_wishlist and own_restocked, of what can be shown."""
    wanted = resolved("FROM interactions WHERE kind <> 'bought'", "customer_id, kind, happened_on")
    back = f"restocked_on BETWEEN greatest(happened_on, {today} - {RESTOCKED_DAYS - 1}) AND {today}"

    def newest(kind: str, day: str) -> str:
        listed = f"list(product ORDER BY {day} DESC, product) FILTER (kind = '{kind}')"
        return f"({listed})[:{MAX_WANTED}]"

    return f"""
        SELECT customer_id, {newest("carted", "day")} AS own_cart, {newest("wished", "day")} AS own_wishlist,
            {newest("back", "day")} AS own_restocked
        FROM (
            SELECT customer_id, kind, product, max(happened_on) AS day FROM ({wanted})
            SEMI JOIN (FROM {CATALOGUE} WHERE {showable(today)}) AS shown ON shown.product_id = product
            WHERE kind <> 'viewed' GROUP BY ALL
            UNION ALL
            SELECT customer_id, 'back' AS kind, product, max(restocked_on) AS day FROM ({wanted})
            JOIN (FROM {CATALOGUE} WHERE {showable(today)}) AS shown ON shown.product_id = product
            WHERE {back} GROUP BY ALL
        ) GROUP BY customer_id"""
