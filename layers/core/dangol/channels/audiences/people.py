"""Who may be named to an ad platform. docs/law.md says why it is so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dangol.campaigns.assignment import in_global_holdout, in_holdout
from dangol.campaigns.gate import Profile
from dangol.campaigns.law import AD_AUDIENCES, Answer
from dangol.channels import EMAIL
from dangol.channels.audiences.definition import AdAudience
from dangol.channels.audiences.files import Contact
from dangol.identity import normal_email, own_phone

_CODES = (
    *(("1", "US CA"), ("33", "FR"), ("44", "GB"), ("49", "DE"), ("60", "MY"), ("61", "AU"), ("62", "ID"), ("63", "PH")),
    *(("65", "SG"), ("66", "TH"), ("81", "JP"), ("82", "KR"), ("84", "VN"), ("86", "CN"), ("91", "IN"), ("852", "HK")),
    ("886", "TW"),
)
CALLING_CODES = {country: code for code, countries in _CODES for country in countries.split()}
"""By country of the shop: what stands before a number that names no country. Elsewhere such a number is left out."""


class LeftOut(StrEnum):
    """Why a member of the segment is not in the audience. Counted in `Runs`: the words never change."""

    NO_PROFILE = "no_profile"
    NO_CONSENT = "no_consent"
    """They did not agree, or no longer, that their contact is given to ad platforms."""
    REFUSED = "refused"
    """They refused advertising by e-mail, took their consent back, unsubscribed or complained."""
    GLOBAL_HOLDOUT = "global_holdout"
    HOLDOUT = "holdout"
    """Of the audience, or of a campaign to the same segment."""
    NO_CONTACT = "no_contact"


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides on the people of one audience."""

    audience: AdAudience
    country: str
    """Of the shop."""
    time_zone: str
    """Of the shop."""
    global_holdout: float = 0.0
    campaigns: Mapping[str, float] = field(default_factory=dict)
    """Holdouts of the campaigns that advertise to the same segment, by id."""


def contact_of(profile: Profile | None, terms: Terms) -> Contact | LeftOut:
    """How to name a person to an ad platform, or why not to."""
    if profile is None:
        return LeftOut.NO_PROFILE
    person = profile.recipient("", terms.time_zone)
    own, email = person.consents.get(AD_AUDIENCES), person.consents.get(EMAIL)
    if own is None or own.answer is not Answer.GIVEN:
        return LeftOut.NO_CONSENT
    if email is not None and email.answer is not Answer.GIVEN:
        return LeftOut.REFUSED
    if in_global_holdout(profile.customer_id, terms.global_holdout):
        return LeftOut.GLOBAL_HOLDOUT
    shares = {**terms.campaigns, f"audience:{terms.audience.id}": terms.audience.holdout}
    if any(in_holdout(profile.customer_id, salt, share) for salt, share in shares.items()):
        return LeftOut.HOLDOUT
    address = None if EMAIL in person.suppressed else profile.addresses.get(EMAIL)
    contact = Contact(normal_email(address) or "", number_of(profile.phone, terms.country) or "")
    return contact if any(contact) else LeftOut.NO_CONTACT


def number_of(text: str | None, country: str) -> str | None:
    """A phone number as E.164; None for what is none, and for one that names no country where none is known."""
    given = (text or "").strip(" '")
    if country in CALLING_CODES:
        return own_phone(given, CALLING_CODES[country])
    return own_phone(given, "") if given.startswith(("+", "00")) else None
