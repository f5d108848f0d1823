"""The doors of campaigns: what launches, sends, takes answers, and lists people for ad platforms."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import boto3

from dangol.wiring import environment, shared

if TYPE_CHECKING:
    from dangol.aws.batch_queue import SqsJournal
    from dangol.aws.pushes import SnsPusher
    from dangol.campaigns.definition import Campaign
    from dangol.campaigns.invitations.definition import Invitation
    from dangol.moves.audiences import Exporter
    from dangol.moves.campaign.deliver import Deliverer
    from dangol.moves.campaign.launch import Launcher
    from dangol.moves.campaign.messages import Batch, Quota
    from dangol.moves.campaign.posts import Post
    from dangol.moves.campaign.respond import Responder


def launcher() -> "Launcher":
    """The door of function `launch`, for the configuration that is live now."""
    from dangol.aws.batch_queue import DynamoAudience, SqsBatchQueue
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.aws.mail import SesAccount
    from dangol.aws.notices import DynamoNoticeList
    from dangol.moves.campaign.launch import Doors, Launcher
    from dangol.moves.configure import live_configuration

    chosen, live = environment.settings(), live_configuration(shared.store())
    account, sender = SesAccount(shared.client("sesv2")), live.messaging.sender.email
    invitations = {invitation.id: invitation for invitation in live.invitations(chosen.shop.time_zone)}
    doors = Doors(
        DynamoCampaigns(shared.dynamodb(), chosen.runs_table),
        DynamoAudience(shared.dynamodb().Table(chosen.memberships_table)),
        SqsBatchQueue(shared.client("sqs"), environment.variable("DANGOL_DELIVERY_QUEUE_URL")),
        shared.bus(),
        shared.store(),
        lambda campaign: _outdated(campaign, invitations) or account.complaint(campaign, sender),
        DynamoNoticeList(shared.dynamodb(), chosen.runs_table),
    )
    return Launcher(doors, live.launched(chosen.shop.time_zone), live.messaging, shared.now)


def deliverer() -> "Deliverer":
    """The door of function `deliver`, for the configuration that is live now."""
    from uuid import uuid4

    from dangol.aws.batch_queue import SqsBatchQueue
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.aws.orders import last_orders
    from dangol.ledger.shelves import read_shelves
    from dangol.moves.campaign.deliver import Deliverer
    from dangol.moves.campaign.rounds import Clock, Outside
    from dangol.moves.configure import live_configuration

    chosen, live = environment.settings(), live_configuration(shared.store())
    campaigns = DynamoCampaigns(shared.dynamodb(), chosen.runs_table)
    outside = Outside(
        campaigns=campaigns,
        profiles=shared.profiles(),
        book=shared.profiles(),
        deliveries=shared.deliveries(),
        calls=campaigns,
        posts=_posts(),
        quota=_quotas,
        queue=SqsBatchQueue(shared.client("sqs"), environment.variable("DANGOL_DELIVERY_QUEUE_URL")),
        purchases=lambda people: last_orders(shared.dynamodb(), chosen.customers_table, people),
        shelves=lambda: read_shelves(shared.store()),
        links=lambda batch, person: _answer_links(definitions[batch.campaign], invitations, batch, person),
    )
    definitions = live.launched(chosen.shop.time_zone)
    invitations = {invitation.id: invitation for invitation in live.invitations(chosen.shop.time_zone)}
    clock = Clock(shared.now, time.sleep)
    return Deliverer(outside, definitions, live.messaging, chosen.shop, clock, lambda: uuid4().hex)


def responder() -> "Responder":
    """The door of function `respond`, for the invitations that are live now."""
    from dangol.aws.replies import DynamoReplies
    from dangol.configuration import invitation_of, messaging_of
    from dangol.moves.campaign.respond import Responder
    from dangol.moves.configure import live_files

    files, time_zone = live_files(shared.store()), environment.settings().shop.time_zone
    return Responder(
        replies=DynamoReplies(shared.dynamodb(), environment.variable("DANGOL_INVITATIONS_TABLE")),
        answers=shared.deliveries(),
        guests=shared.profiles(),
        find=lambda invitation: invitation_of(files, invitation, time_zone),
        keys=link_keys(),
        host=messaging_of(files).sender,
        clock=shared.now,
    )


def audience_exporter() -> "Exporter":
    """The door of function `export_audiences`, for the configuration that is live now."""
    from dangol.aws.members import DynamoReaders
    from dangol.moves.audiences import Exporter, Lists
    from dangol.moves.configure import live_configuration

    chosen = environment.settings()
    readers = DynamoReaders(shared.dynamodb().Table(chosen.memberships_table), shared.profiles())
    live = live_configuration(shared.store())
    return Exporter(Lists(shared.store(), shared.runs()), readers, live, chosen.shop.time_zone, chosen.today())


@cache
def journal() -> "SqsJournal":
    """The queue of what became of messages."""
    from dangol.aws.batch_queue import SqsJournal

    return SqsJournal(shared.client("sqs"), environment.variable("DANGOL_ENGAGEMENT_QUEUE_URL"))


@cache
def link_keys() -> tuple[bytes, ...]:
    """What signs links, and what signed them before it was changed."""
    client, found = shared.client("secretsmanager"), []
    for stage in ("AWSCURRENT", "AWSPREVIOUS"):
        try:
            secret = client.get_secret_value(SecretId=environment.variable("DANGOL_LINK_KEY_ARN"), VersionStage=stage)
        except client.exceptions.ResourceNotFoundException:
            continue
        found.append(str(secret["SecretString"]).encode())
    return tuple(found)


@cache
def _posts() -> "Mapping[str, Post]":
    from dangol.aws.mail import ONE_TRY, SesMailer
    from dangol.channels import EMAIL, PUSH
    from dangol.moves.campaign.posts import EmailPost, PushPost

    mailer = SesMailer(boto3.client("sesv2", config=ONE_TRY), environment.variable("DANGOL_EMAIL_CONFIGURATION_SET"))
    email = EmailPost(mailer, environment.variable("DANGOL_UNSUBSCRIBE_URL"), link_keys()[0])
    return {EMAIL: email, PUSH: PushPost(pusher(), shared.now)}


@cache
def pusher() -> "SnsPusher":
    """What sends pushes."""
    from dangol.aws.mail import ONE_TRY
    from dangol.aws.pushes import SnsPusher

    applications = {name: environment.variable(f"DANGOL_{name.upper()}_APPLICATION_ARN") for name in ("fcm", "apns")}
    return SnsPusher(boto3.client("sns", config=ONE_TRY), applications)


def _outdated(campaign: "Campaign", invitations: "Mapping[str, Invitation]") -> str | None:
    """Why a campaign can invite nobody any more, and what to do."""
    invitation = invitations.get(campaign.invitation or "")
    return invitation.complaint(shared.now()) if invitation else None


def _answer_links(
    campaign: "Campaign", invitations: "Mapping[str, Invitation]", batch: "Batch", person: str
) -> dict[str, str]:
    from dangol.campaigns.invitations.links import Invited, answer_links

    invitation = invitations.get(campaign.invitation or "")
    if invitation is None or not invitation.offered(shared.now()):
        return {}
    invited = Invited(person, invitation.id, batch.run, batch.step, batch.channel)
    return answer_links(invited, invitation.answer_by, environment.variable("DANGOL_RESPOND_URL"), link_keys()[0])


def _quotas(campaign: "Campaign", channel: str) -> "Sequence[Quota]":
    """What a campaign's messages are counted against: SES's quota, and the campaign's own."""
    from dangol.aws.quota import Rate, SesQuota
    from dangol.channels import EMAIL

    table = shared.dynamodb().Table(environment.settings().runs_table)
    own = [Rate(table, f"campaign-{campaign.id}", campaign.per_hour / 3600)] if campaign.per_hour else []
    return [*own, *([SesQuota(table, shared.client("sesv2"))] if channel == EMAIL else [])]
