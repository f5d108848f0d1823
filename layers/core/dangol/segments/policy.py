"""The policy: which segments there are and who belongs to them. Loaded from YAML, checked as a whole."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files

import yaml

from dangol.errors import InvalidConfiguration, Problem, RuleError
from dangol.segments.features import FEATURES
from dangol.segments.language import Expression, parse

POLICY_FILE = "segments.yaml"
MAX_POLICY_BYTES = 256 * 1024
MAX_SEGMENTS = 62
"""Independent segments of one policy: memberships of a customer are bits of one number."""
UNCLASSIFIED = "unclassified"
"""RFM segment of those whom no rule holds (design §3)."""

_SECTIONS = ("rfm", "segments")
_KEYS = ("id", "name", "where", "description")
_ID = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One segment and whom it holds."""

    id: str
    name: str
    """What people call it."""
    where: Expression


@dataclass(frozen=True, slots=True)
class Policy:
    """RFM rules are exclusive, the first match wins; other segments are independent of each other."""

    version: str
    """Hash of the text it was loaded from: twelve hex digits."""
    rfm: tuple[Rule, ...]
    segments: tuple[Rule, ...] = ()

    @property
    def rfm_ids(self) -> tuple[str, ...]:
        """Ids of the RFM segments in order, `unclassified` last."""
        return (*(rule.id for rule in self.rfm), UNCLASSIFIED)

    @property
    def names(self) -> dict[str, str]:
        """Id → name of every segment."""
        return {rule.id: rule.name for rule in (*self.rfm, *self.segments)} | {UNCLASSIFIED: "미분류"}


def default_policy() -> Policy:
    """The policy shipped with Dangol: the seed's table of six RFM segments."""
    text = (files("dangol") / "defaults" / POLICY_FILE).read_bytes()
    return load_policy(text, f"config/{POLICY_FILE}")


def load_policy(text: bytes, file: str) -> Policy:
    """Read a policy. Raises InvalidConfiguration with every problem found, each with its line."""
    reader = _PolicyReader(file)
    root = reader.compose(text)
    rules = {section: list(reader.rules(root, section)) for section in _SECTIONS}
    if not reader.problems and not rules["rfm"]:
        reader.problems.append(Problem(1, "section 'rfm' is missing or empty; give at least one rule"))
    if len(rules["segments"]) > MAX_SEGMENTS:
        reader.problems.append(Problem(1, f"more than {MAX_SEGMENTS} segments; remove some"))
    if reader.problems:
        raise InvalidConfiguration(file, sorted(reader.problems, key=lambda p: p.line))
    version = hashlib.sha256(text).hexdigest()[:12]
    return Policy(version, tuple(rules["rfm"]), tuple(rules["segments"]))


class _PolicyReader:
    """Walks the YAML nodes, which know their lines, and collects problems instead of stopping at one."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._ids = {UNCLASSIFIED}
        self._names = tuple(feature.name for feature in FEATURES)

    def compose(self, text: bytes) -> yaml.MappingNode:
        """The root of the document, or InvalidConfiguration when it is no mapping at all."""
        if len(text) > MAX_POLICY_BYTES:
            raise self._refused(1, f"is larger than {MAX_POLICY_BYTES:,} bytes")
        try:
            root = yaml.compose(text.decode("utf-8-sig"), Loader=yaml.SafeLoader)
        except UnicodeDecodeError as error:
            raise self._refused(1, "is not UTF-8 text") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self._refused(line, f"is not valid YAML: {error.problem}") from error
        except RecursionError:
            raise self._refused(1, "is nested too deep") from None
        except yaml.YAMLError as error:
            raise self._refused(1, f"is not valid YAML: {error}") from error
        if not isinstance(root, yaml.MappingNode):
            raise self._refused(1, f"needs the sections {' and '.join(_SECTIONS)} at the top")
        self._check_keys(root, _SECTIONS, "section")
        return root

    def rules(self, root: yaml.MappingNode, section: str) -> Iterator[Rule]:
        """The valid rules of a section; the others become problems."""
        for key, value in root.value:
            if key.value != section:
                continue
            if not isinstance(value, yaml.SequenceNode):
                self._note(value, f"section '{section}' must be a list of rules")
                continue
            for item in value.value:
                if (rule := self._rule(item)) is not None:
                    yield rule

    def _rule(self, node: yaml.Node) -> Rule | None:
        if not isinstance(node, yaml.MappingNode):
            self._note(node, "a rule must look like {id: …, name: …, where: …}")
            return None
        before = len(self.problems)
        self._check_keys(node, _KEYS, "key")
        texts = {
            key.value: value for key, value in node.value if isinstance(key.value, str) and self._is_text(key, value)
        }
        for name in ("id", "where"):
            if not any(key.value == name for key, _ in node.value):
                self._note(node, f"a rule needs '{name}'")
        if len(self.problems) > before:
            return None
        self._check_id(texts["id"])
        where = self._where(texts["id"].value, texts["where"])
        if where is None or len(self.problems) > before:
            return None
        segment = texts["id"].value
        return Rule(segment, texts["name"].value if "name" in texts else segment, where)

    def _where(self, segment: str, node: yaml.ScalarNode) -> Expression | None:
        try:
            return parse(node.value, self._names)
        except RuleError as error:
            self._note(node, f"segment '{segment}', column {error.position + 1} of its rule: {error}")
            return None

    def _check_id(self, node: yaml.ScalarNode) -> None:
        if not _ID.fullmatch(node.value):
            self._note(node, f"id '{node.value}' must be lower-case letters, digits and _ (at most 50)")
        elif node.value in self._ids:
            self._note(node, f"id '{node.value}' is taken; ids are unique across the file")
        self._ids.add(node.value)

    def _is_text(self, key: yaml.Node, value: yaml.Node) -> bool:
        if isinstance(value, yaml.ScalarNode) and value.value.strip():
            return True
        self._note(value, f"'{key.value}' must be text")
        return False

    def _check_keys(self, node: yaml.MappingNode, known: tuple[str, ...], kind: str) -> None:
        seen = []
        for key, _ in node.value:
            if key.value in seen:
                self._note(key, f"{f'{kind} ' if kind == 'section' else ''}'{key.value}' is given twice")
            elif key.value not in known:
                near = get_close_matches(str(key.value), known, 1, 0.6)
                hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
                self._note(key, f"unknown {kind} '{key.value}'; {hint}")
            seen.append(key.value)

    def _note(self, node: yaml.Node, reason: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, reason))

    def _refused(self, line: int, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(self.file, [Problem(line, reason)])
