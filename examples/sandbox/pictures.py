"""Pages that the demo leaves to be looked at, and their pictures where this machine has a browser."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from examples.sandbox.local_aws import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def kept(path: Path, page: str, size: tuple[int, int]) -> str:
    """Write a page, and beside it its picture of so many pixels; in words, where they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8")
    picture = _picture(path, size)
    return _shown(path) + (f"; its picture: {_shown(picture)}" if picture else "")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _picture(page: Path, size: tuple[int, int]) -> Path | None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    picture = page.with_suffix(".png")
    picture.unlink(missing_ok=True)  # an older one would be taken for it
    with tempfile.TemporaryDirectory(prefix="dangol-browser-") as profile:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}")
        drawn = (f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}", page.as_uri())
        with suppress(OSError, subprocess.TimeoutExpired):  # a picture is welcome, but nothing depends on it
            subprocess.run([browser, *options, *drawn], capture_output=True, timeout=60, check=False)
            return picture if picture.exists() else None
    return None
