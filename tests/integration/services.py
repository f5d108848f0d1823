"""Stand-ins for SES and SNS, of which moto has not what senders need, and what tests of them share."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.integration.conftest import Aws, body_of, example, with_body
from tests.senders import profile_row

RUN = "hello-20261124T0300Z"
MESSAGING = """country: KR
sender: {name: 단골상점, email: hello@dangol.kr, phone: 02-123-4567, address: 서울, url: "https://dangol.kr"}
global_holdout: 0.001
"""


class Ses:
    """SES's client: keeps what it is sent, and answers as the test says."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.statuses: list[str] = []
        self.quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 1_000.0, "SentLast24Hours": 0.0}
        self.account = {"SendingEnabled": True, "ProductionAccessEnabled": True}
        self.verified = {"dangol.kr": True}

    def send_bulk_email(self, **call: Any) -> dict[str, Any]:
        self.sent.append(call)
        results = [{"Status": "SUCCESS", "MessageId": f"m{n}"} for n in range(len(call["BulkEmailEntries"]))]
        for result, status in zip(results, self.statuses, strict=False):
            result["Status"] = status
        return {"BulkEmailEntryResults": results}

    def get_account(self) -> dict[str, Any]:
        return self.account | {"SendQuota": self.quota}

    def get_email_identity(self, EmailIdentity: str) -> dict[str, Any]:  # noqa: N803
        if EmailIdentity not in self.verified:
            raise ClientError({"Error": {"Code": "NotFoundException"}}, "GetEmailIdentity")
        return {"VerifiedForSendingStatus": self.verified[EmailIdentity]}


class Sns:
    """SNS's client."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def create_platform_endpoint(self, PlatformApplicationArn: str, Token: str) -> dict[str, str]:  # noqa: N803
        return {"EndpointArn": f"{PlatformApplicationArn.replace(':app/', ':endpoint/')}/{Token}"}

    def publish(self, **call: Any) -> dict[str, str]:
        self.published.append(call)
        return {"MessageId": f"p{len(self.published)}"}


def put_person(aws: Aws) -> None:
    boto3.resource("dynamodb").Table(aws.profiles).put_item(Item=profile_row("c1"))


def tracked(kind: str, to: str = "c1@example.com", **details: Any) -> dict[str, Any]:
    event = example("track")
    body = {**body_of(event), "eventType": kind}
    body["mail"] = body["mail"] | {"destination": [to]}
    body[kind.lower()] = {"timestamp": "2026-11-24T03:05:00.000Z"} | details
    return with_body(event, body)
