"""What the doors of several moves have in common: clients, tables, the bucket, the bus, a database to compute in."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from dangol.aws.bus import EventBridgeBus
from dangol.aws.objects import S3Store
from dangol.aws.runs import DynamoRuns
from dangol.scratch import scratch
from dangol.wiring import environment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dangol.aws.deliveries import DynamoDeliveries
    from dangol.aws.profiles import DynamoProfiles
    from dangol.moves.ingest import Secrets

_UNSET = "none"
"""The secret of who has no protected workbooks."""


@cache
def store() -> S3Store:
    """The bucket."""
    return S3Store(boto3.client("s3"), environment.settings().bucket)


@cache
def runs() -> DynamoRuns:
    """Table `Runs`."""
    return DynamoRuns(dynamodb(), environment.settings().runs_table)


@cache
def bus() -> EventBridgeBus:
    """The project's event bus."""
    return EventBridgeBus(boto3.client("events"), environment.settings().event_bus)


@cache
def profiles() -> "DynamoProfiles":
    """Table `Profiles`."""
    from dangol.aws.profiles import DynamoProfiles

    return DynamoProfiles(dynamodb(), environment.variable("DANGOL_PROFILES_TABLE"))


@cache
def deliveries() -> "DynamoDeliveries":
    """Table `Deliveries`."""
    from dangol.aws.deliveries import DynamoDeliveries

    return DynamoDeliveries(dynamodb(), environment.variable("DANGOL_DELIVERIES_TABLE"))


@contextmanager
def scratch_database() -> "Iterator[tuple[DuckDBPyConnection, Path]]":
    """A fresh database and a folder that end with the invocation."""
    from dangol.engine import connect

    with scratch() as folder:
        connection = connect(environment.settings().shop, folder, environment.duckdb_mb())
        try:
            yield connection, folder
        finally:
            connection.close()


@cache
def client(service: str) -> Any:
    """Of an AWS service."""
    return boto3.client(service)


@cache
def dynamodb() -> Any:
    """The resource."""
    return boto3.resource("dynamodb")


def now() -> datetime:
    """UTC."""
    return datetime.now(UTC)


def secret(variable: str) -> str:
    """The secret whose ARN a variable of the environment has."""
    return str(client("secretsmanager").get_secret_value(SecretId=environment.variable(variable))["SecretString"])


def secrets() -> "Secrets":
    """What reading files takes."""
    from dangol.moves.ingest import Secrets

    identity, password = map(secret, ("DANGOL_IDENTITY_KEY_ARN", "DANGOL_FILE_PASSWORD_ARN"))
    return Secrets(identity.encode(), None if password == _UNSET else password)


def tried_again_soon(event: Mapping[str, Any], queue_url: str) -> AbstractContextManager[None]:
    """Have the messages of an SQS event come again soon if anything fails; `queue_url` names a variable."""
    from dangol.aws.retries import tried_again_soon as again

    return again(client("sqs"), environment.variable(queue_url), event["Records"])
