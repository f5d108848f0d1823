"""Audiences are exported whole and as what changed: no removal is lost, and two exporters make one sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from dangol.aws.profiles import profile_of
from dangol.campaigns.gate import Profile
from dangol.channels.audiences.files import GOOGLE, META, PLATFORMS
from dangol.configuration import Configuration, load_configuration
from dangol.errors import DangolError
from dangol.ledger.store import FolderStore
from dangol.moves.audiences import Exporter, Lists
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import Crash, Crashed, FakeRuns, Meanwhile
from tests.schemas import problems

TODAY = date(2026, 11, 22)
SEGMENTS = b'rfm:\n  - {id: at_risk, where: "recency_days >= 30"}\n'
AUDIENCES = b"audiences:\n  - {id: risk_ads, segment: at_risk, platforms: [meta]}\n"
YES = {"answer": "given", "on": "2026-01-01"}


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Three people are enough."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (META, GOOGLE):
            patch.setitem(PLATFORMS, name, replace(PLATFORMS[name], minimum=3))  # type: ignore[arg-type]
        yield


def configuration(**files: bytes) -> Configuration:
    given = {"segments.yaml": SEGMENTS, "audiences.yaml": AUDIENCES}
    return load_configuration(given | {f"{name}.yaml": text for name, text in files.items()})


class Shop:
    """A bucket, a table of profiles and the members of segment at_risk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = FakeRuns()
        self.rows: dict[str, dict[str, Any]] = {}
        self.inside: list[str] = []
        self.live = configuration()
        self.crash: Crash | None = None

    def copy(self, folder: Path) -> Shop:
        twin = Shop(folder)
        copytree(self.folder, folder, dirs_exist_ok=True)
        twin.runs, twin.rows, twin.inside = deepcopy(self.runs), deepcopy(self.rows), list(self.inside)
        twin.live = self.live
        return twin

    def people(self, *ids: str) -> None:
        """Let these be the members; whoever is new has a profile."""
        self.inside = list(ids)
        for person in ids:
            row = {"customer_id": person, "revision": 1, "email": f"{person}@x.kr", "consents": {"ad_audiences": YES}}
            self.rows.setdefault(person, row)

    def members(self, segment: str) -> Iterator[str]:
        return iter(self.inside if segment == "at_risk" else [])

    def profiles(self, customer_ids: list[str]) -> dict[str, Profile]:
        return {person: profile_of(self.rows[person]) for person in customer_ids if person in self.rows}

    def export(self, only: str | None = None, *, dry_run: bool = False) -> list[dict[str, Any]]:
        store: Any = FolderStore(self.folder)
        runs: Any = self.runs
        readers: Any = self
        if self.crash:
            store, runs, readers = map(self.crash.watch, (store, runs, readers))
        exporter = Exporter(Lists(store, runs), readers, self.live, "Asia/Seoul", TODAY)
        return exporter.export(only, dry_run=dry_run)

    def file(self, name: str, platform: str = META) -> set[str] | None:
        """The addresses in a file; None when it is not there."""
        path = self.folder / "audiences" / platform / "risk_ads" / name
        return named(path) if path.exists() else None

    def changes(self, number: int) -> tuple[set[str], set[str]]:
        """(added, removed) by an export."""
        found = [self.file(f"changes/{number:08d}-2026-11-22-{name}.csv") for name in ("additions", "removals")]
        return found[0] or set(), found[1] or set()

    def applied(self) -> set[str]:
        """What Meta has when every change was applied in order."""
        there: set[str] = set()
        for number in range(1, 100):
            added, removed = self.changes(number)
            there = (there - removed) | added
        return there

    def objects(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*.*")}


PEOPLE = {sha256(f"{name}@x.kr".encode()).hexdigest(): name for name in "abcdefgz"}


def named(path: Path) -> set[str]:
    return {PEOPLE[line.partition(",")[0]] for line in path.read_text("utf-8").splitlines()[1:]}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "bucket")
    made.folder.mkdir()
    made.people("a", "b", "c")
    return made


def test_the_first_export_is_whole_and_the_next_says_what_changed(shop: Shop) -> None:
    (facts,) = shop.export()
    assert facts == {
        "audience": "risk_ads",
        "platform": "meta",
        "number": 1,
        "on": "2026-11-22",
        "people": 3,
        "added": 3,
        "removed": 0,
        "full": True,
        "left_out": {},
    }
    assert shop.file("full.csv") == {"a", "b", "c"}
    assert shop.changes(1) == ({"a", "b", "c"}, set())
    shop.people("b", "c", "d", "e")
    shop.export()
    assert shop.file("full.csv") == {"b", "c", "d", "e"}
    assert shop.changes(2) == ({"d", "e"}, {"a"})


