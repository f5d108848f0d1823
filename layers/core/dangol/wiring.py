"""The one place that reads the environment and builds clients, once per container.

Each door of the system (one per function) is built here when it is first asked for. What computes is
imported by the doors that need it, so that the others start fast.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from dangol.aws.bus import EventBridgeBus
from dangol.aws.objects import S3Store
from dangol.aws.requests import DailyRun, SqsRefreshQueue
from dangol.aws.runs import DynamoRuns
from dangol.moves.configure import Configure
from dangol.scratch import scratch
from dangol.shop import Shop

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.aws.batch_queue import SqsJournal
    from dangol.aws.deliveries import DynamoDeliveries
    from dangol.aws.erasure import DynamoErasure
    from dangol.aws.profiles import DynamoProfiles
    from dangol.aws.pushes import SnsPusher
    from dangol.campaigns.definition import Campaign
    from dangol.campaigns.invitations.definition import Invitation
    from dangol.campaigns.settings import Settings as Messaging
    from dangol.erasure.tombstones import Tombstones
    from dangol.moves.audiences import Exporter
    from dangol.moves.campaign.deliver import Deliverer
    from dangol.moves.campaign.launch import Launcher
    from dangol.moves.campaign.messages import Batch, Quota
    from dangol.moves.campaign.posts import Post
    from dangol.moves.campaign.respond import Responder
    from dangol.moves.engage import EngagementRecorder
    from dangol.moves.forget import Forgetter
    from dangol.moves.ingest import Ingest, Secrets
    from dangol.moves.measure import Measurer
    from dangol.moves.refresh import Refresher
    from dangol.moves.report import Report

INGEST_BYTES = 1024**3
"""Unpacked bytes of a file that ingest takes at most: about ten million rows, which fit its memory and disk."""
_UNSET = "none"
"""The secret of who has no protected workbooks."""
_PYTHON_MB = 600
"""MiB of a function's memory that are not DuckDB's: Python, pandas, buffers."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template gives to every function."""

    bucket: str
    customers_table: str
    memberships_table: str
    runs_table: str
    refresh_queue_url: str
    event_bus: str
    shop: Shop
    shards: int
    fixed_date: date | None
    """The date taken as today, for sandboxes and replays."""

    def today(self) -> date:
        """The calendar date in the shop."""
        return self.date_of(datetime.now(UTC))

    def date_of(self, moment: datetime) -> date:
        """The calendar date in the shop at an instant."""
        return self.fixed_date or self.shop.date_of(moment)


@cache
def settings() -> Settings:
    """The environment, read once."""
    fixed = os.environ.get("DANGOL_FIXED_DATE", "")
    return Settings(
        bucket=os.environ["DANGOL_BUCKET"],
        customers_table=os.environ["DANGOL_CUSTOMERS_TABLE"],
        memberships_table=os.environ["DANGOL_MEMBERSHIPS_TABLE"],
        runs_table=os.environ["DANGOL_RUNS_TABLE"],
        refresh_queue_url=os.environ["DANGOL_REFRESH_QUEUE_URL"],
        event_bus=os.environ["DANGOL_EVENT_BUS"],
        shop=Shop(os.environ["DANGOL_TIME_ZONE"], os.environ["DANGOL_CURRENCY"]),
        shards=int(os.environ["DANGOL_SHARDS"]),
        fixed_date=date.fromisoformat(fixed) if fixed else None,
    )


@cache
def store() -> S3Store:
    """The bucket."""
    return S3Store(boto3.client("s3"), settings().bucket)


@cache
def runs() -> DynamoRuns:
    """Table `Runs`."""
    return DynamoRuns(_dynamodb(), settings().runs_table)


@cache
def bus() -> EventBridgeBus:
    """The project's event bus."""
    return EventBridgeBus(boto3.client("events"), settings().event_bus)


@cache
def profiles() -> "DynamoProfiles":
    """Table `Profiles`."""
    from dangol.aws.profiles import DynamoProfiles

    return DynamoProfiles(_dynamodb(), os.environ["DANGOL_PROFILES_TABLE"])


@cache
def deliveries() -> "DynamoDeliveries":
    """Table `Deliveries`."""
    from dangol.aws.deliveries import DynamoDeliveries

    return DynamoDeliveries(_dynamodb(), os.environ["DANGOL_DELIVERIES_TABLE"])


