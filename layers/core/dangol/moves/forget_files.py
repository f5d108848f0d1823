"""Files that name people who are being erased: dropped ones, rejected rows, lists for ad platforms."""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from dangol.channels.audiences.export import AUDIENCES
from dangol.erasure.columns import id_columns
from dangol.erasure.person import Person
from dangol.erasure.plan import FORGETTING
from dangol.erasure.tombstones import ERASED_KEY
from dangol.errors import UnreadableFile
from dangol.files.export import Export, open_export
from dangol.ledger.erasing import copies, holds
from dangol.ledger.store import ObjectStore
from dangol.measurement.layout import ANALYTICS
from dangol.measurement.plan import RECIPIENTS
from dangol.moves.configure import live_configuration

INCOMING, REJECTS, KEPT_PARTS = "incoming/", "rejects/", "ledger/parts/"
_LEFT_OUT = ("config/", FORGETTING, ERASED_KEY, RECIPIENTS, ANALYTICS)
"""What holds no person, what the erasure itself needs, and what dangol.measurement.erasing looks into."""
_SHARD = re.compile(r"^ledger/.*/shard[=-](\d{4})")
"""Part of a key of the ledger: the shard whose customers it is about, and nobody else's."""
_ENCODINGS = ("utf-8", "cp949", "utf-16")


class Files:
    """The files of one bucket, as far as they name some people."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: ObjectStore,
        person: Person,
        folder: Path,
        is_taken: Callable[[str], bool],
        password: str | None = None,
    ) -> None:
        """`is_taken` tells whether the dropped file that lies under a key is ingested. `password` opens workbooks."""
        self._connection = connection
        self._store = store
        self._person = person
        self._folder = folder
        self._is_taken = is_taken
        self._password = password
        live = live_configuration(store)
        self._dialects = live.dialects
        self._hashes = person.hashes(live.messaging.country)

    def clean(self) -> dict[str, int]:
        """Remove what can be removed; how much, by place.

        Rejected rows are left out of their files. Of dropped files the whole goes, once it is ingested: the ledger
        holds the rest of it. So do the parts that were kept until others came.
        """
        removed = {"rejected_rows": sum(map(self._clean_rejects, self._store.keys(REJECTS)))}
        dropped = list(self._naming(key for key in self._store.keys(INCOMING) if self._is_taken(key)))
        parts = list(self._naming(self._store.keys(KEPT_PARTS)))
        self._store.delete([*dropped, *parts])
        return removed | {"dropped_files": len(dropped), "kept_parts": len(parts)}

    def clean_lists(self) -> int:
        """Take them out of lists for ad platforms, but for the removals, which the platforms must be told; the rows."""
        removed = 0
        for key in self._store.keys(AUDIENCES):
            if key.endswith(".csv") and not key.endswith("-removals.csv"):
                lines = self._store.read(key).decode().splitlines(keepends=True)
                kept = [line for line in lines if self._hashes.isdisjoint(line.strip().split(","))]
                if kept != lines:
                    self._store.write(key, "".join(kept).encode())
                    removed += len(lines) - len(kept)
        return removed

    def left(self, shards: Collection[int]) -> Iterator[str]:
        """Keys of all objects that still name them. Reads everything but the `shards` of others."""

        def may_name(key: str) -> bool:
            shard = _SHARD.search(key)
            return not key.startswith(_LEFT_OUT) and (shard is None or int(shard[1]) in shards)

        return self._naming(filter(may_name, self._store.keys("")))

    def _naming(self, keys: Iterable[str]) -> Iterator[str]:
        """Those of objects that name them, whatever they are written in."""
        for key, path in copies(self._store, keys, self._folder):
            if key.endswith(".parquet") and key.startswith("ledger/"):
                names = holds(self._connection, path, self._person)
            elif key.startswith(AUDIENCES):  # hashes; the removals must name them
                text = path.read_text("utf-8")
                names = not key.endswith("-removals.csv") and any(one in text for one in self._hashes)
            elif key.startswith((INCOMING, KEPT_PARTS, REJECTS)):
                names = self._in_rows(path, key)
            else:  # reports have no ids, but words and numbers that look like some
                pattern = self._person.contacts if key.startswith("reports/") else self._person.words
                names = pattern.search(path.read_bytes().decode("utf-8", "replace")) is not None
            if names:
                yield key

    def _in_rows(self, path: Path, key: str) -> bool:
        with TemporaryDirectory(dir=self._folder) as folder:
            try:
                found = open_export(path, key, Path(folder), password=self._password, connection=self._connection)
            except UnreadableFile:
                texts = (path.read_bytes().decode(name, "ignore") for name in _ENCODINGS)
                return any(self._person.words.search(text) for text in texts)
            with found.path.open(encoding="utf-8", errors="replace", newline="") as lines:
                if any(self._person.words.search(line) for line in lines):
                    return True
            return bool(self._person.numbers) and self._has_number(found)

    def _has_number(self, found: Export) -> bool:
        """Whether a column of ids holds one of theirs that is made of digits alone; any column, where none is known."""
        columns, numbers = id_columns(found.header, self._dialects), self._person.numbers

        def theirs(lines: Iterable[str]) -> bool:
            rows = csv.reader((line.replace("\0", "") for line in lines), delimiter=found.delimiter)
            return any(self._person.in_row(row, columns) for row in rows)

        with found.path.open(encoding="utf-8", errors="replace", newline="") as lines:
            some = [line for line in lines if any(number in line for number in numbers)]
            # Line by line as well: behind a quotation mark that is never closed the rest of the file is one cell.
            if not some or any(theirs([line]) for line in some):
                return bool(some)
            lines.seek(0)
            return theirs(lines)

    def _clean_rejects(self, key: str) -> int:
        """Write rejected rows anew without theirs; how many those were."""
        text = self._store.read(key).decode("utf-8-sig")
        header, *rows = list(csv.reader(io.StringIO(text, newline="")))
        columns = id_columns(header, self._dialects)
        kept = [row for row in rows if not self._person.in_row(row, columns)]
        if len(kept) == len(rows):
            return 0
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows([header, *kept])
        self._store.write(key, buffer.getvalue().encode("utf-8-sig"))
        return len(rows) - len(kept)
