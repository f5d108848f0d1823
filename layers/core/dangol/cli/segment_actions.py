"""What `dangol segments` does: which segments there are, whom they hold and why, and what an edit would change."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from dangol.cli.base import Base, configuration_of, open_base, stack_of
from dangol.cli.folder import configuration_in
from dangol.cli.stack import Stack, open_stack
from dangol.errors import DangolError

if TYPE_CHECKING:
    from dangol.segments.policy import Policy

_DONE, _FINDINGS = 0, 1


def list_segments(options: argparse.Namespace) -> int:
    """Print every segment of a configuration."""
    from dangol.cli.policy_text import policy_text, segments_of

    stack = open_stack(options.stack) if options.stack and options.config is None else None
    policy = configuration_of(options, stack).policy
    _print_json(list(segments_of(policy))) if options.json else print(policy_text(policy))
    return _DONE


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


def _print_json(found: object) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))
