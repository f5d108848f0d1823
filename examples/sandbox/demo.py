"""Two shops on a local AWS: the real template, real order files, and what comes out."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.sandbox.commands import CommandLine
from examples.sandbox.deployed import DeployedShop
from examples.sandbox.fashion_store import write_store
from examples.sandbox.fashion_year import TODAY, make_year
from examples.sandbox.keep import how_to_look_around
from examples.sandbox.local_aws import ROOT, LocalAws
from examples.sandbox.newsletters import told_by_ses
from examples.sandbox.story import STEPS, Files, NotTaken, Shop, Story
from examples.sandbox.terminal import Terminal, gist_of_inspection

CDNOW_NAME = "../shared/data/cdnow.csv.gz"
CDNOW = ROOT / CDNOW_NAME
EXPORTS = ("shopify.csv", "smartstore.xlsx")
"""Examples of what platforms export, in examples/exports/."""
CDS = Shop(
    "dangol-cdnow",
    "CDNOW, CDs by mail, real orders of 1997 and 1998",
    date(1998, 6, 30),
    "America/New_York",
    "USD",
    ROOT / "examples" / "cdnow" / "segments.yaml",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all went well, 1 when it did not, 2 for wrong options."""
    options = _options(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    sys.stdout.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
    terminal = Terminal()
    print("Dangol on a local AWS. What is deployed is template.yaml as it stands.")
    try:
        with LocalAws.start(auth=options.auth) as aws, TemporaryDirectory(prefix="dangol-demo-") as scratch:
            terminal.say(f"local AWS started at {aws.endpoint}")
            _inspect(aws, terminal)
            visited = _visit(aws, terminal, Path(scratch), options.cdnow)
            if visited and options.keep:
                _keep(aws, visited)
    except KeyboardInterrupt:
        terminal.say("interrupted, nothing is left running")
        return 130
    if visited:
        terminal.say("done, nothing is left running")
    return 0 if visited else 1


def _inspect(aws: LocalAws, terminal: Terminal) -> None:
    terminal.heading("Before anything is dropped: what a platform's export holds")
    for name in EXPORTS:
        command = f"dangol inspect examples/exports/{name}"
        terminal.show(f"$ {command}", gist_of_inspection(CommandLine(aws, ROOT).run(command)))


def _visit(aws: LocalAws, terminal: Terminal, scratch: Path, cdnow: Path) -> list[tuple[DeployedShop, date]]:
    """What was deployed, and the day it is there by now; nothing if something went wrong."""
    visited = []
    try:
        for shop, files in _shops(scratch, cdnow):
            deployed = Story(aws, terminal, shop, scratch).run(files)
            visited.append((deployed, shop.today + timedelta(STEPS[-1][1])))
    except NotTaken as error:
        print(f"\n{error}", file=sys.stderr)
        return []
    except (RuntimeError, TimeoutError) as error:
        print(
            f"\nThis went wrong: {error}\n\nThe end of the log of the local AWS:\n{aws.log(lines=30)}", file=sys.stderr
        )
        return []
    return visited


def _keep(aws: LocalAws, visited: Sequence[tuple[DeployedShop, date]]) -> None:
    print(how_to_look_around(aws, visited))
    with suppress(KeyboardInterrupt):
        aws.process.wait()


def _shops(scratch: Path, cdnow: Path) -> Iterator[tuple[Shop, Files]]:
    """Each shop with the files that it drops."""
    store = write_store(scratch / "store", make_year())
    title = "A made-up fashion store in Seoul"
    yield (
        Shop("dangol-fashion", title, TODAY, "Asia/Seoul", "KRW", mail=told_by_ses(store)),
        {
            "customers": [store.customers],
            "products": [store.products],
            "interests": [store.interests],
            "orders": store.orders,
        },
    )
    if cdnow.is_file():
        yield CDS, {"orders": [cdnow]}
    else:
        print(f"\nThe second shop is left out: there is no {CDNOW_NAME}; another place can be given with --cdnow.")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.sandbox.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="It takes about two minutes, needs no network and no AWS account, and leaves nothing running.",
    )
    parser.add_argument(
        "--keep", action="store_true", help="afterwards keep the local AWS up until Ctrl-C, and say how to look around"
    )
    parser.add_argument(
        "--cdnow", type=Path, metavar="FILE", help=f"orders of the second shop (default: {CDNOW_NAME}, if it is there)"
    )
    parser.add_argument("--auth", action="store_true", help="enforce the policies of the template: slower, with TLS")
    options = parser.parse_args(arguments)
    if options.cdnow and not options.cdnow.is_file():
        parser.error(f"there is no file {options.cdnow}")
    options.cdnow = options.cdnow or CDNOW
    return options


def _leave(number: int, _: object) -> None:
    """A signal to end: leave by way of every `with`."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
