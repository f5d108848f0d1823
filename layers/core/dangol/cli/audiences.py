"""`dangol audiences`: the lists for ad platforms that a folder defines, and their export by a deployed stack."""

import argparse
import json
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dangol.cli.folder import configuration_in
from dangol.cli.stack import invoke, open_stack, telling_of_aws
from dangol.errors import InvalidFiles

if TYPE_CHECKING:
    from dangol.configuration import Configuration

_DONE, _FINDINGS = 0, 1


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser("audiences", help="list, check and export lists for ad platforms", description=__doc__)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, action, text in (
        ("list", list_audiences, "each audience: which segment, for which platforms, who is left out"),
        ("check", check_audiences, "what must be mended before an export; exit 1 if anything"),
    ):
        one = actions.add_parser(name, help=text, description=text)
        one.add_argument("--config", type=Path, metavar="DIR", help="configuration folder (default: the one shipped)")
        one.set_defaults(run=action)
    text = "let a deployed stack export its lists now; it also does so once a day"
    one = actions.add_parser("export", help=text, description=text)
    one.add_argument("audience", metavar="AUDIENCE", nargs="?", help="id of one audience (default: all that are live)")
    one.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack")
    one.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
    one.add_argument("--json", action="store_true", help="for programs")
    one.set_defaults(run=telling_of_aws(export))


def list_audiences(options: argparse.Namespace) -> int:
    """One line an audience."""
    configuration = _configuration(options.config)
    for audience in configuration.audiences:
        beside = [c for c in configuration.campaigns("UTC") if c.segment == audience.segment and c.advertising]
        shares = {"left out": audience.holdout, **{f"holdout of {c.id}": c.holdout for c in beside}}
        left_out = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share)
        print(f"{audience.id:<25} {' '.join(audience.platforms):<12} of {audience.segment:<16} {left_out}".rstrip())
    if not configuration.audiences:
        print("no audiences; name some in audiences.yaml of the folder")
    return _DONE


def check_audiences(options: argparse.Namespace) -> int:
    """All that stands in the way of an export, in any file of the configuration."""
    try:
        found = _configuration(options.config).audiences
    except InvalidFiles as error:
        print(error, file=sys.stderr)
        return _FINDINGS
    print(f"{len(found)} audiences in order")
    return _DONE


def export(options: argparse.Namespace) -> int:
    """Have the stack's function export, and print what it did."""
    stack = open_stack(options.stack)
    asked = {"dry_run": options.dry_run} | ({"audience": options.audience} if options.audience else {})
    done = list(invoke(stack, "ExportAudiencesFunctionName", asked))
    if options.json:
        print(json.dumps(done, ensure_ascii=False, indent=2))
        return _DONE
    for facts in done:
        print(_line(facts, options.dry_run))
    if not done:
        print("no audience is live; put audiences.yaml into the folder and `dangol config push` it")
        return _DONE
    print(f"{len(done)} lists" + ("; nothing was written" if options.dry_run else ""))
    return _DONE


def _line(facts: dict[str, Any], dry_run: bool) -> str:
    """What became of one list."""
    size = f"{facts['people']:,} people" if facts["full"] else f"{facts['people']:,} people, too few for a whole list"
    changed = f"+{facts['added']:,} -{facts['removed']:,}" if facts["added"] or facts["removed"] else "no change"
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in sorted(facts["left_out"].items()))
    number = "" if dry_run else f" (export {facts['number']})"
    return f"{facts['audience']} {facts['platform']}: {size}, {changed}{number}" + (
        f"; left out: {left_out}" if left_out else ""
    )


def _configuration(folder: Path | None) -> "Configuration":
    if folder is not None:
        return configuration_in(folder)
    with as_file(files("dangol") / "defaults") as shipped:
        return configuration_in(shipped)
