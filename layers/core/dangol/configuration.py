"""The configuration of a shop: its files, read together as one version."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Self

from dangol.errors import InvalidConfiguration, InvalidFiles, Problem
from dangol.segments.policy import POLICY_FILE, Policy, default_policy, load_policy

if TYPE_CHECKING:
    from dangol.campaigns.definition import Campaign
    from dangol.campaigns.invitations.definition import Invitation
    from dangol.campaigns.settings import Settings
    from dangol.channels.audiences.definition import AdAudience
    from dangol.costs.prices import PriceList
    from dangol.orders.dialect import Dialect
    from dangol.orders.rates import Rate

RATES_FILE = "rates.yaml"
DIALECTS = "dialects/*.yaml"
MESSAGING_FILE = "messaging.yaml"
PRICES_FILE = "prices.yaml"
CAMPAIGNS = "campaigns/*.yaml"
AUDIENCES_FILE = "audiences.yaml"
INVITATIONS = "invitations/*.yaml"
KNOWN_FILES = (POLICY_FILE, RATES_FILE, DIALECTS, MESSAGING_FILE, CAMPAIGNS, AUDIENCES_FILE, INVITATIONS, PRICES_FILE)
"""What a configuration may consist of; * stands for any name."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force. Files the shop does not give are those shipped with Dangol, or nothing."""

    files: Mapping[str, bytes]
    """What the shop gave, by name as in KNOWN_FILES."""
    policy: Policy

    @classmethod
    def default(cls) -> Self:
        """That of a shop which gave nothing."""
        return cls({}, default_policy())

    @property
    def version(self) -> str:
        """Hash of all files: twelve hex digits."""
        return hashlib.sha256(to_json(self.files)).hexdigest()[:12]

    @property
    def dialects(self) -> "tuple[Dialect, ...]":
        """The shop's own dialects of order files."""
        from dangol.orders.describe import load_dialect

        return tuple(load_dialect(text, name) for name, text in _of_kind(self.files, DIALECTS))

    @property
    def rates(self) -> "tuple[Rate, ...]":
        """The shop's exchange rates."""
        from dangol.orders.rates import load_rates

        return load_rates(self.files[RATES_FILE], RATES_FILE) if RATES_FILE in self.files else ()

    @property
    def messaging(self) -> "Settings":
        """Who writes, and how often; as shipped, it lets nothing be launched."""
        return messaging_of(self.files)

    @property
    def prices(self) -> "PriceList":
        """What AWS asks for, for predictions."""
        from dangol.costs.prices import default_prices, load_prices

        text = self.files.get(PRICES_FILE)
        return default_prices() if text is None else load_prices(text, PRICES_FILE)

    def campaigns(self, time_zone: str) -> "tuple[Campaign, ...]":
        """The campaigns the shop gave: those shipped are examples. `time_zone` is of schedules that name none."""
        found = _of_kind(self.files, CAMPAIGNS)
        invitations = _ids_of(self.files, INVITATIONS)
        return tuple(_campaign(text, name, self.policy, time_zone, invitations) for name, text in found)

    def invitations(self, time_zone: str) -> "tuple[Invitation, ...]":
        """The invitations the shop gave. `time_zone` is of those that name none."""
        from dangol.campaigns.invitations.loading import load_invitation

        return tuple(load_invitation(text, name, time_zone) for name, text in _of_kind(self.files, INVITATIONS))

    @property
    def audiences(self) -> "tuple[AdAudience, ...]":
        """The audiences for ad platforms the shop gave: those shipped are examples."""
        from dangol.channels.audiences.definition import load_audiences

        text = self.files.get(AUDIENCES_FILE)
        return () if text is None else load_audiences(text, AUDIENCES_FILE, self.policy.names)

    def launched(self, time_zone: str) -> "dict[str, Campaign]":
        """Whatever is launched, by id: the shop's campaigns, and the law's notices if it has Dangol send them."""
        from dangol.campaigns.notices import notices_campaign

        own = [notices_campaign(time_zone)] if self.messaging.sends_notices else []
        return {campaign.id: campaign for campaign in (*self.campaigns(time_zone), *own)}


def messaging_of(files: Mapping[str, bytes]) -> "Settings":
    """Configuration.messaging of files that are in order, without reading the others."""
    from dangol.campaigns.settings import default_settings, load_settings

    text = files.get(MESSAGING_FILE)
    return default_settings() if text is None else load_settings(text, MESSAGING_FILE)