def test_an_export_of_an_unchanged_audience_writes_nothing(shop: Shop) -> None:
    shop.export()
    before = shop.objects()
    (facts,) = shop.export()
    assert (facts["number"], facts["added"], facts["removed"]) == (1, 0, 0)
    assert (shop.objects(), list(shop.runs.noted)) == (before, [("audience", "risk_ads#meta#00000001")])


def withdraw(shop: Shop) -> None:
    shop.rows["a"]["consents"] = {"ad_audiences": {"answer": "withdrawn", "on": "2026-11-22"}}


def unsubscribe(shop: Shop) -> None:
    shop.rows["a"]["unsubscribed_email"] = 1_800_000_000


def erase(shop: Shop) -> None:
    del shop.rows["a"]


def leave(shop: Shop) -> None:
    shop.inside.remove("a")


@pytest.mark.parametrize("event", [withdraw, unsubscribe, erase, leave])
def test_whoever_is_no_longer_in_it_is_removed(shop: Shop, event: Callable[[Shop], None]) -> None:
    shop.people("a", "b", "c", "d")
    shop.export()
    event(shop)
    shop.export()
    assert shop.changes(2) == (set(), {"a"})
    assert shop.file("full.csv") == {"b", "c", "d"}


def test_a_new_address_replaces_the_old_one(shop: Shop) -> None:
    shop.export()
    shop.rows["a"]["email"] = "z@x.kr"
    shop.export()
    assert shop.changes(2) == ({"z"}, {"a"})


def test_below_the_minimum_there_is_no_whole_list_and_nobody_is_added_but_removals_are_told(shop: Shop) -> None:
    shop.people("a", "b")
    assert shop.export()[0]["people"] == 0
    assert shop.objects() == {}
    shop.people("a", "b", "c")
    shop.export()
    shop.people("b", "d")
    (facts,) = shop.export()
    assert (facts["people"], facts["full"]) == (1, False)
    assert shop.file("full.csv") is None
    assert shop.changes(2) == (set(), {"a", "c"})
    shop.people("b", "d", "e")
    shop.export()
    assert shop.changes(3) == ({"d", "e"}, set())
    assert shop.file("full.csv") == {"b", "d", "e"} == shop.applied()


def test_lists_of_an_audience_that_is_no_longer_defined_are_emptied(shop: Shop) -> None:
    shop.live = configuration(audiences=AUDIENCES.replace(b"[meta]", b"[meta, google]"))
    shop.export()
    assert shop.file("full.csv", GOOGLE) == {"a", "b", "c"}
    shop.live = configuration()
    shop.export()
    assert (shop.file("full.csv", GOOGLE), shop.file("full.csv")) == (None, {"a", "b", "c"})
    assert shop.file("changes/00000002-2026-11-22-removals.csv", GOOGLE) == {"a", "b", "c"}
    shop.live = configuration(audiences=AUDIENCES.replace(b"risk_ads", b"other"))
    shop.export()
    assert shop.changes(2) == (set(), {"a", "b", "c"})


def test_a_dry_run_says_what_would_change_and_writes_nothing(shop: Shop) -> None:
    assert shop.export(dry_run=True)[0]["added"] == 3
    assert (shop.objects(), shop.runs.noted) == ({}, {})


def test_one_audience_can_be_asked_for_and_an_unknown_one_is_named(shop: Shop) -> None:
    assert [facts["audience"] for facts in shop.export("risk_ads")] == ["risk_ads"]
    with pytest.raises(DangolError, match="no audience 'rsk_ads' is live; did you mean 'risk_ads'"):
        shop.export("rsk_ads")


def test_the_run_counts_and_names_nobody(shop: Shop) -> None:
    shop.people("a", "b", "c", "d")
    shop.rows["d"]["consents"] = {}
    shop.export()
    ((key, facts),) = shop.runs.noted.items()
    assert key == ("audience", "risk_ads#meta#00000001")
    assert facts["left_out"] == {"no_consent": 1}
    row = {**facts, "kind": key[0], "id": key[1], "expires_at": 1}
    assert problems("runs-audience", [row]) == []


