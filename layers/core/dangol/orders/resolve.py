"""Several rows of one order: which are line items, which are newer versions (design §3).

Within a file a row with a different amount begins a newer version; rows with the same or no amount
and an item column are line items of it. Across files the later file wins. An order with line items
counts whole or not at all: one bad row sets all of them aside, so that no total is silently wrong.
A version that lacks a required value is rejected and replaces nothing.

Where the status is the line's, an order lives as long as one of its lines does, and lines that were cancelled
or returned are refunds of it. Rows that take another order back are refunds of that order if the file has it,
else a cancelled order of their own.
"""

import duckdb

from dangol.files.rejects import MAX_AMOUNT
from dangol.files.values import MONEY
from dangol.orders.dialect import COUNTED_STATUSES, PARTIALLY_REFUNDED

ORDER_COLUMNS = (
    "order_id",
    "customer_id",
    "ordered_at",
    "status",
    "amount",
    "refunded",
    "coupon",
    "discount",
    "lines",
    "email",
    "phone",
    "customer_name",
)
"""Columns of a resolved order: one row per order_id.

order_id, customer_id, status VARCHAR; ordered_at TIMESTAMP (shop time); amount (before refunds), refunded and
discount (NULL: unknown) DECIMAL(18,4) in the shop's currency; coupon VARCHAR (code or name, NULL without); lines
LIST of STRUCT(product_id, product_name, category, quantity, unit_price); email, phone, customer_name VARCHAR,
personal.
"""

LINE = (
    "{product_id: product_id, product_name: product_name, category: category, "
    "quantity: quantity, unit_price: unit_price}"
)
"""SQL: one line item of a scanned row."""

_TEXTS = ("coupon", "email", "phone", "customer_name")
_ALIVE = f"coalesce(status, 'paid') IN {COUNTED_STATUSES}"
_LIVES = f"bool_or({_ALIVE})"
_SHIPMENTS = "list_distinct(list({parcel: shipping_group, fee: shipping}) FILTER (shipping > 0))"
_FEES = f"list_sum(list_transform({_SHIPMENTS}, lambda shipment: shipment.fee))"
_LINES = "coalesce(sum(line_amount) FILTER (line_amount > 0), 0 * sum(line_amount))"
_TAKEN_BACK = f"coalesce(sum(CASE WHEN line_amount < 0 THEN -line_amount WHEN NOT {_ALIVE} THEN line_amount END), 0)"
_AMOUNT = f"coalesce(arg_max(amount, number), {_LINES} + coalesce({_FEES}, 0))"
_AMOUNT_OF_ONE_PARCEL = f"coalesce(arg_max(amount, number), {_LINES} + coalesce(max(shipping), 0))"
_STATUS = f"""
    CASE WHEN NOT bool_or(by_line) OR NOT {_LIVES} THEN coalesce(arg_max(status, number), 'paid')
        WHEN bool_and({_ALIVE}) THEN coalesce(arg_max(status, number), 'paid')
        ELSE '{PARTIALLY_REFUNDED}' END"""
_REFUNDED = f"""
    CASE WHEN NOT bool_or(by_line) THEN coalesce(arg_max(refunded_amount, number), 0)
        ELSE coalesce(max(refunded_amount), CASE WHEN {_LIVES} THEN {_TAKEN_BACK} END, 0) END"""
_OWN_FIRST = "CASE WHEN cancels IS NULL THEN number ELSE number - (1::BIGINT << 40) END"
"""Of what an order and its cancellations say, what the order says."""
_DISCOUNT = "CASE WHEN count(amount) > 0 THEN arg_max(discount, number) ELSE sum(discount) END"
"""Adds up where the amounts do."""
_COMPLETE = f"customer_id IS NOT NULL AND ordered_at IS NOT NULL AND coalesce(amount BETWEEN 0 AND {MAX_AMOUNT}, false)"