def invitation_of(files: Mapping[str, bytes], invitation: str, time_zone: str) -> "Invitation | None":
    """One of Configuration.invitations of files that are in order, without reading the others."""
    from dangol.campaigns.invitations.loading import load_invitation

    name = INVITATIONS.replace("*", invitation)
    return load_invitation(files[name], name, time_zone) if name in files else None


def shipped() -> Configuration:
    """All that is shipped with Dangol, the examples included."""
    with as_file(resources("dangol") / "defaults") as folder:
        return load_configuration(files_of(folder))


def load_configuration(files: Mapping[str, bytes], where: str = "config/") -> Configuration:
    """Read files by name; `where` is put before the names in messages.

    Raises InvalidFiles with every problem of every file, each with its line.
    """
    wrong: list[InvalidConfiguration] = []
    policy = default_policy()
    for name, text in sorted(files.items(), key=lambda file: (file[0] != POLICY_FILE, file[0])):
        try:
            if name == POLICY_FILE:
                policy = load_policy(text, where + name)
            else:
                _check(name, text, where + name, policy, _ids_of(files, INVITATIONS))
        except InvalidConfiguration as error:
            wrong.append(error)
    if wrong:
        raise InvalidFiles(wrong)
    return Configuration(dict(files), policy)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a configuration folder; others in it are left alone."""
    paths = (path for pattern in KNOWN_FILES for path in sorted(folder.glob(pattern)))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def to_json(files: Mapping[str, bytes]) -> bytes:
    """Files as one text."""
    texts = {name: text.decode("utf-8", errors="surrogateescape") for name, text in sorted(files.items())}
    return json.dumps(texts).encode()


def from_json(text: bytes) -> dict[str, bytes]:
    """The files that to_json made one text of. Raises ValueError for another text."""
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("is not a configuration")
    return {name: value.encode("utf-8", errors="surrogateescape") for name, value in found.items()}


def _check(name: str, text: bytes, file: str, policy: Policy, invitations: Collection[str]) -> None:
    """Raise InvalidConfiguration for a file that cannot be read or that nobody knows."""
    from dangol.campaigns.invitations.loading import load_invitation
    from dangol.campaigns.settings import load_settings
    from dangol.channels.audiences.definition import load_audiences
    from dangol.costs.prices import load_prices
    from dangol.orders.describe import load_dialect
    from dangol.orders.rates import load_rates

    if fnmatchcase(name, DIALECTS):
        load_dialect(text, file)
    elif name == RATES_FILE:
        load_rates(text, file)
    elif name == MESSAGING_FILE:
        load_settings(text, file)
    elif name == PRICES_FILE:
        load_prices(text, file)
    elif name == AUDIENCES_FILE:
        load_audiences(text, file, policy.names)
    elif fnmatchcase(name, CAMPAIGNS):
        _campaign(text, file, policy, _ANY_TIME_ZONE, invitations)
    elif fnmatchcase(name, INVITATIONS):
        load_invitation(text, file, _ANY_TIME_ZONE)
    else:
        places = ", ".join(f"{file.removesuffix(name)}{known}" for known in KNOWN_FILES)
        reason = f"is not a known configuration; known are {places}"
        raise InvalidConfiguration(file, [Problem(1, reason)])


_ANY_TIME_ZONE = "UTC"
"""To check a schedule in: what is wrong with it is wrong everywhere."""


def _campaign(text: bytes, file: str, policy: Policy, time_zone: str, invitations: Collection[str]) -> "Campaign":
    """A campaign for the segments of a policy. One whose only time is past stays in order: it has just been run."""
    from dangol.campaigns.loading import Known, load_campaign
    from dangol.segments.language import catalogue, parse

    vocabulary = catalogue(policy.names)
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    known = Known(policy.names, lambda rule: parse(rule, vocabulary), time_zone, long_ago, invitations)
    campaign = load_campaign(text, file, known)
    if campaign.segment is None:
        lines = text.decode("utf-8-sig").splitlines()
        line = next((number for number, words in enumerate(lines, 1) if "where" in words), 1)
        reason = f"'where' is for looking ahead; make it a segment in {POLICY_FILE} and name that with 'segment'"
        raise InvalidConfiguration(file, [Problem(line, reason)])
    return campaign


def _of_kind(files: Mapping[str, bytes], pattern: str) -> Iterator[tuple[str, bytes]]:
    return ((name, text) for name, text in sorted(files.items()) if fnmatchcase(name, pattern))


def _ids_of(files: Mapping[str, bytes], pattern: str) -> tuple[str, ...]:
    """The ids of the files of a kind, each called as its id, whether they are in order or not."""
    return tuple(PurePath(name).stem for name, _ in _of_kind(files, pattern))
