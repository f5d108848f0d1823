"""Reading order files, in both ways there are."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.builders import Outcome
from tests.builders import read as read_files

Read = Callable[..., Outcome]


@pytest.fixture(params=["read_orders", "read_purchases"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    """Read files for the ledger and for RFM: a test with this fixture runs both ways."""
    return partial(read_files, tmp_path, how=request.param)


@pytest.fixture
def read_orders(tmp_path: Path) -> Read:
    """Read files for the ledger: whole orders."""
    return partial(read_files, tmp_path, how="read_orders")
