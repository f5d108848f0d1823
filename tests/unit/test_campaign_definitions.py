"""A campaign with a mistake is refused as a whole, with file, line and what to do (promise 10)."""

import json
import subprocess
import sys
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import yaml
from dangol.campaigns import loading, planning, writing
from dangol.campaigns.caps import Cap
from dangol.campaigns.content import Button
from dangol.campaigns.decision import Message
from dangol.campaigns.definition import Campaign, Coupon, Goal, Step, Variant, Winner, answered
from dangol.campaigns.loading import load_campaign
from dangol.campaigns.schedule import Schedule
from dangol.campaigns.settings import Settings, default_settings, load_settings
from dangol.document import in_words
from dangol.errors import InvalidConfiguration
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import schemas
from tests.messages import CONFIG, known

FILE = "config/campaigns/sale.yaml"
GOOD = """\
id: sale
name: {ko: 세일, en: Sale}
segment: at_risk
purpose: advertising
schedule: {every: week, days: [tue], at: "11:00"}
coupon: {name: 쿠폰, benefit: 10% 할인}
channels:
  push:
    - id: first
      title: "[고객명]님, 세일이에요"
      body: 만나 보세요.
"""
EVERYTHING = """\
id: sale
name: {ko: 세일, en: Sale}
description: All of it.
where: orders_lifetime >= 3
purpose: advertising
schedule: {once: "2026-12-01 10:00", time_zone: Europe/London, catch_up: 90 minutes}
goal: {reach: member_of, segment: vip_loyal, within: 2 weeks}
coupon: {name: 쿠폰, benefit: 10% 할인, code: A1, valid: 14 days}
winner: {by: clicks, after: 4 hours, share: 0.2}
holdout: 0.25
again_after: 90 days
cap_exempt: true
per_hour: 5000
expires: 2 days
goods: [코트, 가방]
invitation: style_talk
channels:
  email:
    - id: a
      weight: 3
      subject: 세일
      preheader: 미리
      body: |
        하나

        둘
      items: new
      buttons:
        - {text: 네, link: "{{ links.accept }}"}
    - {id: c, subject: 마감, body: 하나}
steps:
  - after: 3 days
    unless: [clicked, purchased]
    channels:
      push:
        - {id: b, title: 다시, body: 다시, link: "{{ shop.url }}"}
"""


def load(text: str) -> Campaign:
    return load_campaign(text.encode(), FILE, known())


