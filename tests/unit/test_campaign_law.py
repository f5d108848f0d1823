"""정보통신망법 §50 and its decree, rule by rule (docs/law.md names these tests)."""

import re
from datetime import UTC, date, datetime, time
from importlib import import_module
from pathlib import Path

import pytest
from dangol.campaigns import loading, writing
from dangol.campaigns.content import Content
from dangol.campaigns.decision import Reason
from dangol.campaigns.definition import ITEM_KINDS
from dangol.campaigns.law import (
    AD_AUDIENCES,
    KR,
    NIGHT_PUSH,
    Answer,
    Consent,
    Law,
    Notice,
    NoticeKind,
    Purchase,
    add_months,
    has_own_label,
    in_force,
    keeps_night,
    labelled,
    law_of,
    may_advertise,
    night_end,
    night_start,
    notices_due,
)
from dangol.campaigns.notices import notice_content
from dangol.campaigns.templates import NAMES
from dangol.channels import email, push

from tests.messages import OCCASION, SENDER

GIVEN = Consent(Answer.GIVEN, date(2026, 3, 1))
REFUSED = Consent(Answer.REFUSED, date(2026, 3, 1))
WITHDRAWN = Consent(Answer.WITHDRAWN, date(2026, 3, 1))
COATS = frozenset({"코트"})
BOUGHT = Purchase(date(2026, 5, 31), frozenset({"코트", "가방"}))
TODAY = date(2026, 11, 22)
US = law_of("US")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---- §50(4), decree §61(3): the label --------------------------------------------------------------------


def test_a_korean_title_begins_with_the_label_exactly_so() -> None:
    assert labelled(KR, "새 소식") == "(광고) 새 소식"
    assert labelled(US, "새 소식") == "새 소식"


@pytest.mark.parametrize(
    "title",
    [
        "(광고) 소식",
        "[광고]소식",
        "( 광 고 ) 소식",
        "소식 (광고)",
        "【광고】 소식",
        "（광고）소식",
        "《광고》 소식",
        "「광고」 소식",
    ],
)
def test_a_title_with_a_label_of_its_own_is_found(title: str) -> None:
    assert has_own_label(title)


@pytest.mark.parametrize("title", ["광고 없는 소식", "광고(廣告)", "(최고) 소식"])
def test_a_title_that_only_speaks_of_advertising_has_no_label(title: str) -> None:
    assert not has_own_label(title)


# ---- §50(1), (2), decree §61(1): consent -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "consent", "purchase", "goods", "allowed"),
    [
        (KR, GIVEN, None, frozenset(), True),
        (KR, None, None, COATS, False),
        (KR, REFUSED, None, COATS, False),
        (KR, WITHDRAWN, None, COATS, False),
        # the exception after a purchase: same kind of goods, never against a refusal
        (KR, None, BOUGHT, COATS, True),
        (KR, None, BOUGHT, frozenset({"코트", "구두"}), False),
        (KR, None, BOUGHT, frozenset(), False),
        (KR, REFUSED, BOUGHT, COATS, False),
        (KR, WITHDRAWN, BOUGHT, COATS, False),
        # elsewhere: consent and nothing else
        (US, GIVEN, None, COATS, True),
        (US, None, BOUGHT, COATS, False),
        (US, WITHDRAWN, BOUGHT, COATS, False),
    ],
)
def test_who_may_be_written_to(
    law: Law, consent: Consent | None, purchase: Purchase | None, goods: frozenset[str], allowed: bool
) -> None:
    assert may_advertise(law, consent, purchase, goods, TODAY) is allowed


@pytest.mark.parametrize(
    ("ended", "today", "allowed"),
    [
        ("2026-05-22", "2026-11-22", True),
        ("2026-05-21", "2026-11-22", False),
        ("2026-08-31", "2027-02-28", True),
        ("2026-08-31", "2027-03-01", False),
        ("2026-11-23", "2026-11-22", False),
    ],
)
def test_the_exception_lasts_six_months_after_the_sale(ended: str, today: str, allowed: bool) -> None:
    sale = Purchase(date.fromisoformat(ended), COATS)
    assert may_advertise(KR, None, sale, COATS, date.fromisoformat(today)) is allowed


