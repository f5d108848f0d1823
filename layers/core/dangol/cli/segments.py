"""`dangol segments`: its actions and their options."""

import argparse
from pathlib import Path

from dangol.cli.base import add_base_to
from dangol.cli.segment_actions import count, diff, explain, list_segments, members
from dangol.cli.stack import telling_of_aws

_STATUS = "exit status: 0 done, 1 done with rejected rows, 2 unusable input"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = commands.add_parser(
        "segments",
        help="list segments, count whom they hold, explain a customer, see what an edit would change",
        description="Which segments there are, whom they hold and why, and what an edit would change: by order files "
        "on this machine or, with --stack NAME, by a deployed stack.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_list(actions)
    _add_count(actions)
    _add_explain(actions)
    _add_members(actions)
    _add_diff(actions)


def _add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "list",
        help="which segments there are, with their rules",
        description="Every segment with its names, its rule and what it is for. No customers are needed.",
        epilog="example: dangol segments list --config my-shop",
    )
    parser.add_argument("--config", type=Path, metavar="DIR", help="folder of the configuration (default: built in)")
    parser.add_argument("--stack", metavar="NAME", help="list what is live in the deployed stack of this name")
    _add_json(parser)
    parser.set_defaults(run=telling_of_aws(list_segments))


def _add_count(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "count",
        usage="dangol segments count [FILE ...] [options]",
        help="how many customers each segment holds",
        description="Customers in each segment and their share of all customers, RFM segments first.",
        epilog=f"example: dangol segments count orders.csv --customers people.csv --as-of 2026-11-22. {_STATUS}",
    )
    add_base_to(parser)
    _add_json(parser)
    parser.set_defaults(run=telling_of_aws(count))


def _add_explain(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "explain",
        usage="dangol segments explain CUSTOMER [FILE ...] [options]",
        help="why one customer is in which segments, and why not in the others",
        description="A customer's features and segments, and of each rule each clause, with the customer's value in it "
        "and whether it holds.",
        epilog=f"example: dangol segments explain C0001 orders.csv --segment vip_loyal. {_STATUS}",
    )
    parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
    add_base_to(parser)
    parser.add_argument("--segment", metavar="ID", help="of this segment only")
    _add_json(parser)
    parser.set_defaults(run=telling_of_aws(explain))


def _add_members(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "members",
        usage="dangol segments members SEGMENT [FILE ...] [options]",
        help="whom a segment holds",
        description="The ids of the customers in a segment, one a line. With --stack they come from table Memberships, "
        "with the day since when; with --config or --as-of as well, they are computed from the stack's ledger.",
        epilog=f"example: dangol segments members at_risk orders.csv --csv > at_risk.csv. {_STATUS}",
    )
    parser.add_argument("segment", metavar="SEGMENT", help="id of the segment")
    add_base_to(parser)
    parser.add_argument("--limit", type=_natural, metavar="N", help="no more than so many")
    parser.add_argument("--csv", action="store_true", help="with a header, for spreadsheets")
    parser.set_defaults(run=telling_of_aws(members))


def _add_diff(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser(
        "diff",
        usage="dangol segments diff [FILE ...] --config NEW [--against OLD] [options]",
        help="what an edited configuration would change, before it goes live",
        description="Apply two configurations to the same customers: who enters which segment, who leaves, and who "
        "moves. --config names the edited one.",
        epilog="example: dangol segments diff orders.csv --config my-shop --against my-shop-before. "
        "exit status: 0 no difference, 1 a difference, 2 unusable input",
    )
    add_base_to(parser)
    parser.add_argument(
        "--against",
        type=Path,
        metavar="OLD",
        help="folder to compare with (default: what is live, with --stack; else the built-in configuration)",
    )
    parser.add_argument(
        "--samples", type=_natural, default=5, metavar="N", help="ids to show of each group (default: %(default)s)"
    )
    _add_json(parser)
    parser.set_defaults(run=telling_of_aws(diff))


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number; write it as 10")
    return int(text)
