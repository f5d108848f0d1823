"""Where the ledger's objects lie. The ledger speaks to this interface; S3 is in `dangol.aws`."""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol


class ObjectStore(Protocol):
    """Objects by key; strongly consistent, as S3 is. All methods may be called again after a failure."""

    def keys(self, prefix: str) -> list[str]:
        """Keys that begin with `prefix`, sorted."""

    def read(self, key: str) -> bytes:
        """The bytes of an object. FileNotFoundError when there is none."""

    def write(self, key: str, data: bytes) -> None:
        """Create or replace an object."""

    def download(self, keys: Sequence[str], folder: Path) -> list[Path]:
        """Copy objects into `folder`, in the order of `keys`. FileNotFoundError when one is gone."""

    def upload(self, files: Iterable[tuple[Path, str]]) -> None:
        """Create or replace objects from (path, key)."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that do not exist are no error."""


class FolderStore:
    """A folder as object store: for benchmarks, tests, and looking at a copied ledger."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        folder = self._root / prefix.rpartition("/")[0]
        found = (path.relative_to(self._root).as_posix() for path in folder.rglob("*") if path.is_file())
        return sorted(key for key in found if key.startswith(prefix))

    def read(self, key: str) -> bytes:
        """See ObjectStore."""
        return (self._root / key).read_bytes()

    def write(self, key: str, data: bytes) -> None:
        """See ObjectStore."""
        self._path(key).write_bytes(data)

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """See ConfigurationStore in dangol.moves.configure."""
        data = self.read(key)
        return data, hashlib.sha256(data).hexdigest()

    def replace(self, key: str, data: bytes, tag: str | None) -> bool:
        """See ConfigurationStore in dangol.moves.configure; not for several writers at a time."""
        there = self.read_tagged(key)[1] if (self._root / key).is_file() else None
        if there == tag:
            self.write(key, data)
        return there == tag

    def download(self, keys: Sequence[str], folder: Path) -> list[Path]:
        """See ObjectStore. Nothing is copied: the files are there already."""
        del folder
        paths = [self._root / key for key in keys]
        for path in paths:
            path.stat()
        return paths

    def upload(self, files: Iterable[tuple[Path, str]]) -> None:
        """See ObjectStore."""
        for path, key in files:
            shutil.copyfile(path, self._path(key))

    def delete(self, keys: Sequence[str]) -> None:
        """See ObjectStore."""
        for key in keys:
            (self._root / key).unlink(missing_ok=True)

    def purge(self, prefix: str) -> int:
        """See ErasableStore in dangol.moves.forget_doors: a folder keeps nothing that was replaced."""
        del prefix
        return 0

    def _path(self, key: str) -> Path:
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
