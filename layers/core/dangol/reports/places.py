"""Where reports lie in the bucket."""

import re
from collections.abc import Iterable
from datetime import date

PREFIX = "reports/"
PAGES = {"ko": "report.html", "en": "report.en.html"}
"""Language → the name of its page."""
SUMMARY, CAMPAIGNS = "summary.json", "campaigns.html"

_KEY = re.compile(rf"{PREFIX}(\d{{4}}-\d\d-\d\d)/([^/]+)")


def folder_of(day: date) -> str:
    """Where everything of one report is; ends with a slash."""
    return f"{PREFIX}{day}/"


def page_key(day: date, language: str) -> str:
    """The page of one report in one language."""
    return folder_of(day) + PAGES[language]


def summary_key(day: date) -> str:
    """The numbers of one report."""
    return folder_of(day) + SUMMARY


def campaigns_key(day: date) -> str:
    """The page on what campaigns did, as measured on a day."""
    return folder_of(day) + CAMPAIGNS


def days_with(name: str, keys: Iterable[str]) -> list[date]:
    """Of which days there is a file of this name among the keys of a bucket; ascending."""
    found = filter(None, map(_KEY.fullmatch, keys))
    return sorted(date.fromisoformat(match[1]) for match in found if match[2] == name)
