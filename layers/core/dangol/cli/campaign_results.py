"""`dangol campaigns results`: what the campaigns of a deployed stack changed."""

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dangol.cli.campaign_runs import asked, check_live, live
from dangol.cli.stack import telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.cli.stack import Stack
    from dangol.measurement.words import Row

_DONE, _FINDINGS = 0, 1
_SHOWN = 5
"""Runs of a campaign, or months of all together, the newest first."""


def add_results_to(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    text = "what the runs of campaigns changed, against the people they left out; exit 1 if any did harm"
    one = actions.add_parser("results", help=text, description=text)
    one.add_argument("campaign", metavar="CAMPAIGN", nargs="?", help="id of the campaign (default: all)")
    one.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack")
    one.add_argument("--run", metavar="RUN", dest="one_run", help="one run of it only, by its id")
    one.add_argument("--json", action="store_true", help="for programs")
    one.set_defaults(run=telling_of_aws(show_results))


def show_results(options: argparse.Namespace) -> int:
    """Print results as the last daily run left them; the status is 1 when a campaign did harm.

    A campaign is judged by all its runs that are over, one without such by each; all campaigns together likewise, by
    the months that are final.
    """
    from dangol.measurement.totals import final_months
    from dangol.moves.campaign.messages import CAMPAIGN_RESULT, CAMPAIGN_TOTAL, CAMPAIGNS_TOGETHER

    stack, campaigns = asked(options)
    runs = stack.runs()
    results = [row for row in runs.all_of(CAMPAIGN_RESULT) if _wanted(row, options)]
    totals = {str(row["campaign"]): row for row in runs.all_of(CAMPAIGN_TOTAL) if _wanted(row, options)}
    cohorts = [] if options.campaign or options.one_run else list(runs.all_of(CAMPAIGNS_TOGETHER))
    months = final_months(cohorts)
    if not results:
        _check_known(options, stack, campaigns)
    if options.one_run:
        totals = {}
    if options.json:
        found = {"runs": results, "campaigns": list(totals.values()), "together": cohorts}
        print(json.dumps(found, ensure_ascii=False, indent=2))
    elif not results:
        of = options.one_run or options.campaign
        print(f"no results{f' of {of}' if of else ''} yet; the daily run measures, from the day of a campaign's run on")
    else:
        told = [*_told(results, totals, stack.shop.currency), *_told_together(cohorts, months, stack.shop.currency)]
        print("\n\n".join(told))
    judged = [*totals.values(), *(row for row in results if row["campaign"] not in totals)]
    judged += [months] if months else cohorts
    return _FINDINGS if any(row["lift"]["verdict"] == "harm" for row in judged) else _DONE


def _wanted(row: Mapping[str, Any], options: argparse.Namespace) -> bool:
    return options.campaign in (None, row["campaign"]) and ("run_at" not in row or options.one_run in (None, row["id"]))


def _check_known(options: argparse.Namespace, stack: "Stack", campaigns: "DynamoCampaigns") -> None:
    """Raises DangolError for a campaign or run that there is not: neither will have results."""
    run = campaigns.find(options.one_run) if options.one_run else None
    if options.one_run and (run is None or options.campaign not in (None, run.campaign)):
        of = f" of {options.campaign}" if options.campaign else ""
        raise DangolError(f"there is no run '{options.one_run}'{of}; `dangol campaigns status` lists a campaign's runs")
    if options.campaign and not run and not campaigns.recent(options.campaign, 1):
        check_live(options.campaign, live(stack))


def _told(results: "list[Row]", totals: "Mapping[str, Row]", currency: str) -> "list[str]":
    """A paragraph a campaign."""
    from dangol.measurement.words import ENGLISH, goal_text

    told = []
    for campaign in sorted({str(row["campaign"]) for row in results}):
        own = [row for row in results if row["campaign"] == campaign]
        newest = sorted(own, key=lambda row: str(row["run_at"]), reverse=True)
        lines = [f"{campaign}  {newest[0]['names'].get('ko', '')}", f"  goal: {goal_text(newest[0], ENGLISH)}"]
        if (total := totals.get(campaign)) and total["runs"] > 1:
            lines += [f"  all {total['runs']} runs that are over", *_comparison(total, currency)]
        for row in newest[:_SHOWN]:
            lines += _of_run(row, currency)
        told.append("\n".join(lines))
    return told


def _told_together(cohorts: "list[Row]", months: "Row | None", currency: str) -> "list[str]":
    """A paragraph on all campaigns, where there is a global holdout."""
    from dangol.measurement.words import ENGLISH, goal_text

    if not cohorts:
        return []
    newest = sorted(cohorts, key=lambda row: str(row["id"]), reverse=True)
    lines = [
        "all campaigns together, against the global holdout",
        f"  goal: {goal_text(newest[0], ENGLISH)} of the first campaign that concerned them",
    ]
    if months:
        lines += [f"  all {months['months']} months that are final", *_comparison(months, currency)]
    for row in newest[:_SHOWN]:
        lines += [f"  {row['month']}  global holdout of {float(row['global_holdout']) * 100:.3g}%, {_state(row)}"]
        lines += _comparison(row, currency)
    return ["\n".join(lines)]


def _state(row: "Row") -> str:
    return "final" if row["state"] == "final" else f"so far, final on {row['final_on']}"


def _of_run(row: "Row", currency: str) -> list[str]:
    messages, bought, put_down = row["messages"], row["bought"], row["attributed"]
    skipped = ", ".join(f"{count:,} {reason}" for reason, count in messages["skipped"].items())
    rest = [f"{messages[name]:,} {name}" for name in ("failed", "unknown", "deferred") if messages[name]]
    rest += [f"skipped: {skipped}"] if skipped else []
    mail = [f"{messages[name]:,} {name}" for name in ("delivered", "opened", "clicked", "bounced", "complained")]
    return [
        f"  {row['id']}  {_state(row)}",
        f"    {row['recipients']:,} people, {row['reachable']:,} reachable; "
        + ", ".join([f"{messages['sent']:,} messages sent", *rest]),
        f"    of e-mail: {', '.join(mail)}; {row['unsubscribed']:,} unsubscribed",
        f"    bought: {bought['people']:,} people, {bought['orders']:,} orders, {bought['revenue']:,.0f} {currency}; "
        f"put down to its messages: {put_down['orders']:,} orders, {put_down['revenue']:,.0f} {currency}",
        *_comparison(row, currency),
    ]


def _comparison(row: "Row", currency: str) -> list[str]:
    from dangol.measurement.words import ENGLISH, arms_text, lift_text, revenue_text

    lines = [lift_text(row, ENGLISH), f"reached it: {arms_text(row, ENGLISH)}", revenue_text(row, ENGLISH, currency)]
    return [f"    {line}" for line in lines if line]
