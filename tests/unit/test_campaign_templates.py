"""Templates show what is known, nothing else, and cannot do harm."""

from dataclasses import replace

import pytest
from dangol.campaigns.content import Button, CouponShown, Facts, Item, web_link
from dangol.campaigns.definition import Coupon, Variant
from dangol.campaigns.templates import MissingData, complaints, names_in, render, required
from dangol.campaigns.wording import MAX_ITEMS, clean, money, needs, one_line, write
from hypothesis import given
from hypothesis import strategies as st

from tests.messages import BUYER, ITEMS, OCCASION, STRANGER


def test_placeholders_and_jinja_names_show_the_same() -> None:
    values = {"customer_name": "김단골", "last_product": "가방"}
    assert render("[고객명]님, [구매상품명]와", values) == "김단골님, 가방과"
    assert render("{{ customer_name }}님, {{ last_product }}와", values) == "김단골님, 가방과"


def test_what_is_missing_can_be_asked_for_but_not_shown() -> None:
    greeting = "안녕하세요{% if customer_name %}, [고객명]님{% endif %}."
    assert render(greeting, {}) == "안녕하세요."
    assert render(greeting, {"customer_name": "김단골"}) == "안녕하세요, 김단골님."
    with pytest.raises(MissingData):
        render("[고객명]님", {})
    with pytest.raises(MissingData):
        render("{{ coupon.code }}", {"coupon": {"name": "쿠폰"}})
    with pytest.raises(MissingData):
        render("{% for item in items %}{{ item.name }}{% endfor %}", {})


def test_what_a_template_needs_is_told_from_what_it_only_asks_for() -> None:
    template = "[구매상품명] {% if customer_name %}[고객명]{% endif %}"
    assert names_in(template) == {"customer_name", "last_product"}
    assert required(template) == {"last_product"}


def test_items_are_named_or_looped_over() -> None:
    items = tuple({"name": name} for name in ("코트", "가방", "모자"))
    assert render("{{ items }}를 담으셨어요", {"items": items[:2]}) == "코트, 가방을 담으셨어요"
    assert render("{{ items }}를 담으셨어요", {"items": items}) == "코트, 가방 외 1개를 담으셨어요"
    assert render("{% for item in items %}{{ item.name }}를/{% endfor %}", {"items": items}) == "코트를/가방을/모자를/"


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("[고객면]님", "unknown placeholder '[고객면]'; did you mean '고객명'?"),
        ("[구매 상품명]", "unknown placeholder '[구매 상품명]'; did you mean '구매상품명'?"),
        ("{{ custmer_name }}", "unknown name 'custmer_name'; did you mean 'customer_name'?"),
        ("{{ coupon.cod }}", "'coupon' has no 'cod'; did you mean 'code'?"),
        ("{{ coupon }}", "'coupon' is written with one of its fields: name, benefit, code, expires_on"),
        ("{{ customer_name.upper }}", "'customer_name' has no 'upper'; write it alone"),
        ("{{ customer_name", "cannot be read: unexpected end of template, expected 'end of print statement'."),
        ("{% if coupon %}", "cannot be read"),
        ("{{ customer_name | upper }}", "only a name can stand between"),
        ("{{ range(3) }}", "only a name can stand between '{{' and '}}'"),
        ("{{ 'a' * 1000000000 }}", "only a name can stand between '{{' and '}}'"),
        ("{{ none }}", "only a name can stand between '{{' and '}}'"),
        ("{{ not coupon }}", "only a name can stand between '{{' and '}}'"),
        ("{% for i in range(10) %}x{% endfor %}", "a loop is '{% for item in items %}'"),
        (
            "{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}",
            "a loop is '{% for item in items %}' and does not stand in another",
        ),
        ("{% for item in items if item.price %}x{% endfor %}", "a loop is '{% for item in items %}'"),
        ("{% for item in items recursive %}x{% endfor %}", "a loop is '{% for item in items %}'"),
        ("{% for item in items %}x{% else %}{{ item.name.upper }}{% endfor %}", "cannot be used in a message"),
        ("{% if coupon %}x{% elif range(3) %}y{% endif %}", "'call' cannot be used in a message"),
        ("{% for item in items %}{{ item }}{% endfor %}", "'item' is written with one of its fields"),
        ("{% for item in items %}{{ item.cost }}{% endfor %}", "'item' has no 'cost'"),
        ("{{ item.name }}", "unknown name 'item'"),
        ("{% set x = 1 %}", "'assign' cannot be used in a message"),
        ("{% macro m() %}x{% endmacro %}", "'macro' cannot be used in a message"),
        ("{% include 'x' %}", "'include' cannot be used in a message"),
        ("{% if customer_name.__class__ %}x{% endif %}", "'customer_name' has no '__class__'"),
        ("{% if items[0] %}x{% endif %}", "'getitem' cannot be used in a message"),
        ("{% if 9 ** 9 ** 9 %}x{% endif %}", "'pow' cannot be used in a message"),
        ("{% if coupon() %}x{% endif %}", "'call' cannot be used in a message"),
        ("{% if items > 2 %}x{% endif %}", "a condition compares with '==' and '!='"),
        ("{% for item in items %}{% if item.price < 10000 %}x{% endif %}{% endfor %}", "a condition compares with"),
        ("{% if coupon and not 3 in customer_name %}x{% endif %}", "a condition compares with"),
        ("{% if items in customer_name %}x{% endif %}", "a condition compares with"),
        ("{% if '코트' in 3 %}x{% endif %}", "a condition compares with"),
        ("{% if '코트' in last_product == 3 %}x{% endif %}", "a condition compares with"),
        ("{% raw %}{{ x }}{% endraw %}", "cannot be shown"),
        ("{% if coupon %}" * 150 + "{% endif %}" * 150, "is nested too deep"),
        ("{% if " + "(" * 2000 + "coupon" + ")" * 2000 + " %}{% endif %}", "is nested too deep"),
        ("가" * 10_001, "is longer than 10,000 characters"),
    ],
)
def test_a_template_that_cannot_be_used_is_told_with_what_to_do(template: str, complaint: str) -> None:
    (found,) = complaints(template)
    assert complaint in found


