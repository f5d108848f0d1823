"""A deployed stack as the command line sees it: its name leads to moto's resources, its functions are called here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError
from dangol.cli.main import main

from tests.integration.conftest import REGION, SHARDS, TODAY, Aws, Context

Handler = Callable[[dict[str, Any], Any], Any]


class Ran(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


Dangol = Callable[..., Ran]


class CloudFormation:
    """Of its client, what names a stack: moto's wants packages that nothing else here does."""

    def __init__(self, stacks: Mapping[str, Mapping[str, Any]]) -> None:
        self._stacks = stacks
        self.meta = SimpleNamespace(region_name=REGION)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (the client's own name)
        if StackName not in self._stacks:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        return {"Stacks": [{"StackName": StackName, **self._stacks[StackName]}]}


class Lambda:
    """Of its client, what calls a function and waits: moto's runs them in containers."""

    def __init__(self, functions: Mapping[str, Handler]) -> None:
        self._functions = functions

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        try:
            answer = self._functions[FunctionName](json.loads(Payload), Context())
        except Exception as error:
            told = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def deploy(aws: Aws, monkeypatch: pytest.MonkeyPatch, functions: Mapping[str, Handler] | None = None) -> None:
    """Make stack `shop`, with some functions by the names of their outputs, and `website`, another project's."""
    functions = functions or {}
    outputs = {
        "BucketName": aws.bucket,
        "RunsTableName": aws.runs,
        "MembershipsTableName": aws.memberships,
        "ProfilesTableName": aws.profiles,
        "InvitationsTableName": aws.invitations,
    } | {name: name for name in functions}
    parameters = {"TimeZone": "Asia/Seoul", "Currency": "KRW", "FixedDate": TODAY, "NumberOfShards": str(SHARDS)}
    shop = {
        "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()],
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    }
    doors = {"cloudformation": CloudFormation({"shop": shop, "website": {}}), "lambda": Lambda(functions)}
    client = boto3.client
    monkeypatch.setattr(boto3, "client", lambda name, **more: doors.get(name) or client(name, **more))


def command(capsys: pytest.CaptureFixture[str], *words: str) -> Dangol:
    """`dangol words… arguments… --stack shop`."""

    def run(*arguments: str) -> Ran:
        status = main([*words, *arguments, "--stack", "shop"])
        out, err = capsys.readouterr()
        lines = [line for line in out.splitlines(keepends=True) if '"service":"dangol"' not in line]
        return Ran(status, "".join(lines), err)  # without the functions' logs

    return run
