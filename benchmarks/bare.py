"""The bare DuckDB script that `dangol segment` is measured against: nothing but the arithmetic.

It believes the file: no check of any value, no duplicate or newer version of an order, no line items, no
refunds, no rejects, no receipt, no report, no rules to configure. What it leaves in customers.parquet are
the columns that `dangol segment` calls by the same names.

    python benchmarks/bare.py FILE --as-of 2026-11-22 --out DIR
"""

import argparse
from datetime import date
from pathlib import Path

import duckdb

# Given types and no sniffing, and a DATE straight from the text: the fastest of the ways tried to read this
# file.
CUSTOMERS = """
COPY (
    WITH
    counted AS (
        SELECT customer_id, ordered_at AS ordered_on, amount
        FROM read_csv(
            '{file}',
            header = true,
            auto_detect = false,
            columns = {
                'order_id': 'VARCHAR', 'customer_id': 'VARCHAR', 'ordered_at': 'DATE', 'amount': 'BIGINT',
                'status': 'VARCHAR', 'currency': 'VARCHAR', 'product_id': 'VARCHAR',
                'product_name': 'VARCHAR', 'category': 'VARCHAR', 'quantity': 'BIGINT', 'unit_price': 'BIGINT'
            }
        )
        WHERE status = 'paid' AND ordered_at <= DATE '{as_of}'
    ),
    features AS (
        SELECT
            customer_id,
            max(ordered_on) AS last_order_on,
            DATE '{as_of}' - max(ordered_on) AS recency_days,
            count(*) FILTER (ordered_on > DATE '{as_of}' - 90) AS orders_90d,
            avg(amount) FILTER (ordered_on > DATE '{as_of}' - 90) AS aov_90d,
            count(*) AS orders_lifetime,
            sum(amount) AS revenue_lifetime,
            min(ordered_on) AS first_order_on
        FROM counted
        GROUP BY customer_id
    )
    SELECT *,
        CASE
            WHEN recency_days <= 3 AND orders_90d >= 20 AND aov_90d >= 2000000 THEN 'vip_loyal'
            WHEN recency_days <= 3 AND orders_90d >= 20 AND aov_90d >= 500000 THEN 'loyal'
            WHEN recency_days <= 7 AND orders_90d <= 20 AND aov_90d >= 2000000 THEN 'big_spender'
            WHEN recency_days <= 5 AND orders_lifetime = 1 AND aov_90d <= 500000 THEN 'new'
            WHEN recency_days <= 10 AND orders_90d BETWEEN 1 AND 5 AND aov_90d <= 500000
                THEN 'potential_loyal'
            WHEN recency_days BETWEEN 30 AND 60 AND orders_90d <= 5 AND aov_90d <= 500000 THEN 'at_risk'
            ELSE 'unclassified'
        END AS segment
    FROM features
) TO '{out}' (FORMAT parquet)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="R, F, M and the segment of each customer, by DuckDB alone.")
    parser.add_argument("file", type=Path, help="order file from benchmarks.generate")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for customers.parquet")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    blanks = {"{file}": options.file, "{as_of}": options.as_of, "{out}": options.out / "customers.parquet"}
    statement = CUSTOMERS
    for blank, value in blanks.items():
        statement = statement.replace(blank, str(value))
    duckdb.execute(statement)


if __name__ == "__main__":
    main()
