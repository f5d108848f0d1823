"""Files that name people who are being erased: dropped ones, rejected rows, lists for ad platforms."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from dangol.channels.audiences.export import AUDIENCES
from dangol.erasure.person import Person
from dangol.erasure.plan import FORGETTING
from dangol.erasure.tombstones import ERASED_KEY
from dangol.errors import UnreadableFile
from dangol.files.export import open_export
from dangol.ledger.erasing import holds
from dangol.ledger.store import ObjectStore
from dangol.measurement.layout import ANALYTICS
from dangol.measurement.plan import RECIPIENTS

INCOMING, REJECTS, KEPT_PARTS = "incoming/", "rejects/", "ledger/parts/"
_LEFT_OUT = ("config/", FORGETTING, ERASED_KEY, RECIPIENTS, ANALYTICS)
"""What holds no person, what the erasure itself needs, and what dangol.measurement.erasing looks into."""
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

    def clean(self) -> dict[str, int]:
        """Remove what can be removed; how much, by place.

        Rejected rows are left out of their files. Of dropped files the whole goes, once it is ingested: the ledger
        holds the rest of it. So do the parts that were kept until others came.
        """
        removed = {"rejected_rows": sum(map(self._clean_rejects, self._store.keys(REJECTS)))}
        dropped = [key for key in self._store.keys(INCOMING) if self._is_taken(key) and self._names(key)]
        parts = [key for key in self._store.keys(KEPT_PARTS) if self._names(key)]
        self._store.delete([*dropped, *parts])
        return removed | {"dropped_files": len(dropped), "kept_parts": len(parts)}

    def clean_lists(self) -> int:
        """Take them out of lists for ad platforms, but for the removals, which the platforms must be told; the rows."""
        removed = 0
        for key in self._store.keys(AUDIENCES):
            if key.endswith(".csv") and not key.endswith("-removals.csv"):
                lines = self._store.read(key).decode().splitlines(keepends=True)
                kept = [line for line in lines if self._person.hashes.isdisjoint(line.strip().split(","))]
                if kept != lines:
                    self._store.write(key, "".join(kept).encode())
                    removed += len(lines) - len(kept)
        return removed

    def left(self) -> Iterator[str]:
        """Keys of all objects that still name them. Reads everything."""
        for key in self._store.keys(""):
            if not key.startswith(_LEFT_OUT) and self._names(key):
                yield key

    def _names(self, key: str) -> bool:
        """Whether an object names them, whatever it is written in."""
        try:
            (path,) = self._store.download([key], self._folder)
        except FileNotFoundError:
            return False
        if key.endswith(".parquet") and key.startswith("ledger/"):
            return holds(self._connection, path, self._person)
        if key.startswith(AUDIENCES):  # hashes; the removals must name them
            text = path.read_text("utf-8")
            return not key.endswith("-removals.csv") and any(one in text for one in self._person.hashes)
        return self._in_text(path, key)

    def _in_text(self, path: Path, key: str) -> bool:
        if self._person.in_file(path):
            return True
        if not key.startswith((INCOMING, KEPT_PARTS)):
            return False
        folder = self._folder / "unpacked"
        folder.mkdir(exist_ok=True)
        try:
            found = open_export(path, key, folder, password=self._password, connection=self._connection)
        except UnreadableFile:
            return any(self._person.in_text(path.read_bytes().decode(name, "ignore")) for name in _ENCODINGS)
        return self._person.in_file(found.path)

    def _clean_rejects(self, key: str) -> int:
        """Write rejected rows anew without theirs; how many those were."""
        text = self._store.read(key).decode("utf-8-sig")
        header, *rows = list(csv.reader(io.StringIO(text, newline="")))
        kept = [row for row in rows if not self._person.in_text("\n".join(row))]
        if len(kept) == len(rows):
            return 0
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows([header, *kept])
        self._store.write(key, buffer.getvalue().encode("utf-8-sig"))
        return len(rows) - len(kept)
