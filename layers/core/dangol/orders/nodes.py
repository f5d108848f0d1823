"""YAML read as nodes, which know their lines, so that everything wrong with a file is said at once."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import yaml

from dangol.errors import InvalidConfiguration, Problem

MAX_BYTES = 256 * 1024


class Nodes:
    """One YAML file and what was found wrong with it so far."""

    def __init__(self, text: bytes, file: str) -> None:
        """Raises InvalidConfiguration when the text is no YAML mapping at all."""
        self._file = file
        self.problems: list[Problem] = []
        if len(text) > MAX_BYTES:
            raise self._refused(1, f"is larger than {MAX_BYTES:,} bytes")
        try:
            root = yaml.compose(text.decode("utf-8-sig"), Loader=yaml.CSafeLoader)
        except UnicodeDecodeError as error:
            raise self._refused(1, "is not UTF-8 text") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise self._refused(line, f"is not valid YAML: {error.problem}") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise self._refused(1, f"is not valid YAML: {error}") from error
        if not isinstance(root, yaml.MappingNode):
            raise self._refused(1, "must have keys at the top, like 'name: …'")
        self.root = root

    def entries(self, node: yaml.Node, known: Sequence[str], what: str) -> dict[str, yaml.Node]:
        """The keys of a mapping with their nodes; unknown and doubled ones become problems."""
        if not isinstance(node, yaml.MappingNode):
            self.note(node, f"{what} must be a mapping, like 'key: value'")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in found:
                self.note(key, f"'{key.value}' is given twice")
            elif key.value not in known:
                near = get_close_matches(str(key.value), known, 1, 0.6)
                hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
                self.note(key, f"{what} has no '{key.value}'; {hint}")
            else:
                found[key.value] = value
        return found

    def text(self, node: yaml.Node, what: str) -> str:
        """The text of a node; '' and a problem when it is none."""
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            return str(node.value).strip()
        self.note(node, f"{what} must be text")
        return ""

    def texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        """The texts of a list, or of one text alone."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.text(item, f"each of {what}") for item in node.value)
        return (self.text(node, what),)

    def items(self, node: yaml.Node, what: str) -> Iterator[yaml.Node]:
        """The nodes of a list."""
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            self.note(node, f"{what} must be a list")

    def note(self, node: yaml.Node, reason: str) -> None:
        """Keep a problem with the line of `node`."""
        self.problems.append(Problem(node.start_mark.line + 1, reason))

    def check(self) -> None:
        """Raises InvalidConfiguration with every problem, in file order, if there is any."""
        if self.problems:
            raise InvalidConfiguration(self._file, sorted(self.problems, key=lambda p: p.line))

    def _refused(self, line: int, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(self._file, [Problem(line, reason)])
