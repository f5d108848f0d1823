"""Descriptions of dialects, read from YAML: those that come with Dangol, and a shop's own."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from dangol.document import Document
from dangol.files.styles import DateOrder
from dangol.orders.dialect import COLUMNS, STATUSES, Dialect

_KEYS = (
    "name",
    "title",
    "recognise",
    "refuse",
    "ignore_suffixes",
    "row_is",
    "status_of",
    "line_amount",
    "cancellations",
    "date_order",
    "columns",
    "statuses",
)
_PRODUCT = "quantity * unit_price"
_PLAIN = "plain"
_DATE_ORDERS: dict[str, DateOrder] = {"month-first": "mdy", "day-first": "dmy"}


@cache
def builtin_dialects() -> tuple[Dialect, ...]:
    """The dialects that come with Dangol, but for the plain one."""
    folder = files("dangol.orders") / "dialects"
    texts = sorted((file.name, file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".yaml"))
    return tuple(load_dialect(text, f"dialects/{name}") for name, text in texts if name != f"{_PLAIN}.yaml")


@cache
def plain() -> Dialect:
    """The plain dialect: what a file is when no other is told by its headers."""
    text = (files("dangol.orders") / "dialects" / f"{_PLAIN}.yaml").read_bytes()
    return load_dialect(text, f"dialects/{_PLAIN}.yaml")


def dialects_of(folder: Path) -> tuple[Dialect, ...]:
    """A shop's own descriptions, `folder`/dialects/*.yaml. Raises InvalidConfiguration for a bad one."""
    return tuple(load_dialect(path.read_bytes(), str(path)) for path in sorted(folder.glob("dialects/*.yaml")))


def load_dialect(text: bytes, file: str) -> Dialect:
    """Read a description. Raises InvalidConfiguration with every problem found, each with its line."""
    reader = _Reader(text, file)
    dialect = reader.dialect()
    reader.nodes.close()
    return dialect


class _Reader:
    def __init__(self, text: bytes, file: str) -> None:
        self.nodes = Document(text, file)
        self._found = self.nodes.fields(self.nodes.root, _KEYS, (), "a dialect")

    def dialect(self) -> Dialect:
        nodes, root = self.nodes, self.nodes.root
        for key in ("name", "title"):
            if key not in self._found:
                nodes.note(root, f"a dialect needs '{key}'")
        name = self._text("name")
        if name != _PLAIN and "recognise" not in self._found:
            nodes.note(root, "a dialect needs 'recognise': {all: [headers that tell it from others]}")
        all_of, any_of = self._recognise()
        refuse, columns = self._text("refuse"), self._columns()
        multiplied = self._one_of("line_amount", _PRODUCT) is not None
        if not refuse:
            self._check_required(columns, multiplied)
        return Dialect(
            name=name,
            title=self._text("title"),
            columns=columns,
            statuses=self._statuses(),
            all_of=all_of,
            any_of=any_of,
            ignored_suffixes=self._texts("ignore_suffixes"),
            row_is_line=self._one_of("row_is", "line", "order") == "line",
            status_of_line=self._one_of("status_of", "line", "order") == "line",
            multiplied=multiplied,
            cancellations=self._text("cancellations"),
            date_order=_DATE_ORDERS.get(self._one_of("date_order", *_DATE_ORDERS) or ""),
            refuse=refuse,
        )

    def _text(self, key: str) -> str:
        return self.nodes.text(self._found[key], f"'{key}'") if key in self._found else ""

    def _texts(self, key: str) -> tuple[str, ...]:
        return self.nodes.texts(self._found[key], f"'{key}'") if key in self._found else ()

    def _one_of(self, key: str, *values: str) -> str | None:
        if key not in self._found or (value := self._text(key)) in values:
            return value if key in self._found else None
        self.nodes.note(self._found[key], f"'{key}' must be {' or '.join(values)}, not '{value}'")
        return None

    def _recognise(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if "recognise" not in self._found:
            return (), ()
        node = self._found["recognise"]
        found = self.nodes.fields(node, ("all", "any"), (), "'recognise'")
        if "all" not in found:
            self.nodes.note(node, "'recognise' needs 'all': headers that such a file always has")
            return (), ()
        any_of = self.nodes.texts(found["any"], "'any'") if "any" in found else ()
        return self.nodes.texts(found["all"], "'all'"), any_of

    def _columns(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        if "columns" not in self._found:
            return {}
        entries = self.nodes.fields(self._found["columns"], tuple(COLUMNS), (), "'columns'")
        return {column: tuple(self._choices(node, column)) for column, node in entries.items()}

    def _choices(self, node: yaml.Node, column: str) -> Iterator[tuple[str, ...]]:
        for text in self.nodes.texts(node, f"'{column}'"):
            yield tuple(alias for part in text.split("|") if (alias := part.strip()))

    def _check_required(self, columns: dict[str, tuple[tuple[str, ...], ...]], multiplied: bool) -> None:
        node = self._found.get("columns", self.nodes.root)
        for entry in Dialect("", "", {}, multiplied=multiplied).required:
            if not any(column in columns for column in entry.split("|")):
                self.nodes.note(node, f"'columns' needs {entry.replace('|', ' or ')}")

    def _statuses(self) -> dict[str, tuple[str, ...]]:
        if "statuses" not in self._found:
            return {}
        entries = self.nodes.fields(self._found["statuses"], STATUSES, (), "'statuses'")
        return {status: self.nodes.texts(node, f"'{status}'") for status, node in entries.items()}
