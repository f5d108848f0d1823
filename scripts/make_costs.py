"""Write the example in docs/operating.md, what a shop costs, anew from the code.

python -m scripts.make_costs
"""

from pathlib import Path

from dangol.costs.prices import default_prices
from dangol.costs.usage import Messages, Shop, together, usage_of_messages, usage_of_month
from dangol.reports.costs import bill_text, usd

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operating.md"
BEGIN, END = "<!-- made by scripts/make_costs.py -->\n\n", "\n<!-- end of what it makes -->\n"


def example() -> str:
    """A small shop and a large one, at the prices shipped."""
    prices = default_prices().of()
    small = usage_of_month(Shop(orders=100_000 / 12, customers=50_000, orders_kept=300_000, shards=16))
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
    """The page with the example as it follows from the code."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{example()}{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(made_anew(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
