"""From the catalogue and what sells to what messages can show (see dangol.campaigns.items.Shelves)."""

from datetime import date

import duckdb

from dangol.campaigns.content import Item
from dangol.campaigns.items import Shelves
from dangol.ledger.catalogue import CATALOGUE, showable

NEW_DAYS = 30
"""For so many days from its launch a product is new."""
ON_A_SHELF = 24
"""Products of one kind: four times what is shown, since people have bought some of them."""


def shelves_of(connection: duckdb.DuckDBPyConnection, sales: str, as_of: date) -> Shelves:
    """What table `catalogue` has to show on a day.

    `sales` is as sales_of gives it. On each shelf what most people bought comes first, then what is newest; of new
    products the newest.
    """
    today = f"DATE '{as_of}'"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE shown AS
        SELECT product_id, product_name, category, price, url, image_url, launched_on, limited, together,
            coalesce(people, 0) AS people
        FROM {CATALOGUE} LEFT JOIN {sales} AS sales USING (product_id) WHERE {showable(today)}
    """)
    rows = connection.execute(
        "SELECT product_id, product_name, url, image_url, price, category FROM shown ORDER BY product_id"
    ).fetchall()
    return Shelves(
        {row[0]: Item(row[0], row[1], row[2] or "", row[3] or "", row[4], row[5] or "") for row in rows},
        _shelf(connection, f"launched_on > {today} - {NEW_DAYS}", "launched_on DESC, people DESC, product_id"),
        _shelf(connection, "limited", _BEST),
        _shelves(
            connection,
            f"""
            SELECT category, list(product_id ORDER BY {_BEST})[:{ON_A_SHELF}] FROM shown
            WHERE category IS NOT NULL GROUP BY category ORDER BY category""",
        ),
        _shelves(
            connection,
            """
            SELECT one.product_id, list(two.product_id ORDER BY place) FROM (
                SELECT product_id, unnest(together) AS other, unnest(range(len(together))) AS place FROM shown
            ) AS one JOIN shown AS two ON two.product_id = other
            GROUP BY one.product_id ORDER BY one.product_id""",
        ),
    )


_BEST = "people DESC, launched_on DESC NULLS LAST, product_id"


def _shelf(connection: duckdb.DuckDBPyConnection, which: str, order: str) -> tuple[str, ...]:
    rows = connection.execute(f"SELECT product_id FROM shown WHERE {which} ORDER BY {order} LIMIT {ON_A_SHELF}")
    return tuple(product for (product,) in rows.fetchall())


def _shelves(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(products) for name, products in connection.execute(query).fetchall()}
