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


def _happened(name: str, meaning: str) -> Function:
    return Function(
        name,
        (f"{name}('코트')", f"{name}('코트', 30 days)"),
        f"{meaning}: a category, product id or product name, in whole, ignoring case. With a duration only in that "
        "time, the day looked from included: `30 days` is later than 30 days before it, as in `orders_90d`",
    )


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
    _happened("bought", "was in a counted order"),
    _happened("carted", "was put into the cart"),
    _happened("wished", "was put on the wish list"),
    _happened("viewed", "was looked at"),
    Function("missing", ("missing(aov_90d)",), "there is no such value"),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({function.name: function for function in _ALL})
"""By name."""
