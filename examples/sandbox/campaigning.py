"""Two campaigns as a marketer runs them: from a folder to what arrived, and a second delivery that sends nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from examples.sandbox.commands import Console
from examples.sandbox.deployed import DeployedShop, Item
from examples.sandbox.local_aws import ROOT, LocalAws, wait_for
from examples.sandbox.pictures import kept
from examples.sandbox.terminal import mail_text, outcomes, outcomes_text

CAMPAIGNS = {"potential_loyal_picks": ("potential_loyal", 1), "big_spender_preview": ("big_spender", 2)}
"""Those of the shipped ones that the store makes its own: each with its segment, and the number of its channels."""
DOMAIN = "dangol-fashion.example"
SENDER = f"""country: KR
sender:
  name: 단골상점
  email: hello@{DOMAIN}
  phone: 02-123-4567
  address: 서울특별시 성동구 연무장길 1
  url: https://{DOMAIN}
  app_opt_out: 앱 > 설정 > 알림
"""
SIZE = (640, 1050)
"""Pixels: an e-mail as a desktop shows it."""


def services(aws: LocalAws) -> dict[str, str]:
    """What a shop has at SES and SNS before it deploys: a verified domain, and its apps; the template's parameters."""
    aws.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    names = {"FcmApplicationArn": "GCM", "ApnsApplicationArn": "APNS"}
    return {
        parameter: aws.client("sns").create_platform_application(
            Name="dangol-fashion", Platform=platform, Attributes={"PlatformCredential": "key"}
        )["PlatformApplicationArn"]
        for parameter, platform in names.items()
    }


class Campaigning:
    """What a marketer does next, with the same folder."""

    def __init__(self, deployed: DeployedShop, console: Console, out: Path) -> None:
        """`out`: where the e-mails are kept."""
        self._deployed = deployed
        self._console = console
        self._terminal = console.terminal
        self._out = out

    def run(self, folder: str) -> None:
        """Make the campaigns live, run them, and show what arrived."""
        self._terminal.say("now the campaigns: who writes goes into messaging.yaml, two shipped ones into campaigns/")
        self._write(self._console.folder / folder)
        self._console.show(f"dangol campaigns check --config {folder}")
        self._console.show_on_stack(f"dangol config push {folder} --no-diff --yes")
        for campaign in CAMPAIGNS:
            self._console.show_on_stack(f"dangol campaigns run {campaign}")
        rows = self._sent()
        self._tell_outcomes(rows)
        mails = self._deployed.mails(DOMAIN)
        self._show_mail(next(mail for mail in mails if "- " in mail["BodyText"]))
        self._deliver_again(rows, len(mails))

    def _write(self, folder: Path) -> None:
        (folder / "messaging.yaml").write_text(SENDER, "utf-8")
        (folder / "campaigns").mkdir(exist_ok=True)
        for campaign in CAMPAIGNS:
            shutil.copy(ROOT / "config" / "campaigns" / f"{campaign}.yaml", folder / "campaigns")

    def _sent(self) -> Sequence[Item]:
        """Every message of the campaigns, sent or skipped or waiting."""
        expected = sum(len(self._deployed.members(segment)) * channels for segment, channels in CAMPAIGNS.values())

        def rows() -> Sequence[Item]:
            self._deployed.launch()  # what the scheduler does each minute
            return self._deployed.deliveries()

        return self._terminal.follow("messages decided", rows, expected)

    def _tell_outcomes(self, rows: Sequence[Item]) -> None:
        self._terminal.show("What became of each message, from table Deliveries", outcomes_text(rows))
        if any(row.get("reason") == "quiet_hours" for row in rows):
            now = datetime.now(ZoneInfo("Asia/Seoul"))
            self._terminal.say(f"it is {now:%H:%M} in Seoul: advertising by push waits until 08:00, as the law has it")

    def _show_mail(self, mail: Mapping[str, Any]) -> None:
        self._terminal.show("One of the e-mails as it was received, its text part", mail_text(mail))
        self._terminal.say(f"its HTML part: {kept(self._out / 'email.html', mail['BodyHtml'], SIZE)}")

    def _deliver_again(self, rows: Sequence[Item], mails: int) -> None:
        """Put every batch on the queue a second time, as SQS may. RuntimeError if anything comes of it."""
        wait_for("senders are done", self._deployed.has_delivered)
        batches = self._deployed.deliver_again(rows)
        wait_for("senders took them again", self._deployed.has_delivered)
        more = len(self._deployed.mails(DOMAIN)) - mails
        if more or outcomes(self._deployed.deliveries()) != outcomes(rows):
            raise RuntimeError(f"a second delivery of the same batches sent {more} e-mails more, or changed Deliveries")
        self._terminal.say(
            f"{batches} batches put on the queue a second time, as SQS may: no mail more, no row of Deliveries changed"
        )
        self._deployed.launch()  # closes the runs that are over
        for campaign in CAMPAIGNS:
            self._console.show_on_stack(f"dangol campaigns status {campaign}")
