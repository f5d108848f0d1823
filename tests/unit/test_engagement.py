"""What SES tells of a message, and which opens and clicks a person did."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from dangol.engagement.events import EmailEvent, email_event, tag_of, text_of_tag
from dangol.engagement.machines import any_by_person, is_at_once
from dangol.engagement.people import by_people_sql
from dangol.engine import connect
from dangol.shop import Shop
from hypothesis import given, settings
from hypothesis import strategies as st

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def ses(kind: str, details: dict[str, Any], **tags: str) -> dict[str, Any]:
    """An event as SES publishes it."""
    field = kind[:1].lower() + kind[1:].replace(" ", "")
    mail = {
        "timestamp": "2026-11-22T01:00:00.000Z",
        "messageId": "m-1",
        "tags": {name.replace("_", "-"): [value] for name, value in tags.items()} | {"ses:source-ip": ["192.0.2.1"]},
    }
    return json.loads(json.dumps({"eventType": kind, "mail": mail, field: details}))  # type: ignore[no-any-return]


def test_a_click_says_who_when_and_where() -> None:
    details = {"timestamp": "2026-11-22T10:05:06.789+09:00", "link": "https://shop.example/a", "userAgent": PHONE}
    assert email_event(ses("Click", details, dangol_customer="c1", dangol_run="spring-1")) == EmailEvent(
        "c1",
        "m-1",
        "spring-1",
        "clicked",
        datetime(2026, 11, 22, 1, 5, 6, 789000, UTC),
        "https://shop.example/a",
        PHONE,
        datetime(2026, 11, 22, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [("Send", "sent"), ("Delivery", "delivered"), ("Rendering Failure", "failed"), ("DeliveryDelay", "delayed")],
)
def test_an_event_without_a_time_of_its_own_has_that_of_its_message(event_type: str, kind: str) -> None:
    found = email_event(ses(event_type, {}, dangol_customer="c1"))
    assert found is not None
    assert (found.kind, found.happened_at, found.run) == (kind, datetime(2026, 11, 22, 1, tzinfo=UTC), None)


def test_messages_that_the_shop_sends_by_other_means_are_not_ours() -> None:
    assert email_event(ses("Open", {"timestamp": "2026-11-22T01:00:00Z"})) is None


@pytest.mark.parametrize("body", [{}, {"eventType": "Hello"}, {"eventType": "Open"}])
def test_what_is_no_event_of_ses_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        email_event(body)


@given(st.text(min_size=1))
def test_any_customer_id_that_fits_a_tag_comes_back_from_it(customer_id: str) -> None:
    try:
        customer_id.encode()
    except UnicodeEncodeError:
        return
    tag = tag_of(customer_id)
    if tag is None:
        assert len(customer_id.encode()) > 180
    else:
        assert len(tag) <= 256
        assert set(tag) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
        assert text_of_tag(tag) == customer_id


def by_people(*events: tuple[str, str, str | None, str | None], message: str = "m-1") -> list[tuple[str, date]]:
    """Kind and day of what a person did, of (kind, UTC time of 2026-11-22, link, agent)."""
    with TemporaryDirectory() as folder, connect(Shop(), Path(folder)) as connection:
        connection.execute("""
            CREATE TABLE events (customer_id VARCHAR, message_id VARCHAR, run VARCHAR, kind VARCHAR,
                happened_at TIMESTAMP, link VARCHAR, agent VARCHAR, version VARCHAR)""")
        rows = [
            ["c1", message, None, kind, f"2026-11-22 {time}", link, agent, "v"] for kind, time, link, agent in events
        ]
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return connection.execute(f"SELECT kind, happened_on FROM ({by_people_sql('events')}) ORDER BY ALL").fetchall()


DELIVERED = ("delivered", "01:00:00", None, None)
TODAY = date(2026, 11, 22)


def test_an_open_and_a_click_minutes_after_the_delivery_are_a_persons() -> None:
    assert by_people(DELIVERED, ("opened", "01:04:00", None, PHONE), ("clicked", "01:05:00", "https://a", PHONE)) == [
        ("clicked", TODAY),
        ("opened", TODAY),
    ]


def test_the_day_is_that_of_the_shop() -> None:
    assert by_people(("opened", "15:30:00", None, PHONE)) == [("opened", date(2026, 11, 23))]


@pytest.mark.parametrize(("second", "counts"), [("00:00:01", False), ("01:00:09", False), ("01:00:10", True)])
def test_nobody_reads_within_ten_seconds_of_the_delivery(second: str, counts: bool) -> None:
    assert bool(by_people(DELIVERED, ("opened", second, None, PHONE))) is counts


@pytest.mark.parametrize(("second", "at_once"), [(9.999, True), (10, False), (11, False)])
def test_senders_draw_the_line_at_the_same_second(second: float, at_once: bool) -> None:
    sent = datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert is_at_once(sent, sent + timedelta(seconds=second)) is at_once


def test_without_a_delivery_the_sending_is_taken() -> None:
    sent = ("sent", "01:00:00", None, None)
    assert by_people(sent, ("clicked", "01:00:05", "https://a", PHONE)) == []
    assert by_people(sent, ("clicked", "01:00:15", "https://a", PHONE)) == [("clicked", TODAY)]


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0",
        " Mozilla/5.0 ",
        "Mozilla/5.0 (compatible; Barracuda Sentinel)",
        "Mimecast-URL-Protect/1.0",
        "python-requests/2.32",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0",
        "Googlebot/2.1",
    ],
)
def test_known_machines_do_not_count(agent: str) -> None:
    assert by_people(DELIVERED, ("opened", "02:00:00", None, agent), ("clicked", "02:01:00", "https://a", agent)) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc")), min_size=1, max_size=6))
def test_senders_and_segments_tell_bursts_of_clicks_alike(clicks: list[tuple[int, str]]) -> None:
    events = [("clicked", f"02:00:{second:02d}", f"https://{link}", PHONE) for second, link in clicks]
    moments = [(datetime(2026, 11, 22, 2, 0, second, tzinfo=UTC), link) for second, link in clicks]
    assert any_by_person(moments) == bool(by_people(DELIVERED, *events))


def test_without_clicks_nobody_clicked() -> None:
    assert not any_by_person([])


@pytest.mark.parametrize("agent", [PHONE, GMAIL, None])
def test_people_count_those_behind_gmails_picture_proxy_too(agent: str | None) -> None:
    assert by_people(DELIVERED, ("opened", "02:00:00", None, agent)) == [("opened", TODAY)]


def test_all_links_at_once_are_a_scanner_and_so_is_the_open_beside_them() -> None:
    scanned = [("clicked", f"02:00:0{second}", f"https://shop.example/{second}", PHONE) for second in range(4)]
    assert by_people(DELIVERED, ("opened", "02:00:00", None, PHONE), *scanned) == []
    later = ("clicked", "08:00:00", "https://shop.example/1", PHONE)
    assert by_people(DELIVERED, *scanned, later) == [("clicked", TODAY)]


def test_one_link_twice_and_two_links_a_little_apart_are_a_person() -> None:
    twice = [("clicked", "02:00:00", "https://a", PHONE), ("clicked", "02:00:01", "https://a", PHONE)]
    assert len(by_people(DELIVERED, *twice)) == 2
    apart = [("clicked", "02:00:00", "https://a", PHONE), ("clicked", "02:00:04", "https://b", PHONE)]
    assert len(by_people(DELIVERED, *apart)) == 2
