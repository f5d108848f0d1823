"""Audiences for ad platforms: who may be in them, how they are hashed, and what their files look like."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

import pytest
from dangol.aws.profiles import profile_of
from dangol.campaigns.assignment import in_global_holdout, in_holdout
from dangol.channels.audiences.definition import AdAudience, load_audiences
from dangol.channels.audiences.files import (
    GOOGLE,
    META,
    PLATFORMS,
    Contact,
    Row,
    additions,
    file_of,
    removals,
    row_of,
    target,
)
from dangol.channels.audiences.people import LeftOut, Terms, contact_of
from dangol.configuration import load_configuration
from dangol.errors import InvalidConfiguration, InvalidFiles
from hypothesis import given
from hypothesis import strategies as st

EMAIL = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
"""As Google and Meta publish it for test@example.com."""
META_PHONE = "5d639079300bfabb1fa81139c823d324b2a67e9dd4157475190a31fb17528bc0"
GOOGLE_PHONE = "2efdd01fdf56e3f07de56acd9d40beb256d5983aec5f6d597c2c48354f35f9e0"

AUDIENCE = AdAudience("risk_ads", {}, "at_risk", (META, GOOGLE))
YES = {"answer": "given", "on": "2026-01-01"}
NO = {"answer": "withdrawn", "on": "2026-01-01"}
PERSON: dict[str, Any] = {
    "customer_id": "c1",
    "revision": 1,
    "email": "test@example.com",
    "phone": "010-1234-5678",
    "consents": {"ad_audiences": YES, "email": YES},
}


def terms(**changes: Any) -> Terms:
    return Terms(**{"audience": AUDIENCE, "country": "KR", "time_zone": "Asia/Seoul", **changes})


def judged(**row: Any) -> Contact | LeftOut:
    return contact_of(profile_of(PERSON | row), terms())


def test_contacts_are_hashed_as_each_platform_publishes_it() -> None:
    contact = Contact("test@example.com", "+821012345678")
    assert row_of(contact, META) == Row(EMAIL, META_PHONE)
    assert row_of(contact, GOOGLE) == Row(EMAIL, GOOGLE_PHONE)
    assert row_of(Contact("", ""), META) == Row("", "")


@pytest.mark.parametrize("email", ["test@example.com", " Test@Example.COM "])
@pytest.mark.parametrize("phone", ["010-1234-5678", "+82 10 1234 5678", "1012345678", "0082 (0)10-1234-5678"])
def test_addresses_and_korean_numbers_are_normal_however_they_are_written(email: str, phone: str) -> None:
    assert judged(email=email, phone=phone) == Contact("test@example.com", "+821012345678")


def test_numbers_that_name_no_country_are_of_the_shops_and_else_left_out() -> None:
    def number(text: str, country: str) -> str:
        found = contact_of(profile_of(PERSON | {"phone": text}), terms(country=country))
        assert isinstance(found, Contact)
        return found.phone

    assert number("(415) 555-2671", "US") == "+14155552671"
    assert number("07911 123456", "GB") == "+447911123456"
    assert number("07911 123456", "ZZ") == ""
    assert number("+44 7911 123456", "ZZ") == "+447911123456"
    assert number("0503-1234-5678", "KR") == "", "a courier's relay number is somebody else's tomorrow"


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"consents": {"email": YES}}, LeftOut.NO_CONSENT),
        ({"consents": {"ad_audiences": NO, "email": YES}}, LeftOut.NO_CONSENT),
        ({"consents": {"ad_audiences": YES, "email": NO}}, LeftOut.REFUSED),
        ({"unsubscribed_email": 1_800_000_000}, LeftOut.REFUSED),
        ({"refused_email_at": 1_800_000_000}, LeftOut.REFUSED),
        ({"email": "no address", "phone": "none"}, LeftOut.NO_CONTACT),
        ({"dead_email": "test@example.com"}, Contact("", "+821012345678")),
        ({"consents": {"ad_audiences": YES}}, Contact("test@example.com", "+821012345678")),
    ],
)
def test_who_is_in_an_audience(row: dict[str, Any], outcome: Contact | LeftOut) -> None:
    assert judged(**row) == outcome


def test_who_has_no_profile_is_left_out() -> None:
    assert contact_of(None, terms()) is LeftOut.NO_PROFILE


def test_holdouts_are_left_out_so_that_lift_stays_lift() -> None:
    people = [f"c{n}" for n in range(400)]

    def left_out(**changes: Any) -> set[str]:
        wanted = terms(**changes)
        reasons = {person: contact_of(profile_of(PERSON | {"customer_id": person}), wanted) for person in people}
        return {person for person, reason in reasons.items() if isinstance(reason, LeftOut)}

    assert left_out() == set()
    assert left_out(global_holdout=0.2) == {person for person in people if in_global_holdout(person, 0.2)}
    beside = left_out(campaigns={"comeback": 0.15})
    assert beside == {person for person in people if in_holdout(person, "comeback", 0.15)}
    own = left_out(audience=AdAudience("risk_ads", {}, "at_risk", (META,), holdout=0.1))
    assert own
    assert own != beside


def test_files_have_the_platforms_headers_and_nothing_but_hashes() -> None:
    rows = {row_of(Contact("test@example.com", "+821012345678"), META), Row("", META_PHONE)}
    assert file_of(rows, META).decode() == (
        "email,phone,madid,fn,ln,zip,ct,st,country,dob,doby,gen,age,uid,value\n"
        f",{META_PHONE},,,,,,,,,,,,,\n"
        f"{EMAIL},{META_PHONE},,,,,,,,,,,,,\n"
    )
    assert file_of([Row(EMAIL, "")], GOOGLE).decode() == (
        f"Email,Phone,First Name,Last Name,Country,Zip\n{EMAIL},,,,,\n"
    )


@given(st.sampled_from(sorted(PLATFORMS)), st.text(), st.text())
def test_no_cell_of_a_file_can_be_a_formula(platform: str, email: str, phone: str) -> None:
    text = file_of([row_of(Contact(email, phone), platform)], platform).decode()
    for cells in list(csv.reader(io.StringIO(text)))[1:]:
        assert all(re.fullmatch("([0-9a-f]{64})?", cell) for cell in cells)


def test_removals_never_take_off_what_somebody_who_stays_shares() -> None:
    kim, lee, new = Row("family", "kim"), Row("family", "lee"), Row("family", "new")
    assert removals({kim, lee}, {lee}) == {Row("", "kim")}
    assert removals({kim}, {new}) == {Row("", "kim")}
    assert additions({kim}, {new}) == {new}
    assert removals({kim, lee}, set()) == {kim, lee}


def test_an_audience_that_is_too_small_grows_no_more_and_loses_whom_it_lost() -> None:
    many = {Row(str(n), "") for n in range(100)}
    assert target(many, set(), META) == many
    few = set(sorted(many)[:99])
    assert target(few, set(), META) == set()
    assert target({*few, Row("new", "")} - {Row("0", "")}, many, META) == few - {Row("0", "")}


_ROWS = st.frozensets(st.builds(Row, st.sampled_from("ab"), st.sampled_from("xyz")))


@given(st.lists(_ROWS))
def test_applying_changes_in_any_order_of_the_two_gives_the_whole_list(lists: list[frozenset[Row]]) -> None:
    def marks(rows: Iterable[Row]) -> set[tuple[int, str]]:
        return {(column, cell) for row in rows for column, cell in enumerate(row) if cell}

    before: frozenset[Row] = frozenset()
    there: set[tuple[int, str]] = set()
    for after in lists:
        gone, come = marks(removals(before, after)), marks(additions(before, after))
        assert (there - gone) | come == (there | come) - gone == marks(after)
        there, before = marks(after), after


GOOD = """
audiences:
  - {id: risk_ads, segment: at_risk, platforms: [meta, google, meta], holdout: 0.1, name: {ko: 위험, en: Risk}}
  - {id: vip_ads, segment: vip_loyal, platforms: [google]}
