"""A folder as object store behaves as S3 does."""

from __future__ import annotations

from pathlib import Path

import pytest
from dangol.ledger.store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "bucket")


def test_nothing_is_there_at_first(store: FolderStore) -> None:
    assert store.keys("") == []
    with pytest.raises(FileNotFoundError):
        store.read("ledger/gone")


def test_keys_are_found_by_prefix_in_order(store: FolderStore) -> None:
    for key in ("ledger/b", "ledger/a/2", "ledger/a/1", "other"):
        store.write(key, b"")
    assert store.keys("ledger/") == ["ledger/a/1", "ledger/a/2", "ledger/b"]
    assert store.keys("ledger/a") == ["ledger/a/1", "ledger/a/2"]


def test_what_is_written_is_read_and_replaced(store: FolderStore) -> None:
    store.write("key", b"old")
    store.write("key", b"new")
    assert store.read("key") == b"new"


def test_uploads_are_downloaded_in_the_order_asked_for(store: FolderStore, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    store.upload([(tmp_path / "a", "keys/a"), (tmp_path / "b", "keys/b")])
    assert [path.read_text() for path in store.download(["keys/b", "keys/a"], tmp_path)] == ["b", "a"]


def test_one_object_that_is_gone_fails_a_download(store: FolderStore, tmp_path: Path) -> None:
    store.write("a", b"")
    with pytest.raises(FileNotFoundError):
        store.download(["a", "gone"], tmp_path)


def test_deleting_what_is_not_there_is_no_error(store: FolderStore) -> None:
    store.write("a", b"")
    store.delete(["a", "gone"])
    assert store.keys("") == []
