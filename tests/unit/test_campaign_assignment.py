"""Holdouts and variants: uniform, independent, and the same for ever."""

import subprocess
import sys
from collections import Counter

import pytest
from dangol.campaigns.assignment import in_global_holdout, in_holdout, preference, share_of
from hypothesis import given
from hypothesis import strategies as st

PEOPLE = [f"customer-{n}" for n in range(20_000)]


def test_a_share_is_the_same_in_every_process() -> None:
    code = "from dangol.campaigns.assignment import share_of; print(share_of('c1', 'holdout:welcome'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(other) == share_of("c1", "holdout:welcome") == 0.8520060152677763


@given(st.text(), st.text())
def test_a_share_is_in_the_unit_interval(person: str, salt: str) -> None:
    assert 0 <= share_of(person, salt) < 1


def test_shares_are_uniform() -> None:
    """Chi-square over 20 cells: below 43.8 in 999 of 1,000 uniform samples; this one never changes."""
    cells = Counter(int(share_of(person, "x") * 20) for person in PEOPLE)
    expected = len(PEOPLE) / 20
    assert sum((cells[cell] - expected) ** 2 / expected for cell in range(20)) < 43.8


def test_campaigns_are_independent_of_each_other_and_of_the_global_holdout() -> None:
    """Chi-square of the table of two halves: below 10.8 in 999 of 1,000 independent samples."""
    salts = ["holdout", "holdout:a", "holdout:b", "variant:a:0:push"]
    for first in salts:
        for second in salts:
            if first < second:
                table = Counter((share_of(p, first) < 0.5, share_of(p, second) < 0.5) for p in PEOPLE)
                assert sum((n - 5000) ** 2 / 5000 for n in table.values()) < 10.8


def test_a_holdout_has_its_share_and_grows_without_letting_anybody_go() -> None:
    tenth = {person for person in PEOPLE if in_holdout(person, "a", 0.1)}
    fifth = {person for person in PEOPLE if in_holdout(person, "a", 0.2)}
    assert 0.095 < len(tenth) / len(PEOPLE) < 0.105
    assert tenth < fifth
    assert not any(in_holdout(person, "a", 0) for person in PEOPLE[:100])
    assert all(in_global_holdout(person, 1) for person in PEOPLE[:100])


def test_who_is_held_out_of_one_campaign_is_not_so_of_another() -> None:
    half = [person for person in PEOPLE if in_holdout(person, "a", 0.5)]
    for other in (in_holdout(person, "b", 0.5) for person in half), (in_global_holdout(person, 0.5) for person in half):
        assert 0.48 < sum(other) / len(half) < 0.52


def test_variants_are_assigned_by_weight() -> None:
    first = Counter(preference(person, "v", [3, 1, 0])[0] for person in PEOPLE)
    assert 0.74 < first[0] / len(PEOPLE) < 0.76
    assert first[2] == 0


def test_the_others_follow_by_weight_then_by_place() -> None:
    orders = {tuple(preference(person, "v", [1, 2, 2, 0])) for person in PEOPLE[:200]}
    assert orders == {(0, 1, 2, 3), (1, 2, 0, 3), (2, 1, 0, 3)}


@given(st.text(), st.lists(st.floats(0, 10), min_size=1, max_size=6))
def test_everybody_has_an_order_of_all_variants(person: str, weights: list[float]) -> None:
    assert sorted(preference(person, "v", weights)) == list(range(len(weights)))


@pytest.mark.parametrize("campaign", ["a", "b"])
def test_assignment_to_variants_does_not_depend_on_the_holdout(campaign: str) -> None:
    kept = [person for person in PEOPLE if not in_holdout(person, campaign, 0.5)]
    share = sum(preference(person, f"variant:{campaign}:0:email", [1, 1])[0] for person in kept) / len(kept)
    assert 0.48 < share < 0.52
