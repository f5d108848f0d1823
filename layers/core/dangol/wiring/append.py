"""The doors of what appends to the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import boto3

from dangol.aws.requests import SqsRefreshQueue
from dangol.wiring import environment, shared

if TYPE_CHECKING:
    from dangol.erasure.tombstones import Tombstones
    from dangol.moves.engage import EngagementRecorder
    from dangol.moves.ingest import Ingest

INGEST_BYTES = 1024**3
"""Unpacked bytes of a file that ingest takes at most: about ten million rows, which fit its memory and disk."""


@cache
def ingest() -> "Ingest":
    """The door of function `ingest`."""
    from dangol.moves.ingest import Ingest, Limits

    chosen = environment.settings()
    queue = SqsRefreshQueue(boto3.client("sqs"), chosen.refresh_queue_url)
    limits = Limits(INGEST_BYTES, environment.duckdb_mb())
    return Ingest(
        shared.store(),
        shared.store(),
        queue,
        shared.runs(),
        shared.bus(),
        chosen.shop,
        chosen.shards,
        chosen.today,
        limits,
        shared.secrets(),
    )


@contextmanager
def engagement_recorder() -> "Iterator[EngagementRecorder]":
    """The door of function `record_engagement`."""
    from dangol.moves.engage import EngagementRecorder

    with shared.scratch_database() as (connection, folder):
        yield EngagementRecorder(connection, shared.store(), environment.settings().shards, folder, tombstones)


def tombstones() -> "Tombstones":
    """Who was erased; without anybody no secret is asked for."""
    from dangol.erasure.tombstones import ERASED_KEY, Tombstones, load_tombstones

    return (
        load_tombstones(shared.store(), shared.secret("DANGOL_IDENTITY_KEY_ARN").encode())[0]
        if shared.store().keys(ERASED_KEY)
        else Tombstones()
    )
