"""The pages that people see who follow a link of a message; Korean and English, without any script or other host."""

from dataclasses import dataclass
from html import escape

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
"""Of every page behind a signed link."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says, and what its button does, if it has one: a POST to the same address."""

    title: str
    korean: str
    english: str
    button: str = ""


ASK = Page(
    "수신거부 · Unsubscribe",
    "광고성 이메일을 더 이상 받지 않으시겠어요?",
    "Do you want to stop getting marketing e-mails from us?",
    "수신거부 · Unsubscribe",
)
DONE = Page(
    "수신거부되었습니다 · Unsubscribed",
    "앞으로 광고성 이메일을 보내지 않겠습니다. 비용은 들지 않습니다.",
    "You will get no more marketing e-mails from us. This was free of charge.",
)
BAD = Page(
    "링크를 확인해 주세요 · This link does not work",
    "주소가 잘렸거나 바뀌었습니다. 가장 최근 이메일의 링크를 눌러 주세요.",
    "The address was cut off or changed. Please use the link in the newest e-mail.",
)
_STYLE = (
    "body{font-family:system-ui,sans-serif;line-height:1.6;max-width:32rem;margin:15vh auto;padding:0 1.5rem;"
    "color:#222;background:#fff}button{font:inherit;padding:.8rem 1.6rem;border:0;border-radius:.4rem;background:#222;"
    "color:#fff;cursor:pointer}@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}"
    "button{background:#eee;color:#181818}}"
)


def page(shown: Page) -> str:
    """A page as HTML."""
    form = f'<form method="post"><button>{escape(shown.button)}</button></form>' if shown.button else ""
    return (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(shown.title)}</title><style>{_STYLE}</style></head><body><h1>{escape(shown.title)}</h1>"
        f'<p>{escape(shown.korean)}</p><p lang="en">{escape(shown.english)}</p>{form}</body></html>'
    )
