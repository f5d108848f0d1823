"""Every segment that the sources describe, by example: who is in it, and who is just outside."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
from dangol.segments.features import FEATURES
from dangol.segments.language.frames import columns_of
from dangol.segments.memberships import memberships
from dangol.segments.policy import default_policy, load_policy
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import alone

AS_OF = date(2026, 11, 22)
KINDS = {feature.name: feature.kind for feature in FEATURES}
POLICY = default_policy()
SEOUL = {"latitude": 37.566, "longitude": 126.978}


def segments_of(**features: Any) -> set[str]:
    """All segments of one customer; features not given are missing."""
    return alone.segments_of(POLICY, features, AS_OF)


@pytest.mark.parametrize(
    ("segment", "inside", "outside"),
    [
        ("vip_loyal", {"recency_days": 3, "orders_90d": 20, "aov_90d": 2_000_000}, {"recency_days": 4}),
        ("loyal", {"recency_days": 3, "orders_90d": 20, "aov_90d": 500_000}, {"aov_90d": 499_999}),
        ("big_spender", {"recency_days": 7, "orders_90d": 20, "aov_90d": 2_000_000}, {"orders_90d": 21}),
        (
            "new",
            {"recency_days": 5, "orders_90d": 1, "orders_lifetime": 1, "aov_90d": 500_000},
            {"orders_lifetime": 2},
        ),
        ("potential_loyal", {"recency_days": 10, "orders_90d": 5, "aov_90d": 500_000}, {"orders_90d": 6}),
        ("at_risk", {"recency_days": 60, "orders_90d": 5, "aov_90d": 500_000}, {"recency_days": 61}),
        ("vip_10_plus", {"orders_lifetime": 10}, {"orders_lifetime": 9}),
        ("one_time", {"orders_lifetime": 1}, {"orders_lifetime": 2}),
        ("never_purchased", {"orders_lifetime": 0}, {"orders_lifetime": 1}),
        ("engaged", {"days_since_engaged": 30, "days_unengaged": 30}, {"days_since_engaged": 31}),
        ("cooling", {"days_since_engaged": 31, "days_unengaged": 31}, {"days_since_engaged": 60}),
        ("semi_engaged", {"days_since_engaged": 60, "days_unengaged": 60}, {"days_since_engaged": 91}),
        ("drifting", {"days_since_engaged": 119, "days_unengaged": 119}, {"days_since_engaged": 120}),
        ("unengaged", {"days_unengaged": 120}, {"days_unengaged": 119}),
        ("not_yet_engaged", {"days_unengaged": 119}, {"days_since_engaged": 119}),
        ("near_seoul", {"latitude": 37.566, "longitude": 127.2}, {"longitude": 127.21}),
        ("female", {"gender": "female"}, {"gender": "male"}),
        ("male", {"gender": "male"}, {"gender": "other"}),
        ("female_vip", {"gender": "female", "orders_lifetime": 10}, {"orders_lifetime": 9}),
        ("win_back", {"recency_days": 61, "orders_lifetime": 5, "accepts_email": True}, {"accepts_email": False}),
        ("win_back", {"recency_days": 400, "revenue_lifetime": 1_000_000, "accepts_email": True}, {"recency_days": 60}),
        (
            "win_back",
            {"recency_days": 30, "orders_90d": 5, "aov_90d": 1, "orders_lifetime": 5, "accepts_email": True},
            {"recency_days": 29},
        ),
        ("cart_waiting", {"cart_items": 1, "cart_days": 14}, {"cart_days": 15}),
        ("cart_waiting", {"cart_items": 1, "cart_days": 1}, {"cart_days": 0}),
    ],
)
def test_each_segment_begins_and_ends_where_the_sources_say(
    segment: str, inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    """`outside` is what of `inside` is otherwise for somebody who is just not in the segment."""
    assert segment in segments_of(**inside)
    assert segment not in segments_of(**inside | outside)


def test_every_segment_has_a_korean_and_an_english_name_and_a_purpose() -> None:
    for rule in POLICY.rules:
        assert any("가" <= letter <= "힣" for letter in rule.name), rule.id
        assert rule.english.isascii(), rule.id
        assert rule.description, rule.id
    assert (POLICY.names["unclassified"], POLICY.english["unclassified"]) == ("미분류", "Unclassified")


ENGAGEMENT = {"engaged", "cooling", "semi_engaged", "drifting", "unengaged", "not_yet_engaged"}


@pytest.mark.parametrize("answered", [True, False])
def test_no_subscriber_falls_between_the_segments_of_engagement(answered: bool) -> None:
    for days in range(400):
        features = {"days_unengaged": days} | ({"days_since_engaged": days} if answered else {})
        assert len(segments_of(**features) & ENGAGEMENT) == 1, days


def test_who_never_subscribed_nor_answered_is_in_none_of_them() -> None:
    assert segments_of(orders_lifetime=3) & ENGAGEMENT == set()


def test_a_woman_who_is_vip_near_seoul_is_in_all_of_these() -> None:
    found = segments_of(gender="female", orders_lifetime=12, **SEOUL)
    assert found == {"unclassified", "female", "vip_10_plus", "female_vip", "near_seoul"}


# ---- many and one alike ---------------------------------------------------------------------------------------

VALUES = {
    "recency_days": [None, 0, 4, 45, 61],
    "orders_90d": [0, 1, 4, 25],
    "aov_90d": [None, 100.0, 700_000.0, 3e6],
    "orders_lifetime": [0, 1, 5, 30],
    "revenue_lifetime": [0.0, 2e6],
    "days_since_engaged": [None, 10, 100],
    "days_unengaged": [None, 10, 100, 130],
    "gender": [None, "female", "MALE"],
    "accepts_email": [None, True, False],
    "latitude": [None, 37.5],
    "longitude": [None, 127.0],
    "r_score": [None, 1.0, 5.0],
    "f_score": [3.0],
    "m_score": [5.0],
}
SCORED = load_policy(
    b"rfm:\n  - {id: often, where: \"orders_90d > 3 and not in_segment('one_time')\"}\n"
    b"  - {id: some, where: orders_90d > 0}\nscores: standard\nsegments:\n"
    b"  - {id: one_time, where: orders_lifetime == 1}\n"
    b"  - {id: rest, where: \"in_segment('unclassified') or in_segment('champions')\"}\n",
    "segments.yaml",
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([POLICY, SCORED]),
    st.lists(
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
        min_size=1,
        max_size=4,
    ),
)
def test_many_customers_are_where_each_alone_is(policy: Any, people: list[dict[str, Any]]) -> None:
    found = memberships(policy, columns_of(pd.DataFrame(people).astype(object), KINDS), AS_OF)
    for person, code, bits in zip(people, found.rfm, found.others, strict=True):
        others = {segment for i, segment in enumerate(policy.other_ids) if bits >> i & 1}
        assert others | {policy.rfm_ids[code]} == alone.segments_of(policy, person, AS_OF)