def test_the_persons_own_word_is_of_the_shops_day_and_wins_unless_a_later_consent_is_told() -> None:
    """§50(2): nothing after a refusal; also not by a file that tells of a consent of the same moment."""
    at = utc("2026-11-22 15:30")  # the 23rd in Seoul
    own = Consent(Answer.WITHDRAWN, date(2026, 11, 23))
    for told_at, found in (
        ({}, own),
        ({"email": at}, own),
        ({"email": utc("2026-11-22 15:30:01")}, GIVEN),
    ):
        assert in_force({"email": GIVEN, "push": GIVEN}, told_at, {"email": at}, "Asia/Seoul") == {
            "email": found,
            "push": GIVEN,
        }


def test_months_end_where_the_month_ends() -> None:
    assert add_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)
    assert add_months(date(2024, 2, 29), 24) == date(2026, 2, 28)


# ---- §50(3), decree §61(2): the night --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "zone", "ends"),
    [
        ("2026-11-22 11:59:59", "Asia/Seoul", None),  # 20:59:59
        ("2026-11-22 12:00", "Asia/Seoul", "2026-11-22 23:00"),  # 21:00 until 08:00 of the 23rd
        ("2026-11-22 15:30", "Asia/Seoul", "2026-11-22 23:00"),  # 00:30 of the 23rd
        ("2026-11-22 22:59:59", "Asia/Seoul", "2026-11-22 23:00"),
        ("2026-11-22 23:00", "Asia/Seoul", None),  # 08:00
        ("2026-11-22 12:00", "Europe/London", None),  # noon there
        ("2026-11-22 03:00", "America/New_York", "2026-11-22 13:00"),  # 22:00 of the 21st
        ("2026-03-08 03:00", "America/New_York", "2026-03-08 12:00"),  # the clocks change in this night
    ],
)
def test_the_night_is_from_nine_to_eight_the_recipients_time(moment: str, zone: str, ends: str | None) -> None:
    assert night_end(KR, utc(moment), zone) == (ends and utc(ends))
    assert night_end(US, utc(moment), zone) is None


def test_the_day_ends_at_nine_the_recipients_time() -> None:
    assert night_start(KR, utc("2026-11-22 03:00"), "Asia/Seoul") == utc("2026-11-22 12:00")
    assert night_start(US, utc("2026-11-22 03:00"), "Asia/Seoul") is None
    assert KR.night == (time(21), time(8))


def test_the_night_is_kept_by_push_without_a_separate_consent_and_not_by_email() -> None:
    assert keeps_night(KR, "push", {"push": GIVEN})
    assert keeps_night(KR, "push", {"push": GIVEN, NIGHT_PUSH: WITHDRAWN})
    assert not keeps_night(KR, "push", {"push": GIVEN, NIGHT_PUSH: GIVEN})
    assert not keeps_night(KR, "email", {"email": GIVEN})
    assert not keeps_night(US, "push", {"push": GIVEN})


# ---- §50(7), decree §62-2: confirmation within 14 days ---------------------------------------------------


@pytest.mark.parametrize("consent", [GIVEN, REFUSED, WITHDRAWN])
def test_every_answer_is_to_be_confirmed_within_fourteen_days(consent: Consent) -> None:
    (notice,) = notices_due(KR, {"email": consent}, date(2026, 3, 2))
    assert notice == Notice(NoticeKind.ANSWERED, "email", consent, date(2026, 3, 15))


def test_an_answer_is_confirmed_once_and_a_new_one_again() -> None:
    (notice,) = notices_due(KR, {"email": GIVEN}, date(2026, 3, 2))
    told = {notice.key}
    assert notices_due(KR, {"email": GIVEN}, date(2026, 3, 3), told=told) == ()
    changed = Consent(Answer.WITHDRAWN, date(2026, 6, 1))
    (notice,) = notices_due(KR, {"email": changed}, date(2026, 6, 1), told=told)
    assert notice.due_on == date(2026, 6, 15)


