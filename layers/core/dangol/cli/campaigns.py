"""`dangol campaigns`: list, check, preview and price the campaigns of a folder, and run those of a deployed stack."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dangol.cli.campaign_results import add_results_to
from dangol.cli.campaign_runs import add_runs_to
from dangol.cli.costs import add_cost_to
from dangol.cli.folder import left_alone
from dangol.cli.invitations import add_invitations_to
from dangol.cli.local import a_date, add_shop_to, policy_of
from dangol.cli.readers import add_reader_to, reader_of
from dangol.errors import DangolError, InvalidConfiguration, UnreadableFile

if TYPE_CHECKING:
    from dangol.campaigns.content import Facts, Occasion
    from dangol.campaigns.definition import Campaign
    from dangol.campaigns.settings import Settings

DONE, FINDINGS = 0, 1


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser("campaigns", help="list, check, preview and run campaigns", description=__doc__)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    add_shop_to(shared)
    for name, action, text in (
        ("list", list_campaigns, "each campaign: to whom, by what, when next"),
        ("check", check_campaigns, "what must be mended before a launch; exit 1 if anything"),
        ("preview", preview_campaign, "every message of a campaign as a person would get it"),
    ):
        one = actions.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(run=action)
        if name == "preview":
            _add_person(one)
    add_cost_to(actions)
    add_runs_to(actions)
    add_invitations_to(actions)
    add_results_to(actions)


def _add_person(parser: argparse.ArgumentParser) -> None:
    """Who the preview is for."""
    parser.add_argument("campaign", metavar="CAMPAIGN", help="id of the campaign")
    add_reader_to(parser)
    parser.add_argument("--on", type=a_date, metavar="DATE", help="day of the run (default: today)")
    parser.add_argument("--html", type=Path, metavar="DIR", help="write the e-mails there as well, for a browser")


def list_campaigns(options: argparse.Namespace) -> int:
    """One line a campaign."""
    from dangol.campaigns.schedule import next_tick

    campaigns, problems = _campaigns(options)
    for campaign in campaigns:
        tick = next_tick(campaign.schedule, datetime.now(UTC))
        when = f"next {tick:%Y-%m-%d %H:%M} {campaign.schedule.time_zone}" if tick else "never again"
        audience = campaign.segment or campaign.where
        print(f"{campaign.id:<25} {' '.join(campaign.channels):<11} to {audience:<16} {when}  {campaign.names['ko']}")
    return _told(problems)


def check_campaigns(options: argparse.Namespace) -> int:
    """All that stands in the way of a launch."""
    campaigns, problems = _campaigns(options)
    unfinished = _settings(options).unfinished
    for field in unfinished:
        print(f"messaging.yaml: fill in the sender's '{field}'; nothing is launched before", file=sys.stderr)
    outdated = _check_invitations(options, campaigns)
    overlooked = _overlooked(options.config) if options.config else []
    print(f"{len(campaigns)} campaigns in order, {len(problems)} refused")
    return max(_told(problems), _told(outdated), _told(overlooked), FINDINGS if unfinished else DONE)


def preview_campaign(options: argparse.Namespace) -> int:
    """Print every message of one campaign."""
    from dangol.campaigns.content import Occasion
    from dangol.campaigns.law import law_of
    from dangol.campaigns.preview import preview
    from dangol.document import nearest

    campaigns, problems = _campaigns(options)
    found = {campaign.id: campaign for campaign in campaigns}.get(options.campaign)
    if found is None:
        _told(problems)
        raise UnreadableFile(options.campaign, f"no campaign in order; {nearest(options.campaign, _ids(campaigns))}")
    settings = _settings(options)
    day = options.on or datetime.now(ZoneInfo(options.time_zone)).date()
    occasion = Occasion(settings.sender, day, options.currency)
    facts = reader_of(options, day)
    print(preview(found, facts, occasion, law_of(settings.country)), end="")
    if options.html:
        _write_html(found, facts, occasion, settings, options.html)
    return DONE


def _ids(campaigns: Sequence["Campaign"]) -> list[str]:
    return [campaign.id for campaign in campaigns]


def _told(problems: Sequence[DangolError]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return FINDINGS if problems else DONE


def _campaigns(options: argparse.Namespace) -> tuple[list["Campaign"], list[DangolError]]:
    """The campaigns that are in order, and what is wrong with the others."""
    from dangol.campaigns.loading import Known, load_campaign
    from dangol.configuration import INVITATIONS
    from dangol.segments.language import catalogue, parse

    names = policy_of(options.config).names
    vocabulary = catalogue(names)
    campaigns: list[Campaign] = []
    problems: list[DangolError] = []
    with _folder(options) as whole:
        folder, invitations = whole / "campaigns", [path.stem for path in whole.glob(INVITATIONS)]
        known = Known(names, lambda rule: parse(rule, vocabulary), options.time_zone, datetime.now(UTC), invitations)
        if not folder.is_dir():
            raise UnreadableFile(str(folder), "does not exist; --config names a folder that holds it")
        for path in sorted(folder.glob("*.yaml")):
            try:
                campaigns.append(load_campaign(path.read_bytes(), str(path), known))
            except InvalidConfiguration as error:
                problems.append(error)
    return campaigns, problems


def _check_invitations(options: argparse.Namespace, campaigns: Sequence["Campaign"]) -> list[DangolError]:
    """What is wrong with the invitations of a folder, and which of them come too late for the campaigns."""
    from dangol.campaigns.invitations.loading import load_invitation
    from dangol.configuration import INVITATIONS

    found, problems, now = {}, list[DangolError](), datetime.now(UTC)
    with _folder(options) as whole:
        for path in sorted(whole.glob(INVITATIONS)):
            try:
                found[path.stem] = load_invitation(path.read_bytes(), str(path), options.time_zone)
            except InvalidConfiguration as error:
                problems.append(error)
    named = {campaign.id: found.get(campaign.invitation or "") for campaign in campaigns}
    late = {campaign: one.complaint(now) for campaign, one in named.items() if one}
    return problems + [DangolError(f"{campaign}: {reason}") for campaign, reason in late.items() if reason]


def _overlooked(folder: Path) -> list[DangolError]:
    """Files in the folders of campaigns and invitations that are called otherwise than these are."""
    names = [PurePath(name) for name in left_alone(folder)]
    reason = "is no part of the configuration: its files are called"
    kinds = {"campaigns": "campaigns/ID.yaml", "invitations": "invitations/ID.yaml"}
    return [
        UnreadableFile(str(folder / name), f"{reason} {kinds[top]}")
        for name in names
        if (top := name.parts[0]) in kinds
    ]


@contextmanager
def _folder(options: argparse.Namespace) -> Iterator[Path]:
    """The configuration folder; the one shipped with Dangol where none is given."""
    with as_file(files("dangol") / "defaults") as defaults:
        yield options.config or defaults


def _settings(options: argparse.Namespace) -> "Settings":
    from dangol.campaigns.settings import SETTINGS_FILE, default_settings, load_settings

    file = (options.config or Path()) / SETTINGS_FILE
    return load_settings(file.read_bytes(), str(file)) if options.config and file.exists() else default_settings()


def _write_html(campaign: "Campaign", facts: "Facts", occasion: "Occasion", settings: "Settings", folder: Path) -> None:
    from dangol.campaigns.law import law_of
    from dangol.campaigns.preview import UNSUBSCRIBE_URL
    from dangol.campaigns.wording import write
    from dangol.channels import EMAIL, email

    folder.mkdir(parents=True, exist_ok=True)
    for number, step in enumerate(campaign.steps, 1):
        for variant in step.variants.get(EMAIL, ()):
            if content := write(variant, facts, campaign.coupon, occasion):
                mail = email.compose(content, occasion, law_of(settings.country), campaign.advertising, UNSUBSCRIBE_URL)
                file = folder / f"{campaign.id}-{number}-{variant.id}.html"
                file.write_text(mail.html, encoding="utf-8")
                print(f"wrote {file}", file=sys.stderr)
