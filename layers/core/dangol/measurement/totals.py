"""A campaign's runs together, and months of all campaigns: what one is too small to tell, many may."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from dangol.measurement.lift import Verdict
from dangol.measurement.results import FINAL, ArmResult, lift_as_dict, lift_of


def totals(results: Iterable[Mapping[str, Any]], as_of: date) -> dict[str, dict[str, Any]]:
    """By campaign, the comparison of all its runs whose time for the goal is over.

    Each person is in one run's comparison only (outcomes.py), so that arms add up. Only runs with the goal and the
    share of holdout of the newest are taken together: with others, the arms would not be alike.
    """
    over: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(results, key=lambda row: str(row["run_at"])):
        if row["last_day"] < as_of.isoformat() and row["lift"]["verdict"] != Verdict.CANCELLED:
            over.setdefault(row["campaign"], []).append(row)
    return {campaign: _total(rows, as_of) for campaign, rows in over.items()}


def final_months(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The final ones of the months of all campaigns (together.py), of the newest's share; None of fewer than two."""
    by_month = sorted(rows, key=lambda row: str(row["month"]))
    final = [row for row in by_month if row["state"] == FINAL]
    alike = [row for row in final if row["global_holdout"] == by_month[-1]["global_holdout"]]
    return {"months": len(alike), **_added_up(alike)} if len(alike) > 1 else None


def _added_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Arms and lift of rows together; each person is in one only."""
    arms = {arm: sum((_arm(row["arms"][arm]) for row in rows), ArmResult()) for arm in ("treated", "holdout")}
    return {
        "arms": {arm: asdict(result) for arm, result in arms.items()},
        "lift": lift_as_dict(lift_of(arms["treated"], arms["holdout"])),
    }


def _total(rows: list[Mapping[str, Any]], as_of: date) -> dict[str, Any]:
    newest = rows[-1]
    alike = [row for row in rows if (row["goal"], row["holdout"]) == (newest["goal"], newest["holdout"])]
    return {
        **{name: newest[name] for name in ("campaign", "names", "goal", "holdout")},
        "as_of": as_of.isoformat(),
        "runs": len(alike),
        **_added_up(alike),
    }


def _arm(row: Mapping[str, Any]) -> ArmResult:
    """Numbers may be those of DynamoDB."""
    whole = {name: int(row[name]) for name in ("people", "reached", "buyers", "orders")}
    return ArmResult(**whole, revenue=float(row["revenue"]), squares=float(row["squares"]))