@pytest.mark.parametrize(("today", "due"), [("2026-03-01", True), ("2026-03-15", True), ("2026-03-16", False)])
def test_an_answer_of_which_the_fourteen_days_are_over_is_not_confirmed_late(today: str, due: bool) -> None:
    assert bool(notices_due(KR, {"email": GIVEN}, date.fromisoformat(today))) is due


def test_an_answer_without_a_day_is_confirmed_only_since_a_day_that_the_shop_names() -> None:
    undated, today = Consent(Answer.WITHDRAWN, date(2026, 3, 1), dated=False), date(2026, 3, 2)
    assert notices_due(KR, {"push": undated}, today) == ()
    (notice,) = notices_due(KR, {"push": undated}, today, since=date(2026, 3, 1))
    assert notice.consent == undated
    for consent in (undated, WITHDRAWN):
        assert notices_due(KR, {"push": consent}, today, since=date(2026, 3, 2)) == ()


# ---- §50(8), decree §62-3: a reminder every two years ----------------------------------------------------


def test_giving_contacts_to_ad_platforms_is_no_message_and_has_no_notice() -> None:
    assert notices_due(KR, {AD_AUDIENCES: Consent(Answer.GIVEN, date(2024, 1, 1))}, TODAY) == ()


@pytest.mark.parametrize(
    ("today", "due_on"),
    [
        ("2024-03-20", None),
        ("2026-01-29", None),
        ("2026-01-30", "2026-03-01"),  # thirty days ahead
        ("2026-03-01", "2026-03-01"),
        ("2026-03-02", None),  # too late; the next one is in two years
        ("2028-01-31", "2028-03-01"),
        ("2030-03-01", "2030-03-01"),
    ],
)
def test_a_consent_is_recalled_every_two_years(today: str, due_on: str | None) -> None:
    consent = Consent(Answer.GIVEN, date(2024, 3, 1), dated=False)
    found = notices_due(KR, {"push": consent}, date.fromisoformat(today))
    assert [(notice.kind, notice.due_on.isoformat()) for notice in found] == (
        [(NoticeKind.STILL_CONSENTS, due_on)] if due_on else []
    )


def test_a_reminder_is_sent_once_and_two_years_later_again() -> None:
    consents = {"email": Consent(Answer.GIVEN, date(2024, 3, 1))}
    (first,) = notices_due(KR, consents, date(2026, 2, 1))
    assert notices_due(KR, consents, date(2026, 2, 28), told={first.key}) == ()
    (second,) = notices_due(KR, consents, date(2028, 2, 28), told={first.key})
    assert second.key != first.key


def test_a_consent_of_a_leap_day_is_recalled_at_the_end_of_february() -> None:
    consents = {"email": Consent(Answer.GIVEN, date(2024, 2, 29))}
    (notice,) = notices_due(KR, consents, date(2026, 2, 28))
    assert notice.due_on == date(2026, 2, 28)


def test_who_refused_is_not_reminded_and_elsewhere_nothing_is_due() -> None:
    old = Consent(Answer.WITHDRAWN, date(2024, 12, 1))
    assert notices_due(KR, {"email": old}, TODAY) == ()
    assert notices_due(US, {"email": Consent(Answer.GIVEN, TODAY)}, TODAY) == ()
    assert (KR.has_notices, US.has_notices) == (True, False)


def test_a_consent_to_something_else_than_messages_is_no_matter_of_notices() -> None:
    assert notices_due(KR, {"ad_audiences": GIVEN}, date(2026, 3, 2)) == ()


def test_the_most_urgent_notice_comes_first() -> None:
    consents = {
        "push": Consent(Answer.GIVEN, date(2026, 11, 20)),
        "email": Consent(Answer.WITHDRAWN, date(2026, 11, 10)),
    }
    assert [notice.subject for notice in notices_due(KR, consents, TODAY)] == ["email", "push"]


