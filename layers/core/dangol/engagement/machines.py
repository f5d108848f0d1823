"""What opens and clicks messages besides people. dangol.engagement.people says how it is told apart, and why."""

from collections.abc import Collection
from datetime import datetime, timedelta

SCANNER_SECONDS = 10
BURST_SECONDS = 3
PRIVACY_PROXY = "Mozilla/5.0"
MACHINES = (
    "barracuda",
    "bitdefender",
    "bot",
    "crawler",
    "curl/",
    "fireeye",
    "forcepoint",
    "go-http-client",
    "headlesschrome",
    "ironport",
    "java/",
    "libwww",
    "messagelabs",
    "mimecast",
    "okhttp",
    "phantomjs",
    "preview",
    "proofpoint",
    "python-",
    "safelinks",
    "scanner",
    "sophos",
    "spider",
    "symantec",
    "trendmicro",
    "wget/",
    "zscaler",
)
"""Parts of user agents, in lower case."""


def is_machine(agent: str | None) -> bool:
    """Whether a user agent is known to be no person; one that says nothing may be."""
    text = (agent or "").strip()
    return text == PRIVACY_PROXY or any(name in text.lower() for name in MACHINES)


def is_at_once(sent_at: datetime, happened_at: datetime) -> bool:
    """Whether something happened sooner after a message was sent, or delivered if that is known, than people read."""
    return happened_at < sent_at + timedelta(seconds=SCANNER_SECONDS)


def any_by_person(clicks: Collection[tuple[datetime, str]]) -> bool:
    """Whether a click of a message (moment, link) is not part of a burst: near none on another link of it."""
    near = timedelta(seconds=BURST_SECONDS)
    return any(all(link == other or abs(at - then) > near for then, other in clicks) for at, link in clicks)
