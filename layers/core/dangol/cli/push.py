"""`dangol config push`: from a folder to the live configuration of a stack."""

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dangol.cli.base import open_base
from dangol.cli.folder import configuration_in
from dangol.cli.stack import Stack, open_stack
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.configuration import Configuration

_DONE, _DECLINED = 0, 1
_LIVE = "live"
_LOOK_EVERY = 2
"""Seconds. A push takes some five: S3's event, the queue, and a function that may have to start."""

pause = time.sleep
"""What passes the time until the next look."""


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
