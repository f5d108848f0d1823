"""Who wins of the variants of a message: the larger share of answers, where there are enough."""

from __future__ import annotations

import pytest
from dangol.campaigns.law import KR
from dangol.campaigns.preview import preview
from dangol.campaigns.winner import contested, in_test, winners, with_winners
from hypothesis import given
from hypothesis import strategies as st

from tests.messages import BUYER, OCCASION
from tests.senders import TWO_MAILS, contest, hello


def tally(a: tuple[int, int], b: tuple[int, int]) -> dict[str, int]:
    """(sent, answered) of both variants."""
    numbers = {"email a sent": a[0], "email a answered": a[1], "email b sent": b[0], "email b answered": b[1]}
    return {name: number for name, number in numbers.items() if number}


@pytest.mark.parametrize(
    ("a", "b", "won"),
    [
        ((200, 20), (200, 21), "b"),
        ((200, 21), (200, 20), "a"),
        ((100, 10), (1000, 99), "a"),  # by share, not by number
        ((200, 20), (100, 10), None),  # equally good
        ((99, 50), (200, 20), None),  # too few got it
        ((200, 9), (200, 5), None),  # too few answered
        ((200, 10), (200, 0), "a"),
        ((200, 0), (0, 0), None),
    ],
)
def test_the_variant_with_the_larger_share_of_answers_wins_if_there_are_enough(
    a: tuple[int, int], b: tuple[int, int], won: str | None
) -> None:
    assert winners(contest(), tally(a, b)) == ({"email": won} if won else {})


@given(st.tuples(*[st.integers(100, 10_000)] * 2), st.tuples(*[st.integers(0, 100)] * 2))
def test_who_wins_does_not_hang_on_the_order_of_the_variants(sent: tuple[int, int], answers: tuple[int, int]) -> None:
    (a, b), (x, y) = sent, answers
    found = winners(contest(), tally((a, x), (b, y)))
    mirrored = winners(contest(), tally((b, y), (a, x)))
    assert mirrored == {channel: {"a": "b", "b": "a"}[one] for channel, one in found.items()}


def test_clicks_are_known_of_e_mails_only_and_one_variant_is_no_contest() -> None:
    assert contested(contest()) == ("email",)
    assert contested(contest("purchases")) == ("email",)
    pushes = TWO_MAILS.replace("email", "push").replace("subject", "title")
    assert contested(hello(more="winner: {by: purchases, after: 1 day, share: 0.2}", channels=pushes)) == ("push",)


def test_the_winner_alone_has_a_weight_and_the_others_stand_in() -> None:
    made = with_winners(contest(), {"email": "b"})
    assert [(v.id, v.weight) for v in made.steps[0].variants["email"]] == [("a", 0), ("b", 1)]
    assert with_winners(contest(), {}) == contest()
    assert with_winners(contest(), {"email": "gone"}) == contest()


def test_the_share_is_tried_on_the_same_people_in_every_run() -> None:
    people = [f"c{n}" for n in range(2000)]
    tested = [person for person in people if in_test(person, contest(share=0.2))]
    assert 340 < len(tested) < 460
    assert tested == [person for person in people if in_test(person, contest(share=0.2))]


def test_the_preview_tells_of_the_contest() -> None:
    shown = preview(contest(share=0.2), BUYER, OCCASION, KR)
    line = "20% get the first message's variants by weight, the rest 4 hours later the best by clicks"
    assert line in shown.splitlines()
