"""A shop whose functions take turns (tests/interleaving.py), over a bucket that behaves as S3 does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from dangol.ledger.store import FolderStore

from tests.world import World


class Bucket(FolderStore):
    """Gives copies, as S3 does: what is deleted or written anew meanwhile does not change them."""

    def download(self, keys: Sequence[str], folder: Path) -> list[Path]:
        paths = super().download(keys, folder)
        copies = [folder / f"{abs(hash(path))}.parquet" for path in paths]
        for path, copy in zip(paths, copies, strict=True):
            shutil.copyfile(path, copy)
        return copies


class Busy(World):
    """A shop whose functions take turns."""

    @property
    def store(self) -> Bucket:
        return Bucket(self.bucket)
