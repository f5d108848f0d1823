"""Table `Profiles` in DynamoDB: what the gate and the ledger write at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import boto3
import pytest
from dangol.aws.profiles import DynamoProfiles
from dangol.campaigns.caps import Cap
from dangol.campaigns.gate import Ask, Gate, Held, Passed
from dangol.campaigns.items import OwnProducts
from dangol.ledger.contact import Contact

from tests.integration.conftest import Aws
from tests.integration.services import put_person
from tests.schemas import problems
from tests.senders import NOON, hello, settings


@pytest.fixture
def book(aws: Aws) -> DynamoProfiles:
    return DynamoProfiles(boto3.resource("dynamodb"), aws.profiles)


def test_in_dynamodb_too_ten_campaigns_at_once_against_a_cap_of_five_send_five(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    gate = Gate(book, settings(Cap(5, timedelta(days=1))).send_rules("Asia/Seoul"))
    read = book.read(["c1"])["c1"]
    asks = [Ask(f"run-{n}", 0, hello(f"campaign_{n}").message(0, "email", NOON)) for n in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda ask: gate.ask(ask, read, "call", NOON, lambda profile: "hello"), asks))
    assert sum(isinstance(answer, Passed) for answer in answers) == 5
    (row,) = aws.rows(aws.profiles)
    assert (len(row["sent"]["email"]), row["revision"], problems("profiles", [row])) == (5, 6, [])
    (passed, *_) = [ask for ask, answer in zip(asks, answers, strict=True) if isinstance(answer, Passed)]
    assert isinstance(gate.ask(passed, read, "other", NOON, lambda profile: "hello"), Held)


def test_the_products_that_concern_a_person_come_back_as_they_were_put(aws: Aws, book: DynamoProfiles) -> None:
    own = OwnProducts("p1", ("p1", "p2"), cart=("p3",), restocked=("p4",))
    lists = {"own_bought": ["p1", "p2"], "own_cart": ["p3"], "own_restocked": ["p4"]}
    book.put_contacts([Contact("c1", {"email": "kim@example.com", "own_last": "p1", **lists})])
    assert book.read(["c1"])["c1"].products == own
    assert problems("profiles", aws.rows(aws.profiles)) == []
    book.put_contacts([Contact("c1", {"email": "kim@example.com"})])
    assert book.read(["c1"])["c1"].products == OwnProducts()


def test_notes_raise_the_revision_and_bring_nobody_back(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    book.unsubscribe("c1", "email", NOON)
    book.retire("c1", "push", "token-c1")
    book.unsubscribe("erased", "email", NOON)
    book.retire("erased", "email", "erased@example.com")
    (row,) = aws.rows(aws.profiles)
    assert (row["revision"], row["unsubscribed_email"], row["dead_push"]) == (3, int(NOON.timestamp()), "token-c1")
    book.remove(["c1"])
    assert aws.rows(aws.profiles) == []


def test_the_last_word_against_a_channel_counts_in_whatever_order_they_come(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    for minutes in (5, 1, 7, 7):
        book.unsubscribe("c1", "email", NOON + timedelta(minutes=minutes))
    (row,) = aws.rows(aws.profiles)
    assert (row["unsubscribed_email"], row["revision"]) == (int(NOON.timestamp()) + 7 * 60, 3)


def test_nothing_is_noted_in_the_place_of_who_is_being_erased(aws: Aws, book: DynamoProfiles) -> None:
    put_person(aws)
    book.block(["c1"])
    book.unsubscribe("c1", "email", NOON)
    book.retire("c1", "email", "c1@example.com")
    (row,) = aws.rows(aws.profiles)
    assert row == {"customer_id": "c1", "erased": True}
