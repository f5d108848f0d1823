"""An e-mail: subject, HTML, the same as plain text, and headers. Table layout and inline styles, for mail programs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address
from functools import cache
from importlib.resources import files

from jinja2 import Environment, Template

from dangol.campaigns.content import Content, Occasion
from dangol.campaigns.law import Law, labelled
from dangol.campaigns.wording import cut, money, one_line

MAX_SUBJECT = 120
"""Characters, with the label."""
_WORD = 75
"""Characters of an encoded word in a header (RFC 2047)."""
MAX_HTML = 102 * 1024
"""Bytes; Gmail cuts longer mail off, and with it the way to opt out."""


@dataclass(frozen=True, slots=True)
class Email:
    """One e-mail, ready to be sent to anybody."""

    sender: str
    """From, as a header has it: ASCII."""
    subject: str
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    """Besides From, To and Subject; ASCII."""


def compose(content: Content, occasion: Occasion, law: Law, advertising: bool, unsubscribe_url: str) -> Email:
    """The e-mail of a content.

    KR: the Act, article 50(4), decree article 61(3): the subject of advertising begins with (광고); the body ends with
    name, e-mail, phone and address of the sender and a way to opt out, in Korean and English. RFC 8058: the headers let
    mail programs unsubscribe with one click; `unsubscribe_url` takes that POST, and shows a page to a GET.
    """
    subject = cut(labelled(law, content.title) if advertising else content.title, MAX_SUBJECT)
    values = {
        "content": content,
        "sender": occasion.sender,
        "subject": subject,
        "advertising": advertising,
        "unsubscribe_url": unsubscribe_url,
        "money": _priced(occasion.currency),
    }
    html = _template("email.html").render(values)
    assert len(html.encode()) <= MAX_HTML, "the limits of templates keep it far below"
    headers = _unsubscribe_headers(unsubscribe_url) if advertising else ()
    return Email(_from(occasion), subject, html, _template("email.txt").render(values).strip() + "\n", headers)


def _unsubscribe_headers(url: str) -> tuple[tuple[str, str], ...]:
    assert re.fullmatch(r"[!-~]+", url), "a signed link is printable ASCII"
    return (("List-Unsubscribe", f"<{url}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))


def _from(occasion: Occasion) -> str:
    """Name and address; a name that is not ASCII is encoded, in words of 75 characters at most (RFC 2047)."""
    sender = occasion.sender
    name = one_line(sender.name)
    if name.isascii():
        return str(Address(name, addr_spec=sender.email))
    return f"{Header(name, 'utf-8', maxlinelen=_WORD).encode(linesep='')} <{sender.email}>"


def _priced(currency: str) -> Callable[..., str]:
    return lambda amount: money(amount, currency)


@cache
def _template(name: str) -> Template:
    escape = name.endswith(".html")
    environment = Environment(autoescape=escape, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - plain text
    return environment.from_string((files("dangol.channels") / "templates" / name).read_text(encoding="utf-8"))
