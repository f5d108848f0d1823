"""`dangol forget`: erase everything that a deployed stack keeps of people, and prove it."""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dangol.cli.stack import Stack, invoke, open_stack, telling_of_aws
from dangol.errors import DangolError

_DONE, _FINDINGS = 0, 1
_EACH = 2
"""Seconds between two calls."""
_PLACES = {
    "ledger_rows": "rows of the ledger (orders, people, interests, mail, states, changes)",
    "profiles": "rows of table Profiles",
    "customers": "rows of table Customers",
    "memberships": "rows of table Memberships",
    "deliveries": "rows of table Deliveries",
    "invitations": "replies to invitations; their seats are free again",
    "waiting_lists": "lists of whom campaigns and notices were still to reach",
    "measured_objects": "objects kept to measure campaigns, written anew without them",
    "dropped_files": "dropped files, whole: the ledger holds the other people's rows",
    "kept_parts": "parts of data sets that were kept until others come",
    "rejected_rows": "rejected rows",
    "list_rows": "rows of lists for ad platforms; their removal is exported",
    "push_endpoints": "endpoints of the push service",
    "replaced_versions": "objects that had been replaced or deleted and could still have been brought back",
}
_LEFT = {"unfinished_erasures": "an erasure was begun and never finished; forget these together"}
_REMAINS = (
    "tombstones: keyed hashes of ids, addresses and numbers, so that an old file does not bring them back",
    "removals for ad platforms (hashes; 90 days): upload them, the platforms must be told",
    "point-in-time recovery of the tables, for 35 days, which only an administrator can restore",
    "messages that were on a queue when it began: none is sent, and all are gone after 14 days at most",
    "reports, which count people and name none; logs, which hold no personal data",
    "copies outside of the stack: exports of the platform, ~/.cache/dangol on machines that used --stack",
)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "forget",
        help="erase people from a deployed stack, and prove it",
        description="Erase everything that a stack keeps of some customers: ledger, tables, files, lists for ad "
        "platforms. Accounts merged with them go too. Says first who that is, and asks. May be called again.",
        epilog="example: dangol forget C0001 --stack dangol --proof C0001.json. "
        "exit status: 0 erased, 1 not confirmed, or something still names them, 2 unusable",
    )
    parser.add_argument("customers", metavar="CUSTOMER", nargs="+", help="customer ids, as table Customers has them")
    parser.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack")
    parser.add_argument("--yes", action="store_true", help="erase without asking")
    parser.add_argument("--proof", type=Path, metavar="FILE", help="write the proof there as well, as JSON")
    parser.add_argument(
        "--timeout", type=int, default=3600, metavar="SECONDS", help="to wait for (default: %(default)s)"
    )
    parser.set_defaults(run=telling_of_aws(forget))


def forget(options: argparse.Namespace) -> int:
    """Look, ask, erase, prove."""
    if contacts := [one for one in options.customers if "@" in one]:
        raise DangolError(f"{contacts[0]} is an address; give the customer id, as table Customers has it")
    if options.proof and not options.proof.parent.is_dir():
        raise DangolError(f"cannot write {options.proof}: there is no folder {options.proof.parent}")
    stack = open_stack(options.stack)
    customers = sorted(set(options.customers))
    _print_found(_call(stack, customers, look=True))
    if not options.yes and not _confirmed():
        print("nothing was erased")
        return _FINDINGS
    proof = _erase(stack, customers, options.timeout)
    _print_proof(proof)
    if options.proof:
        options.proof.write_text(
            json.dumps(proof | {"remains": _REMAINS}, ensure_ascii=False, indent=2) + "\n", "utf-8"
        )
    return _DONE if proof["clean"] else _FINDINGS


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise DangolError("nobody is here to ask; pass --yes to erase without asking")
    return input("erase all of it, for good? [y/N] ").strip().lower() in ("y", "yes")


def _erase(stack: Stack, customers: Sequence[str], timeout: int) -> dict[str, Any]:
    """Call the function until it is done."""
    last = time.monotonic() + timeout
    while True:
        answer = _call(stack, customers, look=False)
        if answer["done"]:
            return answer
        print(f"waiting for {answer['waiting_for']}", file=sys.stderr)
        if time.monotonic() > last:
            raise DangolError(
                f"not done after {timeout} s, waiting for {answer['waiting_for']}; nobody is sent anything any more. "
                "See the alarms of the stack, then run the same command again: it goes on where it stopped"
            )
        time.sleep(_EACH)


def _call(stack: Stack, customers: Sequence[str], *, look: bool) -> dict[str, Any]:
    asked = {"customers": list(customers), "look": look}
    return dict(invoke(stack, "ForgetFunctionName", asked))


def _print_found(found: Mapping[str, Any]) -> None:
    print(f"accounts: {', '.join(found['customers'])}")
    _print_counts(found["found"])
    if not any(found["found"].values()):
        print("  nothing is known of them but what files may hold")
    if found["shared"]:
        others = ", ".join(found["shared"])
        print(
            f"others with the same address or number stay as they are: {others}; name them too if they are one person"
        )


def _print_proof(proof: Mapping[str, Any]) -> None:
    print(f"erased, as of {proof['began_at']}:")
    _print_counts(proof["removed"])
    if proof["clean"]:
        print("read back: their shards of the ledger, all files, the rows of every table; nothing names them")
    else:
        print("read back: something still names them; drop nothing, wait a minute and run the command again")
        for place, what in proof["left"].items():
            print(f"  {_LEFT.get(place, place)}: {', '.join(what) if isinstance(what, list) else what}")
    print("what remains:")
    for line in _REMAINS:
        print(f"  {line}")


def _print_counts(counts: Mapping[str, int]) -> None:
    for place, words in _PLACES.items():
        if counts.get(place):
            print(f"  {counts[place]:>6,} {words}")
