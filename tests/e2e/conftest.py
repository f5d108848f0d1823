"""The real template on the local AWS, where each function has no more than its own role."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from examples.sandbox.local_aws import REGION, ROOT, LocalAws

TODAY = "2026-11-22"
"""The date that the stack takes as today."""


@dataclass(frozen=True)
class Stack:
    """The deployed template: `outputs` by name, and clients to look into it."""

    name: str
    aws: LocalAws
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        """A client that may do everything."""
        return self.aws.client(service)

    def client_of(self, function: str, service: str) -> Any:
        """A client that may do what the function `functions/<function>` may."""
        iam = self.client("iam")
        name = self.physical_id("".join(word.title() for word in function.split("_")) + "FunctionRole")
        role = iam.get_role(RoleName=name)["Role"]
        account, trust = role["Arn"].split(":")[4], role["AssumeRolePolicyDocument"]
        trust["Statement"].append({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"})
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        keys = self.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        return self._client_with(service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def client_with_policy(self, policy_arn: str, service: str) -> Any:
        """A client that may do what one policy allows."""
        iam, user = self.client("iam"), f"{self.name}-{policy_arn.rsplit('/', 1)[-1]}"
        iam.create_user(UserName=user)
        iam.attach_user_policy(UserName=user, PolicyArn=policy_arn)
        keys = iam.create_access_key(UserName=user)["AccessKey"]
        return self._client_with(service, keys["AccessKeyId"], keys["SecretAccessKey"])

    def physical_id(self, logical_id: str) -> str:
        """The name that a resource of the template was given."""
        resource = self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(resource["StackResourceDetail"]["PhysicalResourceId"])

    def _client_with(self, service: str, *keys: str) -> Any:
        session = boto3.Session(*keys, region_name=REGION)
        return session.client(service, endpoint_url=self.aws.endpoint, verify=str(self.aws.certificate))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """One stack for all tests. DANGOL_TEMPLATE names another template, such as the one that `sam build` makes."""
    pytest.importorskip("ministack", reason="the local AWS is the package ministack")
    template = Path(os.environ.get("DANGOL_TEMPLATE", ROOT / "template.yaml")).resolve()
    with LocalAws.start(auth=True) as aws:
        yield Stack("dangol", aws, aws.deploy("dangol", template, NumberOfShards="4", FixedDate=TODAY))
