"""`dangol segments`: which segments there are, whom they hold and why, and what an edit would change."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dangol.cli.base import Base, add_base_to, configuration_of, open_base, stack_of
from dangol.cli.folder import configuration_in
from dangol.cli.stack import Stack, open_stack, telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.segments.policy import Policy

_DONE, _FINDINGS = 0, 1
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


# ---- what they are --------------------------------------------------------------------------------------


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


def list_segments(options: argparse.Namespace) -> int:
    """Print every segment of a configuration."""
    from dangol.cli.policy_text import policy_text, segments_of

    stack = open_stack(options.stack) if options.stack and options.config is None else None
    policy = configuration_of(options, stack).policy
    _print_json(list(segments_of(policy))) if options.json else print(policy_text(policy))
    return _DONE


# ---- how many -------------------------------------------------------------------------------------------


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


def count(options: argparse.Namespace) -> int:
    """Print the size of every segment."""
    from dangol.cli.policy_text import segments_of, sizes_text

    with _classified(options) as (base, policy):
        found = base.connection.execute("""
            SELECT segment, count(*) FROM customers GROUP BY segment
            UNION ALL
            SELECT id, sum(customers)::BIGINT FROM (
                SELECT unnest(segments) AS id, customers
                FROM (SELECT segments, count(*) AS customers FROM customers GROUP BY segments)
            ) GROUP BY id
        """).fetchall()
        sizes: dict[str, int] = dict(found)
        customers = sum(sizes.get(segment, 0) for segment in policy.rfm_ids)
    if options.json:
        segments = [
            {"id": one["id"], "section": one["section"], "names": one["names"], "customers": sizes.get(one["id"], 0)}
            for one in segments_of(policy)
        ]
        about = {"as_of": base.as_of.isoformat(), "policy_version": policy.version, "customers": customers}
        _print_json(about | {"segments": segments})
    else:
        print(f"{customers:,} customers as of {base.as_of}\n\n{sizes_text(policy, sizes, customers)}")
    return _status(base)


# ---- why ------------------------------------------------------------------------------------------------


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


def explain(options: argparse.Namespace) -> int:
    """Print why a customer is where they are."""
    from dangol.cli.explain import chosen_rules, explained, explanation_text, find_person

    with _classified(options, options.segment) as (base, policy):
        person = find_person(base, policy, options.customer)
    rules = chosen_rules(policy, options.segment)
    if options.json:
        _print_json({"customer_id": options.customer, **explained(person, policy, rules)})
    else:
        print(f"Customer {options.customer} as of {base.as_of}\n")
        print(explanation_text(person, policy, rules, base.shop.currency))
    return _status(base)


# ---- who ------------------------------------------------------------------------------------------------


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


def members(options: argparse.Namespace) -> int:
    """Print whom a segment holds."""
    if options.stack and options.config is None and options.as_of is None:
        stack = stack_of(options)
        assert stack is not None
        _check_segment(configuration_of(options, stack).policy, options.segment)
        _print_rows(("customer_id", "since"), islice(stack.members(options.segment), options.limit), options.csv)
        return _DONE
    with _classified(options, options.segment) as (base, _):
        limit = "" if options.limit is None else f"LIMIT {options.limit}"
        found = base.connection.execute(
            "SELECT customer_id FROM customers WHERE segment = $id OR list_contains(segments, $id) "
            f"ORDER BY customer_id {limit}",
            {"id": options.segment},
        ).fetchall()
    _print_rows(("customer_id",), found, options.csv)
    return _status(base)


def _print_rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], as_csv: bool) -> None:
    from dangol.files.rejects import defused

    if not as_csv:
        for row in rows:
            print(*row, sep="\t")
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([defused(cell) for cell in row] for row in rows)


# ---- what an edit would change --------------------------------------------------------------------------


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


def diff(options: argparse.Namespace) -> int:
    """Print what a configuration would change; the status is 1 when it would."""
    from dangol.cli.difference import as_dict, difference_text
    from dangol.segments.compare import compare

    if options.config is None:
        raise DangolError("--config is missing: the folder with the edited configuration")
    stack = stack_of(options)
    new = configuration_in(options.config).policy
    old = _against(options, stack)
    with open_base(options, stack, (old, new)) as base:
        found = compare(base.connection, old, new, base.as_of, options.samples)
    if options.json:
        _print_json(as_dict(found, old, new, base.as_of))
    else:
        print(difference_text(found, old, new, base.as_of))
    return _FINDINGS if found.different else _DONE


def _against(options: argparse.Namespace, stack: Stack | None) -> "Policy":
    without = argparse.Namespace(config=options.against)
    return configuration_of(without, stack).policy


# ---- what they share ------------------------------------------------------------------------------------


@contextmanager
def _classified(options: argparse.Namespace, segment: str | None = None) -> "Iterator[tuple[Base, Policy]]":
    """View `customers` by the configuration that the options name; `segment` must be one of its segments."""
    from dangol.segments.classify import classify

    stack = stack_of(options)
    policy = configuration_of(options, stack).policy
    if segment is not None:
        _check_segment(policy, segment)
    with open_base(options, stack, (policy,)) as base:
        classify(base.connection, policy, base.as_of)
        yield base, policy


def _check_segment(policy: "Policy", segment: str) -> None:
    from dangol.segments.language.vocabulary import nearest

    if segment not in policy.names:
        raise DangolError(f"there is no segment '{segment}'; {nearest(segment, policy.names)}")


def _status(base: Base) -> int:
    return _FINDINGS if base.rejected else _DONE


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _print_json(found: object) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number; write it as 10")
    return int(text)
