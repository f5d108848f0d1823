"""The doors of what keeps a stack in order: its configuration, and who asks to be forgotten."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import boto3

from dangol.aws.requests import SqsRefreshQueue
from dangol.moves.configure import Configure
from dangol.wiring import campaign, environment, shared

if TYPE_CHECKING:
    from dangol.aws.erasure import DynamoErasure
    from dangol.moves.forget import Forgetter


@cache
def configure() -> Configure:
    """The door of function `configure`."""
    return Configure(shared.store(), shared.runs(), shared.bus(), _refresh_all())


def _refresh_all() -> Callable[[str], None]:
    client, machine = boto3.client("stepfunctions"), environment.variable("DANGOL_DAILY_STATE_MACHINE_ARN")

    def start(reason: str) -> None:
        client.start_execution(stateMachineArn=machine, input=f'{{"reason": "{reason}"}}')

    return start


@contextmanager
def forgetter() -> "Iterator[Forgetter]":
    """The door of function `forget`, with scratch space of its own."""
    from dangol.aws.erasure import DroppedFiles, is_any_busy
    from dangol.channels.audiences.export import STATES
    from dangol.moves.forget import Forgetter
    from dangol.moves.forget_doors import Clock, Outside

    chosen, secrets = environment.settings(), shared.secrets()
    sqs = shared.client("sqs")
    dropped = DroppedFiles(shared.dynamodb(), chosen.runs_table, shared.client("s3"), chosen.bucket)
    busy = [environment.variable(name) for name in ("DANGOL_INGEST_QUEUE_URL", "DANGOL_ENGAGEMENT_QUEUE_URL")]
    outside = Outside(
        store=shared.store(),
        tables=_erasable_tables(),
        queue=SqsRefreshQueue(sqs, chosen.refresh_queue_url),
        runs=shared.runs(),
        is_taken=dropped.is_taken,
        is_busy=lambda: is_any_busy(sqs, busy),
        export=lambda: campaign.audience_exporter().export() if shared.store().keys(STATES) else None,
        forget_token=campaign.pusher().forget,
    )
    clock = Clock(shared.now, chosen.today, time.sleep)
    with shared.scratch_database() as (connection, folder):
        yield Forgetter(connection, outside, clock, secrets.identity_key, folder, secrets.file_password)


def _erasable_tables() -> "DynamoErasure":
    from dangol.aws.erasure import DynamoErasure, TableNames
    from dangol.moves.configure import live_configuration

    chosen = environment.settings()
    names = TableNames(
        customers=chosen.customers_table,
        memberships=chosen.memberships_table,
        profiles=environment.variable("DANGOL_PROFILES_TABLE"),
        deliveries=environment.variable("DANGOL_DELIVERIES_TABLE"),
        invitations=environment.variable("DANGOL_INVITATIONS_TABLE"),
        runs=chosen.runs_table,
    )
    return DynamoErasure(shared.dynamodb(), names, live_configuration(shared.store()).policy.names)