@pytest.mark.parametrize(
    "value",
    [
        *("", "  ", "None", "nan", "NULL", "-", "\n", "{{ 7 * 7 }}", "[구매상품명]", "{% x %}", None),
        *("\u3164", "\u115f\u1160", "\uffa0", "\u2800 \u2800", "\u200d", "\ufe0f", "\u200b", "\u00a0", "\u202e"),
    ],
)
def test_a_value_that_says_nothing_is_missing(value: str | None) -> None:
    assert clean(value) is None


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("'코트' in last_product", True),
        ("'코트' not in last_product", False),
        ("last_category == '아우터'", True),
        ("last_category != '아우터' or not coupon", True),
        ("'코트' in items", False),
        ("items == 2", False),
    ],
)
def test_a_condition_may_compare_and_look_for_a_text(condition: str, shown: bool) -> None:
    template = f"{{% if {condition} %}}x{{% endif %}}"
    values = {"last_product": "코트 (블랙)", "last_category": "아우터", "items": ({"name": "코트"},)}
    assert complaints(template) == []
    assert render(template, values) == ("x" if shown else "")


PIECES = st.sampled_from(
    [
        *(
            "[고객명]",
            "[구매상품명]와 ",
            "{{",
            "}}",
            "{%",
            "%}",
            " if ",
            "customer_name",
            "coupon",
            ".code",
            "items",
            "x",
            *(" > ", " in ", " == ", "3", "'a'", "{% if items", "{% if 'a'"),
        ),
        *("{% for item in items %}", "{{ item.name }}", "{% endfor %}", "{% if coupon %}", "{% endif %}", "{#", "#}"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_a_template_without_complaints_renders_and_shows_none_of_itself(template: str) -> None:
    if complaints(template):
        return
    values = {"customer_name": "김", "last_product": "가방", "coupon": {"code": "A"}, "items": ({"name": "코트"},)}
    for known in (values, {}):
        try:
            text = render(template, known)
        except MissingData:
            continue
        assert not any(mark in text for mark in ("{{", "{%", "[고객명]", "[구매상품명]", "\ue000"))


@given(st.text(max_size=200))
def test_a_value_is_one_short_line_without_anything_invisible(value: str) -> None:
    text = clean(value)
    if text is not None:
        assert 0 < len(text) <= 80
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xE000 <= ord(c) < 0xF900 for c in text)
        assert "{{" not in text


def test_a_long_value_is_cut() -> None:
    assert clean("가" * 80) == "가" * 80
    assert clean("가" * 81) == "가" * 79 + "…"


def test_a_name_in_parts_as_some_computers_write_it_is_put_together() -> None:
    assert clean("\u1100\u1175\u11b7\u1103\u1161\u11ab") == "김단"


def test_header_injection_ends_as_text() -> None:
    assert one_line("제목\r\nBcc: all@example.com\u2028\u202e끝") == "제목 Bcc: all@example.com 끝"


NASTY = st.sampled_from(["None", "{{ x }}", "[고객명]", "<b>", "김\n단골", "🎁 선물", "‮evil", "가" * 300]) | st.text(
    max_size=50
)


@given(NASTY | st.none(), NASTY | st.none(), st.sampled_from(["A1", None]))
def test_nothing_of_a_template_ever_shows(name: str | None, product: str | None, code: str | None) -> None:
    variant = Variant(
        "v",
        "[고객명]님, {{ coupon.name }}",
        "[구매상품명]과 {% if coupon.code %}{{ coupon.code }}{% endif %}"
        "{% for item in items %}{{ item.name }}{% endfor %}",
        items="new",
        buttons=(Button("보기", "{{ shop.url }}"),),
    )
    facts = Facts(name, product, items={"new": (Item("p", product or "x"), Item("q", "y"))})
    content = write(variant, facts, Coupon("쿠폰", "10%", code), OCCASION)
    if content is not None:
        for text in (content.title, *content.paragraphs, *(item.name for item in content.items)):
            assert not any(mark in text for mark in ("{{", "{%", "[고객명]", "[구매상품명]", "\ue000"))
            assert text not in ("None", "nan")
        assert name
        assert product


def test_a_coupon_counts_from_the_day_the_run_began() -> None:
    variant = Variant("v", "쿠폰", "{{ coupon.expires_on }}까지 {{ coupon.code }}")
    content = write(variant, STRANGER, Coupon("쿠폰", "10%", "A1", valid_days=14), OCCASION)
    assert content is not None
    assert content.paragraphs == ("12월 10일까지 A1",)
    assert content.coupon == CouponShown("쿠폰", "10%", "A1", OCCASION.run_on.replace(month=12, day=10))


def test_a_product_in_a_link_is_a_part_of_the_address() -> None:
    variant = Variant("v", "t", "b", buttons=(Button("찾기", "{{ shop.url }}/search?q=[구매상품명]&page=1"),))
    content = write(variant, replace(BUYER, last_product="1+1 니트 (블랙) & co/100%"), None, OCCASION)
    assert content is not None
    assert content.buttons[0].link == (
        f"{OCCASION.sender.url}/search?q=1%2B1%20니트%20%28블랙%29%20%26%20co%2F100%25&page=1"
    )


def test_items_without_a_name_are_left_out_and_bad_links_dropped() -> None:
    bad = Item("p", "가방", url="javascript:alert(1)", image_url="data:x")
    facts = replace(BUYER, items={"new": (Item("x", "None"), bad, *ITEMS * 5)})
    content = write(Variant("v", "t", "b", items="new"), facts, None, OCCASION)
    assert content is not None
    assert content.items[0] == Item("p", "가방")
    assert len(content.items) == MAX_ITEMS
    nothing = replace(BUYER, items={"new": (Item("x", " "),)})
    assert write(Variant("v", "t", "b", items="new"), nothing, None, OCCASION) is None


@pytest.mark.parametrize(
    ("title", "body", "used"),
    [
        ("{% if customer_name %}[고객명]님{% endif %}", "본문", False),
        ("제목", " {% if last_product %}[구매상품명]{% endif %} \n\n", False),
        ("제목", "{% if last_product %}[구매상품명]{% else %}본문{% endif %}", True),
    ],
)
def test_a_variant_that_comes_out_blank_for_somebody_is_not_used_for_them(title: str, body: str, used: bool) -> None:
    assert (write(Variant("v", title, body), Facts(), None, OCCASION) is not None) is used
    assert write(Variant("v", title, body), BUYER, None, OCCASION) is not None


def test_a_body_that_grew_too_long_is_cut() -> None:
    content = write(Variant("v", "제목", "[고객명] " * 1000), replace(BUYER, customer_name="김" * 60), None, OCCASION)
    assert content is not None
    assert 5900 <= len("".join(content.paragraphs)) <= 6000


def test_a_button_that_leads_nowhere_makes_the_variant_unusable() -> None:
    variant = Variant("v", "t", "b", buttons=(Button("네", "{{ links.accept }}"),))
    assert write(variant, BUYER, None, OCCASION) is not None
    assert write(variant, replace(BUYER, links={"accept": "javascript:x"}), None, OCCASION) is None
    assert write(variant, replace(BUYER, links={}), None, OCCASION) is None
    assert needs(variant) == ("links",)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://a.kr/가방?x=1&y=2", True),
        ("http://a.kr", True),
        ("javascript:alert(1)", False),
        ("//evil.example", False),
        ("https://a.kr/a b", False),
        ('https://a.kr/"x', False),
        ("https://a.kr/" + "x" * 500, False),
        ("", False),
    ],
)
def test_only_web_addresses_are_links(url: str, good: bool) -> None:
    assert (web_link(url) == url) is good


def test_prices_are_written_as_the_currency_is() -> None:
    from decimal import Decimal

    assert money(Decimal("39000"), "KRW") == "₩39,000"
    assert money(Decimal("1234.5"), "USD") == "$1,234.50"
    assert money(Decimal("1200"), "CHF") == "1,200.00 CHF"
