"""Push through SNS."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from dangol.aws.mail import NOT_REACHED
from dangol.moves.campaign.posts import Notification, NotNow, Outcome, Refused, Sent, Unsure

_THREADS = 8
_DEAD = ("EndpointDisabled", "EndpointDisabledException")
_BAD = ("InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "InvalidParameterValueException")
_GONE = ("NotFound", "NotFoundException")
_SLOWER = ("Throttled", "ThrottledException", "Throttling", "ThrottlingException", "KMSThrottlingException")
NO_APPLICATION = "no_platform_application"


class SnsPusher:
    """Pusher (see dangol.moves.campaign.posts). `applications`: the platform application of each platform, if any."""

    def __init__(self, client: Any, applications: Mapping[str, str]) -> None:
        self._client = client
        self._applications = applications
        self._endpoint = lru_cache(maxsize=10_000)(self._create_endpoint)

    def send(self, notifications: Sequence[Notification]) -> list[Outcome]:
        """See Pusher."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(self._send, notifications))

    def forget(self, platform: str, token: str) -> bool:
        """Remove the endpoint of a token; False where there can be none."""
        application = self._applications.get(platform)
        if not application:
            return False
        try:
            self._client.delete_endpoint(EndpointArn=self._create_endpoint(application, token))
        except ClientError as error:
            if error.response["Error"]["Code"] not in (*_BAD, *_GONE):
                raise
            return False
        return True

    def _send(self, notification: Notification) -> Outcome:
        application = self._applications.get(notification.platform)
        if not application:
            return Refused(NO_APPLICATION)
        try:
            answer = self._client.publish(
                TargetArn=self._endpoint(application, notification.token),
                Message=notification.message,
                MessageStructure="json",
                MessageAttributes=notification.attributes,
            )
        except NOT_REACHED:
            return NotNow("push service not reached", soon=True)
        except HTTPClientError:
            return Unsure()
        except ClientError as error:
            return _of_error(error)
        return Sent(answer["MessageId"])

    def _create_endpoint(self, application: str, token: str) -> str:
        """The endpoint of a token; of one that has an endpoint SNS answers that one."""
        return str(
            self._client.create_platform_endpoint(PlatformApplicationArn=application, Token=token)["EndpointArn"]
        )


def _of_error(error: ClientError) -> Outcome:
    code, creating = error.response["Error"]["Code"], error.operation_name == "CreatePlatformEndpoint"
    if code in _DEAD:
        return Refused("endpoint_disabled", dead=True)
    if code in _BAD:  # said of a token, or else of the message
        return Refused("invalid_token" if creating else "invalid_message", dead=creating)
    if code in _SLOWER:
        return NotNow(code, soon=True)
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return Unsure()
    return NotNow(code, soon=False)
