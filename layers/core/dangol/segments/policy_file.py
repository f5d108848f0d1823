"""The file of a policy: YAML whose every problem is found, each with its line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import yaml

from dangol.document import Document
from dangol.errors import Problem, RuleError
from dangol.segments.dependencies import CircularRulesError
from dangol.segments.language import Expression, catalogue, parse
from dangol.segments.language.vocabulary import nearest

SECTIONS = ("rfm", "scores", "segments")
STANDARD = "standard"
"""`scores: standard` stands for the shipped groups."""
SHIPPED = "config/scores.yaml"

_KEYS = ("id", "name", "names", "where", "description", "reentry")
_LANGUAGES = ("ko", "en")
_ID = re.compile(r"[a-z][a-z0-9_]{0,49}")
_REENTRY = re.compile(r"(\d{1,4}) (day|week)s?")


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as a file has it."""

    line: int
    """Where its `where` stands, counted from 1."""
    id: str
    where: str
    korean: str
    english: str
    description: str
    reentry_days: int | None


class PolicyFile:
    """A policy's rules as written, and every problem with them.

    Raises InvalidConfiguration at once where the text is no policy at all.
    """

    def __init__(self, text: bytes, file: str, *, reserved: str, standard_scores: bytes) -> None:
        self._document = Document(text, file, "needs the sections rfm and segments at the top")
        self._standard_scores = standard_scores
        self._ids = {reserved}
        self._check_keys(self._document.root, SECTIONS, "section")
        self.sections = {section: list(self._rules(self._document.root, section)) for section in SECTIONS}

    @property
    def problems(self) -> list[Problem]:
        """What was found so far."""
        return self._document.problems

    def note(self, line: int, reason: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(line, reason))

    def parsed(self) -> dict[str, list[tuple[WrittenRule, Expression]]]:
        """Section → its rules, each with its syntax tree. Raises InvalidConfiguration if there is any problem."""
        vocabulary = catalogue(sorted(self._ids))
        found: dict[str, list[tuple[WrittenRule, Expression]]] = {section: [] for section in SECTIONS}
        for section, rules in self.sections.items():
            for rule in rules:
                try:
                    found[section].append((rule, parse(rule.where, vocabulary)))
                except RuleError as error:
                    place = f"segment '{rule.id}', column {error.position + 1} of its rule"
                    self.note(rule.line, f"{place}: {error}")
        self._document.close()
        return found

    def check_order(self, order: Callable[[], object]) -> None:
        """Raise InvalidConfiguration if rules rest on each other in a circle, which `order` finds out."""
        try:
            order()
        except CircularRulesError as error:
            lines = {rule.id: rule.line for rules in self.sections.values() for rule in rules}
            line = min((lines[segment] for segment in error.circle if segment in lines), default=1)
            self.note(line, f"segments rest on each other in a circle: {error}")
            self._document.close()

    # ---- YAML ----------------------------------------------------------------------------------

    def _rules(self, root: yaml.MappingNode, section: str) -> Iterator[WrittenRule]:
        """The valid rules of a section; the others become problems."""
        for key, value in root.value:
            if key.value != section:
                continue
            if section == "scores" and value.value == STANDARD:
                yield from self._standard(_line(value))
            elif isinstance(value, yaml.SequenceNode):
                yield from filter(None, map(self._rule, value.value))
            else:
                hint = f" or the word '{STANDARD}'" if section == "scores" else ""
                self.note(_line(value), f"section '{section}' must be a list of rules{hint}")

    def _standard(self, line: int) -> Iterator[WrittenRule]:
        """The shipped groups, as if they stood in that line."""
        before = len(self.problems)
        for rule in self._rules(Document(self._standard_scores, SHIPPED).root, "scores"):
            yield replace(rule, line=line)
        self.problems[before:] = [replace(problem, line=line) for problem in self.problems[before:]]

    def _rule(self, node: yaml.Node) -> WrittenRule | None:
        if not isinstance(node, yaml.MappingNode):
            self.note(_line(node), "a rule must look like {id: …, name: …, where: …}")
            return None
        before = len(self.problems)
        self._check_keys(node, _KEYS, "key")
        names = self._names(node)
        texts = {
            key.value: value
            for key, value in node.value
            if isinstance(key.value, str) and key.value != "names" and self._is_text(key, value)
        }
        for name in ("id", "where"):
            if not any(key.value == name for key, _ in node.value):
                self.note(_line(node), f"a rule needs '{name}'")
        if len(self.problems) > before:
            return None
        reentry = self._reentry(texts.get("reentry"))
        self._check_id(texts["id"])
        given = {key: value.value for key, value in texts.items()}
        korean = names.get("ko") or given.get("name") or names.get("en") or given["id"]
        return WrittenRule(
            _line(texts["where"]),
            given["id"],
            given["where"],
            korean,
            names.get("en") or korean,
            given.get("description", ""),
            reentry,
        )

    def _names(self, node: yaml.MappingNode) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in node.value:
            if key.value != "names":
                continue
            if not isinstance(value, yaml.MappingNode):
                self.note(_line(value), "'names' must look like {ko: …, en: …}")
                return {}
            self._check_keys(value, _LANGUAGES, "language")
            found |= {language.value: name.value for language, name in value.value if self._is_text(language, name)}
            if any(other.value == "name" for other, _ in node.value):
                self.note(_line(value), "give 'name' or 'names', not both")
        return found

    def _reentry(self, node: yaml.ScalarNode | None) -> int | None:
        if node is None:
            return None
        match = _REENTRY.fullmatch(node.value.strip())
        if match is None:
            self.note(_line(node), f"reentry '{node.value}' must be days or weeks, as in '30 days'")
            return None
        return int(match[1]) * (7 if match[2] == "week" else 1)

    def _check_id(self, node: yaml.ScalarNode) -> None:
        if not _ID.fullmatch(node.value):
            self.note(_line(node), f"id '{node.value}' must be lower-case letters, digits and _ (at most 50)")
        elif node.value in self._ids:
            self.note(_line(node), f"id '{node.value}' is taken; ids are unique across the file")
        self._ids.add(node.value)

    def _is_text(self, key: yaml.Node, value: yaml.Node) -> bool:
        if isinstance(value, yaml.ScalarNode) and value.value.strip():
            return True
        self.note(_line(value), f"'{key.value}' must be text")
        return False

    def _check_keys(self, node: yaml.MappingNode, known: tuple[str, ...], kind: str) -> None:
        seen = []
        for key, _ in node.value:
            if key.value in seen:
                self.note(_line(key), f"{f'{kind} ' if kind == 'section' else ''}'{key.value}' is given twice")
            elif key.value not in known:
                self.note(_line(key), f"unknown {kind} '{key.value}'; {nearest(str(key.value), known)}")
            seen.append(key.value)


def _line(node: yaml.Node) -> int:
    """Counted from 1."""
    return int(node.start_mark.line) + 1
