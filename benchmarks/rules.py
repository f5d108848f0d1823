"""Thirty segments over a million customers: rules of the language against the same conditions written by hand in SQL.

Both start from one DuckDB table of features and end with every customer's segments in DuckDB; they take turns in one
process, and must agree on every customer. The SQL is timed in two forms: the plain one, a list of CASEs a customer, and
one tuned for speed, which gathers bits and looks their lists up. The promise is against the plain form; the exit status
is 1 if it is missed.

    python -m benchmarks.rules [--rows 1_000_000] [--runs 9]
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
from dangol.engine import connect, literal, scalar
from dangol.segments.classify import classify
from dangol.segments.policy import Policy, load_policy
from dangol.shop import Shop

AS_OF = date(2026, 11, 22)
BAR = 2.0  # times the plain SQL
FEATURES = """
    SELECT
        'C' || i AS customer_id,
        CASE WHEN hash(i, 1) % 10 > 0 THEN (hash(i, 2) % 400)::BIGINT END AS recency_days,
        (hash(i, 3) % 26)::BIGINT AS orders_90d,
        CASE WHEN hash(i, 3) % 26 > 0 THEN (hash(i, 4) % 3_000_000)::DOUBLE END AS aov_90d,
        (hash(i, 5) % 40)::BIGINT AS orders_lifetime,
        (hash(i, 6) % 9_000_000)::DOUBLE AS revenue_lifetime,
        DATE '2026-11-22' - (hash(i, 2) % 400)::INTEGER AS last_order_on,
        CASE WHEN hash(i, 7) % 3 > 0 THEN (hash(i, 8) % 200)::BIGINT END AS days_since_engaged,
        (hash(i, 9) % 300)::BIGINT AS days_unengaged,
        DATE '2026-11-22' - (hash(i, 10) % 2000)::INTEGER AS subscribed_on,
        (['female', 'male', 'other', NULL])[1 + (hash(i, 11) % 4)::INTEGER] AS gender,
        1 + (hash(i, 12) % 7)::INTEGER AS place,
        (['Seoul', 'Busan', 'Daegu', 'Suwon', 'Incheon', 'New York City', NULL])[place] AS city,
        ([37.566, 35.1017, 35.8703, 37.2911, 37.4565, 40.7143, NULL])[place]::DOUBLE AS latitude,
        ([126.9784, 129.03, 128.5911, 127.0089, 126.7052, -74.006, NULL])[place]::DOUBLE AS longitude,
        (['코트', '가방', '신발', '뷰티', NULL])[1 + (hash(i, 13) % 5)::INTEGER] AS favorite_category,
        (hash(i, 14) % 3 > 0)::BOOLEAN AS accepts_email,
        CASE WHEN hash(i, 15) % 4 > 0 THEN hash(i, 15) % 2 > 0 END AS accepts_push,
        (hash(i, 16) % 5)::BIGINT AS cart_items
    FROM range({rows}) AS customers(i)
