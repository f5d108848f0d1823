"""The doors of the refresh, and of what follows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import boto3

from dangol.aws.requests import DailyRun, SqsRefreshQueue
from dangol.wiring import environment, shared

if TYPE_CHECKING:
    from dangol.campaigns.settings import Settings as Messaging
    from dangol.moves.measure import Measurer
    from dangol.moves.refresh import Refresher
    from dangol.moves.report import Report


@contextmanager
def refresher(messaging: "Messaging") -> "Iterator[Refresher]":
    """The door of function `refresh`, with scratch space of its own; `messaging` is live."""
    from dangol.aws.notices import DynamoNoticeList
    from dangol.aws.tables import DynamoServingTables
    from dangol.moves.notices import NoticeDesk
    from dangol.moves.refresh import Refresher

    chosen = environment.settings()
    tables = DynamoServingTables(shared.dynamodb(), chosen.customers_table, chosen.memberships_table)
    with shared.scratch_database() as (connection, folder):
        queue = SqsRefreshQueue(boto3.client("sqs"), chosen.refresh_queue_url)
        desk = NoticeDesk.of(messaging, DynamoNoticeList(shared.dynamodb(), chosen.runs_table), chosen.shop.time_zone)
        yield Refresher(connection, shared.store(), tables, shared.bus(), queue, folder, shared.profiles(), desk)


def keep_borders(as_of: date) -> None:
    """For function `plan_refresh`: note the borders of scores."""
    from dangol.ledger import borders

    with shared.scratch_database() as (connection, folder):
        borders.keep_borders(connection, shared.store(), as_of, folder)


def keep_sales(as_of: date) -> None:
    """For function `plan_refresh`: count what sells, and what sells together."""
    from dangol.ledger import sales

    with shared.scratch_database() as (connection, folder):
        sales.keep_sales(connection, shared.store(), as_of, folder)


@cache
def daily_run() -> DailyRun:
    """The daily run's task tokens."""
    return DailyRun(boto3.client("stepfunctions"))


@cache
def report() -> "Report":
    """The door of function `report`."""
    from dangol.moves.report import Report

    return Report(shared.store(), shared.runs(), shared.bus(), environment.settings().shop.currency)


@cache
def measurer() -> "Measurer":
    """The door of function `measure`."""
    from dangol.aws.campaign_runs import DynamoCampaigns
    from dangol.moves.measure import Doors, Measurer

    chosen = environment.settings()
    campaigns = DynamoCampaigns(shared.dynamodb(), chosen.runs_table)
    doors = Doors(shared.store(), campaigns, shared.deliveries(), shared.runs(), shared.bus())
    return Measurer(doors, chosen.shop, chosen.shards)
