"""Promise 10: a bad configuration never goes live; the last good one goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dangol.configuration import Configuration, to_json
from dangol.ledger.store import FolderStore
from dangol.moves.configure import Configure, live_configuration

from tests.fakes import Crashed, FakeBus, FakeRuns

KEY = "config/segments.yaml"
GOOD = b'rfm:\n  - {id: recent, where: "recency_days <= 7"}\n'
BETTER = b'rfm:\n  - {id: recent, where: "recency_days <= 14"}\n'
RATES = b"rates:\n  - {currency: USD, on: 2026-11-22, rate: 1391.2}\n"


class Shop:
    """A bucket with configurations, and what became of them."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder)
        self.runs = FakeRuns()
        self.bus = FakeBus()
        self.refreshed: list[str] = []

    def drop(self, data: bytes, key: str = KEY, store: FolderStore | None = None) -> Any:
        self.store.write(key, data)
        return self.take(key, store)

    def take(self, key: str = KEY, store: FolderStore | None = None) -> Any:
        return Configure(store or self.store, self.runs, self.bus, self.refreshed.append).take(key, f"event-{key}")

    def live(self, name: str = "segments.yaml") -> bytes | None:
        return live_configuration(self.store).files.get(name)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_before_anything_is_dropped_the_policy_is_the_one_shipped(shop: Shop) -> None:
    assert live_configuration(shop.store) == Configuration.default()


def test_a_good_configuration_goes_live_and_every_shard_is_refreshed_by_it(shop: Shop) -> None:
    done = shop.drop(GOOD)
    configuration = live_configuration(shop.store)
    policy = configuration.policy
    assert policy.rfm_ids == ("recent", "unclassified")
    versions = {"configuration_version": configuration.version, "policy_version": policy.version}
    assert done == {"status": "live", "key": KEY, **versions}
    assert shop.runs.noted == {("configuration", f"event-{KEY}"): done}
    assert shop.refreshed == ["configuration"]
    assert shop.bus.events == []


@pytest.mark.parametrize(
    ("bad", "line", "says"),
    [
        (GOOD.replace(b"recency_days", b"recencydays"), 2, "recency_days"),
        (GOOD + b'  - {id: recent, where: "orders_90d > 1"}\n', 3, "taken"),
        (GOOD + b"segment: []\n", 3, "segments"),
        (b"rfm: [\n", 2, "YAML"),
        (b"", 1, "rfm"),
        (b"rfm: []\n", 1, "rfm"),
        ("규칙: 없음".encode("cp949"), 1, "UTF-8"),
        (b"#" * 300_000, 1, "larger"),
    ],
    ids=["unknown feature", "id twice", "unknown section", "no YAML", "empty", "no rule", "encoding", "too large"],
)
def test_a_bad_configuration_is_refused_with_file_line_and_reason(shop: Shop, bad: bytes, line: int, says: str) -> None:
    shop.drop(GOOD)
    shop.refreshed.clear()
    done = shop.drop(bad)
    assert done["status"] == "refused"
    assert done["reason"].startswith(f"{KEY}, line {line}: ")
    assert says in done["reason"]
    (event,) = shop.bus.of("File Rejected")
    assert event == {"key": KEY, "version": f"event-{KEY}", "reason": done["reason"]}
    assert shop.runs.noted["configuration", f"event-{KEY}"] == done
    assert shop.live() == GOOD
    assert shop.refreshed == []


def test_every_problem_is_named_at_once(shop: Shop) -> None:
    reason = shop.drop(b"rfm:\n  - {id: A, where: 'x < 1'}\n  - {id: b}\n")["reason"]
    assert [line.split(": ")[0] for line in reason.splitlines() if line.startswith(KEY)] == [
        f"{KEY}, line 2",
        f"{KEY}, line 2",
        f"{KEY}, line 3",
    ]


def test_a_thousand_problems_fit_an_event(shop: Shop) -> None:
    done = shop.drop(b"rfm:\n" + b"  - {id: A, wear: 'x < 1'}\n" * 5_000)
    assert len(done["reason"]) == 4_000
    assert done["reason"].endswith("…")


def test_a_file_of_another_name_is_refused(shop: Shop) -> None:
    done = shop.drop(GOOD, "config/segment.yaml")
    assert (done["status"], shop.live()) == ("refused", None)
    assert KEY in done["reason"]


@pytest.mark.parametrize("key", ["config/live/segments.yaml", "config/", "config/old/"])
def test_what_it_wrote_itself_and_folders_are_ignored(shop: Shop, key: str) -> None:
    assert shop.take(key)["status"] == "ignored"
    assert (shop.bus.events, shop.runs.noted) == ([], {})


def test_a_configuration_that_is_gone_again_changes_nothing(shop: Shop) -> None:
    assert shop.take()["status"] == "deleted"
    assert (shop.bus.events, shop.refreshed, shop.live()) == ([], [], None)


