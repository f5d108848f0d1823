"""A report as one HTML file in one language that needs no network and no script."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from dangol.reports import charts
from dangol.reports.borders import F, M
from dangol.reports.contents import Contents
from dangol.reports.distributions import Distribution
from dangol.reports.flows import PERIODS, Flow
from dangol.reports.places import CAMPAIGNS, PAGES, campaigns_key
from dangol.reports.summary import Summary, bands
from dangol.reports.voice import Voice
from dangol.segments.policy import UNCLASSIFIED

if TYPE_CHECKING:  # see contents
    from dangol.reports.traits import Traits

_BESIDE = re.compile("<!-- beside -->.*?<!-- /beside -->", re.DOTALL)
_TINTS = 8
_CELLS = 17
"""Width of a name in a picture, in Latin letters; Korean ones are two wide."""


def with_pages(contents: Contents) -> Contents:
    """The same with links between the pages of all languages, which lie beside each other."""
    return replace(contents, pages=PAGES)


def report_html(contents: Contents, language: str = "ko") -> str:
    """The page. Whatever comes from files and configurations is escaped."""
    voice = Voice(language, contents.currency, contents.names[language])
    order = [line.id for line in contents.summary.rfm]
    return page_template().render(
        **_helpers(voice, order),
        contents=contents,
        summary=contents.summary,
        other=next(one for one in PAGES if one != language),
        order_bands=bands(F),
        campaigns_page=CAMPAIGNS,
        campaigns_key=campaigns_key,
        sampled=0 < contents.observed < contents.summary.customers,
    )


def alone(page: str) -> str:
    """A page without links to those that lie beside it in the bucket."""
    return _BESIDE.sub("", page)


def _helpers(voice: Voice, order: list[str]) -> dict[str, object]:
    """What templates call."""

    def ends(flow: Flow, side: int) -> list[str | None]:
        found = {cell[side] for cell in flow.cells or {}}
        known: list[str | None] = [one for one in order if one in found]
        return known + sorted(found.difference(known), key=lambda one: (one is None, one or ""))

    def besides(one: Distribution) -> list[str]:
        counts = {"beyond": one.beyond, "none": one.none, "missing": one.missing}
        return [voice.say(f"{one.feature}_{name}", count=count) for name, count in counts.items() if count]

    return {
        "voice": voice,
        "say": voice.say,
        "charts": charts,
        "order": order,
        "ends": ends,
        "besides": besides,
        "tint": lambda segment: _tint(segment, order),
        "number": lambda segment: "–" if segment == UNCLASSIFIED else order.index(segment) + 1,
        "total": _total,
        "ready": lambda flow, begin: begin + timedelta(PERIODS[flow.period]),
        "hottest": _hottest,
        "untold": lambda traits: ", ".join(voice.say(label) for label in _untold(traits)),
        "fitting": fitting,
        "edge": lambda value, feature: voice.short_money(value) if feature == M else voice.number(value),
        "empty_segments": lambda summary: ", ".join(
            voice.name(segment) for segment, _, members in summary.segments if not members
        ),
    }


def _tint(segment: str | None, order: list[str]) -> str:
    """The class that colours a segment."""
    if segment is None:
        return "sn"
    return "su" if segment == UNCLASSIFIED or segment not in order else f"s{order.index(segment) % _TINTS}"


def _total(flow: Flow, side: int, segment: str | None) -> int:
    return sum(count for cell, count in (flow.cells or {}).items() if cell[side] == segment)


def _untold(traits: "Sequence[Traits]") -> list[str]:
    """Labels of what is known of no segment, although it has bought."""
    bought = [one for one in traits if one.orders]
    fields = {"categories": "categories", "coupons": "coupon_share", "hours": "hours"}
    return [
        label for label, field in fields.items() if bought and all(getattr(one, field) in (None, ()) for one in bought)
    ]


def _hottest(summary: Summary) -> int:
    return max(count for _, counts in summary.unclassified for count in counts.values())


def fitting(name: str) -> str:
    """A name short enough for a picture; the table behind it has it whole."""
    width = 0
    for place, letter in enumerate(name):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > _CELLS:
            return name[: place - 1].rstrip() + "…"
    return name


@cache
def page_template() -> Template:
    """The page to be filled in; to compile it takes as long as the rest, and can be done in advance."""
    folder = files("dangol.reports") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.get_template("charts.html")
    return environment.get_template("report.html")