def problems(text: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(InvalidConfiguration) as error:
        load_campaign(text if isinstance(text, bytes) else text.encode(), FILE, known())
    assert error.value.file == FILE
    return [(problem.line, problem.reason) for problem in error.value.problems]


def test_a_small_campaign_has_sensible_defaults() -> None:
    assert load(GOOD) == Campaign(
        id="sale",
        names={"ko": "세일", "en": "Sale"},
        description="",
        segment="at_risk",
        where=None,
        schedule=Schedule("Asia/Seoul", "0 11 * * TUE", None, timedelta(hours=6)),
        advertising=True,
        steps=(Step({"push": (Variant("first", "[고객명]님, 세일이에요", "만나 보세요."),)}),),
        coupon=Coupon("쿠폰", "10% 할인"),
        expires=timedelta(hours=24),
        version=sha256(GOOD.encode()).hexdigest()[:12],
    )


@pytest.mark.parametrize(
    ("by", "kind"), [("clicks", "a first e-mail with two variants"), ("purchases", "a first message with two variants")]
)
def test_a_winner_needs_a_contest(by: str, kind: str) -> None:
    ((line, reason),) = problems(GOOD.replace("purpose:", f"winner: {{by: {by}, after: 1 day, share: 0.2}}\npurpose:"))
    assert (line, f"'winner' by {by} needs {kind} of a weight above 0" in reason) == (4, True)


def test_a_campaign_may_say_everything() -> None:
    campaign = load(EVERYTHING)
    email = Variant("a", "세일", "하나\n\n둘", 3, "미리", (Button("네", "{{ links.accept }}"),), "new")
    push = Variant("b", "다시", "다시", 1, "", (Button("", "{{ shop.url }}"),))
    assert (
        campaign
        == Campaign(
            id="sale",
            names={"ko": "세일", "en": "Sale"},
            description="All of it.",
            segment=None,
            where="orders_lifetime >= 3",
            schedule=Schedule("Europe/London", None, datetime(2026, 12, 1, 10), timedelta(minutes=90)),  # noqa: DTZ001
            advertising=True,
            steps=(
                Step({"email": (email, Variant("c", "마감", "하나"))}),
                Step({"push": (push,)}, timedelta(days=3), frozenset({"clicked", "purchased"})),
            ),
            goal=Goal(14, "vip_loyal"),
            coupon=Coupon("쿠폰", "10% 할인", "A1", 14),
            winner=Winner("clicks", timedelta(hours=4), 0.2),
            holdout=0.25,
            again_after=timedelta(days=90),
            cap_exempt=True,
            per_hour=5000,
            expires=timedelta(days=2),
            goods=frozenset({"코트", "가방"}),
            invitation="style_talk",
            version=sha256(EVERYTHING.encode()).hexdigest()[:12],
        )
    )
    assert campaign.channels == ("email", "push")
    assert campaign.item_kinds(0, "email") == {"new"}
    assert answered(campaign.steps[1], frozenset({"opened", "clicked"}))
    assert not answered(campaign.steps[1], frozenset({"opened"}))


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("segment: at_risk", "segment: at_rsk", 3, "unknown segment 'at_rsk'; did you mean 'at_risk'?"),
        ("segment: at_risk", "where: orders_lifetme > 3", 3, "did you mean 'orders_lifetime'"),
        ("segment: at_risk\n", "", 1, "exactly one of 'segment' and 'where'"),
        ("segment: at_risk", "segment: at_risk\nwhere: orders_90d > 1", 1, "exactly one of 'segment' and 'where'"),
        ("purpose: advertising", "purpose: ad", 4, "unknown purpose 'ad'; known are advertising, transactional"),
        ("purpose: advertising\n", "", 1, "'campaign' needs 'purpose'"),
        ("id: sale", "id: Sale", 1, "'id' must be lower-case letters, digits and _ (at most 50), not 'Sale'"),
        ("id: sale", "id: sales", 1, "'id' must be as the file is called: 'sale', not 'sales'"),
        ("name: {ko: 세일, en: Sale}", "name: 세일", 2, "'name' must be a mapping with ko, en"),
        ("name: {ko: 세일, en: Sale}", "name: {ko: 세일}", 2, "'name' needs 'en'"),
        ("purpose:", "holdout: 1.5\npurpose:", 4, "'holdout', a share, must be a number from 0 to 1"),
        ("purpose:", "holdout: ten\npurpose:", 4, "'holdout', a share, must be a number from 0 to 1"),
        ("purpose:", "holdout: nan\npurpose:", 4, "'holdout', a share, must be a number from 0 to 1"),
        ("purpose:", "per_hour: 0.5\npurpose:", 4, "'per_hour' must be a whole number from 1 to 1000000000"),
        ("purpose:", "cap_exempt: maybe\npurpose:", 4, "'cap_exempt' must be true or false"),
        ("purpose:", "expires: soon\npurpose:", 4, "'expires' must be a duration from 1 hour to 30 days"),
        ("purpose:", "expires: 90 days\npurpose:", 4, "'expires' must be a duration from 1 hour to 30 days"),
        ("purpose:", "goods: 코트\npurpose:", 4, "'goods' must be a list"),
        ("purpose:", "holdot: 0.1\npurpose:", 4, "unknown key 'holdot' of 'campaign'; did you mean 'holdout'?"),
        ("purpose:", "id: sale\npurpose:", 4, "'id' is given twice"),
        ("purpose:", "goal: {reach: member_of, within: 3 days}\npurpose:", 4, "'goal' has a 'segment' if and only if"),
        ("purpose:", "goal: {reach: purchase, segment: new, within: 3 days}\npurpose:", 4, "if and only if"),
        ("purpose:", "goal: {reach: buy, within: 3 days}\npurpose:", 4, "unknown goal 'buy'"),
        ("purpose:", "goal: {reach: member_of, segment: vip, within: 3 days}\npurpose:", 4, "unknown segment 'vip'"),
        ("10% 할인}", "10% 할인, valid: 14}", 6, "'valid' must be a duration from 1 day to 366 days"),
        ("advertising", "transactional", 6, "a transactional campaign has no coupon: with one it is advertising"),
        (
            "purpose:",
            "invitation: style_tlk\npurpose:",
            4,
            "unknown invitation 'style_tlk'; did you mean 'style_talk'?",
        ),
        ("purpose:", "winner: {by: clicks, after: 4 hours}\npurpose:", 4, "'winner' needs 'share'"),
        ("purpose:", "winner: {by: opens, after: 4 hours, share: 0.2}\npurpose:", 4, "to find a winner 'opens'"),
        (
            "purpose:",
            "winner: {by: clicks, after: 4, share: 0.2}\npurpose:",
            4,
            "'after' must be a duration from 1 hour",
        ),
        (
            "purpose:",
            "winner: {by: clicks, after: 4 hours, share: 1}\npurpose:",
            4,
            "'share' must be a number from 0.01",
        ),
        ("purpose:", "? [a]\n: b\npurpose:", 4, "unknown key '?' of 'campaign'"),
        # schedules
        ("every: week, days: [tue]", 'cron: "0 11 * * TUE"', 5, "'schedule' has 'at' only with 'every'"),
        ("days: [tue], ", "", 5, "'schedule' every week needs 'days', a list of days"),
        ("[tue]", "[tu]", 5, "unknown day of the week 'tu'; did you mean 'tue'?"),
        ('"11:00"', '"25:00"', 5, "'at' must be an hour such as \"11:00\""),
        (', at: "11:00"', "", 5, "'schedule' needs 'at', the hour"),
        ("every: week", "every: wek", 5, "unknown period 'wek'; did you mean 'week'?"),
        ("every: week, days: [tue]", "every: day, days: [tue]", 5, "'schedule' every day takes no 'days'"),
        (
            "every: week, days: [tue]",
            "every: month, days: [32]",
            5,
            "a day of the month must be a whole number from 1 to 31",
        ),
        ('every: week, days: [tue], at: "11:00"', 'cron: "0 11 30 2 *"', 5, "'0 11 30 2 *' is no cron expression that"),
        ('every: week, days: [tue], at: "11:00"', 'cron: "* * * * *"', 5, "fires more than once an hour"),
        ('every: week, days: [tue], at: "11:00"', 'once: "2026-11-22 11:59"', 5, "never fires: its only time is past"),
        ('every: week, days: [tue], at: "11:00"', "once: tomorrow", 5, "'once' must be a date and time"),
        (
            'every: week, days: [tue], at: "11:00"',
            "time_zone: Asia/Seoul",
            5,
            "exactly one of 'every', 'cron' and 'once'",
        ),
        ("every: week", 'cron: "0 1 * * *", every: week', 5, "exactly one of 'every', 'cron' and 'once'"),
        ("every: week", "time_zone: localtime, every: week", 5, "unknown time zone 'localtime'"),
        ("every: week", "time_zone: Asia/Seol, every: week", 5, "unknown time zone 'Asia/Seol'"),
        # messages
        ("[고객명]", "[고객면]", 10, "'title' unknown placeholder '[고객면]'; did you mean '고객명'?"),
        ("만나 보세요.", '"{{ cupon.code }}"', 11, "'body' unknown name 'cupon'; did you mean 'coupon'?"),
        ("만나 보세요.", "{{ coupon.code }}", 11, "'body' must be text; put quotes around what begins with { or ["),
        ("만나 보세요.", '"{% for x in y %}"', 11, "'body' cannot be read"),
        ("만나 보세요.", '"{{ items }}"', 11, "'body' speaks of 'items', but there is no 'items' in the variant"),
        ("만나 보세요.", '"{{ links.accept }}"', 11, "there is no 'invitation' in the campaign"),
        (
            "만나 보세요.",
            '"{{ coupon.code }}"',
            11,
            "'body' speaks of 'coupon.code', but there is no 'code' in the coupon",
        ),
        ("만나 보세요.", '"{{ coupon.expires_on }}까지"', 11, "there is no 'valid' in the coupon"),
        ("만나 보세요.", "만나 보세요.\n      link: shop.co.kr/sale", 12, "'link' must be an address without blanks"),
        (
            "만나 보세요.",
            "만나 보세요.\n      link: myshop://cart",
            12,
            "begins with https://, http:// or {{ shop.url }}",
        ),
        ("만나 보세요.", "만나 보세요.\n      link: https://shop.co.kr/새 상품", 12, "an address without blanks"),
        ("만나 보세요.", '만나 보세요.\n      link: "{{ customer_name }}"', 12, "'link' must be an address"),
        ('"[고객명]님, 세일이에요"', "(광고) 세일이에요", 10, "'title' carries a label of its own; take it out"),
        ('"[고객명]님, 세일이에요"', "세일이에요 [광고]", 10, "'title' carries a label of its own"),
        ('"[고객명]님, 세일이에요"', "(광\u200b고) 세일이에요", 10, "'title' carries a label of its own"),
        ('"[고객명]님, 세일이에요"', f'"{"세" * 81}"', 10, "'title' is 81 characters long; 80 is the most"),
        ("만나 보세요.", "세" * 161, 11, "'body' is 161 characters long; 160 is the most"),
        ("      title:", "      subject: 세일\n      title:", 10, "unknown key 'subject' of a variant of 'push'"),
        ("      body: 만나 보세요.\n", "", 9, "a variant of 'push' needs 'body'"),
        ("만나 보세요.", "만나 보세요.\n      items: nwe", 12, "unknown kind of items 'nwe'; did you mean 'new'?"),
        ("만나 보세요.", "만나 보세요.\n      weight: 0", 9, "one variant of 'push' must have a weight above 0"),
        ("만나 보세요.", "만나 보세요.\n    - {id: first, title: a, body: b}", 12, "'id' 'first' is taken"),
        ("    - id: first", "    - id: 첫째", 9, "'id' must be lower-case letters, digits and _"),
        ("  push:\n", "  sms:\n", 8, "unknown key 'sms' of 'channels'; known are email, push"),
        ("만나 보세요.\n", "만나 보세요.\nsteps: []\n", 12, "'steps' must be a list"),
        ("만나 보세요.\n", "만나 보세요.\nsteps:\n  - {after: 3 days}\n", 13, "'step' needs 'channels'"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD
    ((found_line, found),) = problems(GOOD.replace(old, new, 1))
    assert reason in found
    assert found_line == line


def test_a_coupon_can_only_be_spoken_of_where_there_is_one() -> None:
    text = GOOD.replace("coupon: {name: 쿠폰, benefit: 10% 할인}\n", "").replace(
        "만나 보세요.", '"{{ coupon.benefit }}"'
    )
    assert problems(text) == [(10, "'body' speaks of 'coupon', but there is no 'coupon' in the campaign")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("만나 보세요.", '"{% if coupon.code %}{{ coupon.code }}{% endif %}만나 보세요."'),
        ("만나 보세요.", '만나 보세요.\n      link: "{{ shop.url }}/search?q={{ last_category }}"'),
        ("만나 보세요.", "만나 보세요.\n      link: http://127.0.0.1/세일"),
    ],
)
def test_what_can_be_shown_to_somebody_is_in_order(old: str, new: str) -> None:
    assert load(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("valid", "text", "offered"),
    [
        ("5 days", "{{ coupon.benefit }} 쿠폰", True),
        ("6 days", "{{ coupon.benefit }} 쿠폰", False),
        ("5 days", "다시 만나 보세요.", False),
    ],
)
def test_no_later_message_offers_a_coupon_that_is_over(valid: str, text: str, offered: bool) -> None:
    later = "steps:\n" + "".join(
        f'  - {{after: {after}, channels: {{push: [{{id: a, title: 다시, body: "{body}"}}]}}}}\n'
        for after, body in (("2 days", "다시 만나 보세요."), ("3 days", text))
    )
    campaign = GOOD.replace("10% 할인}", f"10% 할인, valid: {valid}}}") + later
    if offered:
        over = "'valid' is over when message 3 offers the coupon, 5 days after the first"
        assert problems(campaign) == [(6, over)]
        return
    assert load(campaign).coupon == Coupon("쿠폰", "10% 할인", None, int(valid[0]))


def test_an_email_offers_the_coupon_whatever_it_says() -> None:
    later = "steps:\n  - {after: 3 days, channels: {email: [{id: a, subject: 다시, body: 다시}]}}\n"
    ((line, reason),) = problems(GOOD.replace("10% 할인}", "10% 할인, valid: 3 days}") + later)
    assert (line, "'valid' is over when message 2 offers" in reason) == (6, True)


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("at_risk", "at_rsk").replace("tue", "tu").replace("[고객명]", "[이름]")
    assert [line for line, _ in problems(text)] == [3, 5, 10]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"- a\n", "must be a mapping"),
        (b"", "must be a mapping"),
        (b"id: [", "is not valid YAML"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"id: \x07", "is not valid YAML"),
        (b"[" * 5000, "is nested too deep"),
        (b"#" * 300_000, "is larger than 262,144 bytes"),
    ],
)
def test_a_file_that_is_no_campaign_at_all_is_refused(text: bytes, reason: str) -> None:
    ((_, found),) = problems(text)
    assert reason in found


