"""What the demo tells of receipts, rejects and moves."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dangol.reports.summary import SegmentLine, Summary
from dangol.segments.language.names import features_in
from dangol.segments.policy import default_policy, load_policy

from examples.sandbox.commands import CommandLine
from examples.sandbox.deployed import Written, total
from examples.sandbox.local_aws import ROOT, LocalAws
from examples.sandbox.pictures import kept
from examples.sandbox.terminal import (
    Step,
    customers_text,
    entries_text,
    gist_of_inspection,
    mail_text,
    members_text,
    moved_text,
    outcomes,
    outcomes_text,
    receipts_text,
    rejects_text,
    steps_text,
)


def change(customer: str, segment: str, kind: str, before: str | None, after: str | None) -> dict[str, Any]:
    """The detail of a `Segment Changed`, as far as it matters here."""
    return {"customer_id": customer, "segment": segment, "change": kind, "from": before, "to": after}


def receipt(key: str, *counts: int, **reasons: int) -> dict[str, Any]:
    read, accepted, superseded, rejected = counts
    return {
        "key": key,
        "rows_read": read,
        "rows_accepted": accepted,
        "rows_superseded": superseded,
        "rows_rejected": rejected,
        "reasons": reasons,
    }


def summary(*rfm: str, customers: int = 500, **others: str) -> Summary:
    """A summary of RFM segments by id, named like them in capitals, and of other segments, id=name."""
    lines = [SegmentLine(segment, segment.upper(), 1, 1.0, 1.0, 30, 1, 100) for segment in rfm]
    return Summary(date(2026, 11, 22), customers, 100, lines, [(one, name, 1) for one, name in others.items()], [])


def columns(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_move_is_two_events_and_counts_once() -> None:
    moved = [change("a", "new", "exited", "new", "loyal"), change("a", "loyal", "entered", "new", "loyal")]
    text = steps_text([Step("a day later", date(2026, 11, 23), moved, Written(1, 2, 2))], summary("new", "loyal"))
    assert ["new", "loyal", "1"] in columns(text)
    assert ["customers", "moved", "1"] in columns(text)
    assert ["all", "events", "on", "the", "bus", "2"] in columns(text)


def test_joining_and_leaving_a_segment_count_once_each() -> None:
    joined, left = change("a", "vip", "entered", None, "vip"), change("b", "once", "exited", "once", None)
    step = Step("later", date(2026, 11, 23), [joined, left], Written(2, 2, 2))
    text = steps_text([step], summary("vip", "once"))
    assert ["—", "vip", "1"] in columns(text)
    assert ["once", "—", "1"] in columns(text)


def test_entries_and_exits_of_other_segments_stand_apart_from_moves() -> None:
    day, week = date(2026, 11, 23), date(2026, 11, 29)
    entered = [change(who, "cooling", "entered", None, "cooling") for who in ("a", "b")]
    left, moved = change("c", "cooling", "exited", "cooling", None), change("d", "loyal", "entered", "new", "loyal")
    steps = [Step("day", day, [*entered, moved], Written(0, 0, 0)), Step("week", week, [left], Written(0, 0, 0))]
    found = summary("new", "loyal", cooling="Cooling")
    assert columns(entries_text(steps, found)) == [
        ["segment", "day", "week"],
        ["cooling", "Cooling", "+2", "−1"],
    ]
    assert "cooling" not in steps_text(steps, found)


def test_members_are_counted_and_the_first_three_are_named() -> None:
    members = {"vip": [{"customer_id": one} for one in "abcd"], "women": [{"customer_id": "e"}]}
    assert columns(members_text(members, summary("vip", customers=8, women="Women"))) == [
        ["segment", "members", "share", "among", "them"],
        ["vip", "VIP", "4", "50.0%", "a,", "b,", "c"],
        ["women", "Women", "1", "12.5%", "e"],
    ]


def test_a_customer_is_a_line_with_the_other_segments_below() -> None:
    customer = {
        "customer_id": "C1",
        "segment": "vip",
        "segment_since": "2026-11-22",
        "segments": ["vip", "female", "near_seoul"],
        "orders_90d": 0,
        "orders_lifetime": 2,
        "revenue_lifetime": 3000,
    }
    _, line, others = customers_text([customer], summary("vip"), "KRW").splitlines()
    assert line.split() == ["C1", "VIP", "2026-11-22", "—", "0", "—", "2", "3,000"]
    assert others.strip() == "and female, near_seoul"
    alone = customer | {"customer_id": "C2", "segments": ["vip"]}
    assert len(customers_text([alone, customer], summary("vip"), "KRW").splitlines()) == 4


def test_receipts_stand_below_each_other_by_kind() -> None:
    found = {"orders": total([receipt("a", 2, 1, 0, 1, amount=1)]), "interests": total([receipt("b", 1, 1, 0, 0)])}
    assert receipts_text(found).splitlines() == [
        "orders     2 rows read = 1 accepted + 0 superseded + 1 rejected",
        "  rejected for: amount 1",
        "interests  1 rows read = 1 accepted + 0 superseded + 0 rejected",
    ]


def test_of_an_inspection_remain_what_the_file_is_the_totals_and_the_rejects() -> None:
    inspected = (
        "a.csv\n  read as     plain\n  written as  csv\n  columns     order_id  id\n\nTogether\n  rows  1 read\n\n"
        "First orders of 1\n  order_id\n\nRejected rows, all 1\n  line 2: " + "long " * 30
    )
    lines = gist_of_inspection(inspected).splitlines()
    assert lines[:6] == ["  read as     plain", "  written as  csv", "  …", "", "Together", "  rows  1 read"]
    assert "First orders of 1" not in lines
    assert max(map(len, lines)) <= 100
    assert " ".join(" ".join(lines).split()).count("long") == 30


def test_each_step_has_its_own_column_and_its_writes_per_thousand_customers() -> None:
    moved = [change("a", "loyal", "entered", "new", "loyal")]
    steps = [
        Step("a day later", date(2026, 11, 23), [], Written(0, 0, 0)),
        Step("a week later", date(2026, 11, 29), moved, Written(3, 2, 2)),
    ]
    rows = columns(steps_text(steps, summary("new", "loyal", customers=4_000)))
    assert ["2026-11-23", "2026-11-29"] in rows
    assert ["new", "loyal", "0", "1"] in rows
    assert rows[-1] == ["writes", "per", "1,000", "customers", "0.0", "1.2"]


def test_receipts_add_up() -> None:
    english, korean = receipt("a.csv", 5, 3, 1, 1, amount=1), receipt("b.csv", 3, 1, 0, 2, amount=1, customer_id=1)
    both = total([english, korean])
    assert (both.rows_read, both.rows_accepted, both.rows_superseded, both.rows_rejected) == (8, 4, 1, 3)
    assert both.reasons == {"amount": 2, "customer_id": 1}
    assert both.files == ("a.csv", "b.csv")


def test_a_rejected_row_is_shown_as_it_came_with_its_line_and_the_reason() -> None:
    reject = {
        "line": "7",
        "column": "amount",
        "value": "12k",
        "reason": "is not a number",
        "row": "O1,C1,2026-01-31,12k",
    }
    assert rejects_text([reject]) == "O1,C1,2026-01-31,12k\n  line 7: amount '12k' is not a number"


def test_who_was_in_no_other_segment_has_a_dash_for_it() -> None:
    customer = {"customer_id": "C1", "segment": "at_risk", "segment_since": "2026-11-22"}
    assert columns(moved_text([customer], summary("at_risk")))[1] == ["C1", "—", "AT_RISK", "2026-11-22"]


def test_the_policy_of_cdnow_keeps_the_default_segments_and_adds_the_lapsed() -> None:
    cdnow = load_policy((ROOT / "examples/cdnow/segments.yaml").read_bytes(), "segments.yaml")
    default = default_policy()
    assert [rule.id for rule in cdnow.rfm] == [*(rule.id for rule in default.rfm), "lapsed"]
    by_orders = [rule.id for rule in default.segments if features_in(rule.where) == {"orders_lifetime"}]
    assert [rule.id for rule in cdnow.segments] == [one for one in by_orders if one != "never_purchased"]


def test_a_command_is_answered_as_in_a_terminal_and_one_that_cannot_work_is_an_error(tmp_path: Path) -> None:
    nowhere = LocalAws("http://127.0.0.1:1", tmp_path, process=None)  # type: ignore[arg-type]
    shell = CommandLine(nowhere, ROOT / "examples" / "exports")
    assert shell.run("dangol inspect plain.csv").startswith("plain.csv\n  read as     plain")
    with pytest.raises(RuntimeError, match=r"nothing\.csv"):
        shell.run("dangol inspect nothing.csv")


def delivery(customer: str, channel: str, status: str, reason: str | None = None) -> dict[str, str]:
    row = {"run": "picks-20261122T0100Z", "customer_id": customer, "channel": channel, "status": status}
    return row | ({"reason": reason} if reason else {})


def test_messages_are_counted_by_campaign_channel_and_what_became_of_them_most_first() -> None:
    rows = [delivery("c1", "email", "skipped", "no_consent"), *(delivery(f"c{n}", "email", "sent") for n in (2, 3))]
    rows.append(delivery("c1", "push", "deferred", "quiet_hours"))
    assert [line.split() for line in outcomes_text(rows).splitlines()[1:]] == [
        ["picks", "email", "sent", "2"],
        ["picks", "email", "skipped", "no", "consent", "1"],
        ["picks", "push", "deferred", "quiet", "hours", "1"],
    ]


def test_a_message_that_ended_otherwise_or_for_somebody_else_is_another_outcome() -> None:
    sent = outcomes([delivery("c1", "email", "sent")])
    others = [delivery("c2", "email", "sent"), delivery("c1", "push", "sent"), delivery("c1", "email", "failed")]
    assert all(outcomes([other]) != sent for other in others)
    assert outcomes([delivery("c1", "email", "sent")] * 2) != sent


def test_a_mail_is_shown_with_its_links_cut_short() -> None:
    text = mail_text(
        {"To": ["kim@example.com"], "Subject": "(광고) 안녕", "BodyText": "반가워요.\nhttps://" + "x" * 200}
    )
    assert text.splitlines()[:4] == ["To: kim@example.com", "Subject: (광고) 안녕", "", "반가워요."]
    assert max(map(len, text.splitlines())) <= 100


def test_a_page_is_kept_where_there_is_no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.sandbox.pictures.BROWSERS", ())
    assert kept(tmp_path / "out" / "page.html", "<p>단골</p>", (10, 10)) == str(tmp_path / "out" / "page.html")
    assert (tmp_path / "out" / "page.html").read_text("utf-8") == "<p>단골</p>"
