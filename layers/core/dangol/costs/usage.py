"""How much of AWS a message, an order and a month take. Measured units are named with where they were measured."""

from collections.abc import Iterable
from dataclasses import dataclass

from dangol.channels import EMAIL
from dangol.costs.prices import Usage

DAYS = 30
"""Of a month."""

# A message of a campaign; python -m benchmarks.campaigns: 2,024 write units and 20 calls a thousand e-mails.
WRITES_RECORDED, WRITES_CLAIMED, WRITES_SHARED = 1.0, 1.0, 0.024
"""Write units: of what became of a message, also of one that is not sent; of the claim; of calls, batches and runs."""
READS_A_RECIPIENT = 2.0
"""Read units: the profile, and what is known of the message."""
READS_MEASURED = 1.5
"""Half a unit each day until all of the run are over: three days where messages expire after one."""
READS_AN_EMAIL = 1.0
"""What is known of the message once more, when SES tells that it took it."""
SECONDS_A_THOUSAND, SENDER_GB = 20.0, 1.0
"""Of function `deliver`: how long a thousand messages take it at 50 a second, the rate that SES gives; its memory."""
EVENTS_AN_EMAIL, OPENED = 4.0, 0.25
"""What SES tells of an e-mail (send, delivery, open, click), and the share of e-mails that are opened."""
QUEUE_REQUESTS_AN_EVENT = 1.5
"""It is put on a queue, and taken from it among others."""
WRITES_OPENED = 2.0
"""The answer of a message, and the customer's row."""

# An order and a day; docs/adr/0005, python -m benchmarks.shards.
WRITES_AN_ORDER, WRITES_MOVED = 4.0, 3.0
"""The customer, two memberships, the profile; and again without the profile when time moves them later."""
EVENTS_MOVED = 2.0
"""One segment left, one entered."""
BYTES_AN_ORDER, KB_A_CUSTOMER = 60, 2.0
"""In the ledger; in all tables."""
INGEST_GB_SECONDS = 2.0 * 2.94
"""Two seconds of 3,008 MB a file."""
REFRESH_GB_SECONDS = 0.75 * 1.73
"""Of a shard with 156,250 orders."""
DAILY_GB_SECONDS = 10 * 1.73
"""Of planning and reporting together."""
MEASURE_GB_SECONDS, MEASURE_GB_SECONDS_A_SHARD = 3 * 2.94, 0.2 * 2.94
"""Of function `measure` a day; beside that of a shard with 156,250 orders, while a campaign is measured: 0.06 s to read
its files, the rest to fetch them."""
S3_READS_MEASURED, S3_WRITES_MEASURED = 4, 2
"""Of a shard, listings as writes."""
S3_WRITES_A_REFRESH, S3_READS_A_REFRESH, S3_WRITES_A_PART = 12, 10, 2
"""A refresh that writes, listings included; a file writes a part of the orders and of their owners a shard."""
TRANSITIONS_A_SHARD = 4
LOOKS = DAYS * 24 * 60
"""Of function `launch`: one a minute."""
LOOK_GB_SECONDS, READS_A_LOOK = 0.25 * 0.5, 2.0
POLLED_QUEUES, POLLS_A_QUEUE = 6, 5 * 3 * LOOKS
"""Lambda asks each queue without a pause: five at a time, each for twenty seconds."""
ALARMS, DASHBOARDS, SECRETS = 13, 1, 3


