"""The segments as those who make them see them: why somebody is in one, and what an edit changes, before and after."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

from dangol.reports.text import aligned

from examples.sandbox.commands import Console
from examples.sandbox.deployed import DeployedShop, Written
from examples.sandbox.listener import Change, Listener
from examples.sandbox.newsletters import Told
from examples.sandbox.terminal import Step, told

FOLDER = "my-shop"
EDITED = ("30 <= recency_days <= 60 and", "21 <= recency_days <= 60 and")
"""In the rule of at_risk: a coupon after three weeks rather than a month."""
ADDED = """
  - id: birthday_week
    names: {ko: 이번 주 생일인 고객, en: Birthday This Week}
    description: a card, and a coupon
    where: days_to_birthday <= 7 and accepts_email
"""


class LivingSegments:
    """What a marketer does, with the commands of `dangol` against the deployed stack."""

    def __init__(self, deployed: DeployedShop, console: Console, listener: Listener) -> None:
        self._deployed = deployed
        self._console = console
        self._terminal = console.terminal
        self._listener = listener

    def explain(self, mail: Told) -> None:
        """Why somebody is not in a segment, twice."""
        self._terminal.say("somebody is at risk who has ordered often; why are they not in win_back?")
        self._console.show_on_stack(f"dangol segments explain {self._nearly_won_back()} --segment win_back")
        scanned = mail.scanned[0]
        self._terminal.say(
            f"{scanned}'s mail was opened and two of its links followed, all within three seconds; was that a person?"
        )
        self._console.show_on_stack(f"dangol segments explain {scanned} --segment engaged")

    def _nearly_won_back(self) -> str:
        """Somebody at risk with five orders or more who does not accept e-mail."""
        rows = (self._deployed.customer(member["customer_id"]) for member in self._deployed.members("at_risk"))
        return next(
            str(row["customer_id"]) for row in rows if row["orders_lifetime"] >= 5 and "win_back" not in row["segments"]
        )

    def edit(self, today: date, shards: int) -> None:
        """Edit the configuration, see what that changes, and make it live."""
        self._console.show_on_stack(f"dangol config pull {FOLDER}")
        self._write(self._console.folder / FOLDER / "segments.yaml")
        self._terminal.say("two edits in it: at_risk begins after 21 days instead of 30, and birthday_week is new")
        self._console.show_on_stack(f"dangol segments diff --config {FOLDER} --samples 3")
        self._console.show_on_stack(f"dangol config push {FOLDER} --no-diff --yes")
        runs = self._terminal.follow(
            "refreshes done", lambda: self._deployed.refreshes_because("configuration", today), shards
        )
        written = Written.by(runs)
        changes = self._listener.heard(written.changes)
        self._terminal.say(f"every shard refreshed by it: {told(written)}, {len(changes):,} events on the bus")
        self._terminal.show(
            "The events `Segment Changed` of it, which are those that the diff foretold", _counted(changes)
        )

    def _write(self, path: Path) -> None:
        text, found = re.subn(re.escape(EDITED[0]), EDITED[1], path.read_text("utf-8"))
        assert found == 1
        path.write_text(text + ADDED, "utf-8")

    def time_alone(self, step: Step) -> None:
        """One of those who moved because a day went by."""
        change = next(one for one in step.changes if (one["segment"], one["change"]) == ("cooling", "entered"))
        customer_id = change["customer_id"]
        self._terminal.show(
            f"One of these events, as other services hear it: nothing happened to {customer_id} but a day",
            json.dumps(change, ensure_ascii=False, indent=2),
        )
        self._console.show_on_stack(f"dangol segments explain {customer_id} --segment cooling --as-of {step.day}")


def _counted(changes: list[Change]) -> str:
    """Entries and exits by segment."""
    counted = Counter((change["change"], change["segment"]) for change in changes)
    rows = [(change, segment, f"{count:,}") for (change, segment), count in sorted(counted.items())]
    return aligned(rows, left=2)
