"""A deployed stack, for commands with `--stack NAME`."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dangol.errors import DangolError
from dangol.shop import Shop

if TYPE_CHECKING:
    from dangol.aws.objects import S3Store
    from dangol.aws.runs import DynamoRuns
    from dangol.aws.stacks import Deployment
    from dangol.ledger.store import FolderStore, ObjectStore

_TOLD_EVERY = 100
"""Objects."""
_SIGNED_OUT = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
"""Codes by which AWS says that credentials are over or unknown."""
_LONGEST = 900
"""Seconds that a function may take."""

Run = Callable[[argparse.Namespace], int]


def add_stack_to(parser: argparse.ArgumentParser) -> None:
    """Declare which stack to ask instead of reading files."""
    parser.add_argument("--stack", metavar="NAME", help="ask the deployed stack of this name instead of reading files")
    add_cache_to(parser)


def add_cache_to(parser: argparse.ArgumentParser) -> None:
    """Declare where the ledger is copied to."""
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder for a copy of the stack's ledger, which holds personal data (default: ~/.cache/dangol/BUCKET)",
    )


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack and the clients to speak to it; its region and credentials are those of AWS's own environment."""

    deployment: "Deployment"
    boto3: Any

    @property
    def shop(self) -> Shop:
        """As it was deployed."""
        return Shop(self.deployment.parameter("TimeZone"), self.deployment.parameter("Currency"))

    def today(self) -> date:
        """The date the stack takes as today."""
        fixed = self.deployment.parameter("FixedDate")
        return date.fromisoformat(fixed) if fixed else self.shop.date_of(datetime.now(UTC))

    def bucket(self) -> "S3Store":
        """The bucket."""
        from dangol.aws.objects import S3Store

        return S3Store(self.boto3.client("s3"), self.deployment.output("BucketName"))

    def runs(self) -> "DynamoRuns":
        """Table `Runs`."""
        from dangol.aws.runs import DynamoRuns

        return DynamoRuns(self.boto3.resource("dynamodb"), self.deployment.output("RunsTableName"))

    def members(self, segment: str) -> Iterator[tuple[str, str]]:
        """(customer_id, ISO date since when) of everybody in a segment, by table `Memberships`."""
        from dangol.aws.members import members_of

        return members_of(
            self.boto3.resource("dynamodb").Table(self.deployment.output("MembershipsTableName")), segment
        )

    def ledger(self, cache: Path | None, keys_of: "Callable[[ObjectStore], Iterable[str]]") -> "FolderStore":
        """A copy of the ledger on this machine, brought up to date (see mirror)."""
        from dangol.ledger.mirror import mirror

        folder = cache or _caches() / self.deployment.output("BucketName")
        return mirror(self.bucket(), folder, keys_of, _tell_copied)


def invoke(stack: Stack, output: str, asked: Mapping[str, Any]) -> Any:
    """Call the function that an output of the stack names; its answer. Raises DangolError when it fails."""
    from botocore.config import Config

    patient = Config(read_timeout=_LONGEST + 10, retries={"max_attempts": 0})
    client = stack.boto3.client("lambda", config=patient)
    answer = client.invoke(FunctionName=stack.deployment.output(output), Payload=json.dumps(asked).encode())
    found = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise DangolError(f"the stack could not do it: {found.get('errorMessage', 'see the log of the function')}")
    return found


def open_stack(name: str) -> Stack:
    """Find a stack by its name. Raises DangolError when there is none, or nothing to speak to AWS with."""
    boto3 = _boto3()
    from dangol.aws.stacks import deployment

    return Stack(deployment(boto3.client("cloudformation"), name), boto3)


def telling_of_aws(run: Run) -> Run:
    """A command, with what AWS answers told in a line."""

    @wraps(run)
    def told(options: argparse.Namespace) -> int:
        if options.stack is None:
            return run(options)
        _boto3()
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return run(options)
        except ClientError as error:
            raise DangolError(f"AWS refused {error.operation_name}: {_answer(error.response)}") from error
        except BotoCoreError as error:
            hint = "set AWS_PROFILE, or credentials and AWS_DEFAULT_REGION, in the environment"
            raise DangolError(f"AWS cannot be asked: {error}; {hint}") from error

    return told


def _tell_copied(done: int, of: int) -> None:
    if done % _TOLD_EVERY == 0 or done == of:
        print(f"copied {done:,} of {of:,} objects of the ledger", file=sys.stderr)


def _boto3() -> Any:
    try:
        return import_module("boto3")
    except ModuleNotFoundError as error:
        raise DangolError("--stack needs boto3, which is not installed: pip install 'dangol[aws]'") from error


def _answer(response: Mapping[str, Any]) -> str:
    error = response.get("Error", {})
    code = error.get("Code", "unknown error")
    hint = "; sign in again, or renew the credentials in the environment" if code in _SIGNED_OUT else ""
    return f"{code}, {error.get('Message', 'without a reason')}{hint}"


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dangol"
