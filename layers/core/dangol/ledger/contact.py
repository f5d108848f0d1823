"""A person as the ledger knows them: how they can be reached and what they consented to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

LAW_SUBJECTS = ("email", "push", "night_push")
"""What consents to messages are given to."""
SUBJECTS = (*LAW_SUBJECTS, "ad_audiences")
"""What consents are given to."""
OWN_PRODUCTS = ("bought", "cart", "wishlist", "restocked")
"""Lists of products that concern a person (see dangol.campaigns.items.OwnProducts)."""
TYPES = {
    "customer_id": "VARCHAR",
    **dict.fromkeys(("name", "email", "phone", "city", "gender"), "VARCHAR"),
    "birthday": "DATE",
    **dict.fromkeys(("push_token", "push_platform", "last_product", "last_category"), "VARCHAR"),
    "purchase_on": "DATE",
    "purchase_kinds": "VARCHAR[]",
    "refused_email_at": "BIGINT",
    **{
        f"{subject}_{name}": kind
        for subject in SUBJECTS
        for name, kind in {"answer": "VARCHAR", "on": "DATE", "at": "BIGINT"}.items()
    },
    "own_last": "VARCHAR",
    **{f"own_{kind}": "VARCHAR[]" for kind in OWN_PRODUCTS},
}
"""Column → DuckDB type."""
FIELDS = tuple(name for name in TYPES if name != "customer_id")

Value = str | int | date | list[str]


@dataclass(frozen=True, slots=True)
class Contact:
    """One person, as the ledger knows them. What is not known is left out of `values`."""

    customer_id: str
    values: Mapping[str, Value]
    """By column: name, email, phone, city, gender, birthday, push_token, push_platform (fcm or apns), last_product,
    last_category, purchase_on and purchase_kinds (day and categories of the last sale with contact data),
    refused_email_at (when they last unsubscribed by a link or complained, in seconds since 1970), and of each of
    SUBJECTS its _answer (given or withdrawn), _on (the day) and, where the shop told, _at (seconds since 1970);
    own_last, the id of the product bought last, and of each of OWN_PRODUCTS the ids."""
