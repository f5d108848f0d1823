"""Do two programs say the same of every customer? Exits with 1, and shows some, if they do not.

python -m benchmarks.agree A/customers.parquet B/customers.parquet
"""

import argparse
import sys

import duckdb

# A customer without a counted order is in one program's output and not in the other's: that is no
# disagreement.
DIFFERENCES = """
SELECT customer_id, a, b
FROM (
    SELECT customer_id, {features} AS a FROM read_parquet('{a}') WHERE orders_lifetime > 0
) FULL JOIN (
    SELECT customer_id, {features} AS b FROM read_parquet('{b}') WHERE orders_lifetime > 0
) USING (customer_id)
WHERE a IS DISTINCT FROM b
"""
FEATURES = """{
    'last_order_on': last_order_on::DATE,
    'recency_days': recency_days::BIGINT,
    'orders_90d': orders_90d::BIGINT,
    'aov_90d': CASE WHEN isfinite(aov_90d::DOUBLE) THEN round(aov_90d::DOUBLE, 2) END,
    'orders_lifetime': orders_lifetime::BIGINT,
    'revenue_lifetime': revenue_lifetime::DOUBLE,
    'first_order_on': first_order_on::DATE,
    'segment': segment::VARCHAR
}"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare R, F, M and the segment in two customers.parquet.")
    parser.add_argument("a")
    parser.add_argument("b")
    options = parser.parse_args()
    query = DIFFERENCES
    for blank, value in {"{features}": FEATURES, "{a}": options.a, "{b}": options.b}.items():
        query = query.replace(blank, value)
    differences = duckdb.execute(query).fetchall()
    print(f"{len(differences):,} customers differ" if differences else "all customers agree")
    for customer_id, a, b in differences[:5]:
        print(f"{customer_id}:\n  {a}\n  {b}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