def launcher() -> "Launcher":
    """The door of function `launch`, for the configuration that is live now."""
    from dangol.aws.batch_queue import DynamoAudience, SqsBatchQueue
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.aws.mail import SesAccount
    from dangol.aws.notices import DynamoNoticeList
    from dangol.moves.campaign.launch import Doors, Launcher
    from dangol.moves.configure import live_configuration

    chosen, live = settings(), live_configuration(store())
    account, sender = SesAccount(_client("sesv2")), live.messaging.sender.email
    invitations = {invitation.id: invitation for invitation in live.invitations(chosen.shop.time_zone)}
    doors = Doors(
        DynamoCampaigns(_dynamodb(), chosen.runs_table),
        DynamoAudience(_dynamodb().Table(chosen.memberships_table)),
        SqsBatchQueue(_client("sqs"), os.environ["DANGOL_DELIVERY_QUEUE_URL"]),
        bus(),
        store(),
        lambda campaign: _outdated(campaign, invitations) or account.complaint(campaign, sender),
        DynamoNoticeList(_dynamodb(), chosen.runs_table),
    )
    return Launcher(doors, live.launched(chosen.shop.time_zone), live.messaging, _now)


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

    chosen, live = settings(), live_configuration(store())
    campaigns = DynamoCampaigns(_dynamodb(), chosen.runs_table)
    outside = Outside(
        campaigns=campaigns,
        profiles=profiles(),
        book=profiles(),
        deliveries=deliveries(),
        calls=campaigns,
        posts=_posts(),
        quota=_quotas,
        queue=SqsBatchQueue(_client("sqs"), os.environ["DANGOL_DELIVERY_QUEUE_URL"]),
        purchases=lambda people: last_orders(_dynamodb(), chosen.customers_table, people),
        shelves=lambda: read_shelves(store()),
        links=lambda batch, person: _answer_links(definitions[batch.campaign], invitations, batch, person),
    )
    definitions = live.launched(chosen.shop.time_zone)
    invitations = {invitation.id: invitation for invitation in live.invitations(chosen.shop.time_zone)}
    clock = Clock(_now, time.sleep)
    return Deliverer(outside, definitions, live.messaging, chosen.shop, clock, lambda: uuid4().hex)


def audience_exporter() -> "Exporter":
    """The door of function `export_audiences`, for the configuration that is live now."""
    from dangol.aws.members import DynamoReaders
    from dangol.moves.audiences import Exporter, Lists
    from dangol.moves.configure import live_configuration

    chosen = settings()
    readers = DynamoReaders(_dynamodb().Table(chosen.memberships_table), profiles())
    live = live_configuration(store())
    return Exporter(Lists(store(), runs()), readers, live, chosen.shop.time_zone, chosen.today())


def responder() -> "Responder":
    """The door of function `respond`, for the invitations that are live now."""
    from dangol.aws.replies import DynamoReplies
    from dangol.configuration import invitation_of, messaging_of
    from dangol.moves.campaign.respond import Responder
    from dangol.moves.configure import live_files

    files, time_zone = live_files(store()), settings().shop.time_zone
    return Responder(
        replies=DynamoReplies(_dynamodb(), os.environ["DANGOL_INVITATIONS_TABLE"]),
        answers=deliveries(),
        guests=profiles(),
        find=lambda invitation: invitation_of(files, invitation, time_zone),
        keys=link_keys(),
        host=messaging_of(files).sender,
        clock=_now,
    )


@cache
def journal() -> "SqsJournal":
    """The queue of what became of messages."""
    from dangol.aws.batch_queue import SqsJournal

    return SqsJournal(_client("sqs"), os.environ["DANGOL_ENGAGEMENT_QUEUE_URL"])


@cache
def link_keys() -> tuple[bytes, ...]:
    """What signs links, and what signed them before it was changed."""
    client, found = _client("secretsmanager"), []
    for stage in ("AWSCURRENT", "AWSPREVIOUS"):
        try:
            secret = client.get_secret_value(SecretId=os.environ["DANGOL_LINK_KEY_ARN"], VersionStage=stage)
        except client.exceptions.ResourceNotFoundException:
            continue
        found.append(str(secret["SecretString"]).encode())
    return tuple(found)


def tried_again_soon(event: Mapping[str, Any], queue_url: str) -> AbstractContextManager[None]:
    """Have the messages of an SQS event come again soon if anything fails; `queue_url` names a variable."""
    from dangol.aws.retries import tried_again_soon as again

    return again(_client("sqs"), os.environ[queue_url], event["Records"])


