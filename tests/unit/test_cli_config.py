"""`dangol config check`: every mistake of a folder, before anything is uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from dangol.cli.main import main

SEGMENTS = (
    'rfm:\n  - {id: recent, where: "recency_days <= 7"}\nsegments:\n  - {id: repeat, where: "orders_lifetime >= 2"}\n'
)
RATES = "rates:\n  - {currency: USD, on: 2026-11-22, rate: 1391.2}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `shop`, from where the commands are called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    return Path("shop")


def test_check_says_what_a_folder_in_order_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segments.yaml").write_text(SEGMENTS)
    (folder / "rates.yaml").write_text(RATES)
    assert main(["config", "check", "shop"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("shop is in order: version ")
    assert rest == ["  files     rates.yaml, segments.yaml", "  segments  2 RFM, 1 others"]


def test_check_counts_score_groups(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segments.yaml").write_text(SEGMENTS + "scores: standard\n")
    assert main(["config", "check", "shop"]) == 0
    assert "2 RFM, 11 score groups, 1 others" in capsys.readouterr().out


def test_check_names_files_that_may_be_misspelt(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segments.yaml").write_text(SEGMENTS)
    (folder / "rate.yaml").write_text(RATES)
    assert main(["config", "check", "shop"]) == 0
    assert "left out  rate.yaml: no files of a configuration" in capsys.readouterr().out


def test_check_names_every_problem_with_file_line_and_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segments.yaml").write_text(
        SEGMENTS.replace("recency_days", "recencydays").replace("lifetime", "lifetim")
    )
    (folder / "rates.yaml").write_text("rates: 1\n")
    assert main(["config", "check", "shop"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    for place in ("shop/rates.yaml, line 1: ", "shop/segments.yaml, line 2: ", "shop/segments.yaml, line 4: "):
        assert place in said.err


@pytest.mark.parametrize(("name", "says"), [("shop", "holds no configuration"), ("shopp", "is not a folder")])
def test_check_refuses_a_folder_that_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    assert folder.is_dir()
    assert main(["config", "check", name]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("action", ["check", "push", "pull"])
def test_every_action_has_help_with_an_example(capsys: pytest.CaptureFixture[str], action: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["config", action, "--help"])
    assert left.value.code == 0
    assert f"example: dangol config {action} my-shop" in " ".join(capsys.readouterr().out.split())
