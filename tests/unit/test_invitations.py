"""Invitations: what a file may say, who gets which seat, and what the page shows."""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from dangol.campaigns.invitations import loading
from dangol.campaigns.invitations.definition import Place
from dangol.campaigns.invitations.guests import guest_list
from dangol.campaigns.invitations.loading import load_invitation
from dangol.campaigns.invitations.replies import DECLINE, Reply, Result
from dangol.campaigns.links import Action, BadLink, Link, sign
from dangol.channels.invitation_page import invitation_page
from dangol.configuration import load_configuration
from dangol.errors import InvalidConfiguration, InvalidFiles
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import schemas
from tests.guests import CAPACITY, FIRST, KEY, NOW, ONLINE, RUN, SECOND, TEXT, Party, style_talk, token
from tests.interleaving import TURNS, Turn, Turns
from tests.messages import CONFIG
from tests.senders import HELLO

FILE = "config/invitations/style_talk.yaml"
PEOPLE = ("c1", "c2", "c3", "c4")


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(InvalidConfiguration) as error:
        load_invitation(text.encode(), FILE, "Asia/Seoul")
    return [(problem.line, problem.reason) for problem in error.value.problems]


# ---- the file --------------------------------------------------------------------------------------------


def test_a_file_says_when_where_for_how_many_and_until_when() -> None:
    found = style_talk()
    assert [slot.id for slot in found.slots] == [FIRST, SECOND, ONLINE]
    assert [slot.capacity for slot in found.slots] == [1, 2, 1]
    assert found.slots[0].start.astimezone(UTC) == datetime(2026, 12, 11, 5, tzinfo=UTC)
    assert found.slots[2].end.astimezone(UTC) == datetime(2026, 12, 12, 3, 15, tzinfo=UTC)
    assert found.answer_by.astimezone(UTC) == datetime(2026, 12, 11, 6, tzinfo=UTC)
    assert found.ends_at == found.slots[2].end
    assert found.places["store"] == Place({"ko": "성수 매장", "en": "Seongsu store"}, address="서울 성동구 1")
    assert found.places["online"].link == "https://dangol.kr/talk?a=1&b=2"


def test_hours_are_those_of_the_shop_where_the_file_names_no_zone() -> None:
    text = TEXT.replace("time_zone: Asia/Seoul\n", "").encode()
    assert load_invitation(text, FILE, "Europe/London").slots[0].start.astimezone(UTC).hour == 14


