"""The results of campaigns as a page."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment

from dangol.measurement.totals import final_months
from dangol.measurement.words import ENGLISH, KOREAN, Row, arms_text, goal_text, lift_text, revenue_text, unsent_text
from dangol.shop import Shop

SHOWN = 10
"""Runs of a campaign, or months of all together, the newest first."""


def campaigns_html(
    results: Sequence[Row], totals: Mapping[str, Row], cohorts: Sequence[Row], as_of: date, shop: Shop
) -> str:
    """All campaigns together, and every one: all its runs, and the last ones each. What comes from files is escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        (files("dangol.reports") / "templates" / "campaigns.html").read_text(encoding="utf-8")
    )
    ids = sorted({row["campaign"] for row in results})
    campaigns = [_campaign(_newest_of(results, one), totals.get(one), shop) for one in ids]
    together = _together(cohorts, shop.currency)
    return template.render(campaigns=campaigns, together=together, as_of=as_of, currency=shop.currency)


def _together(cohorts: Sequence[Row], currency: str) -> dict[str, Any] | None:
    """What the template shows of all campaigns."""
    if not cohorts:
        return None
    newest, sum_of = sorted(cohorts, key=lambda row: str(row["id"]), reverse=True), final_months(cohorts)
    return {
        "goal": {"ko": goal_text(newest[0], KOREAN), "en": goal_text(newest[0], ENGLISH)},
        "total": sum_of and _comparison(sum_of, currency) | {"months": sum_of["months"]},
        "cohorts": [_comparison(row, currency) | {"row": row} for row in newest[:SHOWN]],
    }


def _newest_of(results: Sequence[Row], campaign: str) -> list[Row]:
    own = [row for row in results if row["campaign"] == campaign]
    return sorted(own, key=lambda row: str(row["run_at"]), reverse=True)[:SHOWN]


def _campaign(runs: Sequence[Row], total: Row | None, shop: Shop) -> dict[str, Any]:
    """What the template shows of one."""
    newest = runs[0]
    return {
        "id": newest["campaign"],
        "names": newest["names"],
        "goal": {"ko": goal_text(newest, KOREAN), "en": goal_text(newest, ENGLISH)},
        "total": total and total["runs"] > 1 and _comparison(total, shop.currency) | {"runs": total["runs"]},
        "runs": [_run(row, shop) for row in runs],
    }


def _run(row: Row, shop: Shop) -> dict[str, Any]:
    day = shop.date_of(datetime.fromisoformat(row["run_at"]))
    unsent = {"ko": unsent_text(row, KOREAN), "en": unsent_text(row, ENGLISH)}
    return _comparison(row, shop.currency) | {"row": row, "day": day, "unsent": unsent}


def _comparison(row: Row, currency: str) -> dict[str, Any]:
    return {
        "verdict": row["lift"]["verdict"],
        "ko": (arms_text(row, KOREAN), lift_text(row, KOREAN), revenue_text(row, KOREAN, currency)),
        "en": (arms_text(row, ENGLISH), lift_text(row, ENGLISH), revenue_text(row, ENGLISH, currency)),
    }
