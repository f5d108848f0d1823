"""Two shops on a local AWS: the real template, real order files, and what comes out.

Whatever is shown is read through the interfaces that a shop and its services have: the bucket, the tables, the bus.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from dangol.reports.summary import Summary
from dangol.reports.text import receipt_text

from examples.sandbox.deployed import BUCKETS, DeployedShop, Item, Written, total
from examples.sandbox.fashion_store import TODAY, write_year
from examples.sandbox.keep import how_to_look_around
from examples.sandbox.listener import Listener
from examples.sandbox.local_aws import ROOT, LocalAws, wait_for
from examples.sandbox.terminal import (
    Step,
    Terminal,
    customers_text,
    moved_text,
    rejects_text,
    segments_text,
    steps_text,
)

CDNOW_NAME = "../shared/data/cdnow.csv.gz"
CDNOW = ROOT / CDNOW_NAME
SHARDS = 4
STEPS = (("a day later", 1), ("a week later", 7), ("a month later", 30))
LISTED = "at_risk"
"""The segment that is listed in full."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What the demo knows of a shop beforehand."""

    stack: str
    title: str
    today: date
    time_zone: str
    currency: str
    policy: Path | None = None
    """Its own segments, if it does not take the default ones."""


FASHION = Shop("dangol-fashion", "A made-up fashion store in Seoul", TODAY, "Asia/Seoul", "KRW")
CDS = Shop(
    "dangol-cdnow",
    "CDNOW, CDs by mail, real orders of 1997 and 1998",
    date(1998, 6, 30),
    "America/New_York",
    "USD",
    ROOT / "examples" / "cdnow" / "segments.yaml",
)


class NotTaken(Exception):
    """A file that a shop dropped is of no use; nothing is wrong with the system."""