def test_a_session_over_a_change_of_clocks_takes_its_minutes() -> None:
    text = TEXT.replace("Asia/Seoul", "Europe/London").replace(
        '"2026-12-12 11:30", minutes: 45', '"2027-03-28 00:30", minutes: 60'
    )
    slot = style_talk(text).slots[-1]
    assert f"{slot.end:%H:%M}" == "02:30"  # at 01:00 it was 02:00


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("id: style_talk", "id: talk", 1, "'id' must be as the file is called: 'style_talk', not 'talk'"),
        ("id: style_talk", "id: Talk", 1, "'id' must be lower-case letters, digits and _ (at most 50), not 'Talk'"),
        ("name: {ko: 취향 이야기, en: Style talk}", "name: {ko: 취향}", 2, "'name' needs 'en'"),
        ("welcome: {ko: 차를 준비할게요., en", "welcome: {en", 3, "'name' needs 'ko'"),
        ("2026-12-11 15:00", "2026-12-12 12:00", 4, "'answer_by' must not be later than the start of the last slot"),
        ('"2026-12-11 15:00"', "tomorrow", 4, "'answer_by' must be a date and time without offset, such as"),
        ("Asia/Seoul", "Asia/Seol", 5, "unknown time zone 'Asia/Seol'"),
        ("address: 서울 성동구 1", "link: http://dangol.kr", 7, "'link' must be an address that begins with https://"),
        ("address: 서울 성동구 1", 'link: "https://dangol.kr/<b>"', 7, "'link' must be an address"),
        (", address: 서울 성동구 1", "", 7, "a place has exactly one of 'address' and 'link'"),
        ("address: 서울 성동구 1", "address: 1, link: https://a.kr", 7, "exactly one of 'address' and 'link'"),
        ("  online:", "  On line:", 8, "a place needs an id of its own, of lower-case letters, digits and _, not 'On"),
        ("2026-12-11 16:00", "2026-12-11T16:00+09:00", 10, "'start' must be a date and time without offset"),
        ("2026-12-11 16:00", "2026-12-32 16:00", 10, "'start' must be a date and time without offset"),
        ("capacity: 2", "capacity: 0", 10, "'capacity' must be a whole number from 1 to 10000"),
        ("capacity: 2", "capacity: 1.5", 10, "'capacity' must be a whole number from 1 to 10000"),
        ("capacity: 2, ", "", 10, "'slot' needs 'capacity'"),
        ("minutes: 60, capacity: 2", "minutes: 2, capacity: 2", 10, "'minutes' must be a whole number from 5 to 1440"),
        ("2, place: store", "2, place: stoer", 10, "unknown place 'stoer'; did you mean 'store'?"),
        ("2026-12-11 16:00", "2026-12-11 14:00", 11, "the slot at 2026-12-11 14:00 in 'store' is given twice"),
        ("minutes: 45", "minute: 45", 12, "unknown key 'minute' of 'slot'; did you mean 'minutes'?"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(old: str, new: str, line: int, reason: str) -> None:
    assert old in TEXT
    found = problems(TEXT.replace(old, new, 1))
    assert (line, True) in [(at, reason in why) for at, why in found]


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    text = TEXT.replace("Asia/Seoul", "Europe/London").replace("2026-12-12 11:30", "2027-03-28 01:30")
    assert problems(text) == [(12, "'start': the clocks of Europe/London skip that hour")]


def test_more_slots_than_anybody_finds_something_on_are_refused() -> None:
    more = "".join(f'  - {{start: "2026-12-13 {n:02}:{m:02}", minutes: 5, capacity: 1, place: store}}\n'
                   for n in range(10) for m in range(0, 60, 6))  # fmt: skip
    assert "'slots' are 103; 100 is the most" in problems(TEXT + more)[0][1]


def test_an_invitation_is_checked_with_the_campaigns_that_name_it() -> None:
    campaign = HELLO.format(id="hello", purpose="advertising", more="invitation: style_talk").encode()
    files = {"campaigns/hello.yaml": campaign}
    with pytest.raises(InvalidFiles) as refused:
        load_configuration(files)
    assert "config/campaigns/hello.yaml, line 10: unknown invitation 'style_talk'" in str(refused.value)
    bad = TEXT.replace("capacity: 2", "capacity: none").encode()
    with pytest.raises(InvalidFiles) as refused:
        load_configuration(files | {"invitations/style_talk.yaml": bad})
    assert str(refused.value) == (
        "config/invitations/style_talk.yaml, line 10: 'capacity' must be a whole number from 1 to 10000"
    )
    live = load_configuration(files | {"invitations/style_talk.yaml": TEXT.encode()})
    assert [one.id for one in live.invitations("Asia/Seoul")] == ["style_talk"]
    assert live.campaigns("Asia/Seoul")[0].invitation == "style_talk"


def test_days_that_are_past_stand_in_nobodys_way_but_invite_nobody() -> None:
    found, answer_by = style_talk(), datetime(2026, 12, 11, 6, tzinfo=UTC)
    assert found.complaint(answer_by - timedelta(seconds=1)) is None
    assert [slot.id for slot in found.offered(answer_by - timedelta(hours=2))] == [FIRST, SECOND, ONLINE]
    assert [slot.id for slot in found.offered(answer_by - timedelta(hours=1))] == [SECOND, ONLINE]  # one began
    assert found.offered(answer_by) == ()
    assert found.complaint(answer_by) == (
        "invitations/style_talk.yaml: 'answer_by' is past; set new days, or name another invitation in the campaign"
    )


SHIPPED = sorted((CONFIG / "invitations").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_invitations_are_in_order_and_as_the_schema_says(path: Any) -> None:
    text = path.read_bytes()
    assert load_invitation(text, str(path), "Asia/Seoul").id == path.stem
    assert schemas.problems("invitation", [yaml.safe_load(text), yaml.safe_load(TEXT)]) == []


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ((), "invitation"),
        (("properties", "name"), "name"),
        (("properties", "welcome"), "name"),
        (("properties", "places", "additionalProperties"), "place"),
        (("properties", "slots", "items"), "slot"),
    ],
)
def test_schema_and_loader_know_the_same_keys(path: tuple[str, ...], what: str) -> None:
    schema: Any = schemas.validator("invitation").schema
    for step in path:
        schema = schema[step]
    assert (set(schema["properties"]), set(schema["required"])) == (
        set(loading.KEYS[what]),
        set(loading.REQUIRED[what]),
    )
    assert schema["additionalProperties"] is False


