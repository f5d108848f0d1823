"""Names in the ledger: which upload is newer, where a customer lies, and what must not change after the first file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest
from dangol.errors import LedgerMismatch
from dangol.ledger import layout
from dangol.ledger.store import FolderStore
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
KEY = "incoming/orders/a.csv"


def version(time: datetime = NOON, sequencer: str = "0055AED6DCD90281E5", key: str = KEY) -> str:
    return layout.file_version(time, sequencer, key)


def test_a_later_upload_is_a_newer_version_whatever_its_sequencer() -> None:
    assert version(NOON + timedelta(seconds=1), "00") > version(NOON, "FF")


def test_the_time_zone_in_which_an_event_tells_its_time_does_not_matter() -> None:
    assert version(NOON.astimezone(timezone(timedelta(hours=9)))) == version()


def test_within_a_second_the_sequencer_decides() -> None:
    assert version(sequencer="0055AED6DCD90281E6") > version(sequencer="0055AED6DCD90281E5")
    assert version(sequencer="0055aed6dcd90281ea") > version(sequencer="0055AED6DCD90281E5")


def test_sequencers_of_different_lengths_compare_filled_up_on_the_right() -> None:
    """As S3 says; filled up on the left the longer would always be the newer."""
    assert version(sequencer="0066") > version(sequencer="0055AED6DCD90281E5")
    assert version(sequencer="0055AED6DCD90281E5AA") > version(sequencer="0055AED6DCD90281E5")


def test_uploads_of_two_keys_are_two_versions() -> None:
    assert version(key="incoming/orders/b.csv") != version()


def test_a_version_holds_nothing_of_the_name_of_the_file() -> None:
    assert "김철수" not in version(key="incoming/orders/김철수.csv")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), st.integers(1, 1024))
def test_sql_and_python_find_a_customer_in_the_same_shard(customer: str, shards: int) -> None:
    sql = f"SELECT {layout.shard_sql('customer', shards)} FROM (SELECT ?::VARCHAR AS customer)"
    assert duckdb.execute(sql, [customer]).fetchall() == [(layout.shard_of(customer, shards),)]


def test_shards_are_stable_for_ever() -> None:
    """Another answer would lose every customer of every ledger there is."""
    assert [layout.shard_of(name, 256) for name in ("c1", "고객 7", "a@b.kr")] == [154, 231, 162]


def test_the_number_of_shards_is_noted_by_the_first_file_and_then_kept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert not layout.check_layout(store, 4)
    layout.note_layout(store, 4)
    layout.note_layout(store, 4)
    assert layout.check_layout(store, 4)
    with pytest.raises(LedgerMismatch, match=r"has 4 shards.*expects 8.*NumberOfShards=4"):
        layout.note_layout(store, 8)
    with pytest.raises(LedgerMismatch):
        layout.check_layout(store, 8)


def test_a_compaction_is_told_from_what_a_file_brought() -> None:
    part = layout.part_key(layout.ORDERS, 3, version())
    assert part.startswith("ledger/orders/shard=0003/part-")
    assert not layout.is_base(part)
    assert layout.is_base(layout.base_key(layout.ORDERS, 3, [part]))


def test_compactions_of_different_objects_have_different_names() -> None:
    keys = {layout.base_key(layout.ORDERS, 0, merged) for merged in (["a"], ["b"], ["a", "b"], ["ab"])}
    assert len(keys) == 4
