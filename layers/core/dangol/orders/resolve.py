"""Several rows of one order: which are line items, which are newer versions (design §3).

Within a file a row with a different amount begins a newer version; rows with the same or no amount
and an item column are line items of it. Across files the later file wins. An order with line items
counts whole or not at all: one bad row sets all of them aside, so that no total is silently wrong.
A version that lacks a required value is rejected and replaces nothing.

Where the status is the line's, an order lives as long as one of its lines does, and lines that were cancelled
or returned are refunds of it. Rows that take another order back are refunds of that order if the file has it,
else a cancelled order of their own.
"""

from dataclasses import dataclass

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
_TAKEN_BACK = f"coalesce(sum(CASE WHEN line_amount < 0 THEN -line_amount WHEN NOT {_ALIVE} THEN line_amount END), 0)"
_STATUS_OF_ORDER = "coalesce(arg_max(status, number), 'paid')"
_STATUS = f"""
    CASE WHEN bool_or(by_line) AND {_LIVES} AND NOT bool_and({_ALIVE}) THEN '{PARTIALLY_REFUNDED}'
        ELSE {_STATUS_OF_ORDER} END"""
_REFUND_OF_ORDER = "coalesce(arg_max(refunded_amount, number), 0)"
_REFUNDED = f"""
    CASE WHEN bool_or(by_line)
        THEN coalesce(max(refunded_amount), CASE WHEN {_LIVES} THEN {_TAKEN_BACK} END, 0)
        ELSE {_REFUND_OF_ORDER} END"""
_LINES = "coalesce(sum(line_amount) FILTER (line_amount > 0), 0 * sum(line_amount))"
_AMOUNT = f"coalesce(arg_max(amount, number), {_LINES} + coalesce({_FEES}, 0))"
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


@dataclass(frozen=True, slots=True)
class Traits:
    """What the files of a reading make use of; other rules are left out of what is computed for each order."""

    files: int
    """How many there are."""
    by_line: bool
    """Whether there are statuses of lines."""
    cancels: bool
    """Whether there are orders that take others back."""
    shipping: bool
    """Whether there are fees of parcels."""
    lines: bool
    """Whether line items and contacts are wanted."""


def single_order(lines: bool) -> str:
    """SQL: the order of a scanned row that stands alone, without its FROM; as narrow as `resolve` makes it."""
    items = f"CASE WHEN has_item THEN [{LINE}] END AS lines, {', '.join(_TEXTS)}, discount"
    return f"""
        SELECT coalesce(cancels, order_id) AS order_id, customer_id, ordered_at, coalesce(status, 'paid') AS status,
            coalesce(amount, greatest(line_amount, 0) + coalesce(shipping, 0))::{MONEY} AS amount,
            coalesce(refunded_amount, 0)::{MONEY} AS refunded
            {f", {items}" if lines else ""}
    """


def resolve(connection: duckdb.DuckDBPyConnection, traits: Traits) -> None:
    """From `repeated_rows` (Scan.typed with file and number) make temp tables `resolved` and `judged`.

    `resolved` holds complete orders: ORDER_COLUMNS if lines are wanted, else those up to `refunded`. In `judged`
    is every row of the other orders with a `verdict`: 'accepted', 'superseded', 'rejected', 'incomplete' (of a version
    without one of the required values, or with an absurd total, and no newer one) or 'sibling' (spoiled by another
    row).
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE grouped AS
        SELECT *, {_COMPLETE} AS complete FROM (
            SELECT order_id AS key_id, {_easy(traits)} AS easy, {_order(traits, of_one_parcel=True)}
            FROM repeated_rows GROUP BY order_id
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
        UNION ALL BY NAME SELECT {_order(traits, of_one_parcel=False)} FROM ranked WHERE current GROUP BY order_id
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


def _easy(traits: Traits) -> str:
    """SQL: whether the rows of an order are line items of one version in one parcel, with nothing to weigh up."""
    conditions = [
        "(bool_or(has_item) OR count(*) = 1)",
        "count(problem) = 0",
        "min(amount) IS NOT DISTINCT FROM max(amount)",
    ]
    if traits.files > 1:
        conditions.append("min(file) = max(file)")
    if traits.shipping:
        conditions.append("min(shipping_group) IS NOT DISTINCT FROM max(shipping_group)")
    return " AND ".join(conditions)


def _order(traits: Traits, *, of_one_parcel: bool) -> str:
    """SQL: the columns of an order, of the rows of its one version grouped by order_id."""
    order_id, newest = "order_id", "number"
    if traits.cancels:
        order_id = "CASE WHEN count(cancels) = count(*) THEN min(cancels) ELSE order_id END"
        newest = _OWN_FIRST
    fees = ("max(shipping)" if of_one_parcel else _FEES) if traits.shipping else "0"
    amount = "max(amount)" if of_one_parcel else "arg_max(amount, number)"
    texts = ", ".join(f"arg_max({name}, number) AS {name}" for name in _TEXTS)
    discount = f"try_cast({_DISCOUNT} AS {MONEY}) AS discount"
    items = f"list({LINE} ORDER BY number) FILTER (has_item) AS lines, {texts}, {discount}"
    return f"""
        {order_id} AS order_id,
        arg_max(customer_id, number) AS customer_id,
        arg_max(ordered_at, {newest}) AS ordered_at,
        {_STATUS if traits.by_line else _STATUS_OF_ORDER} AS status,
        try_cast(coalesce({amount}, {_LINES} + coalesce({fees}, 0)) AS {MONEY}) AS amount,
        try_cast({_REFUNDED if traits.by_line else _REFUND_OF_ORDER} AS {MONEY}) AS refunded
        {f", {items}" if traits.lines else ""}
    """