def test_what_the_schema_refuses_the_loader_refuses() -> None:
    refused = 0
    for changed in schemas.crooked(yaml.safe_load(TEXT)):
        if schemas.problems("invitation", [deepcopy(changed)]):
            refused += 1
            problems(json.dumps(changed))
    assert refused > 40


# ---- replies ---------------------------------------------------------------------------------------------


@pytest.fixture
def party() -> Party:
    return Party()


def test_a_guest_books_moves_and_gives_the_seat_back(party: Party) -> None:
    assert party.reply("c1", FIRST) == "booked"
    assert (party.has("c1"), party.replies.taken("style_talk")) == (FIRST, {FIRST: 1})
    assert party.reply("c1", SECOND) == "booked"
    assert (party.has("c1"), +Counter(party.replies.taken("style_talk"))) == (SECOND, {SECOND: 1})
    assert party.reply("c1", DECLINE) == "declined"
    assert (party.has("c1"), +Counter(party.replies.taken("style_talk"))) == (None, {})
    assert party.replies.rows["style_talk", "c1"] == Reply("style_talk", "c1", None, RUN, NOW)


def test_the_same_reply_again_writes_nothing(party: Party) -> None:
    assert [party.reply("c1", FIRST), party.reply("c1", FIRST)] == ["booked", "booked"]
    assert [party.reply("c2", DECLINE), party.reply("c2", DECLINE)] == ["declined", "declined"]
    assert party.replies.writes == 2


def test_a_slot_without_a_seat_is_refused_and_what_one_had_stays(party: Party) -> None:
    assert [party.reply("c1", FIRST), party.reply("c2", SECOND), party.reply("c2", FIRST)] == [
        "booked",
        "booked",
        "full",
    ]
    assert (party.has("c1"), party.has("c2")) == (FIRST, SECOND)
    party.reply("c1", DECLINE)
    assert party.reply("c2", FIRST) == "booked"


def test_looking_books_nothing_whichever_link_was_followed(party: Party) -> None:
    for action in ("accept", "decline"):
        assert party.look("c1", action).result is Result.SHOWN
    assert (party.replies.writes, party.answers.noted) == (0, [])


@pytest.mark.parametrize("choice", ["", "nonsense", "20261211T1400-online", "slot#" + FIRST])
def test_what_is_not_offered_cannot_be_chosen(party: Party, choice: str) -> None:
    assert party.reply("c1", choice) == "unclear"
    assert (party.replies.writes, party.answers.noted) == (0, [])


def test_a_reply_counts_as_a_click_on_the_message_that_asked(party: Party) -> None:
    party.reply("c1", FIRST)
    party.reply("c2", FIRST)  # full, but answered
    assert party.answers.noted == [(RUN, person, 0, "email", "clicked") for person in ("c1", "c2")]


