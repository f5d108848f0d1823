"""`dangol config`: check a configuration folder, make it live in a deployed stack, and read what is live."""

import argparse
from importlib.resources import files as resources
from pathlib import Path

from dangol.cli.folder import check_names, configuration_in, left_alone
from dangol.cli.push import push
from dangol.cli.stack import add_cache_to, open_stack, telling_of_aws
from dangol.errors import DangolError

_DONE = 0


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
