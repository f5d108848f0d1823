"""A copy of the ledger holds the same as the ledger, whatever happens beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dangol.ledger.mirror import mirror
from dangol.ledger.store import FolderStore, ObjectStore

FIRST = "ledger/orders/shard=0000/part-1-0.parquet"
SECOND = "ledger/orders/shard=0001/part-1-0.parquet"
MERGED = "ledger/orders/shard=0001/base-abc.parquet"
PEOPLE = "ledger/customers/shard=0000/part-2-0.parquet"


class Ledger(FolderStore):
    """A ledger that notes what is read, and in which objects may be merged while it is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reads: list[str] = []
        self.merging = False

    def read(self, key: str) -> bytes:
        if self.merging and key == SECOND:
            self.merging = False
            self.write(MERGED, super().read(SECOND))
            self.delete([SECOND])
        data = super().read(key)
        self.reads.append(key)
        return data


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger")
    for key in (FIRST, SECOND, PEOPLE):
        ledger.write(key, key.encode())
    return ledger


def wanted(store: ObjectStore) -> list[str]:
    return store.keys("ledger/orders/") + store.keys("ledger/customers/")


def silent(done: int, of: int) -> None:
    assert done <= of


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_holds_what_is_wanted_and_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    for key in (
        "ledger/state/shard=0000/head.json",
        "ledger/order_owners/shard=0000/part-1-0.parquet",
        "incoming/a.csv",
    ):
        ledger.write(key, b"")
    copy = mirror(ledger, tmp_path / "copy", wanted, silent)
    assert held(tmp_path / "copy") == {key: key.encode() for key in (FIRST, SECOND, PEOPLE)}
    assert copy.keys("ledger/orders/") == [FIRST, SECOND]


def test_objects_are_copied_once(ledger: Ledger, tmp_path: Path) -> None:
    mirror(ledger, tmp_path / "copy", wanted, silent)
    ledger.write(MERGED, b"merged")
    ledger.reads.clear()
    told: list[tuple[int, int]] = []
    mirror(ledger, tmp_path / "copy", wanted, lambda done, of: told.append((done, of)))
    assert (ledger.reads, told) == ([MERGED], [(1, 1)])


def test_objects_that_are_gone_go_from_the_copy(ledger: Ledger, tmp_path: Path) -> None:
    mirror(ledger, tmp_path / "copy", wanted, silent)
    ledger.delete([PEOPLE])
    mirror(ledger, tmp_path / "copy", wanted, silent)
    assert set(held(tmp_path / "copy")) == {FIRST, SECOND}


def test_objects_that_are_merged_while_they_are_copied_are_found_anew(ledger: Ledger, tmp_path: Path) -> None:
    ledger.merging = True
    mirror(ledger, tmp_path / "copy", wanted, silent)
    assert set(held(tmp_path / "copy")) == {FIRST, MERGED, PEOPLE}


def test_nobody_else_may_look_into_the_copy(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir(mode=0o755)
    mirror(ledger, tmp_path / "copy", wanted, silent)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700
