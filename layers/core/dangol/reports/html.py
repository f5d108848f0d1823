"""A summary as one HTML file that needs no network."""

from importlib.resources import files

from jinja2 import Environment

from dangol.files.receipt import Receipt
from dangol.reports.summary import Summary, bands
from dangol.reports.text import receipt_text


def report_html(summary: Summary, currency: str, receipt: Receipt | None = None) -> str:
    """The report. Whatever comes from files is escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        (files("dangol.reports") / "templates" / "report.html").read_text(encoding="utf-8")
    )
    return template.render(
        summary=summary,
        currency=currency,
        receipt=receipt,
        receipt_line=receipt_text(receipt).splitlines()[0] if receipt else "",
        order_bands=bands("orders_90d"),
    )