# ---- what the notices say --------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["email", "push"])
@pytest.mark.parametrize(
    ("consent", "words"),
    [(GIVEN, "수신동의"), (REFUSED, "수신거부"), (WITHDRAWN, "수신거부(동의 철회)")],
)
def test_a_confirmation_names_sender_fact_date_and_result(consent: Consent, words: str, channel: str) -> None:
    content = notice_content([Notice(NoticeKind.ANSWERED, NIGHT_PUSH, consent, TODAY)], SENDER, channel)
    assert content.title == f"[단골상점] 광고성 정보 {words} 처리 결과 안내"
    said = shown(content, channel)
    day = "2026년 3월 1일" if channel == "email" else "2026.03.01"
    for part in (
        "단골상점",
        f"야간(21시~08시) 앱 푸시 {'광고성 정보 ' if channel == 'email' else ''}{words}",
        day,
        "처리",
    ):
        assert part in said
    assert "(광고)" not in said
    if channel == "email":
        assert ("앞으로 야간(21시~08시) 앱 푸시로는 광고성 정보를 보내지 않습니다" in said) is (consent is not GIVEN)


@pytest.mark.parametrize("channel", ["email", "push"])
def test_a_reminder_names_sender_date_and_how_to_keep_or_withdraw(channel: str) -> None:
    content = notice_content([Notice(NoticeKind.STILL_CONSENTS, "email", GIVEN, TODAY)], SENDER, channel)
    said = shown(content, channel)
    if channel == "email":
        parts = ("단골상점", "이메일", "2026년 3월 1일", "계속 받으시려면", "철회", SENDER.phone, SENDER.email)
    else:
        parts = ("단골상점", "이메일", "2026.03.01", "유지:", "철회:", SENDER.app_opt_out)
    assert [part for part in parts if part not in said] == []
    assert "(광고)" not in said


@pytest.mark.parametrize("channel", ["email", "push"])
def test_one_message_tells_everything_and_a_push_loses_nothing_of_it(channel: str) -> None:
    consents = {
        "email": Consent(Answer.GIVEN, date(2024, 12, 1)),
        "push": Consent(Answer.GIVEN, date(2026, 11, 20)),
        "night_push": Consent(Answer.WITHDRAWN, date(2026, 11, 21)),
    }
    content = notice_content(notices_due(KR, consents, TODAY), SENDER, channel)
    said = shown(content, channel)
    days = ("2024년 12월 1일", "2026년 11월 20일", "2026년 11월 21일")
    short = ("2024.12.01", "2026.11.20", "2026.11.21", "(무료)")
    assert [day for day in (days if channel == "email" else short) if day not in said] == []
    assert content.title == "[단골상점] 광고성 정보 수신 의사 처리 결과 안내"


def shown(content: Content, channel: str) -> str:
    """The whole message as its reader sees it."""
    if channel == "push":
        composed = push.compose(content, OCCASION, KR, advertising=False)
        return f"{composed.title}\n{composed.text}"
    mail = email.compose(content, OCCASION, KR, False, "https://dangol.kr/u")
    return f"{mail.subject}\n{mail.text}"


# ---- docs/law.md -----------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[2]


def test_the_law_table_names_code_and_tests_that_are_there() -> None:
    page = (ROOT / "docs" / "law.md").read_text("utf-8")
    packages = {"email": "channels", "push": "channels"}
    for module, name in re.findall(r"`(law|decision|email|push|links|notices)\.(\w+)`", page):
        assert hasattr(import_module(f"dangol.{packages.get(module, 'campaigns')}.{module}"), name), f"{module}.{name}"
    tests = "".join(file.read_text("utf-8") for file in (ROOT / "tests" / "unit").glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", page)
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_the_law_page_tells_every_reason() -> None:
    page = (ROOT / "docs" / "law.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [reason.value for reason in Reason]


def test_the_guide_to_campaigns_names_every_key_kind_and_name() -> None:
    page = (ROOT / "docs" / "campaigns.md").read_text("utf-8")
    keys = {*loading.KEYS["campaign"], *loading.KEYS["step"], *writing.KEYS["email"], *writing.KEYS["push"]}
    assert [key for key in keys if f"{key}:" not in page and f"`{key}" not in page] == []
    assert all(f"| `{kind}` | {text} |" in page for kind, text in ITEM_KINDS.items())
    for name, fields in NAMES.items():
        assert all(f"{{{{ {name}.{field} }}}}" in page for field in fields) or not fields
        assert f"{{{{ {name}" in page