def test_a_message_of_a_later_step_is_due_and_stale_later_and_not_too_soon() -> None:
    campaign, run_at = load(EVERYTHING), datetime(2026, 12, 1, 10, tzinfo=UTC)
    first, second = campaign.message(0, "email", run_at), campaign.message(1, "push", run_at)
    assert first == Message(
        *("sale", "email", run_at + timedelta(days=2)),
        holdout=0.25,
        again_after=timedelta(days=90),
        cap_exempt=True,
        goods=frozenset({"코트", "가방"}),
    )
    assert campaign.due_at(1, run_at) == run_at + timedelta(days=3)
    assert (second.expires_at, second.again_after) == (run_at + timedelta(days=5), None)


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_is_refused_or_a_campaign_and_nothing_else(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([GOOD, EVERYTHING]))
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 8))
        piece = data.draw(
            st.sampled_from(["", ":", "- ", "{", "]", "&a ", "*a", "\n", "? ", "{{", "%}", "null", "9", "광고"])
        )
        text = text[:at] + piece + text[at + length :]
    with suppress(InvalidConfiguration):
        assert load(text).id == "sale"


# ---- the schema ------------------------------------------------------------------------------------------

SHIPPED = sorted((CONFIG / "campaigns").glob("*.yaml"))


def schema_of(*path: str) -> dict[str, Any]:
    schema = schemas.validator("campaign").schema
    assert isinstance(schema, dict)
    for step in path:
        schema = schema[step]
    return schema


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_campaigns_are_in_order_and_as_the_schema_says(path: Any) -> None:
    text = path.read_bytes()
    assert load_campaign(text, str(path), known()).id == path.stem
    assert schemas.problems("campaign", [yaml.safe_load(text)]) == []


