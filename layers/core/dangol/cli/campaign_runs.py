"""`dangol campaigns run | status | pause | resume | cancel`: the campaigns of a deployed stack."""

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dangol.cli.stack import Stack, open_stack, telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.campaigns.definition import Campaign
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

    stack, campaigns = asked(options)
    check_live(options.campaign, live(stack))
    run = new_run(options.campaign, datetime.now(UTC))
    if not campaigns.create(run):
        raise DangolError(f"run {run.id} is there already; a campaign runs at most once a minute")
    print(f"{run.id} begins within a minute; `dangol campaigns status {options.campaign} --stack {options.stack}`")
    if campaigns.is_paused(options.campaign):
        print(f"but {options.campaign} is paused: nothing of it goes out before `dangol campaigns resume`")
    return _DONE


def show_status(options: argparse.Namespace) -> int:
    """Print the last runs; the status is 1 when the last one was refused."""
    from dangol.campaigns.schedule import next_tick

    stack, campaigns = asked(options)
    runs, launched = campaigns.recent(options.campaign, 10), live(stack)
    if not runs:
        check_live(options.campaign, launched)
    campaign, paused = launched.get(options.campaign), campaigns.is_paused(options.campaign)
    due = None if campaign is None or paused else next_tick(campaign.schedule, datetime.now(UTC))
    if options.json:
        found = {"campaign": options.campaign, "paused": paused, "next_run_at": due and due.isoformat()}
        print(json.dumps(found | {"runs": list(map(_as_dict, runs))}, ensure_ascii=False, indent=2))
    else:
        state = "not live any more" if campaign is None else "paused" if paused else "active"
        count = f"{len(runs)} run{'s' * (len(runs) != 1)}" + ("" if runs else " yet")
        print(f"{options.campaign}: {state}, {count}" + (f", next {due:%Y-%m-%d %H:%M} {due.tzinfo}" if due else ""))
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
    _, campaigns = asked(options)
    own = [run for run in campaigns.open_runs() if run.campaign == options.campaign]
    cancelled = [run.id for run in own if campaigns.cancel(run)]
    print("\n".join(f"{run_id} is cancelled" for run_id in cancelled) or f"no run of {options.campaign} is under way")
    return _DONE


def _set_paused(options: argparse.Namespace, paused: bool) -> int:
    stack, campaigns = asked(options)
    check_live(options.campaign, live(stack))
    campaigns.pause(options.campaign, paused)
    print(f"{options.campaign} is {'paused' if paused else 'active'}")
    return _DONE


def asked(options: argparse.Namespace) -> "tuple[Stack, DynamoCampaigns]":
    """The stack that is asked, and its runs of campaigns."""
    stack = open_stack(options.stack)
    from dangol.aws.campaign_runs import DynamoCampaigns

    return stack, DynamoCampaigns(stack.boto3.resource("dynamodb"), stack.deployment.output("RunsTableName"))


def live(stack: Stack) -> "Mapping[str, Campaign]":
    """What the stack launches, by id."""
    from dangol.moves.configure import live_configuration

    return live_configuration(stack.bucket()).launched(stack.shop.time_zone)


def check_live(campaign: str, launched: "Mapping[str, Campaign]") -> None:
    """Raises DangolError for a campaign that is not live."""
    from dangol.document import nearest

    if not launched:
        raise DangolError("no campaign is live; put some into campaigns/ of the folder and `dangol config push` it")
    if campaign not in launched:
        raise DangolError(f"no campaign '{campaign}' is live; {nearest(campaign, launched)}")


def _counted(run: "Run") -> str:
    if run.reason:
        return f": {run.reason}"
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(run.counts.items()))
    return (f": {counts}" if counts else "") + _contest(run) + _unfinished(run)


def _unfinished(run: "Run") -> str:
    if run.state == "cancelled" or run.batches <= 0:
        return ""
    parts = "1 part is" if run.batches == 1 else f"{run.batches:,} parts are"
    return f"; {parts} being sent or waiting, and counted when done"


def _contest(run: "Run") -> str:
    if run.winners is None:
        return ""
    won = ", ".join(f"{variant} ({channel})" for channel, variant in sorted(run.winners.items()))
    return f"; winner {won}" if won else "; no winner, so all got the variants by weight"


def _as_dict(run: "Run") -> dict[str, object]:
    about = {"id": run.id, "run_at": run.run_at.isoformat(), "state": run.state.value, "recipients": run.recipients}
    return about | {"counts": dict(run.counts), "reason": run.reason, "tally": dict(run.tally), "winners": run.winners}