"""
KM = """2 * 6371.0088 * asin(sqrt(
    sin(radians(latitude - 37.566) / 2) ** 2
    + cos(radians(latitude)) * cos(radians(37.566)) * sin(radians(longitude - 126.9784) / 2) ** 2))"""
RFM = {
    "vip_loyal": "recency_days <= 3 and orders_90d >= 20 and aov_90d >= 2_000_000",
    "loyal": "recency_days <= 3 and orders_90d >= 20 and aov_90d >= 500_000 and aov_90d < 2_000_000",
    "big_spender": "recency_days <= 7 and orders_90d <= 20 and aov_90d >= 2_000_000",
    "new": "recency_days <= 5 and orders_90d == 1 and orders_lifetime == 1 and aov_90d <= 500_000",
    "potential_loyal": "recency_days <= 10 and orders_90d >= 1 and orders_90d <= 5 and aov_90d <= 500_000",
    "at_risk": "recency_days >= 30 and recency_days <= 60 and orders_90d <= 5 and aov_90d <= 500_000",
}  # the same text in both languages
OTHERS = {  # as a rule; as SQL where that differs
    "vip_10_plus": ("orders_lifetime >= 10", None),
    "one_time": ("orders_lifetime == 1", None),
    "never_purchased": ("orders_lifetime == 0", None),
    "engaged": ("days_since_engaged <= 30", None),
    "cooling": ("31 <= days_since_engaged <= 59", "days_since_engaged BETWEEN 31 AND 59"),
    "semi_engaged": ("60 <= days_since_engaged <= 90", "days_since_engaged BETWEEN 60 AND 90"),
    "drifting": ("91 <= days_since_engaged <= 119", "days_since_engaged BETWEEN 91 AND 119"),
    "unengaged": ("days_unengaged >= 120", None),
    "not_yet_engaged": (
        "missing(days_since_engaged) and days_unengaged < 120",
        "days_since_engaged IS NULL AND days_unengaged < 120",
    ),
    "near_seoul": ("near('Seoul', 20)", f"{KM} <= 20"),
    "greater_seoul": ("near('Seoul', 60)", f"{KM} <= 60"),
    "female": ("gender == 'female'", "lower(gender) = 'female'"),
    "male": ("gender == 'male'", "lower(gender) = 'male'"),
    "female_vip": (
        "gender == 'female' and in_segment('vip_10_plus')",
        "lower(gender) = 'female' AND orders_lifetime >= 10",
    ),
    "southern": ("city in ('Busan', 'Daegu')", "lower(city) IN ('busan', 'daegu')"),
    "coats": ("favorite_category == '코트'", "favorite_category = '코트'"),
    "bags_or_shoes": ("favorite_category in ('가방', '신발')", "favorite_category IN ('가방', '신발')"),
    "reachable": ("accepts_email or accepts_push", None),
    "email_only": ("accepts_email and not accepts_push", "accepts_email AND NOT coalesce(accepts_push, false)"),
    "old_subscriber": ("subscribed_on < today - 2 years", "subscribed_on < DATE '2026-11-22' - INTERVAL 2 YEARS"),
    "subscribed_2026": ("subscribed_on >= '2026-01-01'", "subscribed_on >= DATE '2026-01-01'"),
    "large_orders": (
        "revenue_lifetime / orders_lifetime >= 200_000",
        "revenue_lifetime / nullif(orders_lifetime, 0) >= 200_000",
    ),
    "cart_waiting": ("cart_items >= 1 and recency_days <= 14", None),
    "win_back": (
        "(in_segment('at_risk') or recency_days > 60) and revenue_lifetime >= 1_000_000 and accepts_email",
        "(rfm = 'at_risk' OR recency_days > 60) AND revenue_lifetime >= 1_000_000 AND accepts_email",
    ),
}


def policy() -> Policy:
    lines = ["rfm:", *(f'  - {{id: {name}, where: "{where}"}}' for name, where in RFM.items())]
    lines += ["segments:", *(f'  - {{id: {name}, where: "{where}"}}' for name, (where, _) in OTHERS.items())]
    return load_policy("\n".join(lines).encode(), "benchmark")


def conditions() -> dict[str, str]:
    return {name: sql or where for name, (where, sql) in sorted(OTHERS.items())}


def rfm_sql() -> str:
    cases = " ".join(f"WHEN {where} THEN {literal(name)}" for name, where in RFM.items())
    return f"SELECT *, CASE {cases} ELSE 'unclassified' END AS rfm FROM features"


def plain(connection: duckdb.DuckDBPyConnection) -> None:
    listed = ", ".join(f"CASE WHEN {where} THEN {literal(name)} END" for name, where in conditions().items())
    connection.execute(f"""
        CREATE OR REPLACE TABLE by_hand AS
        SELECT customer_id, rfm AS segment, list_filter([{listed}], lambda id: id IS NOT NULL) AS segments
        FROM ({rfm_sql()})
    """)


def tuned(connection: duckdb.DuckDBPyConnection) -> None:
    found = conditions()
    bits = " | ".join(f"(coalesce({where}, false)::BIGINT << {i})" for i, where in enumerate(found.values()))
    ids = ", ".join(map(literal, found))
    connection.execute(f"CREATE OR REPLACE TABLE by_bits AS SELECT rfm AS segment, {bits} AS bits FROM ({rfm_sql()})")
    connection.execute(f"""
        CREATE OR REPLACE TABLE lists AS
        SELECT bits, list_filter([{ids}], lambda id, i: (bits >> (i - 1)) & 1 = 1) AS segments
        FROM (SELECT DISTINCT bits FROM by_bits)
    """)


def rules(connection: duckdb.DuckDBPyConnection) -> None:
    classify(connection, policy(), AS_OF)


def seconds(work: Callable[[duckdb.DuckDBPyConnection], None], connection: duckdb.DuckDBPyConnection) -> float:
    start = time.perf_counter()
    work(connection)
    return time.perf_counter() - start


def disagreements(connection: duckdb.DuckDBPyConnection) -> int:
    return scalar(
        connection,
        """
        SELECT count(*) FROM customers FULL JOIN by_hand USING (customer_id)
        WHERE customers.segment IS DISTINCT FROM by_hand.segment
        OR customers.segments IS DISTINCT FROM by_hand.segments
        """,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure thirty segments against hand-written SQL.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="customers (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=9, help="turns that count, after a warm-up (default: %(default)s)")
    given = parser.parse_args()
    ways = {"rules": rules, "plain SQL": plain, "tuned SQL": tuned}
    with TemporaryDirectory() as folder, connect(Shop(), Path(folder)) as connection:
        connection.execute(f"CREATE TABLE features AS {FEATURES.format(rows=given.rows)}")
        turns = [{name: seconds(way, connection) for name, way in ways.items()} for _ in range(given.runs + 1)][1:]
        wrong = disagreements(connection)
    for name in ways:
        print(f"{name:>10} {median(turn[name] for turn in turns):7.3f} s")
    ratios = {name: sorted(turn["rules"] / turn[name] for turn in turns) for name in ("plain SQL", "tuned SQL")}
    for name, found in ratios.items():
        print(f"{median(found):.2f} times {name} ({found[0]:.2f} to {found[-1]:.2f})")
    print(f"{len(RFM) + len(OTHERS)} segments, {given.rows:,} customers, {wrong:,} disagreements")
    holds = median(ratios["plain SQL"]) <= BAR and not wrong
    print("PASS" if holds else "OVER", f"(bar {BAR} times plain SQL)")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
