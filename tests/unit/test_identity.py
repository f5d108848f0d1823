"""One key per person, in SQL and in Python alike, and nothing personal in it."""

import hashlib
import hmac
from collections.abc import Iterator

import duckdb
import pytest
from dangol.identity import email_sql, normal_email, normal_phone, person, person_sql, phone_sql
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = b"a secret of the stack"


def hashed(message: str) -> str:
    return "p_" + hmac.new(KEY, message.encode(), hashlib.sha256).hexdigest()[:32]


@pytest.fixture(scope="module", autouse=True)
def database() -> Iterator[None]:
    with CONNECTION:
        yield


CONNECTION = duckdb.connect()


def sql(expression: str, *values: str | None) -> str | None:
    row = CONNECTION.execute(f"SELECT {expression} FROM (SELECT $1 AS a, $2 AS b, $3 AS c)", [*values]).fetchone()
    assert row is not None
    found: str | None = row[0]
    return found


def both(
    customer_id: str | None, email: str | None, phone: str | None, key: bytes = KEY, code: str = "82"
) -> str | None:
    """The person by Python, and the same by SQL."""
    found = person(customer_id, email, phone, key, code)
    assert sql(person_sql("a", "b", "c", key, code), customer_id, email, phone) == found
    return found


# ---- which of the three ------------------------------------------------------------------------------


def test_the_platforms_customer_id_is_the_key_as_it_stands() -> None:
    assert both(" kim-7 ", "kim@shop.kr", "010-1234-5678") == "kim-7"
    assert both("13085", None, None) == "13085"


def test_without_a_customer_id_the_address_is_the_person_without_its_case_and_blanks() -> None:
    assert both(None, " Kim@Shop.KR ", "010-1234-5678") == both("", "kim@shop.kr", None) == hashed("email:kim@shop.kr")


def test_without_an_address_the_phone_number_is_the_person() -> None:
    assert both(None, "", "010-1234-5678") == both(" ", "none", "+82 10 1234 5678") == hashed("phone:+821012345678")


def test_nobody_is_nobody() -> None:
    assert both(None, None, None) is None
    assert both(" ", "-", "none") is None


@pytest.mark.parametrize(
    ("login", "message"),
    [
        ("Kim@shop.kr", "email:kim@shop.kr"),
        ("010-1234-5678", "phone:+821012345678"),
        ("01012345678", "phone:+821012345678"),
        ("+821012345678", "phone:+821012345678"),
        ("821012345678", "phone:+821012345678"),
        ("'01012345678", "phone:+821012345678"),
        ("(02) 123-4567", "phone:+8221234567"),
    ],
)
def test_a_customer_id_that_is_a_contact_is_hashed_like_that_contact(login: str, message: str) -> None:
    assert both(login, None, None) == hashed(message)


@pytest.mark.parametrize(
    "customer_id", ["00042", "0000012345", "1012345678", "123@k", "@kim", "82001", "+1", "김철수", "~"]
)
def test_a_customer_id_that_only_resembles_a_contact_stays_an_id(customer_id: str) -> None:
    assert both(customer_id, None, None) == customer_id


def test_what_a_platform_has_masked_is_nobody() -> None:
    assert both("hong****", None, "010-1234-5678") == hashed("phone:+821012345678")
    assert both("hong****", "ho**@naver.com", "010-****-5678") is None


def test_a_relay_number_of_couriers_is_nobody() -> None:
    assert both(None, None, "0504-1234-5678") is None


# ---- contacts ----------------------------------------------------------------------------------------


PHONES = {
    "010-1234-5678": "+821012345678",
    "01012345678": "+821012345678",
    "010.1234.5678": "+821012345678",
    " 010 1234 5678 ": "+821012345678",
    "'+82 10-1234-5678": "+821012345678",
    "+82 (0)10-1234-5678": "+821012345678",
    "+82 010-1234-5678": "+821012345678",
    "82-10-1234-5678": "+821012345678",
    "0082 10 1234 5678": "+821012345678",
    "1012345678": "+821012345678",
    "02-123-4567": "+8221234567",
    "(031) 123-4567": "+82311234567",
    "1588-1234": "+8215881234",
    "+1 212 555 0100": "+12125550100",
    "+49 (0)30 123456": "+4930123456",
    "000-0000-0000": None,
    "010-0000-0000": None,
    "010-1234": None,
    "010-1234-5678 (home)": None,
    "+": None,
    "": None,
    "1" * 20: None,
}


@pytest.mark.parametrize(("written", "number"), PHONES.items())
def test_phone_numbers_become_e164(written: str, number: str | None) -> None:
    assert normal_phone(written) == sql(phone_sql("a"), written, None, None) == number


def test_numbers_without_country_are_of_the_shops() -> None:
    assert normal_phone("(212) 555-0100", "1") == normal_phone("1-212-555-0100", "1") == "+12125550100"


EMAILS = {
    "Kim@Shop.kr": "kim@shop.kr",
    "\tkim+tag@sub.shop.kr ": "kim+tag@sub.shop.kr",
    "kim@shop": None,
    "kim shop@x.kr": None,
    "a@b@c.kr": None,
    "k**@naver.com": None,
    "": None,
}


@pytest.mark.parametrize(("written", "address"), EMAILS.items())
def test_addresses_are_folded_and_nothing_else_is_one(written: str, address: str | None) -> None:
    assert normal_email(written) == sql(email_sql("a"), written, None, None) == address


# ---- the hash ----------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NUMBER = st.text(st.sampled_from("0123456789+-() .'8210"), max_size=18)
ADDRESS = st.from_regex(r"[ ]?[a-zA-Z.]{1,4}@[a-zA-Z]{1,4}\.[a-z]{2}[ ]?", fullmatch=True)
CONTACT = st.one_of(st.none(), TEXT, NUMBER, ADDRESS)
PERSONS = st.tuples(CONTACT, CONTACT, CONTACT)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(PERSONS, min_size=1, max_size=20), st.binary(min_size=1, max_size=100), st.sampled_from(["82", "1", "49"])
)
def test_sql_and_python_find_the_same_persons(persons: list[tuple[str | None, ...]], key: bytes, code: str) -> None:
    CONNECTION.execute("CREATE OR REPLACE TABLE t (n INT, a VARCHAR, b VARCHAR, c VARCHAR)")
    CONNECTION.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [[n, *one] for n, one in enumerate(persons)])
    found = CONNECTION.execute(f"SELECT {person_sql('a', 'b', 'c', key, code)} FROM t ORDER BY n").fetchall()
    assert [row[0] for row in found] == [person(a, b, c, key, code) for a, b, c in persons]


@settings(max_examples=20, deadline=None)
@given(ADDRESS, st.binary(min_size=1, max_size=100))
def test_a_key_tells_nothing_but_who_knows_the_secret_can_make_it(address: str, key: bytes) -> None:
    found = both(None, address, None, key)
    folded = address.strip().lower()
    assert found == "p_" + hmac.new(key, f"email:{folded}".encode(), hashlib.sha256).hexdigest()[:32]
    assert found != both(None, address, None, key + b"2")
