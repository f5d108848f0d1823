"""The documentation says what is there."""

import re
from pathlib import Path

import pytest
from dangol.files.columns import fold
from dangol.orders.describe import plain
from dangol.segments.features import FEATURES
from dangol.segments.policy import default_policy

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"test_[a-z_]+\.py", page.read_text("utf-8")))
    there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert named <= there


def test_the_readme_names_every_folder_and_every_make_target_it_promises() -> None:
    readme, makefile = (ROOT / "README.md").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`?make ([a-z-]+)", readme):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for folder in ("functions", "layers/core/dangol", "config", "docs", "examples", "tests", "benchmarks"):
        assert f"`{folder}/`" in readme


def test_the_readme_shows_the_default_segments() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for rule in default_policy().rfm:
        assert f"| `{rule.id}` | {rule.name} |" in readme


def test_the_guide_names_every_feature_and_every_column() -> None:
    guide = (ROOT / "docs" / "configuring.md").read_text("utf-8")
    rules = (ROOT / "docs" / "rules.md").read_text("utf-8")
    assert all(f"`{feature.name}` | {feature.unit}" in rules for feature in FEATURES)
    assert all(f"`{column}`" in guide for column in plain().headers)
    korean = re.findall(r"[가-힣]+[A-Z]*", guide.split("## The order file")[1].split("A rejected row")[0])
    headers = {header for headers in plain().headers.values() for header in headers}
    assert {fold(word) for word in korean} <= headers
