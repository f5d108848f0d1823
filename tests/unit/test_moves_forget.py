"""Promise 11: one command erases a person everywhere, and an old file does not bring them back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dangol.configuration import to_json
from dangol.engine import connect, literal
from dangol.identity import LOCAL_KEY, person
from dangol.ledger.layout import shard_of
from dangol.ledger.mirror import mirror
from dangol.ledger.shard import ShardLedger
from dangol.moves.configure import LIVE_KEY
from dangol.moves.messages import REBUILD

from tests.erasing import HEADER, KIM, NOW, ORDERS, PEOPLE, PERSONAL, Eraser, words
from tests.fakes import Crash, Crashed, Meanwhile
from tests.senders import FakeProfiles
from tests.world import SHOP, World


def kept(world: World) -> str:
    """Every cell of every Parquet file, every other object, and every table, as one text."""
    texts = [repr([world.tables.customers, world.tables.memberships, world.profiles.rows, world.runs.noted])]
    with duckdb.connect() as connection:
        for path in sorted(world.bucket.rglob("*.*")):
            if path.suffix == ".parquet":
                rows = connection.execute(f"FROM read_parquet({literal(str(path))}, hive_partitioning = false)")
                texts.append(repr(rows.fetchall()))
            else:
                texts.append(path.read_text("utf-8"))
    return "\n".join(texts)


def copy_of(world: World) -> World:
    twin = world.copy()
    twin.profiles = FakeProfiles()
    twin.profiles.rows = {name: dict(row) for name, row in world.profiles.rows.items()}
    return twin


def calls_of(world: World) -> list[tuple[int, str]]:
    """The calls that an erasure makes and that have an effect: of each kind one in the middle, and the last."""
    with copy_of(world) as twin:
        twin.crash = Crash()
        Eraser(twin).forget("c1")
        names = [name for name, _ in twin.crash.calls]
    places: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        if name.rpartition(".")[2] not in ("keys", "read", "read_tagged", "download", "find", "left", "purge"):
            places.setdefault(name, []).append(number)
    assert places.keys() >= {"Tables.block", "FolderStore.replace", "FakeQueue.ask", "FolderStore.upload"}
    return sorted({(found[n], name) for name, found in places.items() for n in (len(found) // 2, -1)})


def calls_of_kind(world: World, name: str) -> list[int]:
    """Which calls of an erasure are of a kind."""
    with copy_of(world) as twin:
        twin.crash = Crash()
        Eraser(twin).forget("c1")
        return [number for number, (found, _) in enumerate(twin.crash.calls) if found == name]


@pytest.fixture
def world() -> Iterator[World]:
    with World(shards=3) as made:
        made.profiles = FakeProfiles()
        made.today = date(2026, 1, 3)
        ingest(made, ORDERS, 1)
        ingest(made, PEOPLE, 2, "incoming/customers/people.csv")
        yield made


def ingest(world: World, text: str, second: int, key: str = "incoming/orders/a.csv") -> Any:
    receipt = world.ingest(world.drop(text, second, key))
    world.work_off()
    return receipt


def test_nothing_of_a_person_is_left_anywhere_and_the_others_stay(world: World) -> None:
    assert words(kept(world)) == {*PERSONAL, "'c1'", "c1,"}
    others = world.tables.customers["c10"], world.profiles.rows["c10"]
    eraser = Eraser(world)
    assert eraser.look("c1")["found"]["ledger_rows"] == 3
    proof = eraser.forget("c1")

    assert words(kept(world)) == set()
    assert (proof["done"], proof["clean"], proof["left"]) == (True, True, {})
    assert proof["customers"] == ["c1"]
    removed = proof["removed"]
    assert (removed["profiles"], removed["rejected_rows"], removed["push_endpoints"]) == (1, 1, 1)
    assert removed["ledger_rows"] >= 3
    assert eraser.tokens == [("fcm", "token-1")]
    assert (world.tables.customers["c10"], world.profiles.rows["c10"]) == others
    assert "이손님" in kept(world)
    assert eraser.exported == 1
    exits = [event for event in world.bus.of("Segment Changed") if event["change"] == "exited"]
    assert {event["customer_id"] for event in exits} == {"c1"}, "who listens hears that they left"


def test_a_later_file_with_their_old_orders_does_not_bring_them_back(world: World) -> None:
    Eraser(world).forget("c1")
    receipt = ingest(world, ORDERS, 200, "incoming/orders/b.csv")
    ingest(world, PEOPLE, 201, "incoming/customers/again.csv")
    interests = "customer_id,kind,product_id,happened_at\nc1,cart,p1,2026-01-02 10:00\n"
    ingest(world, interests, 202, "incoming/interests/a.csv")
    world.refresh_all(date(2026, 1, 4))
    world.refresh_all(date(2026, 1, 4), REBUILD)
    assert set(world.tables.customers) == {"c10"}
    assert set(world.profiles.rows) == {"c10"}
    assert words(kept(world)) == set()
    counts = [receipt[f"rows_{name}"] for name in ("read", "accepted", "superseded", "rejected")]
    assert counts == [5, 1, 0, 4], "the receipt adds up"
    assert receipt["reasons"]["(erased)"] == 2


def test_another_account_with_their_address_does_not_bring_them_back_either(world: World) -> None:
    Eraser(world).forget("c1")
    ingest(world, HEADER + "o1,guest-7,2026-01-01,100,KIM@example.com,,김단골\n", 200, "incoming/orders/b.csv")
    ingest(world, HEADER + "o1,,2026-01-01,100,,+82 10 1234 5678,김단골\n", 201, "incoming/orders/c.csv")
    assert set(world.tables.customers) == {"c10"}
    assert words(kept(world)) == set()


def test_their_address_or_number_in_the_place_of_an_id_does_not_bring_them_back_either(world: World) -> None:
    Eraser(world).forget("c1")
    ingest(world, "order_id,customer_id,ordered_at,amount\no1,010-1234-5678,2026-01-01,100\n", 200)
    interests = "customer_id,kind,product_id,happened_at\nkim@example.com,cart,p1,2026-01-02 10:00\n"
    ingest(world, interests, 201, "incoming/interests/a.csv")
    keys = (person(None, "kim@example.com", None, LOCAL_KEY), person(None, None, "010-1234-5678", LOCAL_KEY))
    assert set(world.tables.customers) == {"c10"}
    assert [key for key in keys if repr(key) in kept(world)] == []


def test_what_is_kept_under_their_number_only_goes_too_wherever_it_lies(world: World) -> None:
    interests = "customer_id,kind,product_id,happened_at\n010-1234-5678,cart,p1,2026-01-02 10:00\n"
    ingest(world, interests, 10, "incoming/interests/a.csv")
    key = person(None, None, "010-1234-5678", LOCAL_KEY) or ""
    assert shard_of(key, 3) != shard_of("c1", 3)
    assert repr(key) in kept(world)
    assert Eraser(world).forget("c1")["customers"] == ["c1", key]
    assert repr(key) not in kept(world)


def test_an_account_that_became_part_of_theirs_does_not_bring_them_back(world: World) -> None:
    ingest(world, HEADER + "o7,old,2026-01-01,100,,,\n", 10, "incoming/orders/b.csv")
    Eraser(world).forget("c1")
    receipt = ingest(world, "customer_id,merged_into\nold,c1\nolder,c1\n", 200, "incoming/customers/b.csv")
    assert (receipt["rows_rejected"], receipt["reasons"]) == (2, {"(erased)": 2})
    assert set(world.tables.customers) == set(world.profiles.rows) | {"old"} == {"c10", "old"}


def test_whoever_buys_or_subscribes_after_the_erasure_is_a_new_customer(world: World) -> None:
    Eraser(world).forget("c1")
    late = "o8,c1,2026-01-03 11:59:59,5,kim@example.com,,김단골\n"  # the erasure was at noon in Seoul
    new = "o9,c1,2026-01-03 12:00,70,kim@example.com,,김단골\n"
    ingest(world, HEADER + f"o1,{KIM}" + late + new, 200_000, "incoming/orders/b.csv")
    customer = world.tables.customers["c1"]
    assert (customer.orders_lifetime, customer.revenue_lifetime) == (1, 70)
    subscriber = "customer_id,email,subscribed_on,accepts_email\nc1,kim@example.com,2026-01-03,yes\n"
    ingest(world, subscriber, 200_001, "incoming/customers/again.csv")
    assert world.profiles.rows["c1"]["consents"]["email"]["answer"] == "given"


def test_whoever_came_back_is_not_written_to_because_they_bought(world: World) -> None:
    header = HEADER.replace("\n", ",product_name,category\n")
    kim, coat = "kim@example.com,,김단골", "코트,아우터"
    ingest(world, header + f"o6,c1,2026-01-02,100,{kim},{coat}\n", 10, "incoming/orders/b.csv")
    assert world.profiles.rows["c1"]["purchase"] == {"on": "2026-01-02", "kinds": ["아우터"]}
    Eraser(world).forget("c1")
    again = f"o9,c1,2026-01-03 12:00,70,{kim},{coat}\no8,new,2026-01-03 13:00,70,{kim},{coat}\n"
    ingest(world, header + again, 200_000, "incoming/orders/c.csv")
    undated = "customer_id,email,accepts_email\nc1,kim@example.com,no\n"
    assert ingest(world, undated, 200_001, "incoming/customers/again.csv")["reasons"] == {"(erased)": 1}
    for customer in ("c1", "new"):  # so what they refused is not known
        row = world.profiles.rows[customer]
        assert (row["email"], row["last_category"], "purchase" in row) == ("kim@example.com", "아우터", False)
    dated = "customer_id,email,accepts_email,email_consent_at\nc1,kim@example.com,yes,2026-01-04 10:00\n"
    ingest(world, dated, 200_002, "incoming/customers/anew.csv")
    assert world.profiles.rows["c1"]["consents"]["email"]["answer"] == "given"
    eraser = Eraser(world)
    eraser.now += timedelta(days=3)
    assert eraser.forget("c1", "new")["clean"]
    assert words(kept(world)) == set()


def test_merged_accounts_and_those_known_by_a_contact_only_go_too(world: World) -> None:
    ingest(world, HEADER + "o7,old,2026-01-01,100,old@example.com,,김단골\n", 10, "incoming/orders/b.csv")
    ingest(world, HEADER + "o8,,2026-01-01,100,kim@example.com,,김단골\n", 11, "incoming/orders/c.csv")
    ingest(world, "customer_id,merged_into\nold,c1\n", 12, "incoming/customers/b.csv")
    guest = person(None, "kim@example.com", None, LOCAL_KEY)
    assert guest in world.tables.customers
    proof = Eraser(world).forget("c1")
    assert set(proof["customers"]) == {"c1", "old", guest}
    left = kept(world)
    assert words(left) | {word for word in ("old@example.com", "'old'", guest or "") if word in left} == set()
    assert set(world.tables.customers) == {"c10"}


def test_erasing_the_old_account_erases_the_one_it_became_part_of(world: World) -> None:
    ingest(world, "customer_id,merged_into\nold,c1\n", 12, "incoming/customers/b.csv")
    assert Eraser(world).forget("old")["customers"] == ["c1", "old"]
    assert set(world.tables.customers) == {"c10"}


def test_an_order_that_was_somebody_elses_before_does_not_go_back_to_them(world: World) -> None:
    other = next(one for one in map("d{}".format, range(40)) if shard_of(one, 3) == shard_of("c1", 3))
    ingest(world, HEADER + f"m1,{other},2026-01-01,100,,,\nm2,{other},2026-01-01,50,,,\n", 10, "incoming/orders/b.csv")
    ingest(world, HEADER + "m1,c1,2026-01-01,100,,,\n", 11, "incoming/orders/c.csv")
    Eraser(world).forget("c1")
    assert world.tables.customers[other].orders_lifetime == 1
    assert "'m1'" in kept(world)
    assert "'o1'" not in kept(world), "of no other order anything is kept"


def test_a_contact_that_another_customer_has_too_stays_theirs(world: World) -> None:
    wife = "o7,c2,2026-01-01,100,kim@example.com,,박가족\n"
    ingest(world, HEADER + wife, 10, "incoming/orders/b.csv")
    eraser = Eraser(world)
    assert eraser.look("c1")["shared"] == ["c2"]
    proof = eraser.forget("c1")
    assert (proof["customers"], proof["shared"], proof["clean"]) == (["c1"], ["c2"], True)
    assert world.profiles.rows["c2"]["email"] == "kim@example.com"
    ingest(world, HEADER + wife.replace("o7", "o8"), 300, "incoming/orders/d.csv")
    assert world.tables.customers["c2"].orders_lifetime == 2


def test_what_is_kept_to_measure_campaigns_loses_them_too(world: World) -> None:
    part = world.bucket / "ledger/recipients/campaign=hello/run=r/part-p.jsonl.gz"
    part.parent.mkdir(parents=True)
    lines = "".join(json.dumps({"customer_id": one, "arm": "treated"}) + "\n" for one in ("c1", "c10"))
    part.write_bytes(gzip.compress(lines.encode()))
    run = "campaign=hello/run_date=2026-01-02/r.parquet"
    tables = [world.bucket / f"analytics/{name}/{run}" for name in ("deliveries", "outcomes")]
    with duckdb.connect() as connection:
        for table in tables:
            table.parent.mkdir(parents=True)
            rows = "SELECT unnest(['c1', 'c10']) AS customer_id"
            connection.execute(f"COPY ({rows}) TO {literal(str(table))} (FORMAT parquet)")
        proof = Eraser(world).forget("c1")
        assert (proof["clean"], proof["removed"]["measured_objects"]) == (True, 3)
        for table in tables:
            assert connection.execute(f"SELECT customer_id FROM {literal(str(table))}").fetchall() == [("c10",)]
    assert [json.loads(line)["customer_id"] for line in gzip.decompress(part.read_bytes()).splitlines()] == ["c10"]


def test_the_list_of_notices_loses_them_too(world: World) -> None:
    shard = shard_of("c1", world.shards)
    listed = world.bucket / f"ledger/notices/shard={shard:04d}/listed.json"
    listed.parent.mkdir(parents=True)
    listed.write_text('[["c1", "email given"], ["other", "email given"]]', "utf-8")
    assert Eraser(world).forget("c1")["clean"]
    assert json.loads(listed.read_text("utf-8")) == [["other", "email given"]]


def test_ids_that_look_like_amounts_are_told_from_them(world: World) -> None:
    """Rejected rows of others, and reports, have numbers in them."""
    rows = "o8,100,어제,5,,,\no9,c10,어제,100,lee@example.com,,이손님\n"
    ingest(world, HEADER + "o7,100,2026-01-01,5,,,\n" + rows, 10, "incoming/orders/b.csv")
    dropped = world.bucket / "incoming/orders"
    dropped.mkdir(parents=True)
    (dropped / "theirs.csv").write_text("주문번호,고객번호,금액\no7,100.0,5\n", "utf-8")
    (dropped / "others.csv").write_text("주문번호,고객번호,금액\no7,7,100\n", "utf-8")
    (world.bucket / "reports/2026-01-01").mkdir(parents=True)
    (world.bucket / "reports/2026-01-01/summary.json").write_text('{"customers": 100, "segment": "new"}')
    proof = Eraser(world).forget("100")
    assert (proof["clean"], proof["removed"]["rejected_rows"]) == (True, 1)
    assert Eraser(world).forget("new")["clean"], "reports name nobody, but have words"
    (rejects,) = (world.bucket / "rejects/orders").glob("b.csv.*")
    text = rejects.read_text("utf-8")
    assert ("o8" in text, "o9" in text) == (False, True)
    assert [path.name for path in dropped.iterdir()] == ["others.csv"]


@pytest.mark.parametrize(
    ("rows", "theirs"),
    [
        ('o1,7,2026-01-01,5,"open,,\no2,100,2026-01-01,5,,,\n', True),
        ('o1,7,2026-01-01,5,,,"two\nlines"\no2,100,2026-01-01,5,,,\n', True),
        ('"o\n1,2",100,2026-01-01,5,,,\n', True),
        ('o1,7,2026-01-01,100,,,"open\no2,8,2026-01-01,100,,,\n', False),
    ],
)
def test_an_id_of_digits_is_found_behind_any_quotation_mark(world: World, rows: str, theirs: bool) -> None:
    file = world.bucket / "incoming/orders/a.csv"
    file.parent.mkdir(parents=True)
    file.write_text(HEADER + rows, "utf-8")
    assert Eraser(world).forget("100")["removed"]["dropped_files"] == int(theirs)
    assert file.exists() != theirs


def test_rejected_rows_of_others_stay_when_an_amount_reads_like_an_erased_id(world: World) -> None:
    ingest(world, HEADER + "o7,100,2026-01-01,5,,,\n", 10, "incoming/orders/b.csv")
    Eraser(world).forget("100")
    late = "o8,c10,어제,100,,,\no9,100,어제,7,,,\no10,100.0,어제,7,,,\n"
    receipt = ingest(world, HEADER + late, 200, "incoming/orders/c.csv")
    assert (receipt["rows_read"], receipt["rows_rejected"]) == (3, 3)
    (rejects,) = (world.bucket / "rejects/orders").glob("c.csv.*")
    text = rejects.read_text("utf-8")
    assert [name in text for name in ("o8", "o9", "o10")] == [True, False, False]


def test_columns_of_ids_are_known_by_the_shops_own_names_and_with_suffixes(world: World) -> None:
    description = (
        "name: own\ntitle: Own\nrecognise: {all: [회원코드, 전표]}\n"
        "columns: {order_id: 전표, customer_id: 회원코드, ordered_at: 일시, amount: 금액}\n"
    )
    live = world.bucket / LIVE_KEY
    live.parent.mkdir(parents=True)
    live.write_bytes(to_json({"dialects/own.yaml": description.encode()}))
    own = "전표,회원코드,일시,금액\no7,100,2026-01-01,5\no8,100,어제,5\no9,c10,어제,100\n"
    ingest(world, own, 10, "incoming/orders/b.csv")
    cafe24 = "주문번호,주문일시,결제일시(입금확인일),주문자ID(최초정보),총 결제금액(KRW)\n"
    ingest(world, cafe24 + "2-1,어제,2026-01-01,100,7\n2-2,어제,2026-01-01,c10,100\n", 11, "incoming/orders/c.csv")
    proof = Eraser(world).forget("100")
    assert (proof["clean"], proof["removed"]["rejected_rows"]) == (True, 2)
    texts = {path.name[0]: path.read_text("utf-8") for path in (world.bucket / "rejects/orders").glob("[bc].csv.*")}
    assert ("o8" in texts["b"], "o9" in texts["b"]) == (False, True)
    assert ("2-1" in texts["c"], "2-2" in texts["c"]) == (False, True)


def test_copies_of_the_ledger_elsewhere_lose_them_too(world: World, tmp_path: Path) -> None:
    def copied() -> str:
        with connect(SHOP, tmp_path) as connection:
            keys_of = lambda store: ShardLedger(connection, store, None, tmp_path).keys()  # noqa: E731
            mirror(world.store, tmp_path / "copy", keys_of, lambda done, of: None)
        paths = [str(path) for path in (tmp_path / "copy").rglob("*.parquet")]
        with duckdb.connect() as connection:
            read = f"FROM read_parquet({paths}, union_by_name = true, hive_partitioning = false)"
            return repr(connection.execute(read).fetchall())

    assert words(copied())
    Eraser(world).forget("c1")
    assert words(copied()) == set()


def test_names_of_objects_do_not_grow_with_every_erasure(world: World) -> None:
    people = [one for one in map("d{}".format, range(40)) if shard_of(one, 3) == shard_of("c1", 3)][:4]
    rows = "".join(f"x-{one},{one},2026-01-01,100,,,\n" for one in (*people, "c10"))
    ingest(world, HEADER + rows, 10, "incoming/orders/b.csv")
    folder = world.bucket / f"ledger/orders/shard={shard_of('c1', 3):04d}"
    names = [{path.name for path in folder.iterdir()}]
    for one in people:
        Eraser(world).forget(one)
        names.append({path.name for path in folder.iterdir()})
    assert all(before != after for before, after in pairwise(names)), "copies go by names"
    assert [max(map(len, found)) for found in names[1:]] == [max(map(len, names[1]))] * 4


def test_forgetting_again_or_somebody_unknown_changes_nothing(world: World) -> None:
    Eraser(world).forget("c1")
    before = kept(world).count("이손님")
    proof = Eraser(world).forget("c1")
    assert (proof["clean"], proof["removed"]["ledger_rows"]) == (True, 0)
    assert Eraser(world).forget("nobody")["clean"]
    assert kept(world).count("이손님") == before


def test_it_says_what_it_waits_for_when_time_is_up_and_goes_on_when_it_is_called_again(world: World) -> None:
    eraser = Eraser(world)
    answer = eraser.call(lambda forgetter: forgetter.forget(["c1"], NOW))
    assert answer == {"done": False, "waiting_for": "1 shards that are being refreshed"}
    assert world.profiles.read(["c1"]) == {}, "nobody sends to them from the first moment on"
    world.work_off()
    assert eraser.forget("c1")["clean"]
    assert words(kept(world)) == set()


def test_what_is_being_read_is_waited_for_but_not_for_ever(world: World) -> None:
    eraser = Eraser(world)
    eraser.is_busy = lambda: True
    answer = {"done": False, "waiting_for": "files that are being read"}
    assert eraser.call(lambda forgetter: forgetter.forget(["c1"], NOW)) == answer
    eraser.now = NOW + timedelta(minutes=15, seconds=59)
    assert eraser.call(lambda forgetter: forgetter.forget(["c1"], NOW)) == answer
    assert world.queue.waiting == [], "what is read now would be found in a second round only"
    eraser.now = NOW + timedelta(minutes=16)  # no function lives so long
    assert eraser.forget("c1")["clean"]


def test_an_erasure_that_was_left_unfinished_goes_with_one_of_the_same_and_is_named_by_one_of_fewer(
    world: World,
) -> None:
    eraser = Eraser(world)
    eraser.call(lambda forgetter: forgetter.forget(["c1"], NOW))
    eraser.call(lambda forgetter: forgetter.forget(["other"], NOW))
    assert eraser.forget("c1", "nobody")["clean"]
    assert words(kept(world)) == set()
    assert "other" in kept(world), "whom it does not concern"

    eraser.call(lambda forgetter: forgetter.forget(["c10", "c7"], NOW))
    proof = eraser.forget("c10")
    assert (proof["clean"], proof["left"]) == (False, {"unfinished_erasures": ["c10 c7"]})
    assert eraser.forget("c10", "c7")["clean"]


def test_rows_are_counted_once_though_reading_back_is_done_again(world: World) -> None:
    with copy_of(world) as twin:
        rows = Eraser(twin).forget("c1")["removed"]["ledger_rows"]
    world.crash = Crash(calls_of_kind(world, "Tables.left")[0])
    with suppress(Crashed):
        Eraser(world).forget("c1")
    assert world.crash.struck == "Tables.left"
    world.crash = None
    assert Eraser(world).forget("c1")["removed"]["ledger_rows"] == rows


def test_what_was_under_way_is_gone_through_again_until_nothing_names_them(world: World) -> None:
    late = world.bucket / "incoming/orders/late.csv"
    late.parent.mkdir(parents=True)
    late.write_text(ORDERS, "utf-8")
    eraser, looks = Eraser(world), iter([False, True])
    eraser.is_taken = lambda key: next(looks)  # at first it waits to be ingested
    proof = eraser.forget("c1")
    assert (proof["clean"], proof["removed"]["dropped_files"]) == (True, 1)
    assert words(kept(world)) == set()

    late.write_text(ORDERS, "utf-8")
    eraser.is_taken = lambda key: False
    proof = eraser.forget("c1")
    assert (proof["clean"], proof["left"]) == (False, {"objects": ["incoming/orders/late.csv"]})


def test_a_crash_anywhere_then_the_same_again_ends_as_without_it(world: World) -> None:
    def after(crash: Crash) -> tuple[Any, Any, set[str]]:
        with copy_of(world) as twin:
            twin.crash = crash
            with suppress(Crashed):
                Eraser(twin).forget("c1")
            twin.crash = None
            assert Eraser(twin).forget("c1")["clean"]
            return twin.tables.customers, twin.profiles.rows, words(kept(twin))

    expected = after(Crash())
    assert (set(expected[0]), expected[2]) == ({"c10"}, set())
    for at, name in calls_of(world):
        assert after(Crash(at)) == expected, name


def test_an_account_that_becomes_theirs_while_an_erasure_begins_goes_too(world: World) -> None:
    old = next(one for one in map("d{}".format, range(40)) if shard_of(one, 3) != shard_of("c1", 3))
    ingest(world, HEADER + f"o7,{old},2026-01-01,100,old@example.com,,\n", 10, "incoming/orders/b.csv")
    file = world.drop(f"customer_id,merged_into\n{old},c1\n", 50, "incoming/customers/b.csv")
    world.crash = Meanwhile(calls_of_kind(world, "FolderStore.write")[0], lambda: world.ingest(file))
    proof = Eraser(world).forget("c1")
    world.crash = None
    world.work_off()
    assert (proof["clean"], proof["customers"]) == (True, sorted(["c1", old]))
    assert set(world.tables.customers) == {"c10"}
    assert [word for word in (repr(old), "old@example.com", "'c1'") if word in kept(world)] == []


def test_a_file_that_comes_at_any_moment_does_not_bring_them_back(world: World) -> None:
    for at, name in calls_of(world)[::2]:
        with copy_of(world) as twin:
            file = twin.drop(ORDERS, 50, "incoming/orders/b.csv")
            twin.crash = Meanwhile(at, lambda twin=twin, file=file: twin.ingest(file))  # type: ignore[misc]
            proof = Eraser(twin).forget("c1")
            twin.crash = None
            twin.work_off()
            assert set(twin.tables.customers) == {"c10"}, name
            assert proof["clean"], name
            assert words(kept(twin)) == set(), name