def test_after_the_time_to_answer_a_link_shows_the_booking_and_changes_nothing(party: Party) -> None:
    party.reply("c1", ONLINE)
    party.later(days=11)
    visit = party.look("c1")
    assert (visit.offered, visit.booked and visit.booked.id) == ((), ONLINE)
    assert [party.reply("c1", DECLINE), party.reply("c2", SECOND)] == ["over", "over"]
    assert (party.has("c1"), party.has("c2")) == (ONLINE, None)


def test_a_link_that_has_expired_takes_no_reply_even_if_the_shop_waits_longer(party: Party) -> None:
    early = token("c1", until=NOW - timedelta(seconds=1))
    assert party.responder.reply(early, FIRST).result is Result.OVER
    assert party.replies.writes == 0


def test_a_session_that_has_begun_stands(party: Party) -> None:
    party.reply("c1", FIRST)
    party.now = datetime(2026, 12, 11, 5, tzinfo=UTC)
    assert [party.reply("c1", SECOND), party.reply("c1", DECLINE), party.reply("c2", FIRST)] == [
        "over",
        "over",
        "unclear",
    ]
    assert party.reply("c2", SECOND) == "booked"
    assert party.has("c1") == FIRST


def test_a_booked_slot_that_is_no_longer_offered_can_be_changed(party: Party) -> None:
    party.reply("c1", FIRST)
    party.invitation = style_talk("".join(line for line in TEXT.splitlines(True) if "14:00" not in line))
    visit = party.look("c1")
    assert (visit.booked, [slot.id for slot in visit.offered]) == (None, [SECOND, ONLINE])
    assert "예약하신 시간이 없어졌습니다" in invitation_page(visit)
    assert party.reply("c1", SECOND) == "booked"
    assert +Counter(party.replies.taken("style_talk")) == {SECOND: 1}


def test_an_invitation_that_is_not_live_takes_no_reply(party: Party) -> None:
    party.invitation = None
    assert party.reply("c1", FIRST) == "over"
    assert "답변 기한이 지났어요" in invitation_page(party.look("c1"))


def test_a_link_of_somebody_else_altered_or_for_something_else_is_none(party: Party) -> None:
    good, other = token("c1"), token("c2")
    mixed = good.split(".")[0] + "." + other.split(".")[1]
    unsubscribe = sign(Link(Action.UNSUBSCRIBE, "c1", "email run"), KEY)
    for bad in ("", "nonsense", good[:-1], mixed, unsubscribe, token("c1", key=b"o" * 32)):
        for act in (party.responder.look, lambda bad: party.responder.reply(bad, FIRST)):
            with pytest.raises(BadLink):
                act(bad)
    assert party.replies.writes == 0


def test_who_was_erased_does_not_come_back_by_an_old_link(party: Party) -> None:
    party.guests.erased.add("c1")
    with pytest.raises(BadLink):
        party.reply("c1", FIRST)
    assert (party.replies.rows, party.answers.noted) == ({}, [])


def test_parallel_guests_take_as_many_seats_as_there_are(party: Party) -> None:
    with ThreadPoolExecutor(20) as pool:
        results = Counter(pool.map(lambda n: party.reply(f"c{n}", SECOND), range(40)))
    assert results == {"booked": 2, "full": 38}


def test_one_guest_from_two_devices_has_one_seat(party: Party) -> None:
    with ThreadPoolExecutor(8) as pool:
        choices = [FIRST, SECOND, ONLINE, DECLINE] * 10
        results = Counter(pool.map(lambda choice: party.reply("c1", choice), choices))
    assert results.keys() <= {"booked", "declined", "busy"}
    has = party.has("c1")
    assert +Counter(party.replies.taken("style_talk")) == ({has: 1} if has else {})


