"""Signed links do what they say, for whom they say, until when they say, and nothing else."""

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
from dangol.campaigns.links import Action, BadLink, ExpiredLink, Link, sign, verify
from hypothesis import given
from hypothesis import strategies as st

KEY, OLD = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
ACCEPT = Link(Action.ACCEPT, "c1", "style_talk", NOW + timedelta(days=7))


@given(
    st.sampled_from(list(Action)),
    st.text(max_size=60),
    st.text(max_size=60),
    st.none() | st.integers(1, 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
def test_a_link_says_what_was_signed(action: Action, person: str, about: str, expires_at: datetime | None) -> None:
    link = Link(action, person, about, expires_at)
    token = sign(link, KEY)
    assert verify(token, action, [KEY], NOW) == link
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert token.isascii()


def test_a_link_is_good_until_its_time_and_one_without_for_ever() -> None:
    token = sign(ACCEPT, KEY)
    assert verify(token, Action.ACCEPT, [KEY], NOW + timedelta(days=7, seconds=-1)) == ACCEPT
    with pytest.raises(ExpiredLink, match="newest message"):
        verify(token, Action.ACCEPT, [KEY], NOW + timedelta(days=7))
    unsubscribe = Link(Action.UNSUBSCRIBE, "c1", "email")
    assert verify(sign(unsubscribe, KEY), Action.UNSUBSCRIBE, [KEY], NOW.replace(year=2099)) == unsubscribe


def test_a_link_for_one_thing_does_no_other() -> None:
    with pytest.raises(BadLink):
        verify(sign(ACCEPT, KEY), Action.UNSUBSCRIBE, [KEY], NOW)


def test_links_signed_with_the_key_before_are_still_good() -> None:
    assert verify(sign(ACCEPT, OLD), Action.ACCEPT, [KEY, OLD], NOW) == ACCEPT
    with pytest.raises(BadLink):
        verify(sign(ACCEPT, OLD), Action.ACCEPT, [KEY], NOW)
    with pytest.raises(BadLink):
        verify(sign(ACCEPT, OLD), Action.ACCEPT, [], NOW)


def test_changing_any_character_of_a_token_makes_it_bad() -> None:
    token = sign(ACCEPT, KEY)
    for place, letter in enumerate(token):
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(BadLink):
            verify(changed, Action.ACCEPT, [KEY], NOW)
        with pytest.raises(BadLink):
            verify(token[:place], Action.ACCEPT, [KEY], NOW)
    for letter in set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") - {token[-1]}:
        with pytest.raises(BadLink):
            verify(token[:-1] + letter, Action.ACCEPT, [KEY], NOW)


@given(st.text(max_size=200))
def test_anything_else_is_bad(token: str) -> None:
    with pytest.raises(BadLink):
        verify(token, Action.ACCEPT, [KEY], NOW)


def test_a_token_too_long_to_be_one_of_ours_is_not_even_looked_at() -> None:
    endless = sign(Link(Action.ACCEPT, "c1", "x" * 3000), KEY)
    with pytest.raises(BadLink):
        verify(endless, Action.ACCEPT, [KEY], NOW)


def test_a_link_holds_the_customer_id_and_nothing_personal() -> None:
    payload = sign(ACCEPT, KEY).split(".")[0]
    assert urlsafe_b64decode(payload + "==") == b'["accept","c1","style_talk",1795921200]'


def test_links_of_mails_sent_long_ago_are_still_good() -> None:
    """The opt-out of a mail works for ever, so what a token looks like can only be added to."""
    token = sign(Link(Action.UNSUBSCRIBE, "c1", "email hello-20261124T0300Z"), b"k" * 32)
    assert token == (
        "WyJ1bnN1YnNjcmliZSIsImMxIiwiZW1haWwgaGVsbG8tMjAyNjExMjRUMDMwMFoiLDBd"
        ".ZSAXLYbHveILHiTelUqHBM9UlmGUdZelBB3iac2b7DM"
    )


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        sign(ACCEPT, b"secret")