"""


def test_audiences_are_read_from_yaml() -> None:
    assert load_audiences(GOOD.encode(), "a.yaml", {"at_risk", "vip_loyal"}) == (
        AdAudience("risk_ads", {"ko": "위험", "en": "Risk"}, "at_risk", ("meta", "google"), 0.1),
        AdAudience("vip_ads", {}, "vip_loyal", ("google",)),
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("segment: at_risk", "segment: at_rsk", "line 3: unknown segment 'at_rsk'; did you mean 'at_risk'?"),
        ("[meta, google, meta]", "[meta, gogle]", "line 3: unknown platform 'gogle'; did you mean 'google'?"),
        ("[google]", "google", "line 4: 'platforms' must be a list"),
        ("holdout: 0.1", "holdout: 10", "line 3: 'holdout', a share, must be a number from 0 to 1"),
        ("id: vip_ads", "id: risk_ads", "line 4: audience 'risk_ads' is given twice"),
        ("id: vip_ads", "id: ../x", "line 4: 'id' must be lower-case letters"),
        ("segment: vip_loyal, ", "", "line 4: an audience needs 'segment'"),
        ("platforms: [google]", "platforms: [google], schedule: daily", "line 4: unknown key 'schedule'"),
        ("audiences:", "audience:", "line 2: unknown key 'audience' of the file"),
        (GOOD, "audiences: {}", "line 1: 'audiences' must be a list"),
    ],
)
def test_a_mistake_is_refused_with_line_and_reason(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidConfiguration) as refused:
        load_audiences(GOOD.replace(old, new).encode(), "audiences.yaml", {"at_risk", "vip_loyal"})
    assert f"audiences.yaml, {says}" in str(refused.value)


def test_audiences_go_live_with_the_segments_they_name_or_not_at_all() -> None:
    files = {"audiences.yaml": GOOD.encode()}
    assert [audience.id for audience in load_configuration(files).audiences] == ["risk_ads", "vip_ads"]
    files["segments.yaml"] = b'rfm:\n  - {id: vip_loyal, where: "recency_days <= 7"}\n'
    with pytest.raises(InvalidFiles, match=r"config/audiences\.yaml, line 3: unknown segment 'at_risk'"):
        load_configuration(files)
    assert load_configuration({}).audiences == ()
