"""docs/schemas: every row and event is documented to the last attribute."""

from __future__ import annotations

import json

import pytest

from tests.schemas import FOLDER, problems, validator

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def test_every_table_and_every_event_has_a_schema() -> None:
    assert NAMES == [
        "campaign",
        "campaign-completed",
        "campaign-measured",
        "customers",
        "deliveries",
        "file-ingested",
        "file-rejected",
        "invitation",
        "invitations",
        "memberships",
        "profiles",
        "refresh-completed",
        "report",
        "runs-audience",
        "runs-campaign-result",
        "runs-campaign-run",
        "runs-campaign-total",
        "runs-campaigns-together",
        "runs-configuration",
        "runs-daily",
        "runs-file",
        "runs-forget",
        "runs-notice-waiting",
        "runs-refresh",
        "segment-changed",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_explains_each_attribute_and_allows_no_other(name: str) -> None:
    schema = validator(name).schema
    assert isinstance(schema, dict)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert [key for key, value in schema["properties"].items() if not value.get("description")] == []
    assert set(schema["required"]) <= set(schema["properties"])
    assert (FOLDER / f"{name}.json").read_text("utf-8") == json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


CHANGE = {
    "id": "0" * 32,
    "customer_id": "c1",
    "segment": "new",
    "change": "entered",
    "from": None,
    "to": "new",
    "days_out": None,
    "as_of": "2026-11-22",
    "policy_version": "0123456789ab",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "kim@example.com"},
        {"as_of": "2026-02-30"},
        {"change": "moved"},
        {"to": None},
        {"change": "exited"},
        {"id": "1"},
        {"customer_id": ""},
    ],
)
def test_what_is_not_as_documented_is_noticed(wrong: dict[str, object]) -> None:
    assert problems("segment-changed", [CHANGE]) == []
    assert problems("segment-changed", [CHANGE | wrong]) != []
