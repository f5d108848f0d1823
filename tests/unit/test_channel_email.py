"""An e-mail is lawful, safe and readable wherever it is read."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from email import message_from_string, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from dangol.campaigns.content import Button, Content, CouponShown, Item
from dangol.campaigns.definition import Variant
from dangol.campaigns.law import KR, law_of
from dangol.campaigns.wording import write
from dangol.channels.email import MAX_HTML, Email, compose
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages import BUYER, ITEMS, OCCASION, SENDER, said, shipped

URL = "https://unsubscribe.dangol.kr/?t=abc.def"
CONTENT = Content(
    "새로 들어온 아이템",
    ("안녕하세요, 김단골님.", "첫째 줄\n둘째 줄"),
    "미리 보기 글",
    (Button("보러 가기", "https://dangol.kr/new"), Button("다음에", "https://dangol.kr/no")),
    ITEMS,
    CouponShown("반가워요 쿠폰", "15% 할인", "BACK15", date(2026, 12, 10)),
)


class Page(HTMLParser):
    """What a mail program sees: text, links, pictures, tags left open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.images: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert tag != "script"
        assert not any(name.startswith("on") for name in values)
        self.links += [values["href"] or ""] if tag == "a" else []
        self.images += [values["src"] or ""] if tag == "img" else []
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "title" not in self.open:
            self.words.append(data)


def mail(content: Content = CONTENT, advertising: bool = True) -> Email:
    return compose(content, OCCASION, KR, advertising, URL)


def test_the_subject_of_advertising_begins_with_the_label() -> None:
    assert mail().subject == "(광고) 새로 들어온 아이템"
    assert mail(advertising=False).subject == "새로 들어온 아이템"
    assert compose(CONTENT, OCCASION, law_of("US"), True, URL).subject == "새로 들어온 아이템"


@pytest.mark.parametrize("part", ["html", "text"])
def test_the_body_ends_with_the_sender_and_an_opt_out_in_two_languages(part: str) -> None:
    text = Page(mail().html).text if part == "html" else mail().text
    end = text[text.rindex(SENDER.email) - 20 :]
    for words in (SENDER.name, SENDER.email, SENDER.phone, SENDER.address, "수신거부"):
        assert words in end
    assert re.search("unsubscribe", end, re.IGNORECASE)
    if part == "html":
        assert Page(mail().html).links.count(URL) == 2
    else:
        assert end.count(URL) == 2


