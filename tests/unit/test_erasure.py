"""How people who are to be erased are found in files, and how they are kept from coming back."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from dangol.channels.audiences.files import GOOGLE, META, Contact, row_of
from dangol.erasure.person import Person, request_id
from dangol.erasure.tombstones import EMAIL, ID, PHONE, Tombstones, hashed
from dangol.ledger.erasing import erase_from
from dangol.ledger.store import FolderStore

KIM = Person(("C1", "17850"), ("kim@example.com",), ("+821012345678",))
KEY = b"a secret"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "o1,C1,100",
        "o1,c1,100",
        "by Kim@Example.com.",
        "<kim@example.com>",
        "01012345678",
        "010-1234-5678",
        "+82 10 1234 5678",
        "82 (0)10.1234.5678",
        "1012345678.0",
        '{"customer_id": "17850"}',
    ],
)
def test_a_text_that_names_them_is_found(text: str) -> None:
    assert KIM.words.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "o1,C10,100",
        "o1,XC1",
        "C1-2",
        "joakim@example.com",
        "kim@example.community",
        "3010-1234-56789",
        "17850",
        "17850.00",
    ],
)
def test_a_text_about_others_is_not(text: str) -> None:
    assert not KIM.words.search(text)


def test_an_id_of_digits_is_looked_for_in_columns_of_ids() -> None:
    assert KIM.in_row(["o1", "17850.0", "5"], [1])
    assert not KIM.in_row(["o1", "99", "17850"], [1])
    assert KIM.in_row(["o1", "99", "kim@example.com"], [1])


def test_a_plan_brings_the_same_person_back() -> None:
    person = Person(("c1",), ("a@b.kr",), (), ("A@b.kr",), (("fcm", "t"),), {"x@y.kr": ("c2",)}, ("p_1",))
    assert Person.from_dict(person.as_dict()) == person
    assert request_id(["b", "a"]) == request_id(["a", "b"])
    assert "c1" not in request_id(["c1"])


def test_on_lists_for_ad_platforms_they_are_found_as_a_shop_of_any_country_writes_numbers() -> None:
    person = Person(("c1",), phones=("+824155552671",), as_written=("(415) 555-2671",))
    told = {sha256(text.encode()).hexdigest() for text in ("14155552671", "+14155552671")}
    assert told <= person.hashes("US")
    assert told.isdisjoint(person.hashes("KR"))
    assert row_of(Contact("kim@example.com", "+821012345678"), META)[0] in KIM.hashes("US")
    assert {*row_of(Contact("kim@example.com", "+821012345678"), GOOGLE)} <= KIM.hashes("KR")


def test_rows_of_others_that_name_them_as_what_they_became_part_of_go_too(tmp_path: Path) -> None:
    store, key = FolderStore(tmp_path / "bucket"), "ledger/customers/shard=0000/part-v-0.parquet"
    rows = "VALUES ('old', 'c1'), ('c10', NULL)"
    with duckdb.connect() as connection:
        (tmp_path / "bucket/ledger/customers/shard=0000").mkdir(parents=True)
        file = tmp_path / "bucket" / key
        connection.execute(f"COPY (FROM ({rows}) AS t (customer_id, merged_into)) TO '{file}' (FORMAT parquet)")
        assert erase_from(connection, store, [key], Person(("c1",)), tmp_path) == 1
        assert connection.execute(f"SELECT customer_id FROM '{file}'").fetchall() == [("c10",)]


def test_nobody_is_found_where_nothing_is_known() -> None:
    assert not Person(()).words.search("")
    assert not Person(()).contacts.search("anything")


def test_a_tombstone_is_known_by_its_key_only_and_names_nobody() -> None:
    stones = Tombstones(key=KEY).also({ID: ["c1"], EMAIL: ["kim@example.com"], PHONE: ["+821012345678"]}, NOW)
    text = stones.to_json().decode()
    assert all(word not in text for word in ('c1"', "kim@", "8210"))
    again = Tombstones.from_json(text.encode(), KEY)
    assert again == stones
    assert (again.erased_at(ID, "c1"), again.erased_at(ID, "c2")) == (NOW, None)
    assert again.erased_at(EMAIL, "c1") is None
    assert Tombstones.from_json(text.encode(), b"another").erased_at(ID, "c1") is None
    assert all(map(again.names, ("c1", " Kim@example.com", "010-1234-5678")))
    assert not again.names("c10")
    assert hashed(ID, "c1", KEY) != hashed(EMAIL, "c1", KEY)


def test_burying_again_keeps_the_later_moment() -> None:
    stones = Tombstones(key=KEY).also({ID: ["c1", "c2"]}, NOW)
    assert stones.also({ID: ["c1"]}, NOW) is stones
    later = stones.also({ID: ["c1"]}, NOW.replace(year=2027))
    assert (later.erased_at(ID, "c1"), later.erased_at(ID, "c2")) == (NOW.replace(year=2027), NOW)
    assert later.also({ID: ["c1"]}, NOW) is later
