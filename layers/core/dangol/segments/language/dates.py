"""Dates as numbers: days since 1970-01-01, so that they are compared and counted like any other."""

from datetime import date

import numpy as np

from dangol.segments.language.columns import Numbers

_EPOCH = date(1970, 1, 1).toordinal()
FIRST_DAY = float(date.min.toordinal() - _EPOCH)
LAST_DAY = float(date.max.toordinal() - _EPOCH)


def days_of(day: date) -> float:
    """Days since 1970-01-01."""
    return float(day.toordinal() - _EPOCH)


def day_at(days: float) -> date | None:
    """The date of so many days since 1970-01-01; a part of a day is left out. None beyond the calendar."""
    return date.fromordinal(int(days // 1) + _EPOCH) if FIRST_DAY <= days < LAST_DAY + 1 else None


def shifted(days: Numbers, months: int) -> Numbers:
    """months_later of each date; NaN where missing or beyond the calendar."""
    known = (days >= FIRST_DAY) & (days < LAST_DAY + 1)
    whole = np.where(known, np.floor(days), 0).astype(np.int64).astype("datetime64[D]")
    month = whole.astype("datetime64[M]")
    target = month + months
    first, after = (at.astype("datetime64[D]").astype(np.int64) for at in (target, target + 1))
    found = first + np.minimum((whole - month.astype("datetime64[D]")).astype(np.int64), after - first - 1)
    return np.where(known & (found >= FIRST_DAY) & (found <= LAST_DAY), found.astype(np.float64), np.nan)
