"""A summary for the terminal."""

import unicodedata
from collections.abc import Sequence

from dangol.files.receipt import Receipt
from dangol.reports.summary import Summary


def summary_text(summary: Summary) -> str:
    """RFM segments, with medians of R (days), F (orders) and M (currency), and below them the independent segments."""
    rows = [("segment", "", "customers", "share", "revenue", "R", "F", "M")]
    for line in summary.rfm:
        medians = (_number(line.median_r), _number(line.median_f), _number(line.median_m))
        rows.append(
            (
                line.id,
                line.name,
                f"{line.customers:,}",
                f"{line.customer_share:.1%}",
                f"{line.revenue_share:.1%}",
                *medians,
            )
        )
    text = aligned(rows, left=2)
    return "\n\n".join(filter(None, (text, _others_text(summary))))


def _others_text(summary: Summary) -> str:
    """The independent segments that hold somebody, a line each; the others by name in a last line."""
    rows = [("also in", "", "customers", "share")]
    rows += [
        (segment, name, f"{count:,}", f"{count / summary.customers:.1%}")
        for segment, name, count in summary.segments
        if count
    ]
    nobody = ", ".join(segment for segment, _, count in summary.segments if not count)
    table = aligned(rows, left=2) if len(rows) > 1 else ""
    return "\n".join(filter(None, (table, nobody and f"nobody is in {nobody}")))


def receipt_text(receipt: Receipt) -> str:
    """The receipt in one line; rejects by column in a second."""
    text = (
        f"{receipt.rows_read:,} rows read = {receipt.rows_accepted:,} accepted "
        f"+ {receipt.rows_superseded:,} superseded + {receipt.rows_rejected:,} rejected"
    )
    reasons = ", ".join(f"{column} {count:,}" for column, count in receipt.reasons.items())
    return text + (f"\n  rejected for: {reasons}" if reasons else "")


def aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    """Rows as columns; the first `left` columns flush left. Korean letters are two cells wide."""
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for i, cell in enumerate(row):
            pad = " " * (widths[i] - _width(cell))
            cells.append(cell + pad if i < left else pad + cell)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)


def _number(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.1f}"