@pytest.mark.parametrize(
    ("path", "keys", "required"),
    [
        ((), loading.KEYS["campaign"], loading.REQUIRED["campaign"]),
        (("properties", "name"), loading.KEYS["name"], loading.REQUIRED["name"]),
        (("properties", "goal"), loading.KEYS["goal"], loading.REQUIRED["goal"]),
        (("properties", "coupon"), loading.KEYS["coupon"], loading.REQUIRED["coupon"]),
        (("properties", "winner"), loading.KEYS["winner"], loading.REQUIRED["winner"]),
        (("properties", "steps", "items"), loading.KEYS["step"], loading.REQUIRED["step"]),
        (("properties", "schedule"), planning.KEYS, ()),
        (("$defs", "channels"), loading.KEYS["channels"], ()),
        (("$defs", "email"), writing.KEYS["email"], writing.REQUIRED["email"]),
        (("$defs", "push"), writing.KEYS["push"], writing.REQUIRED["push"]),
        (("$defs", "button"), writing.KEYS["button"], writing.REQUIRED["button"]),
    ],
)
def test_schema_and_loader_know_the_same_keys(path: tuple[str, ...], keys: tuple[str, ...], required: Any) -> None:
    schema = schema_of(*path)
    assert set(schema["properties"]) == set(keys)
    assert set(schema.get("required", ())) == set(required)
    assert schema["additionalProperties"] is False


