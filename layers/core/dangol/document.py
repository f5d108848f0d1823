"""A YAML file read with all its mistakes: each becomes a problem with its line, and reading goes on."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import NoReturn

import yaml

from dangol.errors import InvalidConfiguration, Problem

MAX_BYTES = 256 * 1024
_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
_DURATION = re.compile(r"(\d{1,4}) (minute|hour|day|week)s?")


class Document:
    """Walks the nodes of one file. What cannot be read is noted and a harmless value returned."""

    def __init__(self, text: bytes, file: str, root: str = "must be a mapping of keys and values") -> None:
        """Raises InvalidConfiguration when the file is no YAML mapping at all; `root` says what it should be."""
        self.file = file
        self.problems: list[Problem] = []
        self.root = self._compose(text, root)

    def note(self, node: yaml.Node, reason: str) -> None:
        """A problem at a node."""
        self.problems.append(Problem(node.start_mark.line + 1, reason))

    def close(self) -> None:
        """Raises InvalidConfiguration if anything was noted."""
        if self.problems:
            raise InvalidConfiguration(self.file, sorted(self.problems, key=lambda problem: problem.line))

    def fields(self, node: yaml.Node, known: Sequence[str], required: Iterable[str], what: str) -> dict[str, yaml.Node]:
        """The entries of a mapping by key; unknown, doubled and missing keys are noted."""
        if not isinstance(node, yaml.MappingNode):
            self.note(node, f"{what} must be a mapping with {', '.join(known)}")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name in found:
                self.note(key, f"'{name}' is given twice")
            elif name not in known:
                self.note(key, f"unknown key '{name}' of {what}; {nearest(name, known)}")
            else:
                found[name] = value
        for name in required:
            if name not in found:
                self.note(node, f"{what} needs '{name}'")
        return found

    def text(self, node: yaml.Node, what: str) -> str:
        """A text that is not blank; '' when it is none."""
        if isinstance(node, yaml.ScalarNode) and node.value.strip() and node.tag != "tag:yaml.org,2002:null":
            return str(node.value).strip()
        hint = "" if isinstance(node, yaml.ScalarNode) else "; put quotes around what begins with { or ["
        self.note(node, f"{what} must be text{hint}")
        return ""

    def texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        """The texts of a list, or of one text alone."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.text(item, f"each of {what}") for item in node.value)
        return (self.text(node, what),)

    def choice(self, node: yaml.Node, known: Iterable[str], what: str) -> str:
        """One of the known words; '' when it is none."""
        word, words = self.text(node, what), tuple(known)
        if word and word not in words:
            self.note(node, f"unknown {what} '{word}'; {nearest(word, words)}")
            return ""
        return word

    def number(self, node: yaml.Node, least: float, most: float, what: str, *, whole: bool = False) -> float:
        """A number in [least, most]; `least` when it is none."""
        try:
            value = float(node.value) if isinstance(node, yaml.ScalarNode) and not _is_quoted(node) else None
        except ValueError:
            value = None
        if value is None or not least <= value <= most or (whole and not value.is_integer()):
            kind = "a whole number" if whole else "a number"
            self.note(node, f"{what} must be {kind} from {least:g} to {most:.10g}")
            return least
        return value

    def flag(self, node: yaml.Node, what: str) -> bool:
        """True or false; False when it is neither."""
        if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false") and not _is_quoted(node):
            return bool(node.value == "true")
        self.note(node, f"{what} must be true or false")
        return False

    def duration(self, node: yaml.Node, least: timedelta, most: timedelta, what: str) -> timedelta:
        """'6 hours', '3 days', '2 weeks'; `least` when it is none."""
        found = _DURATION.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
        value = timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else None
        if value is None or not least <= value <= most:
            limits = f"from {in_words(least)} to {in_words(most)}"
            self.note(node, f"{what} must be a duration {limits}, such as '6 hours' or '3 days'")
            return least
        return value

    def items(self, node: yaml.Node, what: str) -> Iterator[yaml.Node]:
        """The nodes of a list that is not empty."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.note(node, f"{what} must be a list")
            return
        yield from node.value

    def _compose(self, text: bytes, wanted: str) -> yaml.MappingNode:
        if len(text) > MAX_BYTES:
            self._refuse(1, f"is larger than {MAX_BYTES:,} bytes")
        try:
            # Not the loader in C: deep nesting takes the whole process down with it.
            root = yaml.compose(text.decode("utf-8-sig"), Loader=yaml.SafeLoader)
        except UnicodeDecodeError:
            self._refuse(1, "is not UTF-8 text; save the file as UTF-8")
        except yaml.MarkedYAMLError as error:
            self._refuse(
                error.problem_mark.line + 1 if error.problem_mark else 1, f"is not valid YAML: {error.problem}"
            )
        except RecursionError:
            self._refuse(1, "is nested too deep")
        except yaml.YAMLError as error:
            self._refuse(1, f"is not valid YAML: {error}")
        if not isinstance(root, yaml.MappingNode):
            self._refuse(1, wanted)
        return root

    def _refuse(self, line: int, reason: str) -> NoReturn:
        raise InvalidConfiguration(self.file, [Problem(line, reason)]) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that is meant, or at all of them."""
    words = sorted(known)
    near = get_close_matches(word, words, 1, 0.6)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(words)}"


def in_words(duration: timedelta) -> str:
    """'3 days', as Document.duration reads it."""
    seconds = int(duration.total_seconds())
    unit, length = next((u, n) for u, n in reversed(_UNITS.items()) if seconds % n == 0 and (seconds >= n or n == 60))
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _is_quoted(node: yaml.ScalarNode) -> bool:
    return node.style in ("'", '"')
