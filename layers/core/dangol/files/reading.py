"""What came of files read."""

from dataclasses import dataclass

from dangol.files.receipt import Receipt
from dangol.files.rejects import Reject


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one or more files read together."""

    receipt: Receipt
    rejects: list[Reject]
