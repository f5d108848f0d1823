"""One of the known libraries doing its part of the work once, for benchmarks.libraries; prints JSON.

It reads the three columns that it needs with pandas and is given no check, no status and no output to
write. Runs in an environment of its own, where nothing of this project is installed.

    python benchmarks/library.py {pymc-marketing,lifetimes} FILE --as-of 2026-11-22
"""

import argparse
import json
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any

CUSTOMER, ORDERED, AMOUNT = COLUMNS = ("customer_id", "ordered_at", "amount")


def rfm_segments(library: Any, orders: Any, as_of: str) -> Any:
    """Quartiles of recency, frequency and mean amount, and five segments by them."""
    return library.rfm_segments(orders, CUSTOMER, ORDERED, AMOUNT, observation_period_end=as_of)


def summary(library: Any, orders: Any, as_of: str) -> Any:
    """Recency, frequency, age and mean amount; no segments."""
    return library.summary_data_from_transaction_data(
        orders, CUSTOMER, ORDERED, AMOUNT, observation_period_end=as_of, include_first_transaction=True
    )


LIBRARIES = {
    "pymc-marketing": ("pymc_marketing.clv.utils", rfm_segments),
    "lifetimes": ("lifetimes.utils", summary),
}


def read(file: str) -> Any:
    """The three columns by pandas' faster reader, if this environment has it."""
    engine = "pyarrow" if find_spec("pyarrow") else "c"
    return import_module("pandas").read_csv(file, usecols=COLUMNS, engine=engine)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a library once on an order file.")
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("file")
    parser.add_argument("--as-of", required=True)
    options = parser.parse_args()
    name, work = LIBRARIES[options.library]
    start = time.perf_counter()
    library = import_module(name)
    imported = time.perf_counter()
    orders = read(options.file)
    ready = time.perf_counter()
    work(library, orders, options.as_of)
    seconds = {"import": imported - start, "read": ready - imported, "work": time.perf_counter() - ready}
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