def test_a_reply_that_another_one_of_the_guest_overtakes_is_made_on_what_stands_then(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, meanwhile = party.replies.replace, [SECOND]

    def overtaken(before: Reply | None, after: Reply, capacity: int, kept_until: datetime) -> bool:
        if meanwhile:
            write(before, replace(after, slot=meanwhile.pop()), 2, kept_until)
        return write(before, after, capacity, kept_until)

    monkeypatch.setattr(party.replies, "replace", overtaken)
    assert party.reply("c1", FIRST) == "booked"
    assert +Counter(party.replies.taken("style_talk")) == {FIRST: 1}
    monkeypatch.setattr(party.replies, "replace", lambda *_: False)
    assert party.reply("c1", SECOND) == "busy"
    assert "잠시 후 다시 보내 주세요" in invitation_page(party.responder.reply(token("c1"), SECOND))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from([FIRST, SECOND, ONLINE, DECLINE, "none"])), max_size=30)
)
def test_whatever_guests_do_seats_taken_are_bookings_and_never_more_than_there_are(
    moves: list[tuple[str, str]],
) -> None:
    party, expected = Party(), dict[str, str | None]()
    for person, choice in moves:
        taken = Counter(slot for slot in expected.values() if slot)
        result = party.reply(person, choice)
        if choice == "none":
            assert result == "unclear"
        elif choice == DECLINE:
            expected[person] = None
        elif expected.get(person) == choice or taken[choice] < CAPACITY[choice]:
            assert result == "booked"
            expected[person] = choice
        else:
            assert result == "full"
        booked = Counter(filter(None, map(party.has, PEOPLE)))
        assert {person: party.has(person) for person in expected} == expected
        assert booked == +Counter(party.replies.taken("style_talk"))
        assert all(count <= CAPACITY[slot] for slot, count in booked.items())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["c1", "c1", "c2", "c3"]), st.sampled_from([FIRST, SECOND, DECLINE])), max_size=5
    ),
    TURNS,
)
def test_whoever_replies_at_the_same_moment_and_dies_over_it_seats_taken_are_bookings(
    replies: list[tuple[str, str]], order: list[Turn]
) -> None:
    party, turns, results = Party(), Turns(), list[tuple[str, str, Result]]()
    party.reply("c3", SECOND)
    doors = {"replies": turns.watch(party.replies), "answers": turns.watch(party.answers)}
    responder = replace(party.responder, **doors)
    for person, choice in replies:

        def come(person: str = person, choice: str = choice) -> None:
            results.append((person, choice, responder.reply(token(person), choice).result))

        turns.start(come)
    turns.run(order)
    turns.finish()
    assert turns.errors == []
    booked = Counter(filter(None, map(party.has, PEOPLE)))
    assert booked == +Counter(party.replies.taken("style_talk"))
    assert all(count <= CAPACITY[slot] for slot, count in booked.items())
    for person, choice, result in results:
        if [one for one, _ in replies].count(person) == 1 and result is not Result.FULL:  # nobody else spoke for them
            assert party.has(person) == (None if choice == DECLINE else choice)


def test_the_list_of_guests_tells_who_comes_who_does_not_and_who_lost_the_seat() -> None:
    def reply(person: str, slot: str | None, minute: int) -> Reply:
        return Reply("style_talk", person, slot, RUN, NOW + timedelta(minutes=minute))

    late, early, lost, declined = (
        *(reply("c1", SECOND, 2), reply("c2", SECOND, 1), reply("c3", "20261201T1000-store", 3)),
        reply("c4", None, 4),
    )
    found = guest_list(style_talk(), [late, early, lost, declined])
    assert [session.guests for session in found.sessions] == [(), (early, late), ()]
    assert (found.declined, found.stranded) == ((declined,), (lost,))
    assert [session.is_overbooked for session in found.sessions] == [False, False, False]
    smaller = guest_list(style_talk(TEXT.replace("capacity: 2", "capacity: 1")), [late, early])
    assert [session.is_overbooked for session in smaller.sessions] == [False, True, False]


# ---- the page --------------------------------------------------------------------------------------------


def radios(html: str) -> dict[str, str]:
    """The radio buttons of a page: by value, what else they say."""
    found = re.findall(r'<input type="radio" name="choice" value="([^"]+)" required([^>]*)>', html)
    return {value: more.strip() for value, more in found}


