"""Which segments are advertised to elsewhere: `audiences.yaml`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import yaml

from dangol.channels.audiences.files import PLATFORMS
from dangol.document import Document

KEYS = ("id", "name", "segment", "platforms", "holdout")
_REQUIRED = ("id", "segment", "platforms")
_ID = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class AdAudience:
    """The members of one segment, as one list on each of some ad platforms."""

    id: str
    names: Mapping[str, str]
    """ko and en; empty where none is given."""
    segment: str
    platforms: tuple[str, ...]
    """Of files.PLATFORMS."""
    holdout: float = 0.0
    """Share of people that is left out, to measure against."""


def load_audiences(text: bytes, file: str, segments: Collection[str]) -> tuple[AdAudience, ...]:
    """Read audiences of known segments. Raises InvalidConfiguration with every problem found, each with its line."""
    document = Document(text, file)
    found = document.fields(document.root, ("audiences",), ("audiences",), "the file")
    nodes = document.items(found["audiences"], "'audiences'") if "audiences" in found else ()
    audiences: dict[str, AdAudience] = {}
    for node in nodes:
        audience = _audience(document, node, segments)
        if audience.id in audiences:
            document.note(node, f"audience '{audience.id}' is given twice")
        audiences[audience.id] = audience
    document.close()
    return tuple(audiences.values())


def _audience(document: Document, node: yaml.Node, segments: Collection[str]) -> AdAudience:
    found = document.fields(node, KEYS, _REQUIRED, "an audience")
    share = "'holdout', a share,"
    return AdAudience(
        id=_id(document, found["id"]) if "id" in found else "",
        names=_names(document, found["name"]) if "name" in found else {},
        segment=document.choice(found["segment"], segments, "segment") if "segment" in found else "",
        platforms=_platforms(document, found["platforms"]) if "platforms" in found else (),
        holdout=document.number(found["holdout"], 0, 1, share) if "holdout" in found else 0.0,
    )


def _id(document: Document, node: yaml.Node) -> str:
    word = document.text(node, "'id'")
    if word and not _ID.fullmatch(word):
        document.note(node, f"'id' must be lower-case letters, digits and _ (at most 50), not '{word}'")
    return word


def _names(document: Document, node: yaml.Node) -> dict[str, str]:
    languages = ("ko", "en")
    found = document.fields(node, languages, languages, "'name'")
    return {key: document.text(value, f"'{key}'") for key, value in found.items()}


def _platforms(document: Document, node: yaml.Node) -> tuple[str, ...]:
    words = [document.choice(item, PLATFORMS, "platform") for item in document.items(node, "'platforms'")]
    return tuple(dict.fromkeys(filter(None, words)))
