"""Scratch space on disk that ends with the work."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

_PREFIX = "dangol-scratch-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of one's own, removed at the end.

    What killed processes could not remove goes first: Lambda keeps /tmp when a function runs out of time
    or memory, and one large file, tried again and again, would fill the disk for all that come after it.
    """
    for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
        if not _runs(left.name.removeprefix(_PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as folder:
        yield Path(folder)


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):  # another's, or not from here
        return True
    return True
