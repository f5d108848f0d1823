"""When a campaign is due. Ticks are in the campaign's own time zone and survive its changes of clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
CATCH_UP = timedelta(hours=6)
"""How late a missed tick may still be caught up, unless the campaign says otherwise."""
MIN_INTERVAL = timedelta(hours=1)
"""A campaign runs at most this often."""
HORIZON = timedelta(days=31)
"""Missed ticks are told of this far back."""
_FIELDS = 5
"""Of six, the library takes the first for seconds and AWS the last for years: "0 11 * * * *" would be every hour."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either `cron` or `once` is given."""

    time_zone: str
    """IANA name; what the hours of `cron` and `once` are in."""
    cron: str | None = None
    """Five fields: minute, hour, day of the month, month, day of the week."""
    once: datetime | None = None
    """One time only; without zone, in `time_zone`."""
    catch_up: timedelta = CATCH_UP
    """A tick missed by no more than this is still run."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """What a schedule asked for since one looked last, oldest first, with time zone."""

    due: tuple[datetime, ...]
    """To be run now."""
    missed: tuple[datetime, ...]
    """Too old to catch up, or more than the limit; of the last HORIZON."""


def due_ticks(schedule: Schedule, after: datetime, now: datetime, limit: int = 1) -> Ticks:
    """The ticks in (after, now]; at most `limit` are due, the latest. Both moments have a time zone."""
    ticks = []
    for tick in _ticks(schedule, max(after, now - HORIZON)):
        if tick > now:
            break
        ticks.append(tick)
    fresh = [tick for tick in ticks if tick >= now - schedule.catch_up][-limit:]
    return Ticks(tuple(fresh), tuple(ticks[: len(ticks) - len(fresh)]))


def next_tick(schedule: Schedule, after: datetime) -> datetime | None:
    """The first tick later than `after` (with time zone), or None when there never is one."""
    return next(_ticks(schedule, after), None)


def complaint(schedule: Schedule, now: datetime) -> str | None:
    """What is wrong with a schedule, or None: no cron expression, never fires (again), or fires too often."""
    try:
        if schedule.cron and len(schedule.cron.split()) != _FIELDS:
            raise CronSimError("Wrong number of fields")
        ticks = [tick for tick, _ in zip(_ticks(schedule, now), range(50), strict=False)]
    except CronSimError as error:
        return f"'{schedule.cron}' is no cron expression that ever fires ({error}); five fields, e.g. '0 11 * * TUE'"
    if not ticks:
        return "never fires: its only time is past" if schedule.once else f"'{schedule.cron}' never fires"
    if any(later - earlier < MIN_INTERVAL for earlier, later in pairwise(ticks)):
        return "fires more than once an hour; a campaign runs at most hourly"
    return None


def _ticks(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(schedule.time_zone)
    if schedule.once:
        once = schedule.once if schedule.once.tzinfo else schedule.once.replace(tzinfo=zone)
        if once > after:
            yield once
    elif schedule.cron:
        yield from CronSim(schedule.cron, after.astimezone(zone))


def weekly(days: tuple[str, ...], hour: int, minute: int) -> str:
    """Cron of 'on these days of the week'; `days` from DAYS."""
    return f"{minute} {hour} * * {','.join(days).upper()}"


def monthly(days: tuple[int | str, ...], hour: int, minute: int) -> str:
    """Cron of 'on these days of the month'; a day is 1 to 31 or 'last'."""
    return f"{minute} {hour} {','.join('L' if day == 'last' else str(day) for day in days)} * *"


def daily(hour: int, minute: int) -> str:
    """Cron of 'every day'."""
    return f"{minute} {hour} * * *"
