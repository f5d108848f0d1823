"""What a rule can call: names, how they are written, what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Function:
    """One condition of the form name(…)."""

    name: str
    written: tuple[str, ...]
    """Examples."""
    meaning: str


def _as_bought(name: str, meaning: str) -> Function:
    return Function(name, (f"{name}('코트')", f"{name}('코트', 30 days)"), f"the same of what was {meaning}")


_ALL = (
    Function("contains", ("contains(city, '강남')",), "the text has this somewhere in it, ignoring case"),
    Function("starts_with", ("starts_with(city, '서울')",), "the text begins with this, ignoring case"),
    Function("ends_with", ("ends_with(last_product, 'set')",), "the text ends with this, ignoring case"),
    Function(
        "near",
        ("near('Seoul', 20)", "near(37.57, 126.98, 20)"),
        "the customer's city lies at most so many kilometres from a city, named in English or Korean, or from a "
        "latitude and longitude; as the crow flies (great circle on a sphere of 6,371.0088 km). False where "
        "coordinates are missing",
    ),
    Function(
        "in_segment",
        ("in_segment('vip_10_plus')",),
        "the customer is in that segment of the same file, in whatever order they stand; of an exclusive segment, "
        "that it is the one that won",
    ),
    Function(
        "bought",
        ("bought('코트')", "bought('코트', 30 days)"),
        "a counted order had this category, product id or product name, in whole, ignoring case; with a duration, one "
        "of that time, the day looked from included: `30 days` is later than 30 days before it, as in `orders_90d`",
    ),
    _as_bought("carted", "put into the cart"),
    _as_bought("wished", "put on the wish list"),
    _as_bought("viewed", "looked at"),
    Function("missing", ("missing(aov_90d)",), "there is no such value"),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({function.name: function for function in _ALL})
"""By name."""
