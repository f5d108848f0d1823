"""A report as numbers for programs, and for the next report to compare with: summary.json (docs/schemas)."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from dangol.reports.contents import Contents
from dangol.reports.flows import Flow
from dangol.reports.news import Before, records_of


def summary_json(contents: Contents, before: Before | None = None, files_until: str = "") -> str:
    """The numbers of a report; `before` hands on the records, `files_until` says what its account of files goes to."""
    records = records_of(contents.summary, before)
    found = asdict(contents.summary) | {
        "policy_version": contents.policy_version,
        "currency": contents.currency,
        "records": {segment: {"customers": most, "on": day} for segment, (most, day) in records.items()},
        "files_until": files_until,
        "moves": [_flow(flow) for flow in contents.flows if flow.cells is not None],
        "suggestions": [asdict(suggestion) for suggestion in contents.suggestions],
        "traits": [asdict(traits) for traits in contents.traits],
        "quality": asdict(contents.quality) if contents.quality else None,
    }
    return json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n"


def _flow(flow: Flow) -> dict[str, object]:
    cells = [{"from": then, "to": now, "customers": count} for (then, now), count in (flow.cells or {}).items()]
    cells.sort(key=lambda cell: (str(cell["from"]), str(cell["to"])))
    return {"period": flow.period, "since": flow.since, "cells": cells}


def before_of(text: bytes) -> Before:
    """What the last report said, of its summary.json. Reports of earlier versions lack some of it."""
    found: Mapping[str, Any] = json.loads(text)
    as_of = date.fromisoformat(found["as_of"])
    sizes = {line["id"]: {"customers": line["customers"], "on": found["as_of"]} for line in found["rfm"]}
    records = found.get("records", sizes)
    return Before(
        as_of=as_of,
        customers=found["customers"],
        orders=found.get("orders"),
        revenue=found["revenue"],
        policy_version=found.get("policy_version", ""),
        records={segment: (one["customers"], date.fromisoformat(one["on"])) for segment, one in records.items()},
        files_until=found.get("files_until", ""),
    )
