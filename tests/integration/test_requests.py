"""The FIFO queue of refresh requests, and the answer to who waits for one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from dangol.aws.requests import DailyRun, SqsRefreshQueue
from dangol.moves.messages import RefreshRequest

from tests.integration.conftest import Aws

REQUEST = RefreshRequest(7, date(2026, 11, 22), "file", "v1")


def test_a_request_has_its_shard_for_group_and_comes_as_it_was_sent(aws: Aws) -> None:
    SqsRefreshQueue(aws.sqs, aws.refresh_queue).ask([REQUEST])
    (message,) = aws.sqs.receive_message(QueueUrl=aws.refresh_queue, AttributeNames=["All"])["Messages"]
    assert message["Attributes"]["MessageGroupId"] == "shard-7"
    assert RefreshRequest.from_dict(json.loads(message["Body"])) == REQUEST


def test_the_same_request_twice_is_two_requests(aws: Aws) -> None:
    """An id made of the content would swallow the second for five minutes."""
    queue = SqsRefreshQueue(aws.sqs, aws.refresh_queue)
    queue.ask([REQUEST, REQUEST])
    queue.ask([REQUEST])
    assert len(aws.taken(aws.refresh_queue)) == 3


@pytest.fixture
def stub(aws: Aws) -> Iterator[Stubber]:
    with Stubber(boto3.client("stepfunctions")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_the_daily_run_hears_of_success_and_failure(stub: Stubber) -> None:
    stub.add_response("send_task_success", {}, {"taskToken": "token", "output": '{"shard": 7}'})
    stub.add_response("send_task_failure", {}, {"taskToken": "token", "error": "DangolError"})
    run = DailyRun(stub.client)
    run.succeeded("token", {"shard": 7})
    run.failed("token", "DangolError")


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_who_does_not_wait_any_more_need_not_hear(stub: Stubber, code: str) -> None:
    stub.add_client_error("send_task_success", code)
    stub.add_client_error("send_task_failure", code)
    run = DailyRun(stub.client)
    run.succeeded("token", {})
    run.failed("token", "error")


def test_an_answer_that_cannot_be_given_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("send_task_success", "AccessDeniedException", "TaskTimedOut is only a word in this text")
    with pytest.raises(ClientError):
        DailyRun(stub.client).succeeded("token", {})


def test_nothing_asked_for_sends_nothing(aws: Aws) -> None:
    client: Any = None
    SqsRefreshQueue(client, aws.refresh_queue).ask([])