_RANKED = f"""
    CREATE OR REPLACE TEMP TABLE ranked AS
    WITH named AS (
        SELECT * REPLACE (
            CASE WHEN bool_and(cancels IS NOT NULL) OVER (PARTITION BY order_id, file) THEN cancels ELSE order_id END
            AS order_id)
        FROM hard_rows
    ), grouped AS (
        SELECT *,
            bool_or(has_item) OVER whole AS itemised,
            itemised AND bool_or(problem IS NOT NULL) OVER whole AS spoiled,
            problem IS NULL AND NOT spoiled AS usable
        FROM named
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
        SELECT versioned.*, coalesce(whole.complete, false) AS complete
        FROM versioned LEFT JOIN (
            SELECT order_id, version, {_COMPLETE} AS complete FROM (
                SELECT order_id, version, max(customer_id) AS customer_id, max(ordered_at) AS ordered_at,
                    {_AMOUNT} AS amount
                FROM versioned WHERE usable GROUP BY order_id, version
            )
        ) AS whole USING (order_id, version)
    ), dated AS (
        SELECT *, max(version) FILTER (complete) OVER (PARTITION BY order_id) AS newest FROM weighed
    )
    SELECT *, coalesce(usable AND version = newest, false) AS current FROM dated
"""

_EASY = """
    min(file) = max(file) AND bool_or(has_item) AND count(problem) = 0
    AND min(amount) IS NOT DISTINCT FROM max(amount)
    AND min(shipping_group) IS NOT DISTINCT FROM max(shipping_group)
"""
"""SQL: whether the rows of an order are line items of one version in one parcel, with nothing to weigh up."""


def single_order(lines: bool) -> str:
    """SQL: the order of a scanned row that stands alone, without its FROM; as narrow as `resolve` makes it."""
    items = f"CASE WHEN has_item THEN [{LINE}] END AS lines, {', '.join(_TEXTS)}, discount"
    return f"""
        SELECT coalesce(cancels, order_id) AS order_id, customer_id, ordered_at, coalesce(status, 'paid') AS status,
            coalesce(amount, greatest(line_amount, 0) + coalesce(shipping, 0))::{MONEY} AS amount,
            coalesce(refunded_amount, 0)::{MONEY} AS refunded
            {f", {items}" if lines else ""}
    """


def resolve(connection: duckdb.DuckDBPyConnection, lines: bool) -> None:
    """From `repeated_rows` (Scan.typed with file and number) make temp tables `resolved` and `judged`.

    `resolved` holds complete orders: ORDER_COLUMNS with `lines`, else those up to `refunded`. In `judged` is every
    row of the other orders with a `verdict`: 'accepted', 'superseded', 'rejected', 'incomplete' (of a version
    without one of the required values, or with an absurd total, and no newer one) or 'sibling' (spoiled by another
    row).
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE grouped AS
        SELECT *, {_COMPLETE} AS complete FROM (
            SELECT order_id AS key_id, {_EASY} AS easy, {_order(lines, _AMOUNT_OF_ONE_PARCEL)} FROM repeated_rows GROUP BY order_id
        )
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP VIEW hard_rows AS
        FROM repeated_rows WHERE order_id IS NULL OR order_id IN (SELECT key_id FROM grouped WHERE NOT easy)
    """)
    connection.execute(_RANKED)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE resolved AS
        SELECT * EXCLUDE (key_id, easy, complete) FROM grouped WHERE easy AND complete
        UNION ALL BY NAME SELECT {_order(lines, _AMOUNT)} FROM ranked WHERE current GROUP BY order_id
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT file, number, problem,
            CASE WHEN problem IS NOT NULL THEN 'rejected'
                WHEN spoiled THEN 'sibling'
                WHEN current THEN 'accepted'
                WHEN version < newest THEN 'superseded'
                ELSE 'incomplete' END AS verdict
        FROM ranked
        UNION ALL
        SELECT file, number, problem, 'incomplete' FROM repeated_rows
        WHERE order_id IN (SELECT key_id FROM grouped WHERE easy AND NOT complete)
    """)


def _order(lines: bool, amount: str) -> str:
    """SQL: the columns of an order, of the rows of its one version grouped by order_id."""
    texts = ", ".join(f"arg_max({name}, number) AS {name}" for name in _TEXTS)
    discount = f"try_cast({_DISCOUNT} AS {MONEY}) AS discount"
    items = f"list({LINE} ORDER BY number) FILTER (has_item) AS lines, {texts}, {discount}"
    return f"""
        CASE WHEN count(cancels) = count(*) THEN min(cancels) ELSE order_id END AS order_id,
        arg_max(customer_id, number) AS customer_id,
        arg_max(ordered_at, {_OWN_FIRST}) AS ordered_at,
        {_STATUS} AS status,
        try_cast({amount} AS {MONEY}) AS amount,
        try_cast({_REFUNDED} AS {MONEY}) AS refunded
        {f", {items}" if lines else ""}
    """