def test_the_same_event_again_ends_in_the_same(shop: Shop) -> None:
    assert shop.drop(GOOD) == shop.take()
    assert shop.live() == GOOD


@pytest.mark.parametrize("key", [KEY, "config/pushed/1"])
def test_who_dies_before_refreshes_are_asked_for_asks_for_them_when_it_is_tried_again(shop: Shop, key: str) -> None:
    def dies(reason: str) -> None:
        raise Crashed(reason)

    shop.store.write(key, GOOD if key == KEY else to_json({"segments.yaml": GOOD}))
    with pytest.raises(Crashed):
        Configure(shop.store, shop.runs, shop.bus, dies).take(key, f"event-{key}")
    assert shop.take(key)["status"] == "live"
    assert (shop.live(), shop.refreshed) == (GOOD, ["configuration"])


class Meanwhile(FolderStore):
    """Something happens after the first read of the dropped file, before anything is written."""

    def __init__(self, folder: Path, event: Callable[[], object]) -> None:
        super().__init__(folder)
        self._event: Callable[[], object] | None = event

    def read(self, key: str) -> bytes:
        data = super().read(key)
        if key == KEY and self._event:
            event, self._event = self._event, None
            event()
        return data


def test_of_two_configurations_at_once_the_newer_stays(shop: Shop, tmp_path: Path) -> None:
    """The older is about to go live after the newer did, and must notice."""
    assert shop.drop(GOOD, store=Meanwhile(tmp_path, lambda: shop.drop(BETTER)))["status"] == "live"
    assert shop.live() == BETTER


def test_of_two_files_at_once_neither_is_lost(shop: Shop, tmp_path: Path) -> None:
    shop.drop(GOOD, store=Meanwhile(tmp_path, lambda: shop.drop(RATES, "config/rates.yaml")))
    assert (shop.live(), shop.live("rates.yaml")) == (GOOD, RATES)


def test_a_good_one_that_a_bad_one_replaces_meanwhile_stays(shop: Shop, tmp_path: Path) -> None:
    shop.drop(GOOD, store=Meanwhile(tmp_path, lambda: shop.drop(b"rfm: []\n")))
    assert shop.live() == GOOD


def test_a_good_one_that_is_deleted_meanwhile_stays(shop: Shop, tmp_path: Path) -> None:
    store = Meanwhile(tmp_path, lambda: shop.store.delete([KEY]))
    assert shop.drop(GOOD, store=store)["status"] == "live"
    assert shop.live() == GOOD


def test_another_file_beside_the_live_policy_is_not_taken_for_it(shop: Shop) -> None:
    shop.store.write("config/live/configuration.json.bak", b"{}")
    assert live_configuration(shop.store) == Configuration.default()


def test_other_files_go_live_beside_the_segments_and_refresh_nobody(shop: Shop) -> None:
    shop.drop(GOOD)
    shop.refreshed.clear()
    assert shop.drop(RATES, "config/rates.yaml")["status"] == "live"
    assert (shop.live(), shop.live("rates.yaml"), shop.refreshed) == (GOOD, RATES, [])
    (rate,) = live_configuration(shop.store).rates
    assert (rate.currency, float(rate.rate)) == ("USD", 1391.2)


def test_a_pushed_configuration_takes_the_place_of_the_whole(shop: Shop) -> None:
    shop.drop(RATES, "config/rates.yaml")
    done = shop.drop(to_json({"segments.yaml": BETTER}), "config/pushed/20261122T010203Z-abc")
    assert done["status"] == "live"
    assert (shop.live(), shop.live("rates.yaml")) == (BETTER, None)
    assert shop.runs.noted["configuration", "20261122T010203Z-abc"] == done
    assert shop.refreshed == ["configuration"]


def test_a_pushed_configuration_goes_live_as_a_whole_or_not_at_all(shop: Shop) -> None:
    pushed = {"segments.yaml": BETTER, "rates.yaml": b"rates: 1\n", "pictures.yaml": b"a: b\n"}
    done = shop.drop(to_json(pushed), "config/pushed/1")
    assert done["status"] == "refused"
    lines = [line for line in done["reason"].splitlines() if line.startswith("config/")]
    assert [line.split(",")[0] for line in lines] == ["config/pictures.yaml", "config/rates.yaml"]
    assert shop.live() is None


@pytest.mark.parametrize("text", [b"", b"[]", b'{"segments.yaml": 1}'])
def test_something_else_where_configurations_are_pushed_is_refused(shop: Shop, text: bytes) -> None:
    done = shop.drop(text, "config/pushed/1")
    assert (done["status"], shop.live()) == ("refused", None)
    assert "config push" in done["reason"]


def test_a_version_is_of_all_files(shop: Shop) -> None:
    versions = [
        shop.drop(*dropped)["configuration_version"]
        for dropped in ((GOOD,), (RATES, "config/rates.yaml"), (BETTER,), (GOOD,))
    ]
    assert len(set(versions)) == 3
    assert versions[1] == versions[3]
