"""Damaged files: whatever happened to one, it ends with a receipt that adds up or says why it cannot be read."""

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

from dangol.errors import UnreadableFile
from dangol.files.export import open_export
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import Outcome, read
from tests.damage import HEADER, ORDERS, ROWS, Damage, damages, variants

SEED = 20261122


def test_there_are_more_than_two_hundred_variants_and_the_same_ones_each_time() -> None:
    found = list(variants(SEED))
    assert len({name for name, _ in found}) == len(found) > 200
    assert [name for name, _ in variants(SEED)] == [name for name, _ in found]
    text = {name: content for name, content in found if "workbook" not in name}  # those hold the time they are made
    assert {name: content for name, content in variants(SEED) if name in text} == text


def outcome_of(folder: Path, damage: Damage) -> Outcome | UnreadableFile:
    folder.mkdir()
    try:
        return read(folder, damage.content, names=["orders"])
    except UnreadableFile as error:
        return error


def test_no_damage_is_a_crash_or_a_wrong_total(tmp_path: Path) -> None:
    unread = 0
    for damage in damages(SEED):
        outcome = outcome_of(tmp_path / damage.name, damage)
        if isinstance(outcome, UnreadableFile):
            assert outcome.file == "orders", damage.name
            assert not damage.untouched, f"{damage.name}: {outcome}"
            unread += 1
            continue
        rows, accepted, superseded, rejected = outcome.counts
        assert rows == accepted + superseded + rejected >= len(damage.untouched), damage.name
        assert len(outcome.rejects) == rejected, damage.name
        found = {
            order["order_id"]: (order["customer_id"], order["ordered_at"].date().isoformat(), order["amount"])
            for order in outcome.orders
        }
        expected = {order: ORDERS[order] for order in damage.untouched}
        assert {order: found.get(order) for order in damage.untouched} == expected, damage.name
    assert 20 < unread < 60


def test_opening_a_damaged_file_raises_nothing_else(tmp_path: Path) -> None:
    for name, content in variants(SEED + 1):
        path = tmp_path / name
        path.write_bytes(content)
        try:
            export = open_export(path, name, tmp_path)
        except UnreadableFile:
            continue
        assert export.header, name


GOOD = "\n".join((HEADER, *ROWS[:5]))
TEXT = st.one_of(
    st.binary(max_size=400),
    st.lists(st.sampled_from([*GOOD, '"', '""', "\r", "\0", ",", "\n", "'", "{", "}", "\ufeff"]), max_size=200).map(
        "".join
    ),
    st.text(max_size=200).map(lambda text: f"{HEADER}\n{text}"),
    st.text(max_size=100).map(lambda text: f'{{"order_id": "o1", "x": "{text}"}}\n{text}'),
).map(lambda text: text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
MAGIC = st.sampled_from(
    [b"", b"", b"", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b", b"\xff\xfe"]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MAGIC, TEXT, st.booleans())
def test_any_bytes_are_orders_rejects_or_unreadable(magic: bytes, text: bytes, packed: bool) -> None:
    content = gzip.compress(magic + text) if packed else magic + text
    with TemporaryDirectory() as folder:
        try:
            outcome = read(Path(folder), content)
        except UnreadableFile:
            return
        read_rows, accepted, superseded, rejected = outcome.counts
        assert read_rows == accepted + superseded + rejected
        assert len(outcome.rejects) == rejected
