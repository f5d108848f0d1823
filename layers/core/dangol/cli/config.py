"""`dangol config`: check a configuration folder, make it live in a deployed stack, and read what is live."""

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dangol.cli.base import open_base
from dangol.cli.folder import check_names, configuration_in, left_alone
from dangol.cli.stack import Stack, add_cache_to, open_stack, telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.configuration import Configuration

_DONE, _DECLINED = 0, 1
_LIVE = "live"
_LOOK_EVERY = 2
"""Seconds. A push takes some five: S3's event, the queue, and a function that may have to start."""

pause = time.sleep
"""What passes the time until the next look."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = commands.add_parser(
        "config",
        help="check a configuration, make it live, read what is live",
        description="A configuration is a folder with segments.yaml and whatever else a shop wants to say otherwise.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_check(actions)
    _add_push(actions)
    _add_pull(actions)


# ---- check ----------------------------------------------------------------------------------------------


def _add_check(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "check",
        help="find every mistake in a folder, without AWS",
        description="Read a configuration folder and name every problem with file, line and reason.",
        epilog="example: dangol config check my-shop. exit status: 0 in order, 2 not",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the configuration")
    parser.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Say what a folder holds, if it is in order."""
    configuration = configuration_in(options.folder)
    policy = configuration.policy
    print(f"{options.folder} is in order: version {configuration.version}")
    print(f"  files     {', '.join(sorted(configuration.files))}")
    others = f", {len(policy.scores)} score groups" if policy.scores else ""
    print(f"  segments  {len(policy.rfm_ids)} RFM{others}, {len(policy.segments)} others")
    if names := left_alone(options.folder):
        print(f"  left out  {', '.join(names)}: no files of a configuration")
    return _DONE


# ---- push -----------------------------------------------------------------------------------------------


def _add_push(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "push",
        help="make a folder the live configuration of a stack",
        description="Check a folder, show what it would change, and after a yes make it live as a whole in place of "
        "what is live. If the stack refuses it, the last good configuration goes on.",
        epilog="example: dangol config push my-shop --stack dangol. "
        "exit status: 0 live (or looked at with --dry-run), 1 not confirmed, 2 unusable or refused",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the configuration")
    _add_stack(parser)
    add_cache_to(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what it would change, and push nothing")
    parser.add_argument("--no-diff", action="store_true", help="do not work out who would enter and leave")
    parser.add_argument("--yes", action="store_true", help="push without asking")
    parser.add_argument(
        "--timeout", type=int, default=120, metavar="SECONDS", help="to wait for (default: %(default)s)"
    )
    parser.set_defaults(run=telling_of_aws(push), as_of=None)


def push(options: argparse.Namespace) -> int:
    """Make a folder live."""
    from dangol.moves.configure import live_configuration

    new = configuration_in(options.folder)
    stack = open_stack(options.stack)
    live = live_configuration(stack.bucket())
    if new.files == live.files:
        print(f"nothing to push: version {new.version} is live in stack '{options.stack}'")
        return _DONE
    print(_files_text(live, new))
    print(f"\n{_segments_text(options, stack, live, new)}\n")
    if options.dry_run:
        print("nothing was pushed (--dry-run)")
        return _DONE
    if not options.yes and not _confirmed(options.stack):
        print("nothing was pushed")
        return _DECLINED
    facts = _pushed(stack, new, options.timeout)
    print(f"configuration {facts['configuration_version']} is live in stack '{options.stack}'")
    if new.policy != live.policy:
        print(f"every customer is being brought up to date by its segments, version {facts['policy_version']}")
    return _DONE


def _files_text(live: "Configuration", new: "Configuration") -> str:
    marks = {
        name: "+" if name not in live.files else "-" if name not in new.files else "~"
        for name in sorted({*live.files, *new.files})
        if live.files.get(name) != new.files.get(name)
    }
    return "Files\n" + "\n".join(f"  {mark} {name}" for name, mark in marks.items())


def _segments_text(options: argparse.Namespace, stack: Stack, live: "Configuration", new: "Configuration") -> str:
    """What becomes of the segments; nothing is computed where they stay as they are."""
    from dangol.cli.difference import difference_text, edits_text
    from dangol.segments.compare import compare, edits

    old, policy = live.policy, new.policy
    written = edits(old, policy)
    if options.no_diff or not written.any:
        return edits_text(written, policy)
    with open_base(options, stack, (old, policy)) as base:
        found = compare(base.connection, old, policy, base.as_of)
        return difference_text(found, old, policy, base.as_of)


def _confirmed(stack: str) -> bool:
    if not sys.stdin.isatty():
        raise DangolError("nobody is here to ask; pass --yes to push without asking")
    return input(f"Make this live in stack '{stack}'? [y/N] ").strip().lower() in ("y", "yes")


def _pushed(stack: Stack, new: "Configuration", timeout: int) -> Mapping[str, Any]:
    """Upload the whole as one object, and wait for what becomes of it; the facts once it is live."""
    from dangol.configuration import to_json
    from dangol.moves.configure import CONFIG_RUN, PUSHED

    push_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{new.version}"
    stack.bucket().write(f"{PUSHED}{push_id}", to_json(new.files))
    runs = stack.runs()
    for waited in range(0, timeout, _LOOK_EVERY):
        if facts := runs.find(CONFIG_RUN, push_id):
            if facts["status"] != _LIVE:
                raise DangolError(
                    f"the stack did not take it, what was live goes on\n{facts.get('reason', '')}".rstrip()
                )
            return facts
        if waited == 0:
            print(f"pushed as {push_id}, waiting for the stack to take it", file=sys.stderr)
        pause(_LOOK_EVERY)
    raise DangolError(
        f"the stack has not taken {push_id} within {timeout} s. It still may: see table Runs, kind '{CONFIG_RUN}', and "
        "if there is nothing, the logs of function 'configure' and its dead-letter queue"
    )


# ---- pull -----------------------------------------------------------------------------------------------


def _add_pull(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "pull",
        help="write what is live into a folder",
        description="Write the files of the live configuration into a folder, to be edited and pushed again.",
        epilog="example: dangol config pull my-shop --stack dangol. exit status: 0 done, 2 not",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder to write to; made if it is not there")
    _add_stack(parser)
    parser.add_argument("--force", action="store_true", help="overwrite files that differ from what is live")
    parser.set_defaults(run=telling_of_aws(pull))


def pull(options: argparse.Namespace) -> int:
    """Write the live files."""
    from dangol.configuration import files_of
    from dangol.moves.configure import live_configuration
    from dangol.segments.policy import POLICY_FILE

    live = live_configuration(open_stack(options.stack).bucket())
    files = live.files or {POLICY_FILE: (resources("dangol") / "defaults" / POLICY_FILE).read_bytes()}
    check_names(files, options.folder)
    there = files_of(options.folder)
    differing = sorted(name for name in there if there[name] != files.get(name))
    if differing and not options.force:
        raise DangolError(
            f"{options.folder} holds files that are not what is live: {', '.join(differing)}; "
            "take another folder, or --force to overwrite those that are live as well"
        )
    for name, text in sorted(files.items()):
        path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        print(f"wrote {path}")
    for name in sorted(set(there).difference(files)):
        print(f"left {options.folder / name}, which is not live")
    if not live.files:
        print(f"the stack goes by the built-in configuration; {POLICY_FILE} is a copy of it to start from")
    return _DONE


def _add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", metavar="NAME", default="dangol", help="the deployed stack (default: %(default)s)")
