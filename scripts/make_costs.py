"""Write in docs/operating.md anew what a shop costs: the units, and an example.

python -m scripts.make_costs
"""

from pathlib import Path

from dangol.costs import usage
from dangol.costs.prices import default_prices
from dangol.costs.usage import Messages, Shop, together, usage_of_messages, usage_of_month
from dangol.reports.costs import bill_text, usd

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operating.md"
BEGIN, END = "<!-- made by scripts/make_costs.py -->\n\n", "\n<!-- end of what it makes -->\n"


def units() -> str:
    """How much a message, an order and a month take."""
    rows = {
        "DynamoDB writes": f"{usage.WRITES_AN_ORDER:g} with a counted order (the customer, two memberships, the "
        f"profile) and {usage.WRITES_MOVED:g} when time moves its customer later; "
        f"{usage.WRITES_RECORDED + usage.WRITES_CLAIMED:g} a message "
        f"that is sent, {usage.WRITES_RECORDED:g} one that is skipped, {usage.WRITES_OPENED:g} an opened mail",
        "EventBridge": f"{2 * usage.EVENTS_MOVED:g} events an order: with it and later, a segment left and one entered",
        "SES, SNS and SQS": f"a mail, and {usage.EVENTS_AN_EMAIL:g} events of it",
        "Lambda": f"{usage.INGEST_GB_SECONDS:.1f} GB-seconds a file, {usage.REFRESH_GB_SECONDS:.1f} a shard refreshed, "
        f"{usage.SECONDS_A_THOUSAND * usage.SENDER_GB:g} a thousand messages, "
        f"{usage.MEASURE_GB_SECONDS_A_SHARD:.1f} a shard and day while a campaign is measured",
        "S3": f"{usage.S3_WRITES_A_PART} objects a file and shard it touches, {usage.S3_WRITES_A_REFRESH} writes "
        f"and listings a refresh, {usage.BYTES_AN_ORDER} bytes an order",
        "Step Functions": f"{usage.TRANSITIONS_A_SHARD} transitions a shard and day",
        "whatever happens": f"a look a minute of `launch`; Lambda asks {usage.POLLED_QUEUES} queues for work, "
        f"five at a time, each for twenty seconds; {usage.ALARMS} alarms, {usage.DASHBOARDS} dashboard, "
        f"{usage.SECRETS} secrets",
    }
    return "\n".join(
        ["| what | how much of it |", "|---|---|", *(f"| {what} | {much} |" for what, much in rows.items())]
    )


def example() -> str:
    """A small shop and a large one, at the prices shipped."""
    prices = default_prices().of()
    small = usage_of_month(Shop(orders=100_000 / 12, customers=50_000, orders_kept=300_000, shards=16), campaigns=1)
    mails = usage_of_messages([Messages("email", 20_000, 20_000)])
    large = usage_of_month(Shop(orders=100_000_000 / 12, customers=10_000_000, orders_kept=300_000_000, shards=256))
    thousand = prices.total(usage_of_messages([Messages("email", 1_000, 1_000)]))
    return f"""\
A shop with 100,000 orders a year and 300,000 kept, 50,000 customers, 16 shards, a file a day, 20,000 e-mails a month:

```
{bill_text(prices, together((small, mails)))}
```

A thousand e-mails are {usd(thousand)} USD in all, a thousand pushes below a cent. With 100 million orders a
year, 10 million customers and 256 shards it is {prices.total(large):.0f} USD a month before messages,
mostly for rows and events.
"""


def made_anew(page: str) -> str:
    """The page with both as they follow from the code."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{units()}\n\n{example()}{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(made_anew(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
