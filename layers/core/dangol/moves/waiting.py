"""Parts of Olist's data set that arrive one by one: kept until all that make orders together are there.

Whichever comes last finds the others, for each is kept before the others are looked for. The orders are appended
under the versions of all parts, the newest first: parts that arrive at the same time write the same, and a newer upload
of any part makes a later version. One that was read before it cannot take its place.
"""

from collections.abc import Sequence
from pathlib import Path

from dangol.ledger.store import ObjectStore
from dangol.orders import olist

_PREFIX = "ledger/parts/olist/"

Files = Sequence[tuple[Path, str]]


def with_others(store: ObjectStore, path: Path, name: str, version: str, folder: Path) -> tuple[Files, str, list[str]]:
    """The (path, name) files to read for a dropped one, their version, and the parts that are still missing.

    A file that is no part is read alone. Of each part the newest upload counts.
    """
    part = olist.part_at(path)
    if part is None:
        return [(path, name)], version, []
    store.upload([(path, f"{_PREFIX}{part}/{version}")])
    newest: dict[str, str] = {}
    for key in store.keys(_PREFIX):  # sorted, and a version sorts by its time
        newest[key.removeprefix(_PREFIX).partition("/")[0]] = key
    if missing := olist.missing_parts(newest):
        return [], version, missing
    target = folder / "parts"
    target.mkdir()
    paths = store.download(list(newest.values()), target)
    files = [(found, f"olist {kind}") for found, kind in zip(paths, newest, strict=True)]
    versions = sorted((key.rpartition("/")[2] for key in newest.values()), reverse=True)
    return files, ".".join(versions), []