def test_mail_programs_can_unsubscribe_with_one_click() -> None:
    assert mail().headers == (
        ("List-Unsubscribe", f"<{URL}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def test_a_transactional_mail_names_the_sender_and_offers_no_opt_out() -> None:
    receipt = mail(advertising=False)
    assert receipt.headers == ()
    assert URL not in receipt.html + receipt.text
    assert SENDER.address in receipt.html
    assert SENDER.address in receipt.text


def test_html_and_text_say_the_same() -> None:
    page, text = Page(mail().html), mail().text
    for words in (
        *("새로 들어온 아이템", "안녕하세요, 김단골님.", "첫째 줄", "둘째 줄", "보러 가기", "다음에", "반가워요 쿠폰"),
        *("15% 할인", "BACK15", "2026.12.10까지", "캐시미어 머플러", "₩89,000", "울 카디건", "₩129,000"),
    ):
        assert words in page.text
        assert words in text
    assert set(page.links) == {
        URL,
        SENDER.url,
        "https://dangol.kr/new",
        "https://dangol.kr/no",
        *(i.url for i in ITEMS),
    }
    assert all(link in text for link in page.links if link != SENDER.url)
    assert page.images == ["https://dangol.kr/p1.jpg"]
    assert page.open == []


def test_the_plain_text_reads_well() -> None:
    assert (
        mail().text
        == """\
새로 들어온 아이템

안녕하세요, 김단골님.

첫째 줄
둘째 줄

[반가워요 쿠폰] 15% 할인 · BACK15 · 2026.12.10까지

- 캐시미어 머플러, ₩89,000
  https://dangol.kr/p1
- 울 카디건, ₩129,000
  https://dangol.kr/p2

보러 가기: https://dangol.kr/new
다음에: https://dangol.kr/no

--
단골상점 · hello@dangol.kr · 02-123-4567
서울 중구 세종대로 110
수신거부: https://unsubscribe.dangol.kr/?t=abc.def
Unsubscribe (free of charge): https://unsubscribe.dangol.kr/?t=abc.def
"""
    )


def test_it_is_made_for_phones_and_dark_rooms() -> None:
    html = mail().html
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    for light in re.findall(r'class="([^"]+)"', html):
        for name in light.split():
            assert f".{name} " in html, f"'{name}' has no style of its own"


def test_the_preheader_comes_before_everything_that_shows() -> None:
    assert Page(mail().html).text.strip().startswith("미리 보기 글")
    assert "미리 보기 글" not in mail().text


def test_whatever_comes_from_data_is_escaped() -> None:
    evil = '<script>alert("x")</script>&"\''
    content = Content(evil, (evil,), evil, (Button(evil, "https://a.kr/?a=1&b=2"),), (Item("p", evil),))
    html = mail(content).html
    assert "<script" not in html
    assert evil in Page(html).text
    assert "https://a.kr/?a=1&b=2" in Page(html).links


def test_plain_text_is_plain() -> None:
    evil = '<b>니트 & 코트</b> "새것"'
    text = mail(Content(evil, (evil,), buttons=(Button(evil, "https://a.kr/?a=1&b=2"),), items=(Item("p", evil),))).text
    assert text.count(evil) == 4
    assert "https://a.kr/?a=1&b=2" in text


def test_the_sender_is_an_ascii_header_that_reads_as_the_name() -> None:
    assert mail().sender.isascii()
    parsed = message_from_string(f"From: {mail().sender}\n\n", policy=policy.default)
    assert str(parsed["From"]) == "단골상점 <hello@dangol.kr>"
    plain = compose(CONTENT, replace(OCCASION, sender=replace(SENDER, name="Dangol, Inc.")), KR, True, URL)
    assert plain.sender == '"Dangol, Inc." <hello@dangol.kr>'


@pytest.mark.parametrize("name", ['단골 Shop, "상점" 🛍 ' * 8, "가" * 120, "a" * 119 + "가"])
def test_a_long_name_of_the_sender_comes_in_words_that_mail_programs_read(name: str) -> None:
    sender = compose(CONTENT, replace(OCCASION, sender=replace(SENDER, name=name)), KR, True, URL).sender
    assert sender.isascii()
    assert max(map(len, sender.split(" "))) <= 75
    assert str(make_header(decode_header(sender))) == f"{name.strip()} <{SENDER.email}>"


def test_a_senders_name_with_a_line_break_adds_no_header() -> None:
    for name in ("단골\r\nBcc: a@b.kr", "Dangol\r\nBcc: a@b.kr"):
        sender = compose(CONTENT, replace(OCCASION, sender=replace(SENDER, name=name)), KR, True, URL).sender
        assert not re.search(r"[\r\n]", sender)


def test_it_makes_a_valid_message() -> None:
    made = mail()
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = made.subject, made.sender, "a@b.kr"
    for name, value in made.headers:
        message[name] = value
    message.set_content(made.text)
    message.add_alternative(made.html, subtype="html")
    parsed = message_from_string(message.as_string(), policy=policy.default)
    assert parsed["Subject"] == made.subject
    assert parsed["List-Unsubscribe"] == f"<{URL}>"


def test_the_longest_mail_stays_below_what_gmail_shows() -> None:
    url = "https://a.kr/" + "&" * 487
    item = Item("p" * 80, "<" * 80, url, url, Decimal(10**9))
    content = Content("<" * 200, ("&" * 6000,), "<" * 200, (Button("<" * 200, url),) * 3, (item,) * 6, CONTENT.coupon)
    assert 60 * 1024 < len(mail(content).html.encode()) <= MAX_HTML


def test_a_body_of_nothing_but_paragraphs_stays_below_it_too() -> None:
    content = write(Variant("a", "제목", "가\n\n" * 1666), BUYER, None, OCCASION)
    assert content is not None
    assert len(content.paragraphs) == 100
    many = replace(CONTENT, paragraphs=("&" * 60,) * 100)
    assert len(mail(many).html.encode()) <= MAX_HTML


def test_a_long_subject_is_cut_and_keeps_its_label() -> None:
    subject = mail(replace(CONTENT, title="가" * 300)).subject
    assert subject.startswith("(광고) 가")
    assert subject.endswith("…")
    assert len(subject) == 120


TEXT = st.text(max_size=40)


@settings(max_examples=50)
@given(TEXT, st.lists(TEXT, max_size=3), TEXT, TEXT)
def test_any_text_makes_a_well_formed_page(title: str, paragraphs: list[str], preheader: str, item: str) -> None:
    page = Page(mail(Content(title, tuple(paragraphs), preheader, items=(Item("p", item),))).html)
    assert page.open == []
    assert URL in page.links


def test_the_seeds_mail_as_a_customer_gets_it() -> None:
    content = said("potential_loyal_picks", 0, "email", "last_style", BUYER)
    assert content is not None
    made = compose(content, OCCASION, KR, shipped("potential_loyal_picks").advertising, URL)
    assert made.subject == "(광고) 지난번 선택하신 스타일, 이번엔 이런 건 어떠세요?"
    assert "지난번 고르신 가방은 마음에 드셨나요?\n잡화를 좋아하시는 분들이" in made.text
