"""How functions start: what their import may touch, which every first call waits for."""

import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = sorted(path.parent.name for path in Path("functions").glob("*/app.py"))
LIGHT = ["plan_refresh", "configure", "launch", "deliver", "track", "unsubscribe", "respond"]


@pytest.mark.parametrize("function", LIGHT)
def test_a_function_that_does_not_compute_starts_without_what_computes(function: str) -> None:
    heavy = "{'pandas', 'duckdb', 'numpy'}"
    code = f"import sys, functions.{function}.app; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_importing_a_function_reads_no_environment_and_builds_no_client(function: str) -> None:
    code = f"import boto3; boto3.client = boto3.resource = None; import functions.{function}.app"
    subprocess.run([sys.executable, "-c", code], env={"PATH": ""}, capture_output=True, check=True)