def test_what_the_schema_refuses_the_loader_refuses() -> None:
    assert schemas.problems("campaign", [yaml.safe_load(EVERYTHING)]) == []
    refused = 0
    for changed in schemas.crooked(yaml.safe_load(EVERYTHING)):
        if schemas.problems("campaign", [deepcopy(changed)]):
            refused += 1
            problems(json.dumps(changed))
    assert refused > 100


# ---- settings --------------------------------------------------------------------------------------------

SETTINGS = """\
country: KR
sender: {name: 단골, email: a@b.kr, phone: "02", address: 서울, url: https://b.kr}
caps:
  email: {messages: 2, within: 16 hours}
global_holdout: 0.05
"""


def test_the_settings_say_who_writes_and_how_often() -> None:
    found = load_settings(SETTINGS.encode(), "messaging.yaml")
    assert found.caps == {"email": Cap(2, timedelta(hours=16))}
    assert found.global_holdout == 0.05
    assert found.sender.app_opt_out == "앱 > 설정 > 알림"
    assert found.unfinished == ()
    assert found.send_rules("Asia/Seoul").law.label == "(광고)"


def test_the_shipped_settings_wait_for_the_shops_own_data() -> None:
    assert default_settings().unfinished == ("email", "phone", "address", "url")
    assert isinstance(default_settings(), Settings)


