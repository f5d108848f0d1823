"""What the demo tells of receipts, rejects and moves."""

from datetime import date
from typing import Any

from dangol.reports.summary import SegmentLine, Summary
from dangol.segments.language.names import features_in
from dangol.segments.policy import default_policy, load_policy

from examples.sandbox.deployed import Written, total
from examples.sandbox.local_aws import ROOT
from examples.sandbox.terminal import Step, moved_text, rejects_text, steps_text


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


def columns(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_move_is_two_events_and_counts_once() -> None:
    moved = [change("a", "new", "exited", "new", "loyal"), change("a", "loyal", "entered", "new", "loyal")]
    text = steps_text([Step("a day later", date(2026, 11, 23), moved, Written(1, 2, 2))], customers=500)
    assert ["new", "loyal", "1"] in columns(text)
    assert ["customers", "moved", "1"] in columns(text)
    assert ["events", "on", "the", "bus", "2"] in columns(text)


def test_joining_and_leaving_a_segment_count_once_each() -> None:
    joined, left = change("a", "vip", "entered", None, "vip"), change("b", "once", "exited", "once", None)
    text = steps_text([Step("later", date(2026, 11, 23), [joined, left], Written(2, 2, 2))], customers=500)
    assert ["—", "vip", "1"] in columns(text)
    assert ["once", "—", "1"] in columns(text)


def test_each_step_has_its_own_column_and_its_writes_per_thousand_customers() -> None:
    moved = [change("a", "loyal", "entered", "new", "loyal")]
    steps = [
        Step("a day later", date(2026, 11, 23), [], Written(0, 0, 0)),
        Step("a week later", date(2026, 11, 29), moved, Written(3, 2, 2)),
    ]
    rows = columns(steps_text(steps, customers=4_000))
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
    line = SegmentLine("at_risk", "잠재 이탈 고객", 1, 1.0, 1.0, 30, 1, 100)
    summary = Summary(date(2026, 11, 22), 1, 100, [line], [], [])
    customer = {"customer_id": "C1", "segment": "at_risk", "segment_since": "2026-11-22"}
    assert columns(moved_text([customer], summary))[1] == ["C1", "—", "잠재", "이탈", "고객", "2026-11-22"]


def test_the_policy_of_cdnow_keeps_the_default_segments_and_adds_the_lapsed() -> None:
    cdnow = load_policy((ROOT / "examples/cdnow/segments.yaml").read_bytes(), "segments.yaml")
    default = default_policy()
    assert [rule.id for rule in cdnow.rfm] == [*(rule.id for rule in default.rfm), "lapsed"]
    by_orders = [rule.id for rule in default.segments if features_in(rule.where) == {"orders_lifetime"}]
    assert [rule.id for rule in cdnow.segments] == [one for one in by_orders if one != "never_purchased"]
