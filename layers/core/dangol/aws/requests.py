"""The FIFO queue of refresh requests, and the answer to the daily run that waits for one."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from dangol.moves.messages import RefreshRequest

_NOBODY_WAITS = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class SqsRefreshQueue:
    """RefreshQueue (see dangol.moves.messages)."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def ask(self, requests: Sequence[RefreshRequest]) -> None:
        """See RefreshQueue."""
        for request in requests:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps(request.as_dict()),
                MessageGroupId=f"shard-{request.shard}",
                # Fresh each time: an id made of the content would swallow a second request within five minutes.
                MessageDeduplicationId=str(uuid.uuid4()),
            )


class DailyRun:
    """The daily run, which waits for each shard on a task token."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def succeeded(self, token: str, facts: object) -> None:
        """Tell it that a shard is refreshed."""
        self._tell(self._client.send_task_success, taskToken=token, output=json.dumps(facts))

    def failed(self, token: str, error: str) -> None:
        """Tell it that a shard could not be refreshed."""
        self._tell(self._client.send_task_failure, taskToken=token, error=error)

    def _tell(self, call: Any, **arguments: str) -> None:
        try:
            call(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOBODY_WAITS:  # told before, or too late: no matter
                raise
