"""What changed since the last report, as sentences that either language can say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from dangol.reports.flows import Flow
from dangol.reports.quality import STALE_DAYS, Quality
from dangol.reports.summary import Summary
from dangol.reports.traits import FEWEST
from dangol.segments.policy import UNCLASSIFIED

_MOVES = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence by its key in dangol.reports.words, with what is filled in."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    """By name: `origin`, `target` and `segment` are ids of segments, `amount` is money; the rest counts or dates."""
    warning: bool = False
    """Whether somebody should look into it."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the last report said."""

    as_of: date
    customers: int
    orders: int | None
    """Counted orders ever; None in reports of earlier versions."""
    revenue: float
    policy_version: str
    records: Mapping[str, tuple[int, date]]
    """RFM segment → the most customers a report has shown, and on which day first."""
    files_until: str = ""
    """The newest upload that its account of files goes to (an id in table `Runs`)."""


def records_of(summary: Summary, before: Before | None) -> dict[str, tuple[int, date]]:
    """The records with this report's."""
    records = dict(before.records) if before else {}
    for line in summary.rfm:
        if line.customers > records.get(line.id, (0, summary.as_of))[0]:
            records[line.id] = (line.customers, summary.as_of)
    return records


def news(
    summary: Summary, policy_version: str, before: Before | None, moves: Flow | None, quality: Quality
) -> tuple[Sentence, ...]:
    """The sentences of a report; `moves` is the flow since the last one, where it is known."""
    changes = [Sentence("first_report")] if before is None else [*_totals(summary, before), *_moves(moves)]
    if before is not None:
        changes += _records(summary, before)
        if before.policy_version != policy_version:
            changes.append(Sentence("policy_changed"))
    everything = [*changes, *_about_data(summary.as_of, quality)]
    return tuple(sorted(everything, key=lambda sentence: not sentence.warning))  # what to look into comes first


def _totals(summary: Summary, before: Before) -> Iterator[Sentence]:
    more = summary.customers - before.customers
    key = "customers_more" if more > 0 else "customers_fewer" if more < 0 else "customers_same"
    yield Sentence(key, {"more": abs(more), "customers": summary.customers, "day": before.as_of})
    if before.orders is None:
        return
    orders, revenue = summary.orders - before.orders, summary.revenue - before.revenue
    if orders < 0:
        yield Sentence("orders_fewer", {"fewer": -orders, "amount": abs(revenue)}, warning=True)
    elif orders > 0:
        key = "orders_more" if revenue >= 0 else "orders_more_revenue_less"
        yield Sentence(key, {"more": orders, "amount": abs(revenue)})
    else:
        yield Sentence("orders_same")


def _moves(moves: Flow | None) -> Iterator[Sentence]:
    if moves is None or moves.cells is None:
        return
    between = [(then, now, count) for then, now, count in moves.moved if then is not None and now is not None]
    if not between:
        yield Sentence("nobody_moved")
        return
    yield Sentence("moved_in_all", {"customers": sum(count for _, _, count in between)})
    for then, now, count in between[:_MOVES]:
        yield Sentence("moved", {"origin": then, "target": now, "customers": count})


def _records(summary: Summary, before: Before) -> Iterator[Sentence]:
    for line in summary.rfm:
        most, day = before.records.get(line.id, (0, before.as_of))
        if line.id != UNCLASSIFIED and most and line.customers > most and line.customers >= FEWEST:
            yield Sentence("record", {"segment": line.id, "customers": line.customers, "most": most, "day": day})


def _about_data(as_of: date, quality: Quality) -> Iterator[Sentence]:
    days = quality.days_without_order(as_of)
    if days is not None and days >= STALE_DAYS:
        yield Sentence("stale", {"days": days, "day": quality.newest_order}, warning=True)
    if quality.failed_shards:
        share = {"failed": quality.failed_shards, "shards": quality.shards}
        yield Sentence("shards_failed", share, warning=True)
    if quality.refused:
        yield Sentence("files_refused", {"files": len(quality.refused)}, warning=True)
    if quality.rows_rejected:
        counts = {"rows": quality.rows_rejected, "read": quality.rows_read}
        yield Sentence("rows_rejected", counts, warning=quality.rows_rejected * 100 > quality.rows_read)
