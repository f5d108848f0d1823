"""Several rows of one order: which are line items, which are newer versions (design §3).

Within a file a row with a different amount begins a newer version; rows with the same or no amount
and an item column are line items of it. Across files the later file wins. An order with line items
counts whole or not at all: one bad row sets all of them aside, so that no total is silently wrong.
A version that lacks a required value is rejected and replaces nothing.
"""

import duckdb

from dangol.files.rejects import MAX_AMOUNT
from dangol.files.values import MONEY

ORDER_COLUMNS = (
    "order_id",
    "customer_id",
    "ordered_at",
    "status",
    "amount",
    "refunded",
    "lines",
    "email",
    "phone",
    "customer_name",
)
"""Columns of a resolved order: one row per order_id.

order_id, customer_id, status VARCHAR; ordered_at TIMESTAMP (shop time); amount (before refunds) and
refunded DECIMAL(18,4) in the shop's currency; lines LIST of STRUCT(product_id, product_name, category,
quantity, unit_price); email, phone, customer_name VARCHAR, personal.
"""

LINE = (
    "{product_id: product_id, product_name: product_name, category: category, "
    "quantity: quantity, unit_price: unit_price}"
)
"""SQL: one line item of a scanned row."""

_RANKED = f"""
    CREATE OR REPLACE TEMP TABLE ranked AS
    WITH grouped AS (
        SELECT *,
            bool_or(has_item) OVER whole AS itemised,
            itemised AND bool_or(problem IS NOT NULL) OVER whole AS spoiled,
            problem IS NULL AND NOT spoiled AS usable
        FROM repeated_rows
        WINDOW whole AS (PARTITION BY order_id, file)
    ), begun AS (
        SELECT *,
            last_value(CASE WHEN usable THEN amount END IGNORE NULLS) OVER (
                PARTITION BY order_id, file ORDER BY number
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS stated,
            usable AND amount IS NOT NULL AND stated IS NOT NULL
                AND (amount <> stated OR NOT itemised) AS begins
        FROM grouped
    ), versioned AS (
        SELECT *,
            (file::BIGINT << 40) + count(*) FILTER (begins) OVER (
                PARTITION BY order_id, file ORDER BY number ROWS UNBOUNDED PRECEDING
            ) AS version
        FROM begun
    ), weighed AS (
        SELECT *,
            count(customer_id) FILTER (usable) OVER same > 0
                AND count(ordered_at) FILTER (usable) OVER same > 0
                AND coalesce(
                    max(amount) FILTER (usable) OVER same, sum(line_amount) FILTER (usable) OVER same
                ) BETWEEN 0 AND {MAX_AMOUNT} AS complete
        FROM versioned
        WINDOW same AS (PARTITION BY order_id, version)
    ), dated AS (
        SELECT *, max(version) FILTER (complete) OVER (PARTITION BY order_id) AS newest FROM weighed
    )
    SELECT *, coalesce(usable AND version = newest, false) AS current FROM dated
"""

SINGLE_ORDER = f"""
    SELECT order_id, customer_id, ordered_at, coalesce(status, 'paid') AS status,
        coalesce(amount, line_amount) AS amount, coalesce(refunded_amount, 0)::{MONEY} AS refunded,
        CASE WHEN has_item THEN [{LINE}] END AS lines, email, phone, customer_name
"""
"""SQL: the order of a scanned row that stands alone, without its FROM."""

_ORDERS = f"""
    CREATE OR REPLACE TEMP TABLE resolved AS
    SELECT
        order_id,
        arg_max(customer_id, number) AS customer_id,
        arg_max(ordered_at, number) AS ordered_at,
        coalesce(arg_max(status, number), 'paid') AS status,
        coalesce(arg_max(amount, number), sum(line_amount))::{MONEY} AS amount,
        coalesce(arg_max(refunded_amount, number), 0)::{MONEY} AS refunded,
        list({LINE} ORDER BY number) FILTER (has_item) AS lines,
        arg_max(email, number) AS email,
        arg_max(phone, number) AS phone,
        arg_max(customer_name, number) AS customer_name
    FROM ranked WHERE current
    GROUP BY order_id
"""


def resolve(connection: duckdb.DuckDBPyConnection) -> None:
    """From `repeated_rows` (Scan.typed with file and number) make temp tables `resolved` and `judged`.

    `resolved` holds complete orders (ORDER_COLUMNS). In `judged` every row has a `verdict`: 'accepted',
    'superseded', 'rejected', 'incomplete' (of a version without one of the required values, or with an
    absurd total, and no newer one) or 'sibling' (spoiled by another row).
    """
    connection.execute(_RANKED)
    connection.execute(_ORDERS)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT file, number, problem,
            CASE WHEN problem IS NOT NULL THEN 'rejected'
                WHEN spoiled THEN 'sibling'
                WHEN current THEN 'accepted'
                WHEN version < newest THEN 'superseded'
                ELSE 'incomplete' END AS verdict
        FROM ranked
    """)