@dataclass(frozen=True, slots=True)
class Messages:
    """One channel's messages of a campaign."""

    channel: str
    asked: float
    """People who are looked at, those included who are skipped."""
    sent: float


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop beside its campaigns."""

    orders: float
    """New counted orders a month."""
    customers: int
    orders_kept: int
    """Of all time."""
    shards: int
    files: float = DAYS
    """Dropped a month; each touches every shard."""


def together(usages: Iterable[Usage]) -> Usage:
    """Their sum."""
    total: dict[str, float] = {}
    for usage in usages:
        for what, quantity in usage.items():
            total[what] = total.get(what, 0.0) + quantity
    return {what: quantity for what, quantity in total.items() if quantity}


def usage_of_messages(messages: Iterable[Messages]) -> Usage:
    """What messages take, and what becomes of them."""
    return together(_of_messages(one) for one in messages)


def _of_messages(one: Messages) -> Usage:
    emails = one.sent if one.channel == EMAIL else 0.0
    events = emails * EVENTS_AN_EMAIL
    writes = one.asked * WRITES_RECORDED + one.sent * (WRITES_CLAIMED + WRITES_SHARED)
    return {
        "emails": emails,
        "notifications": events + one.sent - emails,
        "queue_requests": events * QUEUE_REQUESTS_AN_EVENT,
        "dynamodb_writes": writes + emails * OPENED * WRITES_OPENED,
        "dynamodb_reads": one.asked * (READS_A_RECIPIENT + READS_MEASURED) + emails * READS_AN_EMAIL,
        "lambda_gb_seconds": one.sent / 1_000 * SECONDS_A_THOUSAND * SENDER_GB,
    }


def usage_of_month(shop: Shop, campaigns: int = 0) -> Usage:
    """What a month of a shop takes beside the messages of its campaigns, so many of which are live."""
    return together((_of_orders(shop), _of_time(shop), _of_measuring(shop, campaigns), _standing(shop, campaigns)))


def _of_orders(shop: Shop) -> Usage:
    """Of files and orders; each order moves its customer once, and once more when time passes."""
    return {
        "dynamodb_writes": shop.orders * (WRITES_AN_ORDER + WRITES_MOVED),
        "events": shop.orders * 2 * EVENTS_MOVED + shop.files * 2,
        "lambda_gb_seconds": shop.files * INGEST_GB_SECONDS,
        "s3_writes": shop.files * shop.shards * S3_WRITES_A_PART,
    }


def _of_time(shop: Shop) -> Usage:
    """Of refreshes: one a file and shard, one a day and shard."""
    refreshes = shop.shards * (shop.files + DAYS)
    return {
        "lambda_gb_seconds": refreshes * REFRESH_GB_SECONDS + DAYS * DAILY_GB_SECONDS,
        "lambda_requests": refreshes + shop.files + 2 * DAYS,
        "s3_writes": refreshes * S3_WRITES_A_REFRESH,
        "s3_reads": refreshes * S3_READS_A_REFRESH,
        "transitions": shop.shards * DAYS * TRANSITIONS_A_SHARD,
    }


def _of_measuring(shop: Shop, campaigns: int) -> Usage:
    """Of function `measure`: each day, and each shard where there are campaigns, one of which is always measured."""
    shards = DAYS * shop.shards if campaigns else 0
    return {
        "lambda_gb_seconds": DAYS * MEASURE_GB_SECONDS + shards * MEASURE_GB_SECONDS_A_SHARD,
        "lambda_requests": DAYS,
        "s3_writes": shards * S3_WRITES_MEASURED,
        "s3_reads": shards * S3_READS_MEASURED,
    }


def _standing(shop: Shop, campaigns: int) -> Usage:
    """Of what is there and looks around, whatever happens."""
    return {
        "scheduler": LOOKS,
        "lambda_requests": LOOKS,
        "lambda_gb_seconds": LOOKS * LOOK_GB_SECONDS,
        "s3_writes": LOOKS,
        "s3_reads": LOOKS,
        "dynamodb_reads": LOOKS * (READS_A_LOOK + campaigns),
        "queue_requests": POLLED_QUEUES * POLLS_A_QUEUE,
        "s3_storage": shop.orders_kept * BYTES_AN_ORDER / 1e9,
        "dynamodb_storage": shop.customers * KB_A_CUSTOMER / 1e6,
        "alarms": ALARMS,
        "dashboards": DASHBOARDS,
        "secrets": SECRETS,
    }
