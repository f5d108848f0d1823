"""What the columns of a file mean, as data: one description for each kind of file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dangol.files.columns import folded

TEXT, IDENTIFIER, NUMBER, DAY, MOMENT, FLAG, WORD = "text", "identifier", "number", "day", "moment", "flag", "word"
"""Kinds of columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file, in the ledger under the same name."""

    name: str
    kind: str
    """TEXT and IDENTIFIER are VARCHAR in the ledger, NUMBER DECIMAL(18,4), DAY DATE, MOMENT TIMESTAMP (shop time), FLAG
    BOOLEAN, WORD VARCHAR with one of `words`."""
    description: str
    also: str = ""
    """Other headers it goes by, with | between them."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Of a WORD: what it can be, and the other words for that with | between them."""


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of file."""

    name: str
    """Its folder under incoming/ and its kind in the ledger."""
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    """Columns without which no row can be used; 'a|b' where one of them is enough."""
    identified: bool
    """Whether a row is about a person, who is known by customer_id, email or phone."""
    key: tuple[str, ...]
    """A later row of a file with the same key replaces the earlier one."""

    @property
    def headers(self) -> dict[str, tuple[str, ...]]:
        """Canonical column → the folded headers it goes by."""
        return folded(**{column.name: column.also or column.name for column in self.columns})

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


PERSON_COLUMNS = (
    Column(
        "customer_id", IDENTIFIER, "the shop's id of the person", "고객번호|고객ID|회원번호|회원ID|아이디|member id"
    ),
    Column("email", TEXT, "personal", "이메일|e-mail|메일|email address"),
    Column("phone", TEXT, "personal", "휴대전화|전화번호|연락처|휴대폰|mobile|phone number"),
)
"""Who a row is about: the first of them that is given."""
PERSON = "customer_id|email|phone"
