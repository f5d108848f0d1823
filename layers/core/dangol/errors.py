"""Everything Dangol raises on purpose. The message says what is wrong and what to do."""

from dataclasses import dataclass


class DangolError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(eq=False, slots=True)
class UnreadableFile(DangolError):
    """A file of which no row can be used. Retrying does not help; a corrected file does."""

    file: str
    reason: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = self.file
        if self.line is not None:
            where += f", line {self.line}"
        if self.column is not None:
            where += f", column '{self.column}'"
        return f"{where}: {self.reason}"


@dataclass(eq=False, slots=True)
class InvalidConfiguration(DangolError):
    """A configuration that must not go live. `problems` holds every finding, in file order."""

    file: str
    problems: list["Problem"]

    def __str__(self) -> str:
        return "\n".join(f"{self.file}, line {p.line}: {p.reason}" for p in self.problems)


@dataclass(eq=False, slots=True)
class InvalidFiles(DangolError):
    """A configuration of several files that must not go live."""

    files: list[InvalidConfiguration]

    def __str__(self) -> str:
        return "\n".join(map(str, self.files))


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a configuration file; `line` counts from 1."""

    line: int
    reason: str


@dataclass(eq=False, slots=True)
class RuleError(DangolError):
    """A rule that cannot be read; `position` counts characters from 0."""

    rule: str
    position: int
    reason: str

    def __str__(self) -> str:
        return f"{self.reason}\n    {self.rule}\n    {' ' * self.position}^"


@dataclass(eq=False, slots=True)
class LedgerMismatch(DangolError):
    """The ledger was laid out otherwise than this deployment expects."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False, slots=True)
class ObjectReplaced(DangolError):
    """The object was overwritten or deleted after the event that announced it."""

    key: str

    def __str__(self) -> str:
        return f"{self.key} was replaced or deleted before it could be read"
