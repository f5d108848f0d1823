"""`dangol audiences` on the files of a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dangol.cli.main import main

from tests.messages import CONFIG


def test_list_says_who_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audiences", "list"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert " ".join(line.split()) == (
        "at_risk_ads meta google of at_risk left out 10%, holdout of at_risk_comeback 15%"
    )


def test_a_folder_without_audiences_says_where_they_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(CONFIG / "segments.yaml", tmp_path)
    assert main(["audiences", "list", "--config", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "no audiences; name some in audiences.yaml of the folder\n"


def test_check_names_file_line_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audiences", "check"]) == 0
    assert capsys.readouterr().out == "1 audiences in order\n"
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    file = folder / "audiences.yaml"
    file.write_text(file.read_text("utf-8").replace("segment: at_risk", "segment: at_rik"), "utf-8")
    assert main(["audiences", "check", "--config", str(folder)]) == 1
    assert capsys.readouterr().err == f"{file}, line 7: unknown segment 'at_rik'; did you mean 'at_risk'?\n"
