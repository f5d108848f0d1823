"""The features of a customer: what rules may speak of, and how they follow from the orders."""

from dataclasses import dataclass
from datetime import date

WINDOW_DAYS = 90
"""Length of the F and M window: counted orders with as_of - 90 < date <= as_of (design §3)."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A number known of each customer."""

    name: str
    unit: str
    description: str


FEATURES = (
    Feature("recency_days", "days", "as_of minus the date of the last counted order (R); missing without one"),
    Feature("orders_90d", "orders", f"counted orders of the last {WINDOW_DAYS} days (F)"),
    Feature("aov_90d", "shop's currency", "their total divided by their number (M); missing when there are none"),
    Feature("orders_lifetime", "orders", "counted orders ever"),
    Feature("revenue_lifetime", "shop's currency", "total of the counted orders ever, net of refunds"),
)
"""What a rule may name. Source of the definitions: design §3, after the seed's table."""

FEATURE_COLUMNS = (
    "customer_id",
    "last_order_on",
    "recency_days",
    "orders_90d",
    "aov_90d",
    "orders_lifetime",
    "revenue_lifetime",
    "first_order_on",
)


def features_sql(purchases: str, as_of: date) -> str:
    """SQL: FEATURE_COLUMNS, one row per customer, as of a date in the shop's zone.

    `purchases` is a relation with customer_id VARCHAR, ordered_on DATE, amount DECIMAL (net), counted
    BOOLEAN. Orders after `as_of` do not exist yet; a customer with none but such does not either.
    Types: dates DATE, counts BIGINT, recency_days BIGINT, aov_90d and revenue_lifetime DOUBLE; NULL
    where missing. Sums are taken exactly, in decimals, and only then made doubles.
    """
    window = f"counted AND ordered_on > DATE '{as_of}' - {WINDOW_DAYS}"
    return f"""
        SELECT
            customer_id,
            last_order_on,
            DATE '{as_of}' - last_order_on AS recency_days,
            orders_90d,
            revenue_90d::DOUBLE / nullif(orders_90d, 0) AS aov_90d,
            orders_lifetime,
            coalesce(revenue, 0)::DOUBLE AS revenue_lifetime,
            first_order_on
        FROM (
            SELECT
                customer_id,
                max(ordered_on) FILTER (counted) AS last_order_on,
                min(ordered_on) FILTER (counted) AS first_order_on,
                count(*) FILTER (counted) AS orders_lifetime,
                sum(amount) FILTER (counted) AS revenue,
                count(*) FILTER ({window}) AS orders_90d,
                sum(amount) FILTER ({window}) AS revenue_90d
            FROM {purchases}
            WHERE ordered_on <= DATE '{as_of}'
            GROUP BY customer_id
        )
    """
