"""The shop: its time zone, its currency, and what day it is there."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Shop:
    """What every date and amount is read in."""

    time_zone: str = "Asia/Seoul"
    """IANA name; all calendar dates are dates in this zone."""
    currency: str = "KRW"
    """ISO 4217 code; the only currency of all amounts."""

    def date_of(self, moment: datetime) -> date:
        """The calendar date in the shop at an instant (`moment` has a time zone)."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()
