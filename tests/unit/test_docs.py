"""The documentation says what is there."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from dangol.configuration import KNOWN_FILES
from dangol.engine import connect
from dangol.files.columns import fold
from dangol.inputs import TABLES
from dangol.orders.describe import plain
from dangol.segments.features import FEATURES
from dangol.segments.policy import default_policy

from tests.world import FIRST_DAY, SHOP, Row, World

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def page(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_section_leads_to_a_heading(path: Path) -> None:
    for link, section in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", path.read_text("utf-8")):
        if "://" not in link:
            headings = re.findall(r"^#+ (.*)$", (path.parent / link if link else path).read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert section in slugs, link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_test_that_a_page_names_exists(path: Path) -> None:
    named = set(re.findall(r"test_[a-z0-9_]+\.py", path.read_text("utf-8")))
    there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert named <= there


def test_the_readme_names_every_folder_and_every_make_target_it_promises() -> None:
    readme, makefile = page("README.md"), page("Makefile")
    for target in re.findall(r"`?make ([a-z-]+)", readme):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for folder in ("functions", "layers/core/dangol", "config", "docs", "examples", "tests", "benchmarks"):
        assert f"`{folder}/`" in readme


def test_the_readme_shows_the_default_segments() -> None:
    readme = page("README.md")
    for rule in default_policy().rfm:
        assert f"| `{rule.id}` | {rule.name} |" in readme


def test_the_guide_to_the_benchmarks_names_every_one() -> None:
    guide, scripts = page("benchmarks/README.md"), (ROOT / "benchmarks").glob("*.py")
    runnable = [script.stem for script in scripts if f"python -m benchmarks.{script.stem}" in script.read_text("utf-8")]
    assert len(runnable) >= 10
    assert [name for name in runnable if f"benchmarks.{name}" not in guide and f"`{name}.py`" not in guide] == []


def test_the_page_of_strategies_names_every_campaign_invitation_and_trait() -> None:
    strategies = page("docs/strategies.md")
    shipped = [*(ROOT / "config" / "campaigns").glob("*.yaml"), *(ROOT / "config" / "invitations").glob("*.yaml")]
    assert all(f"[{path.stem}]" in strategies for path in shipped)
    source = ROOT.parent / "shared" / "seeds" / "000_9050ce9679794214.txt"
    if not source.exists():
        pytest.skip("the source text is not there")
    traits = re.findall(r"^\| (?!세그먼트|-).*\| ([^|]+) \|$", source.read_text("utf-8"), re.MULTILINE)
    assert len(traits) == 6
    assert all(trait in strategies for trait in traits)


def test_the_guides_name_every_feature_and_every_column_of_every_file() -> None:
    rules, orders, people = (page(f"docs/{name}.md") for name in ("rules", "order-files", "people-and-products"))
    assert all(f"`{feature.name}` | {feature.unit}" in rules for feature in FEATURES)
    assert all(f"`{column}`" in orders for column in plain().headers)
    for table in TABLES.values():
        section = people.split(f"## {table.name.capitalize()}")[1].split("\n## ")[0]
        rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
        named = {column for row in rows for column in re.findall(r"`([a-z_]+)`", row[1])}
        assert named == {column.name for column in table.columns}
        known = {header for headers in table.headers.values() for header in headers}
        assert {fold(word) for row in rows for word in re.split("[,;]", row[2]) if word.strip()} <= known


def test_the_guide_to_the_configuration_names_every_file_of_it() -> None:
    guide = page("docs/configuring.md")
    assert [name for name in KNOWN_FILES if f"`{name}`" not in guide] == []


def test_the_architecture_names_every_function_and_every_decision() -> None:
    text = page("docs/architecture.md")
    assert [path.parent.name for path in ROOT.glob("functions/*/app.py") if f"`{path.parent.name}`" not in text] == []
    decisions = [path.name for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert [int(name[:4]) for name in decisions] == list(range(1, len(decisions) + 1))


def test_the_guide_to_operating_counts_the_alarms_the_secrets_and_names_every_queue() -> None:
    template, guide = page("template.yaml"), page("docs/operating.md")
    alarms = re.findall(r"Type: AWS::CloudWatch::Alarm$", template, re.MULTILINE)
    assert f"{len(alarms)} alarms" in guide
    for kind in ("AWS::SQS::Queue", "AWS::SecretsManager::Secret"):
        names = re.findall(rf"^  (\w+):.*\n    Type: {kind}$", template, re.MULTILINE)
        assert names
        assert [name for name in names if f"`{name}`" not in guide] == []


def test_the_guide_to_the_tables_names_every_attribute_of_customers_and_events() -> None:
    words = set(re.findall(r"\w+", page("docs/reading-the-tables.md")))
    for schema in ("customers", "segment-changed", "runs-file", "runs-configuration"):
        assert json.loads(page(f"docs/schemas/{schema}.json"))["properties"].keys() <= words


def test_the_example_of_the_guide_reads_the_changes_where_they_lie() -> None:
    with World(shards=2) as world, connect(SHOP, world.bucket) as connection:
        world.drop_and_ingest([Row("o1", "c1", 0, 100), Row("o2", "c2", 0, 100)], second=1)
        world.work_off()
        world.refresh_all(FIRST_DAY + timedelta(days=6))
        (query,) = re.findall(r"```sql\n(.*?)```", page("docs/reading-the-tables.md"), re.DOTALL)
        here = query.replace("s3://BUCKET", str(world.bucket)).replace("'at_risk'", "'new'")
        assert connection.execute(here).fetchall() == [(FIRST_DAY, 2, 0), (FIRST_DAY + timedelta(days=6), 0, 2)]
