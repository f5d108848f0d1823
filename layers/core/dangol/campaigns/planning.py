"""The `schedule` of a campaign file: words, cron, or one time."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from dangol.campaigns.schedule import CATCH_UP, DAYS, Schedule, complaint, daily, monthly, weekly
from dangol.document import Document

KEYS = ("every", "days", "at", "cron", "once", "time_zone", "catch_up")
PERIODS = ("day", "week", "month")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MINUTE, _WEEK = timedelta(minutes=1), timedelta(weeks=1)


def read_schedule(document: Document, node: yaml.Node | None, time_zone: str, now: datetime) -> Schedule:
    """The schedule; what is wrong with it is noted. One that never fires after `now` is wrong."""
    before = len(document.problems)
    found = document.fields(node, KEYS, (), "'schedule'") if node else {}
    zone = read_zone(document, found["time_zone"]) if "time_zone" in found else time_zone
    late = document.duration(found["catch_up"], _MINUTE, _WEEK, "'catch_up'") if "catch_up" in found else CATCH_UP
    ways = [key for key in ("every", "cron", "once") if key in found]
    if node is None or len(document.problems) > before:
        return Schedule(time_zone)
    if len(ways) != 1:
        document.note(node, "'schedule' needs exactly one of 'every', 'cron' and 'once'")
        return Schedule(zone)
    for key in ("days", "at") if ways != ["every"] else ():
        if key in found:
            document.note(found[key], f"'schedule' has '{key}' only with 'every'")
    if ways == ["once"]:
        schedule = Schedule(zone, None, _once(document, found["once"]), late)
    else:
        cron = document.text(found["cron"], "'cron'") if ways == ["cron"] else _cron(document, node, found)
        schedule = Schedule(zone, cron, None, late)
    if len(document.problems) == before and (reason := complaint(schedule, now)):
        document.note(found[ways[0]], f"'schedule' {reason}")
    return schedule


def _cron(document: Document, node: yaml.Node, found: Mapping[str, yaml.Node]) -> str:
    """Cron of `every`, `days` and `at`."""
    every = document.choice(found["every"], PERIODS, "period")
    if "at" not in found:
        document.note(node, "'schedule' needs 'at', the hour: \"11:00\"")
    if every in ("week", "month") and "days" not in found:
        document.note(node, f"'schedule' every {every} needs 'days', a list of days")
    hour, minute = _hour(document, found["at"]) if "at" in found else (0, 0)
    days = list(document.items(found["days"], "'days'")) if "days" in found else []
    if every == "week":
        return weekly(tuple(document.choice(day, DAYS, "day of the week") for day in days), hour, minute)
    if every == "month":
        return monthly(tuple(_day(document, day) for day in days), hour, minute)
    if every == "day" and days:
        document.note(found["days"], "'schedule' every day takes no 'days'")
    return daily(hour, minute)


def _hour(document: Document, node: yaml.Node) -> tuple[int, int]:
    found = _TIME.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
    if found is None:
        document.note(node, "'at' must be an hour such as \"11:00\"")
        return 0, 0
    return int(found[1]), int(found[2])


def _day(document: Document, node: yaml.Node) -> int | str:
    if isinstance(node, yaml.ScalarNode) and node.value == "last":
        return "last"
    return int(document.number(node, 1, 31, "a day of the month", whole=True))


def _once(document: Document, node: yaml.Node) -> datetime | None:
    try:
        return datetime.fromisoformat(document.text(node, "'once'"))
    except ValueError:
        document.note(node, "'once' must be a date and time, such as 2026-12-01 10:00")
        return None


def read_zone(document: Document, node: yaml.Node) -> str:
    """The name of a time zone; what is no IANA name is noted."""
    name = document.text(node, "'time_zone'")
    try:
        ZoneInfo(name)
        known = name[:1].isupper()  # "localtime" is the machine's
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        document.note(node, f"unknown time zone '{name}'; use an IANA name such as Asia/Seoul")
    return name
