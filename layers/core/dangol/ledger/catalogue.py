"""What the shop sells, a row a product: the newest of each, with what only earlier files can tell."""

import duckdb

from dangol.engine import scalar
from dangol.ledger.facts import seen_on

CATALOGUE = "catalogue"
MAX_ID = 40
"""Characters of the id of a product that a message may show; ids are kept in the rows of `Profiles`."""


def make_catalogue(connection: duckdb.DuckDBPyConnection, products: str) -> str | None:
    """Make temp table `catalogue` of rows of products files (facts.PRODUCTS); its name, or None when it is empty.

    One row a product: product_id, product_name, category VARCHAR, price DECIMAL(18,4), url, image_url VARCHAR,
    launched_on DATE, limited, in_stock BOOLEAN, restocked_on DATE. Where no file tells the launch, it is the day of the
    first file that has the product, if that is later than the day of the first products file at all. A product that
    a file calls in stock after one that called it out of stock came back on the day of that file.
    """
    if not scalar(connection, f"SELECT count(*) FROM {products}"):
        nothing = f"SELECT * EXCLUDE (version) FROM {products}"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {CATALOGUE} AS {nothing}")
        return None
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {CATALOGUE} AS
        SELECT newest.* EXCLUDE (version) REPLACE (
            coalesce(launched_on, CASE WHEN {seen_on("first")} > {seen_on("start")} THEN {seen_on("first")} END)
                AS launched_on,
            greatest(restocked_on, {seen_on("back")}) AS restocked_on
        )
        FROM (SELECT DISTINCT ON (product_id) * FROM {products} ORDER BY version DESC) AS newest
        JOIN (
            SELECT product_id, min(version) AS first, any_value(start) AS start,
                min(version) FILTER (in_stock AND version > out) AS back
            FROM (
                SELECT product_id, version, in_stock, min(version) OVER () AS start,
                    max(version) FILTER (NOT in_stock) OVER (PARTITION BY product_id) AS out
                FROM {products}
            ) GROUP BY product_id
        ) AS past USING (product_id)
    """)
    return CATALOGUE


def has_catalogue(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether table `catalogue` holds any product."""
    return scalar(connection, f"SELECT count(*) FROM {CATALOGUE}") > 0


def showable(today: str) -> str:
    """SQL: whether a message may show a row of the catalogue on a day (an SQL date): sold by then, not out of stock."""
    return f"(coalesce(in_stock, true) AND coalesce(launched_on <= {today}, true) AND length(product_id) <= {MAX_ID})"


def resolved(rows: str, columns: str) -> str:
    """SQL: `columns` of the query `rows`, and `product`: the id in the catalogue of what a row is about.

    It is found by product_id, else by product_name; NULL where it is not in the catalogue, or no message may show it.
    """
    short = f"(FROM {CATALOGUE} WHERE length(product_id) <= {MAX_ID})"
    return f"""
        SELECT {columns}, coalesce(by_id.product_id, by_name.product_id) AS product
        FROM ({rows}) AS row LEFT JOIN {short} AS by_id ON by_id.product_id = row.product_id
        LEFT JOIN (SELECT product_name, min(product_id) AS product_id FROM {short} GROUP BY product_name) AS by_name
            ON by_id.product_id IS NULL AND by_name.product_name = row.product_name"""
