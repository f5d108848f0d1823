"""Who writes and how often: `messaging.yaml`, which all campaigns share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from importlib.resources import files

import yaml

from dangol.campaigns.caps import Cap
from dangol.campaigns.content import Sender, web_link
from dangol.campaigns.decision import SendRules
from dangol.campaigns.law import law_of
from dangol.channels import CHANNELS, EMAIL, PUSH
from dangol.document import Document

SETTINGS_FILE = "messaging.yaml"
KEYS = ("country", "sender", "caps", "global_holdout", "notices", "attribution")
MAX_FIELD = 120
"""Characters of each field of `sender`."""
ATTRIBUTION = {EMAIL: timedelta(days=5), PUSH: timedelta(hours=24)}
"""Unless the shop says otherwise; Klaviyo's defaults."""
_SENDER = tuple(one.name for one in fields(Sender))
_REQUIRED = tuple(name for name in _SENDER if name != "app_opt_out")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
"""What SES takes and a header can carry as it is (RFC 5322, dot-atom)."""
_TO_FILL_IN = ("email", "phone", "address", "url")
"""Fields of `sender` that are nobody's as shipped."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every message of the shop has in common."""

    country: str
    """ISO 3166 code of the shop; its law applies."""
    sender: Sender
    caps: Mapping[str, Cap]
    """By channel."""
    global_holdout: float = 0.0
    """Share of people that no campaign writes to."""
    notices: bool = True
    """Whether Dangol sends the law's notices of consents, where there are such."""
    notices_since: date | None = None
    """Answers of that day and later are confirmed; None: those of which the day was told."""

    attribution: Mapping[str, timedelta] = field(default_factory=lambda: ATTRIBUTION)
    """By channel: how long after a message a purchase is put down to it (see dangol.measurement)."""

    @property
    def sends_notices(self) -> bool:
        """Whether there are notices to be sent: not before it is known who writes."""
        return self.notices and law_of(self.country).has_notices and not self.unfinished

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Fields of `sender` still as shipped. Nothing is launched until the shop has filled them in."""
        shipped = default_settings().sender
        return tuple(name for name in _TO_FILL_IN if getattr(self.sender, name) == getattr(shipped, name))

    def send_rules(self, time_zone: str) -> SendRules:
        """What `decide` needs; `time_zone` is the shop's."""
        return SendRules(law_of(self.country), time_zone, self.caps, self.global_holdout, self.notices_since)


def default_settings() -> Settings:
    """Those shipped with Dangol: to be filled in."""
    text = (files("dangol") / "defaults" / SETTINGS_FILE).read_bytes()
    return load_settings(text, f"config/{SETTINGS_FILE}")


def load_settings(text: bytes, file: str) -> Settings:
    """Read the settings. Raises InvalidConfiguration with every problem found, each with its line."""
    document = Document(text, file)
    found = document.fields(document.root, KEYS, ("country", "sender"), "the file")
    sends, since = _notices(document, found["notices"]) if "notices" in found else (True, None)
    settings = Settings(
        country=_country(document, found["country"]) if "country" in found else "",
        sender=_sender(document, found.get("sender", document.root)),
        caps=_caps(document, found["caps"]) if "caps" in found else {},
        global_holdout=_share(document, found["global_holdout"]) if "global_holdout" in found else 0.0,
        notices=sends,
        notices_since=since,
        attribution=_attribution(document, found["attribution"]) if "attribution" in found else ATTRIBUTION,
    )
    document.close()
    return settings


def _country(document: Document, node: yaml.Node) -> str:
    code = document.text(node, "'country'")
    if code and not (len(code) == 2 and code.isascii() and code.isupper()):
        document.note(node, f"'country' must be a code of two capitals such as KR, not '{code}'")
    return code


def _sender(document: Document, node: yaml.Node) -> Sender:
    found = document.fields(node, _SENDER, _REQUIRED, "'sender'") if node is not document.root else {}
    texts = {name: " ".join(document.text(value, f"'{name}'").split()) for name, value in found.items()}
    for name, text in texts.items():
        if len(text) > MAX_FIELD:
            document.note(found[name], f"'{name}' is longer than {MAX_FIELD} characters")
    if texts.get("email") and "@" not in texts["email"]:
        document.note(found["email"], "'email' must have '@' in it")
    elif texts.get("email") and not _ADDRESS.fullmatch(texts["email"]):
        reason = "'email' must be an address alone, such as hello@shop.kr; a domain in 한글 is written as xn--…"
        document.note(found["email"], reason)
    if texts.get("url") and not (texts["url"].startswith("https://") and web_link(texts["url"])):
        document.note(found["url"], "'url' must be an address without blanks that begins with https://")
    return Sender(**(dict.fromkeys(_REQUIRED, "") | texts))


def _caps(document: Document, node: yaml.Node) -> dict[str, Cap]:
    return {channel: _cap(document, value) for channel, value in document.fields(node, CHANNELS, (), "'caps'").items()}


def _cap(document: Document, node: yaml.Node) -> Cap:
    keys = ("messages", "within")
    found = document.fields(node, keys, keys, "a cap")
    hour = timedelta(hours=1)
    most = document.number(found["messages"], 1, 1000, "'messages'", whole=True) if "messages" in found else 1
    window = document.duration(found["within"], hour, 31 * 24 * hour, "'within'") if "within" in found else hour
    return Cap(int(most), window)


def _notices(document: Document, node: yaml.Node) -> tuple[bool, date | None]:
    """`on`, `off`, or since when."""
    if isinstance(node, yaml.ScalarNode):
        return document.choice(node, ("on", "off"), "setting of 'notices'") != "off", None
    found = document.fields(node, ("since",), ("since",), "'notices'")
    try:
        return True, date.fromisoformat(document.text(found["since"], "'since'")) if "since" in found else None
    except ValueError:
        document.note(found["since"], "'since' must be a date such as 2026-12-01")
        return True, None


def _share(document: Document, node: yaml.Node) -> float:
    return document.number(node, 0, 1, "'global_holdout', a share,")


def _attribution(document: Document, node: yaml.Node) -> dict[str, timedelta]:
    hour = timedelta(hours=1)
    found = document.fields(node, CHANNELS, (), "'attribution'")
    return ATTRIBUTION | {
        channel: document.duration(value, hour, 30 * 24 * hour, f"'{channel}'") for channel, value in found.items()
    }
