"""A push: title, text, and the payloads that SNS hands to FCM (v1) and APNs."""

import json
from dataclasses import dataclass
from datetime import datetime

from dangol.campaigns.content import Content, Occasion
from dangol.campaigns.law import Law, labelled
from dangol.campaigns.wording import cut

MAX_TITLE, MAX_TEXT = 80, 220
"""Characters as shown; what is longer is cut, never label, sender or opt-out."""
MAX_PAYLOAD = 4096
"""Bytes of one platform's payload (FCM and APNs)."""
MAX_TTL = 4 * 7 * 86400
"""Seconds; FCM keeps no message longer."""


@dataclass(frozen=True, slots=True)
class Push:
    """One push, ready to be sent to any endpoint."""

    title: str
    text: str
    link: str
    """What a tap opens; '' for the app itself."""


def compose(content: Content, occasion: Occasion, law: Law, advertising: bool) -> Push:
    """The push of a content.

    KR: the Act, article 50(4), decree article 61(3): the title of advertising begins with (광고); the text names the
    sender, how to reach them, and how to opt out.
    """
    sender = occasion.sender
    text = cut(" ".join(content.paragraphs), MAX_TEXT)
    if advertising:
        text += f"\n{sender.name} {sender.phone}\n수신거부: {sender.app_opt_out}"
    title = cut(content.title, MAX_TITLE)
    return Push(
        labelled(law, title) if advertising else title, text, content.buttons[0].link if content.buttons else ""
    )


def ttl(deliver_before: datetime, moment: datetime) -> int:
    """Seconds that the push services may keep trying from `moment` on, so that nothing arrives later than allowed."""
    return min(MAX_TTL, max(0, int((deliver_before - moment).total_seconds())))


def sns_message(push: Push, seconds: int, data: dict[str, str]) -> str:
    """`Message` of SNS Publish with MessageStructure "json"; `data` (ids, nothing personal) goes to the app.

    `seconds` to live are as `ttl` says. Both platforms get what a tap opens as `link`. Payloads stay below their
    4,096 bytes by the limits above.
    """
    extra = data | ({"link": push.link} if push.link else {})
    message = {
        "notification": {"title": push.title, "body": push.text},
        "data": extra,
        "android": {"ttl": f"{seconds}s"},
    }
    fcm = _json({"fcmV1Message": {"message": message}})
    apns = _json({"aps": {"alert": {"title": push.title, "body": push.text}}, **extra})
    assert max(len(fcm.encode()), len(apns.encode())) <= MAX_PAYLOAD, "limits of titles, texts and links keep it below"
    return _json({"default": push.title, "GCM": fcm, "APNS": apns, "APNS_SANDBOX": apns})


def sns_attributes(seconds: int) -> dict[str, dict[str, str]]:
    """`MessageAttributes` of SNS Publish: the time to live on each platform."""
    platforms = ("FCM", "APNS", "APNS_SANDBOX")
    return {f"AWS.SNS.MOBILE.{p}.TTL": {"DataType": "String", "StringValue": str(seconds)} for p in platforms}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
