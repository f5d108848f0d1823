"""What opens and clicks messages besides people. dangol.engagement.people says how it is told apart, and why."""

SCANNER_SECONDS = 10
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