def test_the_page_offers_every_slot_and_marks_what_is_full(party: Party) -> None:
    party.reply("c2", FIRST)
    html = invitation_page(party.look("c1"))
    assert radios(html) == {FIRST: "disabled", SECOND: "", ONLINE: "", DECLINE: ""}
    assert html.count('<label class="slot') == 4
    assert "마감 · Full" in html
    assert '12월 11일 (금) 오후 4:00–5:00<span class="place">성수 매장</span>' in html
    assert "Fri 11 Dec, 16:00–17:00 · Seongsu store" in html
    assert "12월 12일 (토) 오전 11:30–오후 12:15" in html
    assert "차를 준비할게요." in html
    assert "12월 11일 (금) 오후 3:00까지" in html
    assert '<form method="post">' in html
    assert "<script" not in html


def test_the_page_of_who_booked_says_when_and_where_and_offers_a_change(party: Party) -> None:
    party.reply("c1", FIRST)
    html = invitation_page(party.look("c1"))
    assert "예약되었습니다" in html
    assert '<p class="when">12월 11일 (금) 오후 2:00–3:00<span lang="en">Fri 11 Dec, 14:00–15:00</span></p>' in html
    assert "<p>서울 성동구 1</p>" in html
    assert radios(html) == {FIRST: "checked", SECOND: "", ONLINE: "", DECLINE: ""}
    assert "예약을 취소할게요" in html


def test_the_link_of_an_online_session_is_shown_to_who_booked_it_only(party: Party) -> None:
    assert "dangol.kr/talk" not in invitation_page(party.look("c1"))
    party.reply("c1", ONLINE)
    assert '<a href="https://dangol.kr/talk?a=1&amp;b=2" rel="noreferrer">' in invitation_page(party.look("c1"))
    assert "dangol.kr/talk" not in invitation_page(party.look("c2"))


def test_the_link_to_decline_has_declining_ready_and_the_page_says_thank_you(party: Party) -> None:
    assert radios(invitation_page(party.look("c1", "decline")))[DECLINE] == "checked"
    assert radios(invitation_page(party.look("c1", "accept")))[DECLINE] == ""
    html = invitation_page(party.responder.reply(token("c1", "decline"), DECLINE))
    assert "다음에 만나기로 했습니다" in html
    assert radios(html)[DECLINE] == "checked"


def test_when_all_is_taken_the_page_says_so_kindly(party: Party) -> None:
    for person, slot in (("c1", FIRST), ("c2", SECOND), ("c3", SECOND), ("c4", ONLINE)):
        party.reply(person, slot)
    html = invitation_page(party.look("c5"))
    assert radios(html) == {FIRST: "disabled", SECOND: "disabled", ONLINE: "disabled", DECLINE: ""}
    assert "아쉽지만 모든 시간이 마감되었어요" in html
    assert "방금 마감되었어요" in invitation_page(party.responder.reply(token("c5"), FIRST))
    assert "모든 시간이 마감" not in invitation_page(party.look("c1"))


def test_after_the_time_to_answer_the_page_has_no_form(party: Party) -> None:
    party.reply("c1", FIRST)
    party.later(days=11)
    booked, other = invitation_page(party.look("c1")), invitation_page(party.look("c2"))
    assert ("예약되었습니다" in booked, "<form" in booked, "서울 성동구 1" in booked) == (True, False, True)
    refused = invitation_page(party.responder.reply(token("c1"), DECLINE))
    assert ("이제는 바꾸실 수 없어요" in refused, "예약되었습니다" in refused) == (True, True)
    assert ("답변 기한이 지났어요" in other, "<form" in other, "서울 성동구 1" in other) == (True, False, False)


def test_everything_on_the_page_is_escaped(party: Party) -> None:
    evil = '<img src=x onerror=alert(1)>\\"'
    party.invitation = style_talk(TEXT.replace("차를 준비할게요.", f'"{evil}"').replace("서울 성동구 1", f'"{evil}"'))
    party.reply("c1", FIRST)
    html = invitation_page(party.look("c1"))
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;&#34;") == 2
