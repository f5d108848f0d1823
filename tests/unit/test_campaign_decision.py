"""The decision of the send gate: consent, suppression, night, cap, holdout, each with its word (promise 8)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dangol.campaigns.assignment import in_global_holdout, in_holdout
from dangol.campaigns.caps import Cap, free_at
from dangol.campaigns.decision import (
    Allowed,
    Decision,
    Deferred,
    Message,
    Reason,
    Recipient,
    SendRules,
    Skipped,
    decide,
)
from dangol.campaigns.law import KR, NIGHT_PUSH, Answer, Consent, Purchase, law_of
from hypothesis import given
from hypothesis import strategies as st

YES, NO = Consent(Answer.GIVEN, date(2026, 1, 1)), Consent(Answer.WITHDRAWN, date(2026, 1, 1))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+09:00").astimezone(UTC)


NOON = seoul("2026-11-22 12:00")
PUSH = Message("sale", "push", NOON + DAY)
EMAIL = Message("sale", "email", NOON + DAY)
PERSON = Recipient("c1", "Asia/Seoul", frozenset({"email", "push"}), consents={"email": YES, "push": YES})
RULES = SendRules(KR, "Asia/Seoul", {"email": Cap(5, DAY), "push": Cap(1, DAY)})


def sent(channel: str, *hours_ago: float) -> Recipient:
    return replace(PERSON, sent={channel: tuple(NOON - hours * HOUR for hours in hours_ago)})


def test_by_day_with_consent_it_goes_and_must_arrive_before_the_night() -> None:
    assert decide(PUSH, PERSON, NOON, RULES) == Allowed(seoul("2026-11-22 21:00"))
    assert decide(EMAIL, PERSON, NOON, RULES) == Allowed(NOON + DAY)
    soon = replace(PUSH, expires_at=NOON + HOUR)
    assert decide(soon, PERSON, NOON, RULES) == Allowed(NOON + HOUR)


@pytest.mark.parametrize(
    ("message", "person", "reason"),
    [
        (PUSH, None, "no_profile"),
        (PUSH, replace(PERSON, addresses=frozenset({"email"})), "no_address"),
        (PUSH, replace(PERSON, suppressed=frozenset({"push"})), "suppressed"),
        (PUSH, replace(PERSON, consents={"email": YES}), "no_consent"),
        (PUSH, replace(PERSON, consents={"push": NO}), "no_consent"),
        (PUSH, replace(PERSON, reached={"sale": NOON - DAY}), None),
        (replace(PUSH, again_after=30 * DAY), replace(PERSON, reached={"sale": NOON - 29 * DAY}), "too_soon"),
        (replace(PUSH, again_after=30 * DAY), replace(PERSON, reached={"sale": NOON - 30 * DAY}), None),
        (replace(PUSH, again_after=30 * DAY), replace(PERSON, reached={"other": NOON}), None),
        (replace(PUSH, expires_at=NOON), PERSON, "expired"),
        (replace(PUSH, holdout=1.0), PERSON, "holdout"),
        (replace(PUSH, holdout=1.0), replace(PERSON, consents={}), "no_consent"),
        # a purchase stands in for a consent, for its kind of goods, six months long
        (replace(EMAIL, goods=frozenset({"코트"})), replace(PERSON, consents={}), "no_consent"),
        (
            replace(EMAIL, goods=frozenset({"코트"})),
            replace(PERSON, consents={}, purchase=Purchase(date(2026, 9, 1), frozenset({"코트"}))),
            None,
        ),
    ],
)
def test_who_may_never_get_it_is_skipped_with_the_reason(
    message: Message, person: Recipient | None, reason: str | None
) -> None:
    decision = decide(message, person, NOON, RULES)
    if reason is None:
        assert isinstance(decision, Allowed)
    else:
        assert decision == Skipped(Reason(reason))


@pytest.mark.parametrize(("moment", "allowed"), [("2026-11-22 23:59", True), ("2026-11-23 00:30", False)])
def test_the_six_months_after_a_purchase_end_with_the_day_of_the_shop(moment: str, allowed: bool) -> None:
    buyer = replace(PERSON, consents={}, purchase=Purchase(date(2026, 5, 22), frozenset({"코트"})))
    message = replace(EMAIL, goods=frozenset({"코트"}), expires_at=NOON + 3 * DAY)
    assert isinstance(decide(message, buyer, seoul(moment), RULES), Allowed) is allowed


def test_transactional_messages_need_no_consent_and_know_neither_night_cap_nor_holdout() -> None:
    """§50 is about advertising; only a campaign that declares itself transactional is exempt."""
    receipt = replace(PUSH, advertising=False, holdout=1.0, expires_at=NOON + 2 * DAY)
    refused = replace(sent("push", 1, 2), consents={"push": NO})
    night = seoul("2026-11-22 23:00")
    assert decide(receipt, refused, night, replace(RULES, global_holdout=1.0)) == Allowed(NOON + 2 * DAY)
    assert decide(receipt, replace(refused, suppressed=frozenset({"push"})), night, RULES) == Skipped(Reason.SUPPRESSED)


def test_a_push_at_night_waits_for_the_morning() -> None:
    morning = seoul("2026-11-23 08:00")
    for moment in ("2026-11-22 21:00", "2026-11-22 23:59", "2026-11-23 07:59:30"):
        assert decide(PUSH, PERSON, seoul(moment), RULES) == Deferred(morning, Reason.QUIET_HOURS)
    assert isinstance(decide(replace(PUSH, expires_at=morning + DAY), PERSON, morning, RULES), Allowed)


def test_a_push_that_could_only_arrive_at_night_waits_too() -> None:
    assert decide(PUSH, PERSON, seoul("2026-11-22 20:59"), RULES) == Deferred(
        seoul("2026-11-23 08:00"), Reason.QUIET_HOURS
    )
    assert decide(PUSH, PERSON, seoul("2026-11-22 20:58:59"), RULES) == Allowed(seoul("2026-11-22 21:00"))


def test_what_would_be_stale_in_the_morning_is_skipped() -> None:
    tonight = replace(PUSH, expires_at=seoul("2026-11-23 08:00"))
    assert decide(tonight, PERSON, seoul("2026-11-22 22:00"), RULES) == Skipped(Reason.QUIET_HOURS)


def test_email_and_push_with_night_consent_go_at_night() -> None:
    night = seoul("2026-11-22 23:00")
    assert decide(EMAIL, PERSON, night, RULES) == Allowed(EMAIL.expires_at)
    owl = replace(PERSON, consents={"push": YES, NIGHT_PUSH: YES})
    assert decide(PUSH, owl, night, RULES) == Allowed(PUSH.expires_at)


def test_the_night_is_the_recipients() -> None:
    in_london = replace(PERSON, time_zone="Europe/London")
    at_nine = datetime(2026, 11, 22, 21, tzinfo=UTC)
    assert decide(PUSH, in_london, seoul("2026-11-22 22:00"), RULES) == Allowed(at_nine)
    assert decide(PUSH, in_london, NOON, RULES) == Deferred(seoul("2026-11-22 17:00"), Reason.QUIET_HOURS)


def test_outside_korea_there_is_consent_and_no_night() -> None:
    abroad = replace(RULES, law=law_of("US"))
    night = seoul("2026-11-22 23:00")
    assert decide(PUSH, PERSON, night, abroad) == Allowed(PUSH.expires_at)
    assert decide(PUSH, replace(PERSON, consents={}), night, abroad) == Skipped(Reason.NO_CONSENT)


def test_a_full_cap_defers_to_the_minute_in_which_it_frees_a_place() -> None:
    assert decide(PUSH, sent("push", 20), NOON, RULES) == Deferred(NOON + 4 * HOUR, Reason.FREQUENCY_CAP)
    assert isinstance(decide(PUSH, sent("push", 24), NOON, RULES), Allowed)
    assert isinstance(decide(PUSH, sent("email", 1, 2, 3, 4, 5), NOON, RULES), Allowed)
    uneven = replace(PERSON, sent={"push": (NOON - 20 * HOUR + timedelta(seconds=1),)})
    assert decide(PUSH, uneven, NOON, RULES) == Deferred(NOON + 4 * HOUR + timedelta(minutes=1), Reason.FREQUENCY_CAP)


def test_a_cap_that_frees_at_night_defers_to_the_morning_and_past_the_expiry_skips() -> None:
    assert decide(replace(PUSH, expires_at=NOON + 2 * DAY), sent("push", 10), NOON, RULES) == Deferred(
        seoul("2026-11-23 08:00"), Reason.QUIET_HOURS
    )
    early = replace(PUSH, expires_at=NOON + 3 * HOUR)
    assert decide(early, sent("push", 20), NOON, RULES) == Skipped(Reason.FREQUENCY_CAP)


def test_a_campaign_exempt_from_caps_goes_past_them() -> None:
    assert isinstance(decide(replace(PUSH, cap_exempt=True), sent("push", 1), NOON, RULES), Allowed)


def test_ten_campaigns_at_once_against_a_cap_of_five_are_exactly_five() -> None:
    person, decisions = PERSON, []
    for number in range(10):
        decision = decide(replace(EMAIL, campaign=f"c{number}"), person, NOON, RULES)
        decisions.append(decision)
        if isinstance(decision, Allowed):
            person = replace(person, sent={"email": (*person.sent.get("email", ()), NOON)})
    assert [type(decision) for decision in decisions] == [Allowed] * 5 + [Skipped] * 5
    assert decisions[5:] == [Skipped(Reason.FREQUENCY_CAP)] * 5


def test_the_holdouts_are_those_of_the_assignment() -> None:
    people = [replace(PERSON, customer_id=f"c{n}") for n in range(300)]
    rules = replace(RULES, global_holdout=0.2)
    for person in people:
        decision = decide(replace(EMAIL, holdout=0.3), person, NOON, rules)
        if in_global_holdout(person.customer_id, 0.2):
            assert decision == Skipped(Reason.GLOBAL_HOLDOUT)
        elif in_holdout(person.customer_id, "sale", 0.3):
            assert decision == Skipped(Reason.HOLDOUT)
        else:
            assert isinstance(decision, Allowed)


def test_the_words_of_the_reasons_are_stored_and_never_change() -> None:
    assert [reason.value for reason in Reason] == [
        *("no_profile", "no_address", "suppressed", "no_consent", "global_holdout", "holdout", "too_soon"),
        *("no_variant", "answered", "expired", "quiet_hours", "frequency_cap", "cancelled", "not_started", "quota"),
        *("by_email", "not_due"),
    ]


MOMENTS = st.integers(0, 7 * 24 * 3600).map(lambda seconds: NOON + timedelta(seconds=seconds))


@given(
    MOMENTS,
    MOMENTS,
    st.lists(MOMENTS, max_size=8),
    st.integers(1, 4),
    st.integers(1, 48),
    st.sampled_from(["Asia/Seoul", "America/New_York", "Europe/London"]),
)
def test_whoever_comes_back_when_told_is_never_sent_at_night_or_past_the_cap_or_expiry(
    moment: datetime, expires_at: datetime, history: list[datetime], messages: int, hours: int, zone: str
) -> None:
    cap = Cap(messages, hours * HOUR)
    person = replace(PERSON, time_zone=zone, sent={"push": tuple(time for time in history if time <= moment)})
    message, rules = replace(PUSH, expires_at=expires_at), replace(RULES, caps={"push": cap})
    decision: Decision = decide(message, person, moment, rules)
    for _ in range(2):
        if isinstance(decision, Deferred):
            assert moment < decision.until < expires_at
            assert decision.until.second == decision.until.microsecond == 0
            moment = decision.until
            decision = decide(message, person, moment, rules)
    assert not isinstance(decision, Deferred)
    if isinstance(decision, Allowed):
        assert moment < decision.deliver_before <= expires_at
        assert 8 <= moment.astimezone(ZoneInfo(zone)).hour < 21
        assert sum(time > moment - cap.window for time in person.sent["push"]) < messages


@given(st.lists(MOMENTS, max_size=12), MOMENTS, st.integers(1, 4), st.integers(1, 72))
def test_a_cap_frees_at_the_first_moment_with_room(
    history: list[datetime], moment: datetime, messages: int, hours: int
) -> None:
    cap = Cap(messages, hours * HOUR)

    def room(at: datetime) -> bool:
        return sum(time > at - cap.window for time in history) < messages

    free = free_at(cap, history, moment)
    assert room(free)
    assert free == moment or not room(free - timedelta(microseconds=1))
    assert free >= moment