@pytest.mark.parametrize(
    ("segment", "purpose", "left_out"),
    [
        ("at_risk", "advertising", {"holdout": 3}),
        ("at_risk", "transactional", {}),
        ("recent", "advertising", {}),
    ],
)
def test_holdouts_of_campaigns_that_advertise_to_the_segment_are_left_out(
    shop: Shop, segment: str, purpose: str, left_out: dict[str, int]
) -> None:
    text = (
        f"id: comeback\nname: {{ko: a, en: b}}\nsegment: {segment}\npurpose: {purpose}\nholdout: 1\n"
        'schedule: {every: day, at: "12:00"}\nchannels: {push: [{id: a, title: t, body: b}]}\n'
    )
    segments = SEGMENTS + b'  - {id: recent, where: "recency_days < 30"}\n'
    shop.live = configuration(segments=segments, **{"campaigns/comeback": text.encode()})
    assert shop.export()[0]["left_out"] == left_out


def test_a_whole_list_that_expired_is_written_again_though_nothing_changed(shop: Shop) -> None:
    shop.export()
    before, file = shop.objects(), shop.folder / "audiences/meta/risk_ads/full.csv"
    file.unlink()
    shop.export()
    assert shop.objects() == before
    written = file.stat().st_mtime_ns
    shop.export()
    assert file.stat().st_mtime_ns == written


def test_a_crash_anywhere_ends_as_without_it(shop: Shop, tmp_path: Path) -> None:
    shop.export()
    shop.people("b", "d", "e", "f")

    def after(crash: Crash, name: str) -> tuple[dict[str, bytes], Any]:
        twin = shop.copy(tmp_path / name)
        twin.crash = crash
        with suppress(Crashed):
            twin.export()
        twin.crash = None
        twin.people("b", "d", "e", "f")
        twin.export()
        return twin.objects(), twin.runs.noted

    rehearsal = Crash()
    expected = after(rehearsal, "whole")
    names = {name for name, _ in rehearsal.calls}
    assert {"FolderStore.replace", "FolderStore.write", "FakeRuns.note"} <= names
    for at in range(len(rehearsal.calls)):
        assert after(Crash(at), f"crash-{at}") == expected, rehearsal.calls[at]


def test_what_changes_between_a_crash_and_the_retry_loses_no_removal(shop: Shop, tmp_path: Path) -> None:
    shop.export()
    for at in range(20):
        twin = shop.copy(tmp_path / f"crash-{at}")
        twin.people("b", "c", "d")
        twin.crash = Crash(at)
        with suppress(Crashed):
            twin.export()
        twin.crash = None
        twin.people("a", "d", "e")
        twin.export()
        assert twin.applied() == twin.file("full.csv") == {"a", "d", "e"}, at


def test_two_exporters_at_a_time_make_one_sequence(shop: Shop, tmp_path: Path) -> None:
    shop.export()
    for at in range(20):
        twin = shop.copy(tmp_path / f"meanwhile-{at}")
        other = Shop(twin.folder)
        other.people("b", "c", "f")
        twin.crash = Meanwhile(at, other.export)
        twin.people("b", "d", "e")
        twin.export()
        twin.crash = None
        full = twin.file("full.csv")
        assert twin.applied() == full, at
        assert full in ({"b", "d", "e"}, {"b", "c", "f"})


def test_whoever_is_erased_while_people_are_read_is_put_back_on_no_list(shop: Shop, tmp_path: Path) -> None:
    shop.live = configuration(audiences=AUDIENCES.replace(b"[meta]", b"[meta, google]"))
    shop.people("a", "b", "c")
    shop.export()
    shop.people("a", "b", "c", "d")
    for at in range(25):  # all calls of the export, of the store, the readers and the runs
        twin = shop.copy(tmp_path / f"meanwhile-{at}")
        other = shop.copy(twin.folder)

        def forget(twin: Shop = twin, other: Shop = other) -> None:
            for one in (twin, other):
                erase(one)
            other.export()

        twin.crash = Meanwhile(at, forget)
        twin.export()
        assert "a" not in twin.rows
        assert twin.file("full.csv") == twin.file("full.csv", GOOGLE) == {"b", "c", "d"}, at


@settings(max_examples=40)
@given(st.lists(st.sets(st.sampled_from("abcdef")), max_size=6))
def test_applying_every_change_in_order_gives_the_whole_list(
    tmp_path_factory: pytest.TempPathFactory, days: list[set[str]]
) -> None:
    shop = Shop(tmp_path_factory.mktemp("bucket"))
    for members in days:
        shop.people(*sorted(members))
        shop.export()
        full = shop.file("full.csv")
        assert full is None or full == shop.applied() == members
        assert shop.applied() <= members
        assert (full is None) == (len(members) < 3)
