"""A policy in words, for people and as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from dangol.reports.text import aligned
from dangol.segments.language.text import text_of
from dangol.segments.policy import UNCLASSIFIED, Policy

_KINDS = {"rfm": "RFM segments", "scores": "Score groups", "segments": "Other segments"}
_RULE_OF_KIND = {
    "rfm": "a customer is in exactly one, the first that holds",
    "scores": "a customer is in one at most, the first that holds",
    "segments": "a customer is in any number of them",
}


def kind_of(section: str) -> str:
    """What people call the segments of a section of the file."""
    return _KINDS[section]


def segments_of(policy: Policy) -> Iterator[Mapping[str, Any]]:
    """Each segment: id, section, names by language, where (None: whom no RFM rule holds), description, reentry_days."""
    for section in _KINDS:
        for rule in getattr(policy, section):
            yield {
                "id": rule.id,
                "section": section,
                "names": {"ko": rule.name, "en": rule.english},
                "where": text_of(rule.where),
                "description": rule.description,
                "reentry_days": rule.reentry_days,
            }
        if section == "rfm":
            names = {"ko": policy.names[UNCLASSIFIED], "en": policy.english[UNCLASSIFIED]}
            yield {
                "id": UNCLASSIFIED,
                "section": section,
                "names": names,
                "where": None,
                "description": "",
                "reentry_days": None,
            }


def policy_text(policy: Policy) -> str:
    """Every segment with its rule, in the order of the file."""
    parts = []
    for section, title in _KINDS.items():
        found = [segment for segment in segments_of(policy) if segment["section"] == section]
        if found:
            parts.append(f"{title}: {_RULE_OF_KIND[section]}")
            parts += ["\n".join(_lines(segment)) for segment in found]
    return "\n\n".join(parts)


def _lines(segment: Mapping[str, Any]) -> Iterator[str]:
    korean, english = segment["names"]["ko"], segment["names"]["en"]
    names = korean if korean == english else f"{korean} / {english}"
    yield f"  {segment['id']}  {names}" if names != segment["id"] else f"  {names}"
    yield f"      {segment['where'] or 'everybody whom no rule above holds'}"
    if segment["description"]:
        yield f"      {segment['description']}"
    if segment["reentry_days"] is not None:
        yield f"      an entry counts anew after {segment['reentry_days']} days out"


def sizes_text(policy: Policy, sizes: Mapping[str, int], customers: int) -> str:
    """Customers in each segment and their share of all, a block for each section."""
    rows: list[tuple[str, ...]] = [("segment", "", "customers", "share")]
    blocks = []
    for one in segments_of(policy):
        size = sizes.get(one["id"], 0)
        rows.append((one["id"], one["names"]["ko"], f"{size:,}", f"{size / max(customers, 1):.1%}"))
        blocks.append(one["section"])
    header, *lines = aligned(rows, left=2).splitlines()
    text = [header]
    for number, line in enumerate(lines):
        text += ["", line] if number and blocks[number] != blocks[number - 1] else [line]
    return "\n".join(text)
