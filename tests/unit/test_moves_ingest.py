"""What becomes of a dropped file: promise 2, and files that nobody can use."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dangol.errors import LedgerMismatch
from dangol.moves.ingest import DroppedFile, Limits

from tests.fakes import FakeRuns
from tests.world import FIRST_DAY, Row, World, csv_of

HEADER = "order_id,customer_id,ordered_at,amount,status\n"
ORDERS = [Row("o1", "c1", 0, 100), Row("o2", "c3", 0, 200)]


def told(world: World) -> list[tuple[str, dict[str, Any]]]:
    return [(kind, detail) for kind, detail in world.bus.events if kind.startswith("File")]


def reason(world: World, receipt: Any) -> str:
    """Why a file was rejected: told and noted the same, and nothing else happened."""
    assert receipt["status"] == "rejected"
    (event,) = world.bus.of("File Rejected")
    assert event["reason"] == receipt["reason"]
    assert world.runs.noted["file", event["version"]] == receipt
    assert world.queue.waiting == []
    assert world.store.keys("ledger/") == []
    return str(receipt["reason"])


def test_a_file_is_answered_with_a_receipt_and_its_shards_are_refreshed() -> None:
    with World(shards=3) as world:
        world.today = date(2026, 3, 1)
        file = world.drop_rows(ORDERS, second=1)
        receipt = world.ingest(file)
        assert receipt == {
            "key": "incoming/orders/a.csv",
            "uploaded_at": "2026-01-01T00:00:01+00:00",
            "status": "ingested",
            "rows_read": 2,
            "rows_accepted": 2,
            "rows_superseded": 0,
            "rows_rejected": 0,
            "reasons": {},
            "shards": [1, 2],
        }
        assert world.runs.noted == {("file", file.version): receipt}
        asked = [(r.shard, r.as_of, r.reason, r.run_id) for r in world.queue.waiting]
        assert asked == [(shard, world.today, "file", file.version) for shard in (1, 2)]
        counts = {"rows_read": 2, "rows_accepted": 2, "rows_superseded": 0, "rows_rejected": 0}
        assert told(world) == [("File Ingested", {"key": file.key, "version": file.version, **counts})]


def test_the_same_event_again_changes_nothing() -> None:
    with World() as world:
        file = world.drop_rows(ORDERS, second=1)
        first = world.ingest(file)
        before = (list(world.bus.events), list(world.queue.waiting), world.store.keys(""))
        assert world.ingest(file) == first
        assert (world.bus.events, world.queue.waiting, world.store.keys("")) == before


def test_bad_rows_go_to_rejects_and_the_receipt_adds_up() -> None:
    with World() as world:
        text = csv_of(ORDERS) + "o3,c1,never,100,paid\no4,c1,2026-01-01,-5,paid\no1,c1,2026-01-01,150,paid\n"
        receipt = world.ingest(world.drop(text, second=1))
        assert receipt["rows_read"] == 5
        assert (receipt["rows_accepted"], receipt["rows_superseded"], receipt["rows_rejected"]) == (2, 1, 2)
        assert receipt["reasons"] == {"ordered_at": 1, "amount": 1}
        rejects = world.store.read(receipt["rejects_key"]).decode("utf-8-sig")
        assert len(rejects.splitlines()) == 3
        assert "o3,c1,never,100,paid" in rejects


def test_rejects_can_be_corrected_and_dropped_again() -> None:
    with World(shards=1) as world:
        receipt = world.ingest(world.drop(csv_of(ORDERS) + "o3,c1,never,100,paid\n", second=1))
        rejects = world.store.read(receipt["rejects_key"]).decode("utf-8-sig")
        again = world.ingest(world.drop(rejects.replace("never", "2026-01-01"), second=2))
        assert (again["rows_accepted"], again["rows_rejected"]) == (1, 0)
        world.work_off()
        assert world.tables.customers["c1"].orders_lifetime == 2


def test_rejects_of_two_uploads_of_a_name_lie_side_by_side() -> None:
    with World() as world:
        keys = {world.ingest(world.drop(HEADER + "o3,c1,never,1,\n", second=n))["rejects_key"] for n in (1, 2)}
        assert len(keys) == 2


@pytest.mark.parametrize("text", [HEADER, HEADER + "o1,c1,never,100,\n"], ids=["header only", "all rows bad"])
def test_a_file_without_a_usable_row_asks_for_no_refresh(text: str) -> None:
    with World() as world:
        receipt = world.ingest(world.drop(text, second=1))
        assert (receipt["status"], receipt["rows_accepted"], receipt["shards"]) == ("ingested", 0, [])
        assert world.queue.waiting == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"order_id,customer_id,ordered_at\no1,c1,2026-01-01\n", "'amount'"),
        (gzip.compress(csv_of(ORDERS).encode())[:-20], "cut off or damaged"),
        (b"PK\x03\x04 spreadsheet", "damaged .xlsx"),
        (gzip.compress(HEADER.encode() + b"x" * 5_000_000), "unpacks to more than 1,000,000 bytes"),
    ],
    ids=["empty", "missing column", "truncated gzip", "spreadsheet", "gzip bomb"],
)
def test_a_file_that_cannot_be_read_is_rejected_with_a_reason_and_not_tried_again(data: bytes, says: str) -> None:
    with World() as world:
        receipt = world.ingest(world.drop(data, second=1))
        assert says in reason(world, receipt)


def test_a_file_over_the_limit_is_not_even_fetched() -> None:
    with World() as world:
        world.limits = Limits(text_bytes=50, memory_mb=500)
        file = world.drop_rows(ORDERS, second=1)
        world.incoming.objects.clear()
        assert "larger than 50 bytes" in reason(world, world.ingest(file))


def test_a_file_in_no_known_folder_is_rejected() -> None:
    with World() as world:
        for second, key in enumerate(["incoming/a.csv", "incoming/orderz/a.csv"], start=1):
            receipt = world.ingest(world.drop(csv_of(ORDERS), second, key))
            assert "incoming/orders/" in receipt["reason"]
        assert len(world.bus.of("File Rejected")) == 2


def test_amounts_that_add_up_to_more_than_any_number_spare_the_rest_of_the_file() -> None:
    lines = "".join("o1,c1,2026-01-01,1000000000000,P\n" for _ in range(120)) + "o2,c2,2026-01-01,5,P\n"
    with World() as world:
        receipt = world.ingest(world.drop("order_id,customer_id,ordered_at,line_amount,product_id\n" + lines, second=1))
        assert (receipt["rows_accepted"], receipt["rows_rejected"]) == (1, 120)


def test_a_customer_id_that_no_key_of_dynamodb_takes_is_rejected() -> None:
    """A sort key holds 1,024 bytes; one row more would keep the whole shard from ever being refreshed again."""
    with World(shards=1) as world:
        long = Row("o1", "고" * 342, 0, 100)
        receipt = world.drop_and_ingest([long, Row("o2", "c1", 0, 100), Row("o3", "c" * 1_024, 0, 100)], second=1)
        assert (receipt["rows_accepted"], receipt["rows_rejected"]) == (2, 1)


def test_a_file_that_was_replaced_before_it_was_read_gives_way_to_its_successor() -> None:
    with World(shards=1) as world:
        old = world.drop_rows([Row("o1", "c1", 0, 100)], second=1)
        new = world.drop_rows([Row("o1", "c1", 0, 999)], second=2)
        assert world.ingest(old)["status"] == "replaced"
        assert told(world) == []
        assert world.ingest(new)["status"] == "ingested"
        world.work_off()
        assert world.tables.customers["c1"].revenue_lifetime == 999


def test_a_file_that_was_deleted_before_it_was_read_is_no_error() -> None:
    with World() as world:
        file = world.drop_rows(ORDERS, second=1)
        world.incoming.objects.clear()
        assert world.ingest(file)["status"] == "replaced"
        assert world.queue.waiting == []


def test_a_key_with_spaces_and_korean_letters_is_a_key_like_any_other() -> None:
    key = "incoming/orders/2026 상반기/주문 내역 (1)+%20'.csv"
    with World() as world:
        receipt = world.ingest(world.drop(csv_of(ORDERS) + "o3,c1,never,1,\n", 1, key))
        assert receipt["key"] == key
        assert receipt["rejects_key"].startswith("rejects/orders/2026 상반기/주문 내역 (1)+%20'.csv.")
        assert world.store.keys(receipt["rejects_key"]) == [receipt["rejects_key"]]


def test_two_files_at_once_for_one_customer_both_count() -> None:
    with World(shards=1) as world:
        one = world.drop_rows([Row("o1", "c1", 0, 100)], 1, "incoming/orders/a.csv")
        two = world.drop_rows([Row("o2", "c1", 0, 200)], 1, "incoming/orders/b.csv")
        for file in (one, two):
            world.ingest(file)
        world.work_off()
        assert world.tables.customers["c1"].revenue_lifetime == 300


def test_another_number_of_shards_stops_before_anything_is_written() -> None:
    with World(shards=3) as world:
        world.drop_and_ingest(ORDERS, second=1)
        before = world.store.keys("")
        world.shards = 4
        with pytest.raises(LedgerMismatch):
            world.drop_and_ingest([Row("o3", "c4", 0, 100)], second=2)
        assert world.store.keys("") == before
        assert len(world.runs.noted) == 1


def test_an_order_from_the_future_waits_for_its_day() -> None:
    with World(shards=1) as world:
        world.drop_and_ingest([Row("o1", "c1", 3, 100)], second=1)
        for number, customers in [(2, set()), (3, {"c1"})]:
            world.refresh_all(FIRST_DAY + timedelta(days=number))
            assert world.tables.customers.keys() == customers


EVENT = {
    "time": "2026-11-22T00:00:00Z",
    "detail": {"object": {"key": "incoming/orders/주문 내역.csv", "size": 12, "etag": "abc", "sequencer": "00FF"}},
}


def test_an_upload_is_known_by_its_event() -> None:
    file = DroppedFile.from_event(EVENT)
    assert file == DroppedFile("incoming/orders/주문 내역.csv", "abc", 12, datetime(2026, 11, 22, tzinfo=UTC), "00FF")
    assert file.version == DroppedFile.from_event(EVENT).version


def test_an_event_that_is_none_of_an_upload_is_an_error() -> None:
    with pytest.raises(KeyError):
        DroppedFile.from_event({"time": "2026-11-22T00:00:00Z", "detail": {}})


def test_the_receipt_is_noted_last_and_nothing_is_done_once_it_is() -> None:
    """As read from DynamoDB, with its own number types."""

    class Known(FakeRuns):
        def find(self, kind: str, run_id: str) -> Any:
            return {"status": "ingested", "kind": kind, "id": run_id}

    with World() as world:
        world.runs = Known()
        assert world.ingest(world.drop_rows(ORDERS, second=1))["status"] == "ingested"
        assert (world.bus.events, world.queue.waiting, world.store.keys("")) == ([], [], [])