@cache
def daily_run() -> DailyRun:
    """The daily run's task tokens."""
    return DailyRun(boto3.client("stepfunctions"))


@cache
def configure() -> Configure:
    """The door of function `configure`."""
    return Configure(store(), runs(), bus(), _refresh_all())


@cache
def ingest() -> "Ingest":
    """The door of function `ingest`."""
    from dangol.moves.ingest import Ingest, Limits

    chosen = settings()
    queue = SqsRefreshQueue(boto3.client("sqs"), chosen.refresh_queue_url)
    limits = Limits(INGEST_BYTES, _duckdb_mb())
    return Ingest(store(), store(), queue, runs(), bus(), chosen.shop, chosen.shards, chosen.today, limits, _secrets())


@contextmanager
def refresher(messaging: "Messaging") -> "Iterator[Refresher]":
    """The door of function `refresh`, with scratch space of its own; `messaging` is live."""
    from dangol.aws.notices import DynamoNoticeList
    from dangol.aws.tables import DynamoServingTables
    from dangol.moves.notices import NoticeDesk
    from dangol.moves.refresh import Refresher

    chosen = settings()
    tables = DynamoServingTables(_dynamodb(), chosen.customers_table, chosen.memberships_table)
    with scratch_database() as (connection, folder):
        queue = SqsRefreshQueue(boto3.client("sqs"), chosen.refresh_queue_url)
        desk = NoticeDesk.of(messaging, DynamoNoticeList(_dynamodb(), chosen.runs_table), chosen.shop.time_zone)
        yield Refresher(connection, store(), tables, bus(), queue, folder, profiles(), desk)


@contextmanager
def forgetter() -> "Iterator[Forgetter]":
    """The door of function `forget`, with scratch space of its own."""
    from dangol.aws.erasure import DroppedFiles, is_any_busy
    from dangol.channels.audiences.export import STATES
    from dangol.moves.forget import Clock, Forgetter, Outside

    chosen, secrets = settings(), _secrets()
    sqs = _client("sqs")
    dropped = DroppedFiles(_dynamodb(), chosen.runs_table, _client("s3"), chosen.bucket)
    busy = [os.environ[name] for name in ("DANGOL_INGEST_QUEUE_URL", "DANGOL_ENGAGEMENT_QUEUE_URL")]
    outside = Outside(
        store=store(),
        tables=_erasable_tables(),
        queue=SqsRefreshQueue(sqs, chosen.refresh_queue_url),
        runs=runs(),
        is_taken=dropped.is_taken,
        is_busy=lambda: is_any_busy(sqs, busy),
        export=lambda: audience_exporter().export() if store().keys(STATES) else None,
        forget_token=_pusher().forget,
    )
    clock = Clock(_now, chosen.today, time.sleep)
    with scratch_database() as (connection, folder):
        yield Forgetter(connection, outside, clock, secrets.identity_key, folder, secrets.file_password)


@cache
def report() -> "Report":
    """The door of function `report`."""
    from dangol.moves.report import Report

    return Report(store(), runs(), bus(), settings().shop.currency)


@cache
def measurer() -> "Measurer":
    """The door of function `measure`."""
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.moves.measure import Doors, Measurer

    chosen = settings()
    campaigns = DynamoCampaigns(_dynamodb(), chosen.runs_table)
    doors = Doors(store(), campaigns, deliveries(), runs(), bus())
    return Measurer(doors, chosen.shop, chosen.shards)


def keep_borders(as_of: date) -> None:
    """For function `plan_refresh`: note the borders of scores."""
    from dangol.ledger import borders

    with scratch_database() as (connection, folder):
        borders.keep_borders(connection, store(), as_of, folder)


def keep_sales(as_of: date) -> None:
    """For function `plan_refresh`: count what sells, and what sells together."""
    from dangol.ledger import sales

    with scratch_database() as (connection, folder):
        sales.keep_sales(connection, store(), as_of, folder)


@contextmanager
def engagement_recorder() -> "Iterator[EngagementRecorder]":
    """The door of function `record_engagement`."""
    from dangol.moves.engage import EngagementRecorder

    with scratch_database() as (connection, folder):
        yield EngagementRecorder(connection, store(), settings().shards, folder, _tombstones)


@contextmanager
def scratch_database() -> "Iterator[tuple[DuckDBPyConnection, Path]]":
    """A fresh database and a folder that end with the invocation."""
    from dangol.engine import connect

    with scratch() as folder:
        connection = connect(settings().shop, folder, _duckdb_mb())
        try:
            yield connection, folder
        finally:
            connection.close()


