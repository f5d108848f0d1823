"""`dangol`: exit 0 done, 1 finished with rejects or findings, 2 unusable input."""

import argparse
import sys
from collections.abc import Sequence

from dangol import __version__
from dangol.errors import DangolError

DONE, FINDINGS, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    # Late, so that `--help` of one command does not import what another computes with.
    from dangol.cli import audiences, campaigns, config, forget, inspect, report, segment, segments

    parser = argparse.ArgumentParser(
        prog="dangol",
        description="Customer segments and campaigns for shops, in their own AWS account.",
        epilog="exit status: 0 done, 1 finished with rejects or findings, 2 unusable input",
    )
    parser.add_argument("--version", action="version", version=f"dangol {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    segment.add_to(commands)
    segments.add_to(commands)
    report.add_to(commands)
    config.add_to(commands)
    inspect.add_to(commands)
    campaigns.add_to(commands)
    audiences.add_to(commands)
    forget.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except DangolError as error:
        print(f"dangol: {error}", file=sys.stderr)
        return UNUSABLE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"dangol: {where}{error.strerror or error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 130
