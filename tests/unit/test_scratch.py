"""Scratch space ends with the work, even when the work was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from dangol.scratch import scratch


@pytest.fixture(autouse=True)
def _tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_ends_with_the_work(tmp_path: Path) -> None:
    with scratch() as folder:
        (folder / "file").write_text("")
        assert folder.parent == tmp_path
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    code = "import os, dangol.scratch\nwith dangol.scratch.scratch() as folder: print(folder, flush=True); os._exit(1)"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert left.is_dir()
    with scratch():
        assert not left.exists()


def test_what_others_are_using_is_not(tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("dangol-aws-1", f"dangol-scratch-{os.getppid()}-x", "dangol-scratch-x-y")]
    for other in others:
        other.mkdir()
    with scratch() as outer, scratch():
        assert all(path.is_dir() for path in [*others, outer])