@cache
def _posts() -> "Mapping[str, Post]":
    from dangol.aws.mail import ONE_TRY, SesMailer
    from dangol.channels import EMAIL, PUSH
    from dangol.moves.campaign.posts import EmailPost, PushPost

    mailer = SesMailer(boto3.client("sesv2", config=ONE_TRY), os.environ["DANGOL_EMAIL_CONFIGURATION_SET"])
    email = EmailPost(mailer, os.environ["DANGOL_UNSUBSCRIBE_URL"], link_keys()[0])
    return {EMAIL: email, PUSH: PushPost(_pusher(), _now)}


@cache
def _pusher() -> "SnsPusher":
    from dangol.aws.mail import ONE_TRY
    from dangol.aws.pushes import SnsPusher

    applications = {name: os.environ[f"DANGOL_{name.upper()}_APPLICATION_ARN"] for name in ("fcm", "apns")}
    return SnsPusher(boto3.client("sns", config=ONE_TRY), applications)


def _tombstones() -> "Tombstones":
    """Who was erased; without anybody no secret is asked for."""
    from dangol.erasure.tombstones import ERASED_KEY, Tombstones, load_tombstones

    return (
        load_tombstones(store(), _secret("DANGOL_IDENTITY_KEY_ARN").encode())[0]
        if store().keys(ERASED_KEY)
        else Tombstones()
    )


def _erasable_tables() -> "DynamoErasure":
    from dangol.aws.erasure import DynamoErasure, TableNames
    from dangol.moves.configure import live_configuration

    chosen = settings()
    names = TableNames(
        customers=chosen.customers_table,
        memberships=chosen.memberships_table,
        profiles=os.environ["DANGOL_PROFILES_TABLE"],
        deliveries=os.environ["DANGOL_DELIVERIES_TABLE"],
        invitations=os.environ["DANGOL_INVITATIONS_TABLE"],
        runs=chosen.runs_table,
    )
    return DynamoErasure(_dynamodb(), names, live_configuration(store()).policy.names)


def _outdated(campaign: "Campaign", invitations: "Mapping[str, Invitation]") -> str | None:
    """Why a campaign can invite nobody any more, and what to do."""
    invitation = invitations.get(campaign.invitation or "")
    return invitation.complaint(_now()) if invitation else None


def _answer_links(
    campaign: "Campaign", invitations: "Mapping[str, Invitation]", batch: "Batch", person: str
) -> dict[str, str]:
    from dangol.campaigns.invitations.links import Invited, answer_links

    invitation = invitations.get(campaign.invitation or "")
    if invitation is None or not invitation.offered(_now()):
        return {}
    invited = Invited(person, invitation.id, batch.run, batch.step, batch.channel)
    return answer_links(invited, invitation.answer_by, os.environ["DANGOL_RESPOND_URL"], link_keys()[0])


def _quotas(campaign: "Campaign", channel: str) -> "Sequence[Quota]":
    """What a campaign's messages are counted against: SES's quota, and the campaign's own."""
    from dangol.aws.quota import Rate, SesQuota
    from dangol.channels import EMAIL

    table = _dynamodb().Table(settings().runs_table)
    own = [Rate(table, f"campaign-{campaign.id}", campaign.per_hour / 3600)] if campaign.per_hour else []
    return [*own, *([SesQuota(table, _client("sesv2"))] if channel == EMAIL else [])]


@cache
def _client(service: str) -> Any:
    return boto3.client(service)


@cache
def _dynamodb() -> Any:
    return boto3.resource("dynamodb")


def _now() -> datetime:
    return datetime.now(UTC)


def _duckdb_mb() -> int:
    return max(int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")) - _PYTHON_MB, 256)


def _secrets() -> "Secrets":
    from dangol.moves.ingest import Secrets

    identity, password = map(_secret, ("DANGOL_IDENTITY_KEY_ARN", "DANGOL_FILE_PASSWORD_ARN"))
    return Secrets(identity.encode(), None if password == _UNSET else password)


def _secret(variable: str) -> str:
    return str(_client("secretsmanager").get_secret_value(SecretId=os.environ[variable])["SecretString"])


def _refresh_all() -> Callable[[str], None]:
    client, machine = boto3.client("stepfunctions"), os.environ["DANGOL_DAILY_STATE_MACHINE_ARN"]

    def start(reason: str) -> None:
        client.start_execution(stateMachineArn=machine, input=f'{{"reason": "{reason}"}}')

    return start
