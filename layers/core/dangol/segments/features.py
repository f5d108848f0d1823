"""The features of a customer: what rules may speak of, and how they follow from the orders."""

from dataclasses import dataclass

WINDOW_DAYS = 90
"""Length of the F and M window: counted orders with as_of - 90 < date <= as_of (design §3)."""


SCORES = ("r_score", "f_score", "m_score")
"""Features that follow from borders over the whole base (dangol.segments.scores)."""

NUMBER, DATE, TEXT, FLAG = "number", "date", "text", "flag"
"""Kinds of features. A flag is yes, no, or missing."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something known of each customer, or missing."""

    name: str
    kind: str
    """One of NUMBER, DATE, TEXT, FLAG."""
    unit: str
    """Of a number; of a text, the words it can be, where they are few."""
    description: str


def _numbers(unit: str, **descriptions: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, NUMBER, unit, text) for name, text in descriptions.items())


def _dates(**descriptions: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, DATE, "shop's date", text) for name, text in descriptions.items())


def _texts(**descriptions: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, TEXT, "text", text) for name, text in descriptions.items())


def _flags(**descriptions: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, FLAG, "yes or no", text) for name, text in descriptions.items())


FEATURES = (
    # Orders
    Feature("recency_days", NUMBER, "days", "as_of minus the date of the last counted order (R); missing without one"),
    Feature("orders_90d", NUMBER, "orders", f"counted orders of the last {WINDOW_DAYS} days (F)"),
    Feature(
        "aov_90d",
        NUMBER,
        "shop's currency",
        "their total divided by their number (M); missing when there are none",
    ),
    Feature("orders_lifetime", NUMBER, "orders", "counted orders ever"),
    Feature("revenue_lifetime", NUMBER, "shop's currency", "total of the counted orders ever, net of refunds"),
    *_dates(
        first_order_on="date of the first counted order",
        last_order_on="date of the last counted order",
    ),
    *_numbers(
        "days",
        days_between_orders="average days from one counted order to the next; missing before the second",
    ),
    *_numbers(
        "times",
        lateness="recency_days divided by days_between_orders: above 1 the next order is later than usual",
    ),
    *_numbers("orders", coupon_orders="counted orders ever in which a coupon or discount was used"),
    *_numbers("share, 0 to 1", coupon_share="coupon_orders divided by orders_lifetime; missing without orders"),
    *_texts(
        favorite_category="category with most line items in counted orders; of several the last bought, then by name",
        last_category="category of the first line item of the last counted order in which one has a category",
        last_product="product name of the first line item of the last counted order in which one has a name",
    ),
    *_numbers(
        "score, 1 to 5",
        r_score="fifth of all customers by recency, 5 the most recent; missing where scores are not switched on",
        f_score="fifth of all customers by orders_lifetime, 5 the most",
        m_score="fifth of all customers by revenue_lifetime, 5 the most",
    ),
    # E-mail engagement by the person, not by scanners and mail-privacy proxies
    *_dates(last_open_on="date of the last opened message", last_click_on="date of the last clicked message"),
    *_numbers(
        "days",
        days_since_open="as_of minus last_open_on",
        days_since_click="as_of minus last_click_on",
        days_since_engaged="days since the last open or click; missing for who never did",
        days_unengaged="days since the last open or click, or else since the subscription",
    ),
    # The person, from the customers files
    *_dates(subscribed_on="date of the subscription"),
    *_numbers("days", days_subscribed="as_of minus subscribed_on"),
    Feature("gender", TEXT, "'female', 'male', 'other'", "as the customers file says"),
    *_dates(birthday="date of birth"),
    *_numbers("years", age="full years since birthday on as_of"),
    *_numbers("days", days_to_birthday="days until the next birthday; 0 on the day"),
    *_texts(city="city, by its English name where it is known, else as the customers file has it"),
    *_numbers("degrees", latitude="of the city, north is positive", longitude="of the city, east is positive"),
    *_flags(
        accepts_email="has consented to advertising by e-mail",
        accepts_push="has consented to advertising by push",
        accepts_night_push="has consented to push between 21:00 and 08:00",
    ),
    # Interests
    *_numbers("products", cart_items="products in the cart", wishlist_items="products on the wish list"),
    *_numbers(
        "days",
        cart_days="days since a product was last put into the cart; missing when it is empty",
        wishlist_days="days since a product was last put on the wish list; missing when it is empty",
        days_since_viewed="days since a product was last looked at",
    ),
)
"""What a rule may name. Source of the definitions: design §3, after both seeds."""

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
"""What is made for every customer, whatever the rules ask for."""
