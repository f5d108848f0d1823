"""What docs/rules.md and docs/segments.md say is what the code does."""

import re
from pathlib import Path

import pytest
from dangol.segments.language import catalogue, parse
from dangol.segments.language.functions import FUNCTIONS
from dangol.segments.policy import default_policy, load_policy

from scripts.make_rules import made_anew

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "docs" / "rules.md").read_text("utf-8")
SEGMENTS = (ROOT / "docs" / "segments.md").read_text("utf-8")


def test_the_reference_in_the_guide_is_that_of_the_code() -> None:
    assert made_anew(RULES) == RULES, "write it anew: python -m scripts.make_rules"


@pytest.mark.parametrize("example", [one for function in FUNCTIONS.values() for one in function.written])
def test_every_example_of_a_function_is_a_rule(example: str) -> None:
    parse(example, catalogue(["vip_10_plus"]))


def test_every_example_of_an_operator_is_a_rule() -> None:
    operators = RULES.split("## Operators")[1].split("## Functions")[0]
    examples = [code for line in operators.splitlines() for code in re.findall(r"`([^`]+)`", line.split(" | ")[0])]
    rules = [one for one in examples if not re.search(r"\b[ab]\b|^today$|…", one)]
    assert len(rules) >= 10
    for rule in rules:
        parse(rule, catalogue())


def test_the_rules_at_the_top_can_be_read() -> None:
    for rule in RULES.split("```")[1].strip().splitlines():
        parse(rule, catalogue(["vip_10_plus"]))


def test_the_example_in_python_runs() -> None:
    exec(RULES.split("```python")[1].split("```")[0], {})


def test_every_segment_is_in_the_table_with_its_names_and_a_test_that_exists() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests" / "unit").glob("test_*.py"))
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", SEGMENTS.split("| id |")[1]))
    assert named
    assert all(f"def {name}(" in tests for name in named)
    for rule in default_policy().rules:
        (row,) = [line for line in SEGMENTS.splitlines() if re.match(rf"\|[^|]*`{rule.id}`[^|]*\|", line)]
        assert f"{rule.name}, {rule.english}" in row
        assert "`test_" in row


def test_every_group_of_scores_is_named() -> None:
    policy = load_policy(b"rfm:\n  - {id: a, where: 1 < 2}\nscores: standard\n", "segments.yaml")
    assert all(f"`{rule.id}`" in SEGMENTS for rule in policy.scores)