class Demo:
    """One shop, from its deployment to a month later."""

    def __init__(self, aws: LocalAws, terminal: Terminal, shop: Shop) -> None:
        terminal.heading(f"{shop.title} · today is {shop.today} · amounts in {shop.currency}")
        outputs = aws.deploy(
            shop.stack,
            NumberOfShards=str(SHARDS),
            FixedDate=shop.today.isoformat(),
            TimeZone=shop.time_zone,
            Currency=shop.currency,
        )
        terminal.say(f"stack {shop.stack} deployed, with {SHARDS} shards")
        self._aws = aws
        self._terminal = terminal
        self._shop = shop
        self._deployed = DeployedShop(aws, shop.stack, outputs)

    def run(self, files: Sequence[Path]) -> DeployedShop:
        """The whole story."""
        if self._shop.policy:
            self._configure(self._shop.policy)
        self._load(files)
        summary = self._report()
        customers = self._look_up(summary)
        self._list_members(summary)
        listener = Listener(self._aws, self._deployed.outputs["EventBusName"], f"{self._shop.stack}-listener")
        self._drop_again(files[-1], listener)
        self._move_the_clock(summary.customers, listener)
        self._look_again(customers, summary)
        return self._deployed

    def _configure(self, policy: Path) -> None:
        self._terminal.say(f"{policy.relative_to(ROOT)} dropped as config/segments.yaml")
        self._deployed.drop("config/segments.yaml", policy.read_bytes())
        (run,) = self._terminal.follow("configurations taken", lambda: self._deployed.runs("configuration"), 1)
        if run["status"] != "live":
            raise NotTaken(f"the configuration was {run['status']}: {run['reason']}")
        self._terminal.follow("refreshes done", lambda: self._refreshes("configuration", self._shop.today), SHARDS)
        self._terminal.say(f"it is live as version {run['policy_version']}")

    def _load(self, files: Sequence[Path]) -> None:
        count = "1 file" if len(files) == 1 else f"{len(files)} files"
        names = " … ".join(dict.fromkeys((files[0].name, files[-1].name)))
        size = sum(path.stat().st_size for path in files) / 1e6
        self._terminal.say(f"{count} dropped in incoming/orders/, {size:.1f} MB: {names}")
        receipts = self._drop(files)
        self._terminal.say(f"{count} read, waiting for the refresh of the shards")
        self._terminal.say(f"refreshed: {_told(Written.by(self._refreshed(receipts)))}")
        self._show_receipts(receipts)

    def _drop(self, files: Sequence[Path]) -> Sequence[Item]:
        """Drop order files; their receipts, once all are read."""
        deployed, known = self._deployed, {run["id"] for run in self._deployed.runs("file")}
        for path in files:
            deployed.drop(f"incoming/orders/{path.name}", path.read_bytes())
        receipts = self._terminal.follow(
            "files read", lambda: [run for run in deployed.runs("file") if run["id"] not in known], len(files)
        )
        if refused := [run for run in receipts if run["status"] != "ingested"]:
            raise NotTaken(f"a file was {refused[0]['status']}: {refused[0]['reason']}")
        return receipts

    def _refreshed(self, receipts: Sequence[Item]) -> Sequence[Item]:
        """The refreshes that files asked for, once all are done."""
        wanted = sum(len(receipt["shards"]) for receipt in receipts)
        return self._terminal.follow(
            "refreshes done",
            lambda: self._deployed.refreshes_for(receipts),
            wanted,
            lambda: f"{self._deployed.customers():,} customers in DynamoDB",
        )

    def _show_receipts(self, receipts: Sequence[Item]) -> None:
        title = "The receipt" if len(receipts) == 1 else f"The {len(receipts)} receipts together"
        self._terminal.show(title, receipt_text(total(receipts)))
        newest = max(receipts, key=lambda receipt: str(receipt["key"]))
        if "rejects_key" in newest:
            rejects = self._deployed.rejects(newest)[:3]
            name = newest["key"].rpartition("/")[2]
            self._terminal.show(
                f"Rows of {name} that could not be used, as they lie in rejects/", rejects_text(rejects)
            )

    def _report(self) -> Summary:
        shop = self._shop
        written = self._daily_run(shop.today)
        self._terminal.say(f"daily run of {shop.today}: {_told(written)}; reports/{shop.today}/report.html is there")
        summary = self._deployed.summary(shop.today)
        self._terminal.show(f"{summary.customers:,} customers", segments_text(summary, shop.currency))
        return summary

    def _daily_run(self, day: date) -> Written:
        execution = self._deployed.start_daily_run(day)
        wait_for(f"the daily run of {day} ends", lambda: self._deployed.has_ended(execution), timeout=180)
        return Written.by(self._refreshes("daily", day))

    def _refreshes(self, reason: str, day: date) -> Sequence[Item]:
        return self._deployed.refreshes_because(reason, day)

    def _look_up(self, summary: Summary) -> list[str]:
        segments = [line.id for line in summary.rfm if line.customers][:5]
        found = [customer_id for segment in segments if (customer_id := self._deployed.member(segment))]
        customers = [self._deployed.customer(customer_id) for customer_id in found]
        self._terminal.show(
            "Some of them, read from DynamoDB with GetItem", customers_text(customers, summary, self._shop.currency)
        )
        return found

    def _list_members(self, summary: Summary) -> None:
        members = self._deployed.members(LISTED)
        (counted,) = (line.customers for line in summary.rfm if line.id == LISTED)
        agreed = "as many as the report has" if len(members) == counted else f"but the report has {counted:,}"
        first = ", ".join(member["customer_id"] for member in members[:3])
        self._terminal.say(f"{LISTED} listed with {BUCKETS} Queries: {len(members):,} customers, {agreed} ({first}, …)")

    def _drop_again(self, path: Path, listener: Listener) -> None:
        receipts = self._drop([path])
        written = Written.by(self._refreshed(receipts))
        heard = len(listener.heard(written.changes))
        rows = total(receipts).rows_read
        self._terminal.say(
            f"{path.name} dropped again, {rows:,} rows read: {_told(written)}, {heard} events on the bus"
        )

    def _move_the_clock(self, customers: int, listener: Listener) -> None:
        steps = [self._step(title, self._shop.today + timedelta(days), listener) for title, days in STEPS]
        self._terminal.show(
            "Customers who moved, by the `Segment Changed` events heard on the bus; each column since the one before",
            steps_text(steps, customers),
        )

    def _step(self, title: str, day: date, listener: Listener) -> Step:
        written = self._daily_run(day)
        changes = listener.heard(written.changes)
        self._terminal.say(f"{title}, daily run of {day}: {_told(written)}, {len(changes):,} events on the bus")
        return Step(title, day, changes, written)

    def _look_again(self, customer_ids: Sequence[str], summary: Summary) -> None:
        customers = [self._deployed.customer(customer_id) for customer_id in customer_ids]
        self._terminal.show("The same ones, nobody having ordered for a month", moved_text(customers, summary))


def _told(written: Written) -> str:
    if not written.items:
        return "nothing to write"
    return f"{written.customers:,} customers and {written.memberships:,} memberships written"


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
            visited = _visit(aws, terminal, Path(scratch), options.cdnow)
            if visited and options.keep:
                _keep(aws, visited)
    except KeyboardInterrupt:
        terminal.say("interrupted, nothing is left running")
        return 130
    if visited:
        terminal.say("done, nothing is left running")
    return 0 if visited else 1


def _visit(aws: LocalAws, terminal: Terminal, scratch: Path, cdnow: Path) -> list[tuple[DeployedShop, date]]:
    """What was deployed, and the day it is there by now; nothing if something went wrong."""
    visited = []
    try:
        for shop, files in _shops(scratch, cdnow):
            visited.append((Demo(aws, terminal, shop).run(files), shop.today + timedelta(STEPS[-1][1])))
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


def _shops(scratch: Path, cdnow: Path) -> Iterator[tuple[Shop, list[Path]]]:
    """Each shop with the files that it drops."""
    yield FASHION, write_year(scratch, today=FASHION.today)
    if cdnow.is_file():
        yield CDS, [cdnow]
    else:
        print(f"\nThe second shop is left out: there is no {CDNOW_NAME}; another place can be given with --cdnow.")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.sandbox.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="It takes one to two minutes, needs no network and no AWS account, and leaves nothing running.",
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
