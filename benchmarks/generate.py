"""Order files of any size for the benchmarks, written by DuckDB alone.

One row per order, a tenth as many customers as orders, a year of dates up to the 22nd of November 2026. A
customer's share of the orders falls as a power of the rank: the first of a million buys thousands of times
a year, the last about four times. One customer in fifty pays twenty-five times the usual prices and one in
fifty eight times, so that every RFM segment has members; one order in fifty is cancelled. Ten million rows
are about 1.1 GB. The bytes are the same each time with the same version of DuckDB.

    python -m benchmarks.generate 1_000_000 10_000_000 [--data build/bench]
"""

import argparse
import sys
from pathlib import Path

import duckdb

from benchmarks.files import LAST_DAY, add_data_option, order_path

# Hashes of the row number stand in for random numbers: what random() gives depends on how threads share the
# work. Orders come in the sequence of their dates, as exports do.
ORDERS = """
COPY (
    WITH
    draws AS (
        SELECT
            range AS i,
            hash(4 * range) / 18446744073709551616.0 AS u_customer,
            hash(4 * range + 1) / 18446744073709551616.0 AS u_amount,
            hash(4 * range + 2) % 360 AS product,
            hash(4 * range + 3) % 50 = 0 AS cancelled
        FROM range($rows)
    ),
    orders AS (
        SELECT *, floor($rows / 10 * pow(u_customer, 2.2))::INTEGER AS customer
        FROM draws
    ),
    priced AS (
        SELECT *,
            100 * floor(50 + 4000 * pow(u_amount, 3))::INTEGER
                * CASE hash(-customer) % 50 WHEN 0 THEN 25 WHEN 1 THEN 8 ELSE 1 END AS amount
        FROM orders
    )
    SELECT
        format('ORD-{:010d}', i) AS order_id,
        format('C{:07d}', customer) AS customer_id,
        strftime(
            DATE '{last_day}' - INTERVAL 364 DAY + to_seconds(floor(i * 31536000.0 / $rows)::BIGINT),
            '%Y-%m-%d %H:%M:%S'
        ) AS ordered_at,
        amount,
        CASE WHEN cancelled THEN 'cancelled' ELSE 'paid' END AS status,
        'KRW' AS currency,
        format('P{:05d}', product) AS product_id,
        'Cashmere knit cardigan ' || product AS product_name,
        'knitwear' AS category,
        1 AS quantity,
        amount AS unit_price
    FROM priced
) TO '{path}' (HEADER)
"""


def write_orders(path: Path, rows: int) -> None:
    """Write the file; a run that is broken off leaves nothing under its name."""
    print(f"writing {path} …", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    statement = ORDERS.replace("{path}", str(unfinished)).replace("{last_day}", LAST_DAY.isoformat())
    duckdb.execute(statement, {"rows": rows})
    unfinished.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write order files for the benchmarks and print their paths.")
    parser.add_argument("rows", type=int, nargs="+", help="orders in a file; a file for each number")
    add_data_option(parser)
    options = parser.parse_args()
    for rows in options.rows:
        path = order_path(options.data, rows)
        write_orders(path, rows)
        print(path)


if __name__ == "__main__":
    main()