def test_a_purchase_is_put_down_to_a_message_for_as_long_as_the_shop_says() -> None:
    assert load_settings(SETTINGS.encode(), "").attribution == {"email": timedelta(days=5), "push": timedelta(hours=24)}
    found = load_settings(f"{SETTINGS}\nattribution: {{email: 3 days}}".encode(), "messaging.yaml")
    assert found.attribution == {"email": timedelta(days=3), "push": timedelta(hours=24)}


@pytest.mark.parametrize(
    ("line", "sends", "since"),
    [
        ("", True, None),
        ("notices: on", True, None),
        ("notices: off", False, None),
        ("notices: {since: 2026-12-01}", True, date(2026, 12, 1)),
    ],
)
def test_the_notices_of_the_law_are_sent_unless_they_are_switched_off(
    line: str, sends: bool, since: date | None
) -> None:
    found = load_settings(f"{SETTINGS}\n{line}".encode(), "messaging.yaml")
    assert (found.sends_notices, found.notices_since) == (sends, since)
    assert found.send_rules("Asia/Seoul").notices_since == since
    assert not replace(found, country="US").sends_notices
    assert not default_settings().sends_notices


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("KR", "Korea", 1, "'country' must be a code of two capitals such as KR"),
        ("a@b.kr", "nobody", 2, "'email' must have '@' in it"),
        ("a@b.kr", "a@단골.한국", 2, "'email' must be an address alone, such as hello@shop.kr; a domain in 한글"),
        ("a@b.kr", "단골 <a@b.kr>", 2, "'email' must be an address alone"),
        ("a@b.kr", "a b@b.kr", 2, "'email' must be an address alone"),
        ("a@b.kr", "a..b@b.kr", 2, "'email' must be an address alone"),
        ("a@b.kr", "shop@", 2, "'email' must be an address alone"),
        ("https://b.kr", "b.kr", 2, "'url' must be an address without blanks that begins with https://"),
        ("https://b.kr", "우리 가게 https://b.kr", 2, "'url' must be an address without blanks"),
        ("https://b.kr", "http://b.kr", 2, "that begins with https://"),
        ("address: 서울, ", "", 2, "'sender' needs 'address'"),
        ("서울", "서" * 121, 2, "'address' is longer than 120 characters"),
        ("messages: 2", "messages: 0", 4, "'messages' must be a whole number from 1 to 1000"),
        ("  email:", "  mail:", 4, "unknown key 'mail' of 'caps'; did you mean 'email'?"),
        ("0.05", "5%", 5, "'global_holdout', a share, must be a number from 0 to 1"),
        ("0.05", "0.05\nnotices: never", 6, "unknown setting of 'notices' 'never'"),
        ("0.05", "0.05\nnotices: {since: soon}", 6, "'since' must be a date such as 2026-12-01"),
        ("0.05", "0.05\nnotices: {}", 6, "'notices' needs 'since'"),
        ("0.05", "0.05\nattribution: {email: 2 years}", 6, "'email' must be"),
        ("0.05", "0.05\nattribution: {mail: 2 days}", 6, "unknown key 'mail' of 'attribution'"),
    ],
)
def test_a_mistake_in_the_settings_is_told(old: str, new: str, line: int, reason: str) -> None:
    with pytest.raises(InvalidConfiguration) as error:
        load_settings(SETTINGS.replace(old, new, 1).encode(), "messaging.yaml")
    (problem,) = error.value.problems
    assert (problem.line, reason in problem.reason) == (line, True)


@pytest.mark.parametrize(("hours", "words"), [(1, "1 hour"), (36, "36 hours"), (48, "2 days"), (336, "2 weeks")])
def test_durations_are_told_as_they_are_written(hours: int, words: str) -> None:
    assert in_words(timedelta(hours=hours)) == words


def test_senders_import_neither_pandas_nor_duckdb() -> None:
    code = (
        "import sys; import dangol.campaigns.loading, dangol.campaigns.settings, dangol.campaigns.wording; "
        "import dangol.campaigns.links, dangol.campaigns.notices, dangol.channels.email, dangol.channels.push; "
        "print([name for name in ('pandas', 'duckdb', 'numpy', 'boto3') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_schedule_must_fire_after_the_moment_it_is_loaded() -> None:
    once = GOOD.replace('every: week, days: [tue], at: "11:00"', 'once: "2026-12-01 10:00"').encode()
    assert load_campaign(once, FILE, known()).schedule.once is not None
    with pytest.raises(InvalidConfiguration, match="time is past"):
        load_campaign(once, FILE, known(datetime(2026, 12, 2, tzinfo=UTC)))
