"""How often a person hears from the shop: so many messages in a rolling window, per channel."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `messages` (1 or more) within any `window`."""

    messages: int
    window: timedelta


def free_at(cap: Cap, sent: Iterable[datetime], moment: datetime) -> datetime:
    """The first moment from `moment` on at which one more message keeps to the cap, if none is sent until then.

    `sent` are the times of earlier messages, in any order; one leaves the window exactly `window` after it was sent.
    """
    recent = sorted(time.astimezone(UTC) for time in sent if time > moment - cap.window)
    return moment if len(recent) < cap.messages else recent[-cap.messages] + cap.window
