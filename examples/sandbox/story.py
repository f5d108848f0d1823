"""What a shop lives through in the demo, from its deployment to a month later.

Whatever is shown is read through the interfaces that a shop and its services have: the bucket, the tables, the bus, and
the commands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from dangol.reports.summary import Summary

from examples.sandbox.campaigning import Campaigning, services
from examples.sandbox.commands import CommandLine, Console
from examples.sandbox.deployed import BUCKETS, DeployedShop, Item, Written, total
from examples.sandbox.listener import Listener
from examples.sandbox.living import FOLDER, LivingSegments
from examples.sandbox.local_aws import ROOT, LocalAws, wait_for
from examples.sandbox.newsletters import Told
from examples.sandbox.pictures import kept
from examples.sandbox.terminal import (
    Step,
    Terminal,
    customers_text,
    entries_text,
    members_text,
    moved_text,
    receipts_text,
    rejects_text,
    segments_text,
    steps_text,
    told,
)

SHARDS = 4
REPORT_SIZE = (1280, 5000)
"""Pixels."""
OUT = ROOT / "build" / "demo"
"""Where the demo leaves what is to be looked at in a browser."""
STEPS = (("a day later", 1), ("a week later", 7), ("a month later", 30))
Files = Mapping[str, Sequence[Path]]
"""What a shop drops: folder under incoming/ → files, oldest first."""


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
    mail: Told | None = None
    """What became of its newsletters, if it sends any; then somebody also edits its segments, and runs campaigns."""


class NotTaken(Exception):
    """A file that a shop dropped is of no use; nothing is wrong with the system."""


class Story:
    """One shop."""

    def __init__(self, aws: LocalAws, terminal: Terminal, shop: Shop, scratch: Path) -> None:
        terminal.heading(f"{shop.title} · today is {shop.today} · amounts in {shop.currency}")
        outputs = aws.deploy(
            shop.stack,
            NumberOfShards=str(SHARDS),
            FixedDate=shop.today.isoformat(),
            TimeZone=shop.time_zone,
            Currency=shop.currency,
            **(services(aws) if shop.mail else {}),
        )
        terminal.say(f"stack {shop.stack} deployed, with {SHARDS} shards")
        self._aws = aws
        self._terminal = terminal
        self._shop = shop
        self._deployed = DeployedShop(aws, shop.stack, outputs)
        self._scratch = scratch

    def run(self, files: Files) -> DeployedShop:
        """The whole story."""
        if self._shop.policy:
            self._configure(self._shop.policy)
        if self._shop.mail:
            self._tell_of_mail(self._shop.mail)
        self._load(files)
        summary = self._report()
        customers = self._look_up(summary)
        self._list_members(summary)
        listener = Listener(self._aws, self._deployed.outputs["EventBusName"], f"{self._shop.stack}-listener")
        self._drop_again(files, listener)
        console = Console(CommandLine(self._aws, self._scratch), self._terminal, self._shop.stack)
        living = LivingSegments(self._deployed, console, listener)
        if self._shop.mail:
            living.explain(self._shop.mail)
            living.edit(self._shop.today, SHARDS)
            Campaigning(self._deployed, console, OUT).run(FOLDER)
        steps = self._move_the_clock(listener)
        if self._shop.mail:
            page = self._deployed.read(f"reports/{steps[1].day}/report.html").decode()
            self._terminal.say(f"the report {steps[1].title}: {kept(OUT / 'report.html', page, REPORT_SIZE)}")
        if self._shop.mail:
            living.time_alone(steps[0])
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

    def _tell_of_mail(self, mail: Told) -> None:
        self._deployed.tell_of_mail(mail.events)
        self._terminal.say(
            f"{len(mail.events):,} deliveries, opens and clicks of newsletters published to the stack's topic, "
            "as SES would"
        )

    def _load(self, files: Files) -> None:
        for kind, paths in files.items():
            size = sum(path.stat().st_size for path in paths) / 1000
            names = " … ".join(dict.fromkeys((paths[0].name, paths[-1].name)))
            count = "1 file" if len(paths) == 1 else f"{len(paths)} files"
            self._terminal.say(f"{count} dropped in incoming/{kind}/, {size:,.0f} kB: {names}")
        receipts = self._drop(files)
        self._terminal.say("all read, waiting for the refresh of the shards")
        self._terminal.say(f"refreshed: {told(Written.by(self._refreshed(receipts)))}")
        self._show_receipts(receipts)

    def _drop(self, files: Files) -> Sequence[Item]:
        """Drop files; their receipts, once all are read."""
        deployed, known = self._deployed, {run["id"] for run in self._deployed.runs("file")}
        for kind, paths in files.items():
            for path in paths:
                deployed.drop(f"incoming/{kind}/{path.name}", path.read_bytes())
        receipts = self._terminal.follow(
            "files read",
            lambda: [run for run in deployed.runs("file") if run["id"] not in known],
            sum(len(paths) for paths in files.values()),
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
        by_kind: dict[str, list[Item]] = defaultdict(list)
        for receipt in sorted(receipts, key=lambda receipt: str(receipt["key"])):
            by_kind[receipt["key"].split("/")[1]].append(receipt)
        title = "The receipt" if len(receipts) == 1 else f"The {len(receipts)} receipts together"
        self._terminal.show(title, receipts_text({kind: total(found) for kind, found in by_kind.items()}))
        newest = by_kind["orders"][-1]
        if "rejects_key" in newest:
            rejects = self._deployed.rejects(newest)[:3]
            name = newest["key"].rpartition("/")[2]
            self._terminal.show(
                f"Rows of {name} that could not be used, as they lie in rejects/", rejects_text(rejects)
            )

    def _report(self) -> Summary:
        shop = self._shop
        if shop.mail:
            wait_for("the events of mail are in the ledger", self._has_mail, timeout=120, interval=0.5)
            self._terminal.say("what became of the newsletters is in the ledger")
        written = self._daily_run(shop.today)
        self._terminal.say(f"daily run of {shop.today}: {told(written)}; reports/{shop.today}/report.html is there")
        summary = self._deployed.summary(shop.today)
        self._terminal.show(f"{summary.customers:,} customers", segments_text(summary, shop.currency))
        return summary

    def _has_mail(self) -> bool:
        assert self._shop.mail
        return self._deployed.recorded_events(self._scratch) >= len(self._shop.mail.events)

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
        sizes = {line.id: line.customers for line in summary.rfm}
        sizes |= {segment: count for segment, _, count in summary.segments}
        members = {segment: self._deployed.members(segment) for segment, count in sizes.items() if count}
        agree = all(len(found) == sizes[segment] for segment, found in members.items())
        self._terminal.show(
            f"The members of every segment, listed with {BUCKETS} Queries each; "
            + ("as many as the report has" if agree else "not as many as the report has"),
            members_text(members, summary),
        )

    def _drop_again(self, files: Files, listener: Listener) -> None:
        path = files["orders"][-1]
        receipts = self._drop({"orders": [path]})
        written = Written.by(self._refreshed(receipts))
        heard = len(listener.heard(written.changes))
        rows = total(receipts).rows_read
        self._terminal.say(f"{path.name} dropped again, {rows:,} rows read: {told(written)}, {heard} events on the bus")

    def _move_the_clock(self, listener: Listener) -> list[Step]:
        self._terminal.say("from here on nobody orders, reads or clicks; only the clock moves")
        steps = [self._step(title, self._shop.today + timedelta(days), listener) for title, days in STEPS]
        summary = self._deployed.summary(steps[-1].day)
        others = {segment for segment, _, _ in summary.segments}
        self._terminal.show(
            "Moves between RFM segments, by the `Segment Changed` events heard on the bus; each column since the one "
            "before",
            steps_text(steps, summary),
        )
        if any(change["segment"] in others for step in steps for change in step.changes):
            self._terminal.show(
                "Who entered (+) and left (−) the other segments, by the same events", entries_text(steps, summary)
            )
        return steps

    def _step(self, title: str, day: date, listener: Listener) -> Step:
        written = self._daily_run(day)
        changes = listener.heard(written.changes)
        self._terminal.say(f"{title}, daily run of {day}: {told(written)}, {len(changes):,} events on the bus")
        return Step(title, day, changes, written)

    def _look_again(self, customer_ids: Sequence[str], summary: Summary) -> None:
        customers = [self._deployed.customer(customer_id) for customer_id in customer_ids]
        self._terminal.show("The customers read from DynamoDB above, a month later", moved_text(customers, summary))
