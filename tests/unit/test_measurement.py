"""The statistics of a comparison, by published numbers and by exact coverage; and what is said of it."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product
from math import comb
from typing import Any

import pytest
from dangol.campaigns.decision import Reason
from dangol.measurement.beta import beta_cdf, beta_quantile
from dangol.measurement.intervals import (
    Amounts,
    Group,
    difference_of_amounts,
    difference_of_shares,
    jeffreys,
    people_needed,
)
from dangol.measurement.lift import Verdict, compare
from dangol.measurement.results import ArmResult, lift_as_dict, lift_of
from dangol.measurement.words import ENGLISH, KOREAN, arms_text, goal_text, lift_text, revenue_text
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.coverage import BASES, EFFECTS, SIZES, exact_coverage

NOTHING = Amounts(0, 0, 0.0, 0.0)


def test_the_beta_distribution_is_the_binomial_one_seen_from_the_other_side() -> None:
    """P(Beta(k, n − k + 1) ≤ p) = P(Binomial(n, p) ≥ k)."""
    for k, p in ((1, 0.05), (3, 0.2), (17, 0.9)):
        binomial = sum(comb(20, i) * p**i * (1 - p) ** (20 - i) for i in range(k, 21))
        assert beta_cdf(p, k, 20 - k + 1) == pytest.approx(binomial, rel=1e-12)
    assert beta_quantile(0.5, 2, 2) == pytest.approx(0.5)
    assert beta_quantile(0.975, 0.5, 0.5) == pytest.approx(0.998458666866564)  # sin²(π/2 × 0.975)


@pytest.mark.parametrize(
    ("reached", "people", "low", "high"),
    [
        # Brown, Cai, DasGupta (2001), table 5, n = 7; and R, RSurveillance::binom.jeffreys
        (0, 7, 0, 0.292),
        (1, 7, 0.016, 0.501),
        (2, 7, 0.065, 0.648),
        (10, 200, 0.02599340, 0.08687509),
        (25, 200, 0.08462743, 0.17612597),
    ],
)
def test_a_share_has_the_interval_that_is_published(reached: int, people: int, low: float, high: float) -> None:
    assert jeffreys(Group(people, reached)) == pytest.approx((low, high), abs=6e-4 if people == 7 else 1e-8)


def test_a_difference_reaches_as_far_as_the_two_shares_squared_and_added() -> None:
    treated, holdout = Group(56, 5), Group(29, 0)
    low, high = jeffreys(treated)
    found = difference_of_shares(treated, holdout)
    assert found.difference == 5 / 56
    assert found.high == pytest.approx(high)  # nobody in the holdout: its lower end is where it is
    assert found.low == pytest.approx(5 / 56 - ((5 / 56 - low) ** 2 + jeffreys(holdout)[1] ** 2) ** 0.5)
    assert found.low < 0 < found.high


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_a_difference_lies_in_its_interval_and_turns_over_with_the_groups(n1: int, n2: int, data: Any) -> None:
    one, other = (Group(n, data.draw(st.integers(0, n))) for n in (n1, n2))
    there, back = difference_of_shares(one, other), difference_of_shares(other, one)
    assert -1 <= there.low <= there.difference <= there.high <= 1
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


@pytest.mark.parametrize(("smaller", "base", "effect"), list(product(SIZES, BASES, EFFECTS)))
def test_the_interval_holds_the_truth_in_94_to_97_of_100_campaigns_with_a_holdout_of_15_percent(
    smaller: int, base: float, effect: float
) -> None:
    assert 0.94 <= exact_coverage(round(smaller * 0.85 / 0.15), smaller, base, effect) <= 0.97


@pytest.mark.parametrize(
    ("treated", "holdout", "needed"),
    [((0.10, 0.20), 0.5, 398), ((0.05, 0.06), 0.5, 16_316)],  # 199 and 8,158 a group: tables of Fleiss and others
)
def test_the_number_of_people_needed_is_that_of_the_textbook(
    treated: tuple[float, float], holdout: float, needed: int
) -> None:
    assert people_needed(*treated, holdout) == needed


def test_a_smaller_holdout_takes_more_people() -> None:
    assert people_needed(0.05, 0.06, 0.15) == 32_728


def test_what_people_spent_is_compared_once_enough_of_both_groups_bought() -> None:
    # ten buyers of 100 each: of 10 and of 5
    treated, holdout = Amounts(20, 10, 100.0, 1000.0), Amounts(50, 10, 50.0, 250.0)
    found = difference_of_amounts(treated, holdout)
    # variances 500/19 and 200/49; by 20 and 50 people 1.31579 and 0.08163; the root 1.18212 times 1.95996
    assert found is not None
    assert asdict(found) == pytest.approx({"difference": 4.0, "low": 4 - 2.31690, "high": 4 + 2.31690}, abs=1e-4)
    assert difference_of_amounts(treated, Amounts(50, 9, 45.0, 225.0)) is None


@pytest.mark.parametrize(
    ("treated", "holdout", "verdict"),
    [
        ((1000, 150), (1000, 100), Verdict.LIFT),
        ((1000, 100), (1000, 150), Verdict.HARM),
        ((850, 34), (150, 3), Verdict.TOO_SMALL),
        ((50, 0), (50, 0), Verdict.TOO_SMALL),
        ((200_000, 20_000), (200_000, 20_000), Verdict.NO_LIFT_SEEN),
        ((100, 10), (0, 0), Verdict.NO_HOLDOUT),
        ((0, 0), (10, 1), Verdict.NO_HOLDOUT),
    ],
)
def test_a_comparison_says_no_more_than_its_interval(
    treated: tuple[int, int], holdout: tuple[int, int], verdict: Verdict
) -> None:
    found = compare(Group(*treated), Group(*holdout), (NOTHING, NOTHING))
    assert found.verdict is verdict
    assert (found.needed is not None) is (verdict is Verdict.TOO_SMALL)


def row(treated: ArmResult, holdout: ArmResult, **goal: Any) -> dict[str, Any]:
    arms = {"treated": asdict(treated), "holdout": asdict(holdout)}
    return {
        "goal": {"reach": "purchase", "within_days": 21} | goal,
        "arms": arms,
        "lift": lift_as_dict(lift_of(treated, holdout)),
    }


def test_a_lift_is_told_with_its_interval_and_in_people() -> None:
    found = row(ArmResult(850, 170, 170, 200, 1.7e6, 1e10), ArmResult(150, 15, 15, 15, 150_000.0, 2e9))
    assert lift_text(found, ENGLISH) == (
        "lift: +10.0 points (95 %: +3.9 to +14.9); +85 people of those addressed (+33 to +127)"
    )
    assert lift_text(found, KOREAN).startswith("효과 있음: +10.0%p (95% 구간 +3.9 ~ +14.9)")
    assert arms_text(found, ENGLISH) == "170 of 850 (20.0%); 15 of 150 in the holdout (10.0%)"
    assert goal_text(found, KOREAN) == "21일 안에 구매"
    told = revenue_text(found, ENGLISH, "KRW")
    assert told is not None
    assert told.startswith("+1,000 KRW a person (95 %: ")


def test_what_is_too_small_is_told_with_how_many_it_takes() -> None:
    found = row(ArmResult(850, 34), ArmResult(150, 3), segment="vip_loyal")
    assert lift_text(found, ENGLISH) == (
        "too small to tell: +2.0 points (95 %: -1.4 to +4.1); about 44,000 people would tell a lift of 20%"
    )
    assert revenue_text(found, ENGLISH, "KRW") is None
    assert goal_text(found, ENGLISH) == "to be in vip_loyal within 21 days"


def test_without_a_holdout_no_difference_is_told() -> None:
    found = row(ArmResult(100, 10), ArmResult())
    assert (lift_text(found, ENGLISH), arms_text(found, ENGLISH)) == ("no holdout", "10 of 100 (10.0%)")
    assert lift_text(found, KOREAN) == "비교할 홀드아웃 없음"


def test_results_of_runs_add_up() -> None:
    assert ArmResult(1, 1, 1, 2, 3.0, 9.0) + ArmResult(2, 0, 1, 1, 4.0, 16.0) == ArmResult(3, 1, 2, 3, 7.0, 25.0)


def test_every_reason_has_a_word_in_each_language() -> None:
    assert set(KOREAN.reasons) == set(ENGLISH.reasons) == set(Reason)
    assert len(set(KOREAN.reasons.values())) == len(Reason)
