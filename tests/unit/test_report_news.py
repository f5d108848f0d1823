"""What a report says has changed, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from dangol.reports.flows import Flow
from dangol.reports.news import Before, news, records_of
from dangol.reports.quality import Quality, quality_of
from dangol.reports.summary import SegmentLine, Summary
from dangol.reports.voice import Voice
from dangol.reports.words import WORDS

TODAY, YESTERDAY = date(2026, 11, 22), date(2026, 11, 21)
KO = Voice("ko", "KRW", {"vip": "VIP 충성 고객", "cool": "멀어진 회원들", "unclassified": "미분류"})
EN = Voice("en", "KRW", {"vip": "VIP Loyal", "cool": "Cool", "unclassified": "Unclassified"})
FINE = Quality((), newest_order=TODAY)
BEFORE = Before(YESTERDAY, 10, 20, 1_000_000.0, "v1", {"vip": (5, date(2026, 11, 1))})


def summary(customers: int = 10, orders: int = 20, revenue: float = 1_000_000.0, vip: int = 5) -> Summary:
    lines = [SegmentLine("vip", "VIP", vip, 0.5, 0.5, 1, 1, 1), SegmentLine("unclassified", "", 5, 0.5, 0.5, 1, 1, 1)]
    return Summary(TODAY, customers, revenue, lines, [], [], orders)


def told(
    voice: Voice, found: Summary, moves: Flow | None = None, quality: Quality = FINE, before: Before | None = BEFORE
) -> list[str]:
    return [voice.tell(sentence) for sentence in news(found, "v1", before, moves, quality)]


def test_totals_that_grew_are_told_with_their_numbers() -> None:
    found = summary(customers=1_212, orders=25, revenue=123_456_789.0)
    assert told(KO, found) == [
        "2026년 11월 21일보다 고객이 1,202명 늘어 1,212명입니다.",
        "확정 주문이 5건, 매출이 1.2억 원 늘었습니다.",
    ]
    assert told(EN, found) == [
        "Customers: 1,212, 1,202 more than on 21 Nov 2026.",
        "Counted orders: 5 more; revenue: 122M KRW more.",
    ]


def test_a_drop_of_counted_orders_is_to_be_looked_into_and_comes_first() -> None:
    found = news(summary(customers=9, orders=17, revenue=800_000.0), "v1", BEFORE, None, FINE)
    assert [(one.key, one.warning) for one in found] == [("orders_fewer", True), ("customers_fewer", False)]
    assert KO.tell(found[0]).startswith("확정 주문이 3건 줄었습니다 (매출 차이 20만 원).")


def test_refunds_that_outweigh_new_orders_are_no_growth() -> None:
    assert "확정 주문은 1건 늘었지만 환불로 매출은 10만 원 줄었습니다." in told(
        KO, summary(orders=21, revenue=900_000.0)
    )


def test_a_quiet_day_is_told_as_one() -> None:
    flow = Flow("last", YESTERDAY, {("vip", "vip"): 5, (None, "unclassified"): 1})
    assert told(KO, summary(), flow) == [
        "고객은 2026년 11월 21일과 같은 10명입니다.",
        "새로 확정된 주문이 없습니다.",
        "세그먼트를 옮긴 고객이 없습니다.",
    ]


def test_the_three_largest_moves_are_named_with_the_right_particles() -> None:
    cells = {
        ("vip", "cool"): 3,
        ("cool", "unclassified"): 7,
        ("unclassified", "vip"): 1,
        ("unclassified", "cool"): 2,
        ("vip", "vip"): 90,
        (None, "vip"): 50,
    }
    flow = Flow("last", YESTERDAY, cells)
    assert told(KO, summary(), flow)[2:] == [
        "고객 13명이 세그먼트를 옮겼습니다.",
        "멀어진 회원들에서 미분류로 7명",
        "VIP 충성 고객에서 멀어진 회원들로 3명",
        "미분류에서 멀어진 회원들로 2명",
    ]
    assert told(EN, summary(), flow)[3] == "Cool to Unclassified: 7"


def test_moves_that_are_not_known_are_not_told() -> None:
    assert len(told(KO, summary(), Flow("last", YESTERDAY, None))) == 2


def test_a_record_is_told_once_and_kept_for_the_next_report() -> None:
    record = "VIP 충성 고객이 6명으로 지금까지 가장 많습니다 (이전 기록 2026년 11월 1일 5명)."
    assert record in told(KO, summary(vip=6))
    assert record not in told(KO, summary(vip=5))
    kept = records_of(summary(vip=6), BEFORE)
    assert kept["vip"] == (6, TODAY)
    assert records_of(summary(vip=4), replace(BEFORE, records=kept))["vip"] == (6, TODAY)
    assert not any("가장" in text for text in told(KO, summary(vip=6), before=replace(BEFORE, records=kept)))


def test_neither_the_unclassified_nor_a_handful_of_people_make_a_record() -> None:
    few = replace(BEFORE, records={"vip": (1, YESTERDAY), "unclassified": (1, YESTERDAY)})
    assert not any("가장" in text for text in told(KO, summary(vip=4), before=few))


def test_other_rules_are_told() -> None:
    assert news(summary(), "v2", BEFORE, None, FINE)[-1].key == "policy_changed"


def test_the_first_report_has_nothing_to_compare_with() -> None:
    assert [one.key for one in news(summary(), "v1", None, None, FINE)] == ["first_report"]


@pytest.mark.parametrize(("newest", "stale"), [(date(2026, 11, 20), False), (date(2026, 11, 19), True), (None, False)])
def test_orders_that_stopped_coming_are_to_be_looked_into(newest: date | None, stale: bool) -> None:
    found = news(summary(), "v1", BEFORE, None, Quality((), newest_order=newest))
    assert ("stale" in [one.key for one in found if one.warning]) == stale


@pytest.mark.parametrize(("rejected", "warning"), [(1, False), (2, True)])
def test_more_than_a_hundredth_of_rejected_rows_is_to_be_looked_into(rejected: int, warning: bool) -> None:
    receipt = {"rows_read": 100, "rows_accepted": 100 - rejected, "rows_superseded": 0, "rows_rejected": rejected}
    found = news(summary(), "v1", BEFORE, None, quality_of([("orders", receipt)], TODAY))
    assert [one.warning for one in found if one.key == "rows_rejected"] == [warning]


# ---- numbers and words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "korean", "english"),
    [
        (0, "0 원", "0 KRW"),
        (9_999, "9,999 원", "10K KRW"),
        (10_000, "1만 원", "10K KRW"),
        (1_234_567, "123만 원", "1.2M KRW"),
        (123_456_789, "1.2억 원", "123M KRW"),
        (16_800_000_000, "168억 원", "16.8B KRW"),
        (None, "—", "—"),
    ],
)
def test_money_is_short_and_in_the_units_of_the_language(value: float | None, korean: str, english: str) -> None:
    assert (KO.money(value), EN.money(value)) == (korean, english)


def test_money_of_another_currency_has_no_korean_units() -> None:
    assert Voice("ko", "USD", {}).money(12_345_678) == "12.3M USD"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.0%"), (0.0004, "<0.1%"), (0.123, "12.3%"), (1, "100.0%"), (None, "—")]
)
def test_little_is_told_apart_from_nothing(value: float | None, text: str) -> None:
    assert KO.share(value) == text


def test_every_sentence_fills_in_the_same_in_both_languages() -> None:
    fields = {
        key: [{part.split("}")[0] for part in text.split("{")[1:]} for text in texts] for key, texts in WORDS.items()
    }
    assert [key for key, (korean, english) in fields.items() if korean != english] == []
