"""The gate: one conditional write decides, claims and counts, whoever else writes at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from dangol.campaigns.caps import Cap
from dangol.campaigns.decision import Deferred, Skipped
from dangol.campaigns.gate import REMEMBERED, Ask, Gate, Held, Passed, Profile, ProfileChanged
from dangol.shop import Shop
from hypothesis import given
from hypothesis import strategies as st

from tests.senders import NOON, FakeProfiles, hello, profile_row, settings

FIVE = Cap(5, timedelta(days=1))
Answer = Passed[str] | Held | Deferred | Skipped


def gate_of(book: FakeProfiles, cap: Cap | None = FIVE) -> Gate:
    return Gate(book, settings(cap).send_rules(Shop().time_zone))


def ask_of(campaign: str, channel: str = "email", more: str = "") -> Ask:
    return Ask(f"{campaign}-1", 0, hello(campaign, more=more).message(0, channel, NOON))


def said(profile: Profile) -> str:
    return f"hello {profile.name}"


def book_of(person: str = "c1") -> FakeProfiles:
    book = FakeProfiles()
    book.rows[person] = profile_row(person)
    return book


def test_ten_campaigns_at_once_against_a_cap_of_five_send_exactly_five() -> None:
    for _ in range(20):
        book = book_of()
        answers = at_once(book, [(ask_of(f"campaign_{n}"), "call") for n in range(10)])
        assert sum(isinstance(answer, Passed) for answer in answers) == 5
        assert {answer.reason for answer in answers if isinstance(answer, Skipped)} == {"frequency_cap"}
        assert len(book.rows["c1"]["sent"]["email"]) == 5


def test_the_same_message_asked_for_at_once_passes_once() -> None:
    for _ in range(20):
        ask = ask_of("hello")
        answers = at_once(book_of(), [(ask, f"call-{n}") for n in range(8)])
        (passed,) = [answer for answer in answers if isinstance(answer, Passed)]
        calls = {answer.claim.call for answer in answers if isinstance(answer, Held)}
        assert calls == {passed.profile.claims[ask.message_id].call}


def at_once(book: FakeProfiles, asks: list[tuple[Ask, str]]) -> list[Answer]:
    """What the gate answers to askers who all read the row before anybody wrote."""
    read = book.read(["c1"])["c1"]

    def ask_it(asked: tuple[Ask, str]) -> Answer:
        return gate_of(book).ask(asked[0], read, asked[1], NOON, said)

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask_it, asks))


class Steps:
    """A book to which others write now and then, just before us."""

    def __init__(self, book: FakeProfiles, order: list[int]) -> None:
        self.book, self.order = book, order

    def mark(self, profile: Profile) -> Profile:
        if self.order and self.order.pop(0):
            self.book.note(profile.customer_id)
        return self.book.mark(profile)


@given(
    sends=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90)), max_size=25),
    cap=st.integers(1, 4),
    window=st.integers(1, 24),
    meddling=st.lists(st.integers(0, 1), max_size=30),
)
def test_no_window_ever_holds_more_than_the_cap(
    sends: list[tuple[int, int]], cap: int, window: int, meddling: list[int]
) -> None:
    book, moment, passed = book_of(), NOON, []
    gate = Gate(Steps(book, meddling), settings(Cap(cap, timedelta(hours=window))).send_rules("Asia/Seoul"))
    for number, (campaign, minutes) in enumerate(sends):
        moment += timedelta(minutes=minutes)
        ask = Ask(f"run-{number}", 0, hello(f"campaign_{campaign}").message(0, "email", moment))
        answer = gate.ask(ask, book.read(["c1"])["c1"], "call", moment, said)
        passed += [moment] if isinstance(answer, Passed) else []
    for start in passed:
        inside = [time for time in passed if start <= time < start + timedelta(hours=window)]
        assert len(inside) <= cap


def test_what_the_row_was_decided_on_is_what_it_is_when_it_is_claimed() -> None:
    changes: list[Callable[[FakeProfiles], None]] = [
        lambda book: book.unsubscribe("c1", "email", NOON),
        lambda book: book.retire("c1", "email", "c1@example.com"),
        lambda book: book.note("c1", consents={}),
        lambda book: book.note("c1", sent={"email": [int(NOON.timestamp())] * 5}),
        lambda book: book.remove(["c1"]),
    ]
    reasons = []
    for change in changes:
        book = book_of()
        read = book.read(["c1"])["c1"]
        change(book)
        answer = gate_of(book).ask(ask_of("hello"), read, "call", NOON, said)
        assert isinstance(answer, Skipped)
        reasons.append(answer.reason.value)
    assert reasons == ["no_consent", "suppressed", "no_consent", "frequency_cap", "no_profile"]


def test_a_claim_is_kept_as_long_as_the_message_may_come_again_and_then_forgotten() -> None:
    book = book_of()
    gate = gate_of(book, None)
    first = ask_of("first")
    gate.ask(first, book.read(["c1"])["c1"], "call", NOON, said)
    late = NOON + timedelta(hours=24) + REMEMBERED
    later = Ask("later-1", 0, hello("later").message(0, "email", late))
    assert isinstance(gate.ask(first, book.read(["c1"])["c1"], "other", late - timedelta(seconds=1), said), Held)
    gate.ask(later, book.read(["c1"])["c1"], "call", late, said)
    assert list(book.rows["c1"]["claims"]) == ["later-1#0#email"]
    assert gate.ask(first, book.read(["c1"])["c1"], "call", late, said) == Skipped("expired")


def test_a_claim_given_back_frees_its_place_under_the_cap() -> None:
    book, ask = book_of(), ask_of("hello")
    gate = gate_of(book, Cap(1, timedelta(days=2)))
    passed = gate.ask(ask, book.read(["c1"])["c1"], "call", NOON, said)
    assert isinstance(passed, Passed)
    assert isinstance(gate.ask(ask_of("other"), passed.profile, "call", NOON, said), Skipped)
    book.note("c1", name="새 이름")  # somebody writes meanwhile
    assert gate.release(ask, passed.profile, "call") is not None
    assert isinstance(gate.ask(ask_of("other"), book.read(["c1"])["c1"], "call", NOON, said), Passed)


def test_whom_nothing_of_a_run_reached_whichever_claim_was_given_back_first_was_not_reached() -> None:
    for order in ((0, 1), (1, 0)):
        book = book_of()
        gate, message = gate_of(book), hello("hello").message
        asks = [Ask("hello-1", 0, message(0, channel, NOON)) for channel in ("email", "push")]
        for second, ask in enumerate(asks):
            at = NOON + timedelta(seconds=second)
            assert isinstance(gate.ask(ask, book.read(["c1"])["c1"], ask.message.channel, at, said), Passed)
        gate.release(asks[order[0]], book.read(["c1"])["c1"], asks[order[0]].message.channel)
        assert book.read(["c1"])["c1"].reached == {"hello": ("hello-1", NOON + timedelta(seconds=order[1]))}
        gate.release(asks[order[1]], book.read(["c1"])["c1"], asks[order[1]].message.channel)
        assert book.read(["c1"])["c1"].reached == {}


def test_a_claim_given_back_twice_leaves_the_claim_of_who_was_faster() -> None:
    book, ask = book_of(), ask_of("hello")
    gate = gate_of(book)
    before = gate.ask(ask, book.read(["c1"])["c1"], "dead", NOON, said)
    assert isinstance(before, Passed)
    released = gate.release(ask, before.profile, "dead")
    assert isinstance(gate.ask(ask, released, "faster", NOON, said), Passed)
    now = gate.release(ask, before.profile, "dead")
    assert now is not None
    assert now.claims["hello-1#0#email"].call == "faster"


def test_who_got_nothing_of_a_run_is_not_too_soon_for_the_next() -> None:
    book, campaign = book_of(), hello(more="again_after: 30 days")
    gate = gate_of(book, None)

    def asked(run: str, channel: str, moment: datetime) -> tuple[Ask, Answer]:
        ask = Ask(run, 0, campaign.message(0, channel, moment))
        return ask, gate.ask(ask, book.read(["c1"])["c1"], f"{run} {channel}", moment, said)

    email, passed = asked("run-1", "email", NOON)
    assert isinstance(passed, Passed)
    push, passed = asked("run-1", "push", NOON)
    assert isinstance(passed, Passed)
    gate.release(email, book.read(["c1"])["c1"], "run-1 email")  # the push reached them
    later = NOON + timedelta(days=1)
    assert asked("run-2", "email", later)[1] == Skipped("too_soon")
    gate.release(push, book.read(["c1"])["c1"], "run-1 push")
    assert isinstance(asked("run-2", "email", later)[1], Passed)


def test_an_earlier_message_of_the_run_reached_them_even_if_a_later_one_is_given_back() -> None:
    book, more = (
        book_of(),
        "again_after: 30 days\nsteps: [{after: 2 days, channels: {email: [{id: b, subject: 나, body: 다.}]}}]",
    )
    gate, campaign = gate_of(book, None), hello(more=more)
    first = Ask("run-1", 0, campaign.message(0, "email", NOON))
    assert isinstance(gate.ask(first, book.read(["c1"])["c1"], "one", NOON, said), Passed)
    later = NOON + timedelta(days=2)  # the first claim is stale by then, and forgotten
    second = Ask("run-1", 1, campaign.message(1, "email", NOON))
    assert isinstance(gate.ask(second, book.read(["c1"])["c1"], "two", later, said), Passed)
    gate.release(second, book.read(["c1"])["c1"], "two")
    again = Ask("run-2", 0, campaign.message(0, "email", later))
    assert gate.ask(again, book.read(["c1"])["c1"], "three", later, said) == Skipped("too_soon")


def test_exempt_campaigns_neither_mind_the_cap_nor_count() -> None:
    book = book_of()
    gate = gate_of(book, Cap(1, timedelta(days=2)))
    for campaign in ("one", "two"):
        ask = ask_of(campaign, more="cap_exempt: true")
        assert isinstance(gate.ask(ask, book.read(["c1"])["c1"], "call", NOON, said), Passed)
    assert isinstance(gate.ask(ask_of("three"), book.read(["c1"])["c1"], "call", NOON, said), Passed)


def test_a_later_run_comes_too_soon_and_another_message_of_the_same_run_does_not() -> None:
    book, more = book_of(), "again_after: 30 days"
    gate = gate_of(book, None)
    campaign = hello(more=more)

    def asked(run: str, channel: str, days: int) -> Answer:
        moment = NOON + timedelta(days=days)
        ask = Ask(run, 0, campaign.message(0, channel, moment))
        return gate.ask(ask, book.read(["c1"])["c1"], "call", moment, said)

    assert isinstance(asked("run-1", "email", 0), Passed)
    assert isinstance(asked("run-1", "push", 0), Passed)
    assert asked("run-2", "email", 29) == Skipped("too_soon")
    assert isinstance(asked("run-3", "email", 30), Passed)


def test_what_cannot_be_written_is_not_claimed() -> None:
    book = book_of()
    answer = gate_of(book).ask(ask_of("hello"), book.read(["c1"])["c1"], "call", NOON, lambda profile: None)
    assert answer == Skipped("no_variant")
    assert book.rows["c1"] == profile_row("c1")


def test_a_profile_that_is_gone_says_so() -> None:
    book = book_of()
    read = book.read(["c1"])["c1"]
    book.remove(["c1"])
    with pytest.raises(ProfileChanged) as changed:
        book.mark(read)
    assert changed.value.now is None
