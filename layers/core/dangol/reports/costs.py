"""A prediction of costs, for the terminal and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dangol.costs.prediction import ASSUMED, Prediction
from dangol.costs.prices import UNITS, Prices, Usage
from dangol.costs.usage import Shop, together
from dangol.reports.text import aligned


@dataclass(frozen=True, slots=True)
class CostReport:
    """What is predicted, and at whose prices."""

    prices: Prices
    campaigns: Sequence[Prediction]
    shop: Shop
    shop_usage: Usage
    """A month of the shop beside its campaigns."""

    @property
    def usage(self) -> Usage:
        """A month of all of it."""
        return together((self.shop_usage, *(one.month_usage for one in self.campaigns)))


def costs_text(report: CostReport) -> str:
    """Each campaign a line, the shop beside them, and what it is paid for."""
    prices = report.prices
    parts = [
        f"A prediction of a month, in US dollars at the prices of {prices.region}.",
        *([_campaigns(report)] if report.campaigns else []),
        *([_beside(report)] if report.shop_usage else []),
        bill_text(prices, report.usage),
        "\n".join(["Assumed:", *(f"- {one}" for one in ASSUMED)]),
    ]
    return "\n\n".join(parts)


def _beside(report: CostReport) -> str:
    prices, shop = report.prices, report.shop
    kept = f"{shop.customers:,} customers, {shop.shards} shards"
    about = f"{shop.orders:,.0f} orders and {shop.files:g} files a month, {kept}"
    return (
        f"The shop beside its campaigns ({about}): {usd(prices.total(report.shop_usage))}\n"
        f"All together: {usd(prices.total(report.usage))}"
    )


def _campaigns(report: CostReport) -> str:
    rows = [("campaign", "people", "messages a run", "a run", "runs a month", "a month")]
    for one in report.campaigns:
        messages = ", ".join(f"{count:,.0f} {channel}" for channel, count in one.a_run.items())
        run, month = (usd(report.prices.total(usage)) for usage in (one.run_usage, one.month_usage))
        rows.append((one.campaign, f"{one.people:,}", messages, run, f"{one.runs:g}", month))
    return aligned(rows, left=1)


def bill_text(prices: Prices, usage: Usage) -> str:
    """What is paid for, the dearest first; below a cent a month together."""
    lines = prices.bill(usage)
    rows = [("a month", "of it", "US dollars")]
    rows += [(UNITS[one.what][1], _quantity(one.quantity), usd(one.usd)) for one in lines if one.usd >= _CENT]
    rest = sum(one.usd for one in lines if one.usd < _CENT)
    total = ("together", "", usd(prices.total(usage)))
    return aligned([*rows, ("everything else", "", usd(rest)), total], left=1)


def costs_json(report: CostReport) -> dict[str, Any]:
    """The same for programs."""
    prices = report.prices
    campaigns = [
        {
            "campaign": one.campaign,
            "people": one.people,
            "messages_a_run": {channel: round(count) for channel, count in one.a_run.items()},
            "runs_a_month": one.runs,
            "reached_share": round(one.share, 4),
            "usd_a_run": round(prices.total(one.run_usage), 4),
            "usd_a_month": round(prices.total(one.month_usage), 4),
        }
        for one in report.campaigns
    ]
    lines = [
        {"what": one.what, "quantity": round(one.quantity, 4), "usd": round(one.usd, 4)}
        for one in prices.bill(report.usage)
    ]
    return {
        "region": prices.region,
        "campaigns": campaigns,
        "shop_usd_a_month": round(prices.total(report.shop_usage), 4),
        "usd_a_month": round(prices.total(report.usage), 4),
        "lines": lines,
        "assumed": list(ASSUMED),
    }


_CENT = 0.01


def usd(amount: float) -> str:
    """Dollars, to the cent; less than one as such."""
    return "0.00" if not amount else "< 0.01" if amount < _CENT else f"{amount:,.2f}"


def _quantity(quantity: float) -> str:
    return f"{quantity:,.0f}" if quantity >= 10 else f"{quantity:.2g}"
