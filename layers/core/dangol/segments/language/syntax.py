"""The syntax tree of a rule."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A feature."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right`, operator one of + - * /."""

    operator: str
    left: "Term"
    right: "Term"


Term = Number | Name | Arithmetic
"""Something with a number for its value, or a missing one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`, operator one of < <= > >= == !=. False when either side is missing."""

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Membership:
    """`term in (1, 2, 3)`. False when the term is missing."""

    term: Term
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """`missing(term)`."""

    term: Term


@dataclass(frozen=True, slots=True)
class Not:
    """True where `operand` is not."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """True where all operands are."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where any operand is."""

    operands: tuple["Expression", ...]


Expression = Comparison | Membership | Missing | Not | And | Or
"""Something true or false of a customer."""
