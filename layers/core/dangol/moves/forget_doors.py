"""The doors that an erasure goes through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from dangol.moves.configure import ConfigurationStore
from dangol.moves.messages import RefreshQueue, Runs


class ErasableStore(ConfigurationStore, Protocol):
    """A bucket that keeps what was replaced or deleted for a while."""

    def purge(self, prefix: str) -> int:
        """Remove for good whatever was replaced or deleted under a prefix; how many versions."""


class ErasableTables(Protocol):
    """The tables, as far as they name people. All methods may be called again."""

    def block(self, customer_ids: Sequence[str]) -> int:
        """Put a mark in the place of profiles, how many: nobody sends to these people, or writes them anew."""

    def unblock(self, customer_ids: Sequence[str]) -> None:
        """Remove the marks."""

    def remove(self, customer_ids: Sequence[str]) -> dict[str, int]:
        """Remove every row about them but the marks; how many, by table."""

    def left(self, customer_ids: Sequence[str]) -> dict[str, int]:
        """How many rows are about them, by table; marks do not count."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that an erasure speaks to."""

    store: ErasableStore
    tables: ErasableTables
    queue: RefreshQueue
    runs: Runs
    is_taken: Callable[[str], bool]
    """Whether the dropped file under a key is ingested."""
    is_busy: Callable[[], bool]
    """Whether files are being ingested or events recorded just now."""
    export: Callable[[], object]
    """Exports the lists for ad platforms."""
    forget_token: Callable[[str, str], bool]
    """Removes what the push service knows of a (platform, token); whether there was anything."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, UTC; the date in the shop; and waiting for some seconds."""

    now: Callable[[], datetime]
    today: Callable[[], date]
    sleep: Callable[[float], None]
