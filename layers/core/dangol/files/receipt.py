"""The receipt of files read: every row is accepted, superseded or rejected."""

from collections import Counter
from dataclasses import dataclass, field, replace

ERASED = "(erased)"
"""In the place of a column: the row is older than the erasure of whom it is about."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """rows_read = rows_accepted + rows_superseded + rows_rejected, always (promise 2)."""

    files: tuple[str, ...]
    rows_read: int
    rows_accepted: int
    """Rows that are part of an order as it now stands."""
    rows_superseded: int
    """Rows of an order that a later row or a later file of the same reading replaces."""
    rows_rejected: int
    reasons: dict[str, int] = field(default_factory=dict)
    """Rejected rows by the column at fault, by its canonical name."""

    def __post_init__(self) -> None:
        parts = self.rows_accepted + self.rows_superseded + self.rows_rejected
        if parts != self.rows_read:
            raise AssertionError(f"the receipt does not add up: {self}")

    def with_erased(self, rows: int) -> "Receipt":
        """So many accepted rows are of people who were erased: they were put aside, and not kept."""
        rows = min(rows, self.rows_accepted)
        if not rows:
            return self
        reasons = {**self.reasons, ERASED: rows}
        accepted, rejected = self.rows_accepted - rows, self.rows_rejected + rows
        return replace(self, rows_accepted=accepted, rows_rejected=rejected, reasons=reasons)

    def __add__(self, other: "Receipt") -> "Receipt":
        """Both together."""
        return Receipt(
            self.files + other.files,
            self.rows_read + other.rows_read,
            self.rows_accepted + other.rows_accepted,
            self.rows_superseded + other.rows_superseded,
            self.rows_rejected + other.rows_rejected,
            dict(Counter(self.reasons) + Counter(other.reasons)),
        )

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON and DynamoDB."""
        return {
            "files": list(self.files),
            "rows_read": self.rows_read,
            "rows_accepted": self.rows_accepted,
            "rows_superseded": self.rows_superseded,
            "rows_rejected": self.rows_rejected,
            "reasons": dict(self.reasons),
        }
