"""A copy of the ledger on another machine, to look at."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from dangol.ledger.store import FolderStore, ObjectStore

_THREADS = 8
_TRIES = 5


def mirror(
    store: ObjectStore, folder: Path, keys_of: Callable[[ObjectStore], Iterable[str]], tell: Callable[[int, int], None]
) -> FolderStore:
    """Make `folder` hold the same of the ledger as the store, and return it.

    `keys_of` says which objects of a store are wanted. Objects never change, so those that are there already are not
    copied again; those that are gone from the ledger (merged, or erased) go here as well. A refresh beside us merges
    objects: what is gone before it could be copied is listed anew. `tell` hears (objects copied, objects to copy). The
    ledger holds personal data: nobody but the owner of the folder may look into it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    copy = FolderStore(folder)
    for attempt in range(_TRIES):
        keys, there = set(keys_of(store)), set(keys_of(copy))
        try:
            _fetch(store, sorted(keys - there), folder, tell)
        except FileNotFoundError:
            if attempt == _TRIES - 1:
                raise
            continue
        copy.delete(sorted(there - keys))
        break
    return copy


def _fetch(store: ObjectStore, keys: list[str], folder: Path, tell: Callable[[int, int], None]) -> None:
    """Copy objects; what bears its name is always whole."""
    with TemporaryDirectory(dir=folder, prefix="unfinished-") as unfinished, ThreadPoolExecutor(_THREADS) as pool:
        for number, data in enumerate(pool.map(store.read, keys)):
            path, target = Path(unfinished) / "object", folder / keys[number]
            path.write_bytes(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            tell(number + 1, len(keys))
