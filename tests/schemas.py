"""docs/schemas, and whether something is as they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "schemas"


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def problems(name: str, instances: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where instances are not as schema `name` says. Numbers may be DynamoDB's."""
    return [
        f"{error.json_path}: {error.message}"
        for instance in instances
        for error in validator(name).iter_errors(plain(instance))
    ]


def schema_of(kind: str) -> str:
    """The schema of an event by its detail-type."""
    return kind.lower().replace(" ", "-")


def plain(value: Any) -> Any:
    """As JSON has it."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple() | set():
            return [plain(item) for item in value]
    return value


def crooked(value: Any) -> Iterator[Any]:
    """Copies of an instance, each with one part taken out, renamed, or of a wrong kind."""
    if isinstance(value, dict):
        for key in value:
            rest = {k: v for k, v in value.items() if k != key}
            yield rest
            yield rest | {f"{key}_": value[key]}
            yield from (value | {key: changed} for changed in crooked(value[key]))
    elif isinstance(value, list):
        yield []
        yield value[0]
        yield from ([changed, *value[1:]] for changed in crooked(value[0]))
    else:
        yield {}
        yield [value]
        yield -5 if not isinstance(value, str) else ""
