"""docs/order-files.md says what the descriptions say, and its example works."""

import re
from pathlib import Path

from dangol.orders.describe import load_dialect
from dangol.orders.rates import load_rates

from scripts.make_dialects import made_anew

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "order-files.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_tables_of_the_page_are_those_of_the_descriptions() -> None:
    assert made_anew(PAGE) == PAGE, "write it anew: python -m scripts.make_dialects"


def test_the_examples_of_the_page_can_be_used() -> None:
    rates, dialect = EXAMPLES
    assert load_rates(rates.encode(), "rates.yaml")[0].currency == "USD"
    assert load_dialect(dialect.encode(), "bakery.yaml").columns["phone"] == (("Mobil",), ("Telefon",))
