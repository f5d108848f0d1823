"""`dangol campaigns run | status | pause | resume | cancel`: the campaigns of a deployed stack."""

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dangol.cli.stack import Stack, open_stack, telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.moves.campaign.messages import Run

_DONE, _FINDINGS = 0, 1


def add_runs_to(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the actions that ask a stack."""
    for name, action, text in (
        ("run", start_run, "start a run of a campaign now, beside its schedule"),
        ("status", show_status, "the last runs of a campaign, with what became of their messages"),
        ("pause", pause, "launch no more runs of a campaign, and hold back the messages of those under way"),
        ("resume", resume, "let a paused campaign go on; runs missed meanwhile are not caught up"),
        ("cancel", cancel, "send no more of the runs of a campaign that are under way"),
    ):
        one = actions.add_parser(name, help=text, description=text)
        one.add_argument("campaign", metavar="CAMPAIGN", help="id of the campaign")
        one.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack")
        one.set_defaults(run=telling_of_aws(action))
        if name == "status":
            one.add_argument("--json", action="store_true", help="for programs")


def start_run(options: argparse.Namespace) -> int:
    """Create a run; the stack's launcher takes it up within a minute."""
    from dangol.moves.campaign.launch import new_run

    stack, campaigns = _stack(options)
    _check_live(stack, options.campaign)
    run = new_run(options.campaign, datetime.now(UTC))
    if not campaigns.create(run):
        raise DangolError(f"run {run.id} is there already; a campaign runs at most once a minute")
    print(f"{run.id} begins within a minute; `dangol campaigns status {options.campaign} --stack {options.stack}`")
    return _DONE


def show_status(options: argparse.Namespace) -> int:
    """Print the last runs; the status is 1 when the last one was refused."""
    stack, campaigns = _stack(options)
    runs = campaigns.recent(options.campaign, 10)
    if not runs:
        _check_live(stack, options.campaign)
    paused = campaigns.is_paused(options.campaign)
    if options.json:
        found = {"campaign": options.campaign, "paused": paused, "runs": list(map(_as_dict, runs))}
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print(
            f"{options.campaign}: {'paused' if paused else 'active'}, {len(runs)} run{'s' * (len(runs) != 1)}"
            + ("" if runs else " yet")
        )
        for run in runs:
            print(f"  {run.id}  {run.state}, {run.recipients:,} people{_counted(run)}")
    return _FINDINGS if runs and runs[0].state == "refused" else _DONE


def pause(options: argparse.Namespace) -> int:
    """Pause a campaign."""
    return _set_paused(options, True)


def resume(options: argparse.Namespace) -> int:
    """Let a campaign go on."""
    return _set_paused(options, False)


def cancel(options: argparse.Namespace) -> int:
    """Cancel what is under way."""
    _, campaigns = _stack(options)
    own = [run for run in campaigns.open_runs() if run.campaign == options.campaign]
    cancelled = [run.id for run in own if campaigns.cancel(run)]
    print("\n".join(f"{run_id} is cancelled" for run_id in cancelled) or f"no run of {options.campaign} is under way")
    return _DONE


def _set_paused(options: argparse.Namespace, paused: bool) -> int:
    stack, campaigns = _stack(options)
    _check_live(stack, options.campaign)
    campaigns.pause(options.campaign, paused)
    print(f"{options.campaign} is {'paused' if paused else 'active'}")
    return _DONE


def _stack(options: argparse.Namespace) -> "tuple[Stack, DynamoCampaigns]":
    stack = open_stack(options.stack)
    from dangol.aws.campaign_runs import DynamoCampaigns

    return stack, DynamoCampaigns(stack.boto3.resource("dynamodb"), stack.deployment.output("RunsTableName"))


def _check_live(stack: Stack, campaign: str) -> None:
    """Raises DangolError for a campaign that is not live in the stack."""
    from dangol.document import nearest
    from dangol.moves.configure import live_configuration

    ids = list(live_configuration(stack.bucket()).launched(stack.shop.time_zone))
    if not ids:
        raise DangolError("no campaign is live; put some into campaigns/ of the folder and `dangol config push` it")
    if campaign not in ids:
        raise DangolError(f"no campaign '{campaign}' is live; {nearest(campaign, ids)}")


def _counted(run: "Run") -> str:
    if run.reason:
        return f": {run.reason}"
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(run.counts.items()))
    return (f": {counts}" if counts else "") + _contest(run)


def _contest(run: "Run") -> str:
    if run.winners is None:
        return ""
    won = ", ".join(f"{variant} ({channel})" for channel, variant in sorted(run.winners.items()))
    return f"; winner {won}" if won else "; no winner, so all got the variants by weight"


def _as_dict(run: "Run") -> dict[str, object]:
    about = {"id": run.id, "run_at": run.run_at.isoformat(), "state": run.state.value, "recipients": run.recipients}
    return about | {"counts": dict(run.counts), "reason": run.reason, "tally": dict(run.tally), "winners": run.winners}
