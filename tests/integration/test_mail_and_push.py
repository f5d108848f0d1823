"""SES and SNS: what each answer of theirs means for a message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from dangol.aws.mail import SesAccount, SesMailer
from dangol.aws.pushes import SnsPusher
from dangol.channels.email import Email
from dangol.moves.campaign.posts import Mail, Notification, NotNow, Refused, Sent, Unsure

from tests.integration.services import RUN, Ses, Sns
from tests.senders import hello


@pytest.mark.parametrize(
    ("account", "says"),
    [({"ProductionAccessEnabled": False}, "sandbox"), ({"SendingEnabled": False}, "paused"), ({}, None)],
)
def test_what_ses_says_of_the_account_is_told_before_a_launch(account: dict[str, bool], says: str | None) -> None:
    ses = Ses()
    ses.account |= account
    complaint = SesAccount(ses).complaint(hello(), "hello@dangol.kr")
    assert (says in complaint) if says else complaint is None  # type: ignore[operator]


@pytest.mark.parametrize("verified", [{"dangol.kr": True}, {"hello@dangol.kr": True, "dangol.kr": False}])
def test_a_verified_address_is_enough_and_so_is_its_domain(verified: dict[str, bool]) -> None:
    ses = Ses()
    ses.verified = verified
    assert SesAccount(ses).complaint(hello(), "hello@dangol.kr") is None


def mail(person: str = "c1") -> Mail:
    return Mail(f"{person}@example.com", person, Email("a@dangol.kr", "제목", "<p>글</p>", "글", (("X-A", "b"),)))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("SUCCESS", Sent("m0")),
        ("ACCOUNT_THROTTLED", NotNow("account_throttled", soon=True)),
        ("TRANSIENT_FAILURE", NotNow("transient_failure", soon=True)),
        ("ACCOUNT_DAILY_QUOTA_EXCEEDED", NotNow("account_daily_quota_exceeded", soon=False)),
        ("ACCOUNT_SENDING_PAUSED", NotNow("account_sending_paused", soon=False)),
        ("MESSAGE_REJECTED", Refused("message_rejected")),
    ],
)
def test_each_entry_of_a_call_has_its_own_outcome(status: str, outcome: object) -> None:
    ses = Ses()
    ses.statuses = [status]
    assert SesMailer(ses, "set").send([mail(), mail("c2")], RUN, 0) == [outcome, Sent("m1")]


def test_of_all_statuses_that_ses_knows_those_of_one_message_never_hold_up_the_others() -> None:
    ses, client = Ses(), boto3.client("sesv2", region_name="eu-west-1")
    outcomes = {}
    for status in client.meta.service_model.shape_for("BulkEmailStatus").enum:
        ses.statuses = [status]
        (outcomes[status],) = SesMailer(ses, "set").send([mail()], RUN, 0)
    refused = {status for status, outcome in outcomes.items() if isinstance(outcome, Refused)}
    again = {status for status, outcome in outcomes.items() if isinstance(outcome, NotNow) and outcome.soon}
    assert refused == {"MESSAGE_REJECTED", "INVALID_PARAMETER", "FAILED"}
    assert again == {"ACCOUNT_THROTTLED", "TRANSIENT_FAILURE"}


def refusing(error: Exception) -> Any:
    def call(**_: Any) -> None:
        raise error

    return call


def client_error(code: str, status: int = 400, call: str = "Send") -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, call)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (EndpointConnectionError(endpoint_url="https://ses"), NotNow("mail service not reached", soon=True)),
        (ReadTimeoutError(endpoint_url="https://ses"), Unsure()),
        (client_error("InternalFailure", 500), Unsure()),
        (client_error("TooManyRequestsException", 429), NotNow("TooManyRequestsException", soon=True)),
        (client_error("SendingPausedException"), NotNow("SendingPausedException", soon=False)),
    ],
)
def test_a_call_that_fails_says_whether_it_may_have_gone_through(error: Exception, outcome: object) -> None:
    client = SimpleNamespace(send_bulk_email=refusing(error))
    assert SesMailer(client, "set").send([mail(), mail("c2")], RUN, 0) == [outcome, outcome]


def test_a_mail_that_makes_a_call_bad_fails_alone() -> None:
    class Strict(Ses):
        bad = ("c2@example.com",)

        def send_bulk_email(self, **call: Any) -> dict[str, Any]:
            if any(entry["Destination"]["ToAddresses"][0] in self.bad for entry in call["BulkEmailEntries"]):
                raise client_error("BadRequestException")
            return super().send_bulk_email(**call)

    ses, mails = Strict(), [mail("c1"), mail("c2"), mail("c3")]
    assert SesMailer(ses, "set").send(mails, RUN, 0) == [Sent("m0"), Refused("bad_request"), Sent("m0")]
    assert [len(call["BulkEmailEntries"]) for call in ses.sent] == [1, 1]
    ses.bad = tuple(one.to for one in mails)
    assert SesMailer(ses, "set").send(mails, RUN, 0) == [NotNow("BadRequestException", soon=False)] * 3


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (client_error("EndpointDisabled"), Refused("endpoint_disabled", dead=True)),
        (client_error("InvalidParameter", call="CreatePlatformEndpoint"), Refused("invalid_token", dead=True)),
        (client_error("InvalidParameter", call="Publish"), Refused("invalid_message")),
        (client_error("Throttled", 429), NotNow("Throttled", soon=True)),
        (client_error("AuthorizationError", 403), NotNow("AuthorizationError", soon=False)),
        (client_error("InternalError", 500), Unsure()),
        (ReadTimeoutError(endpoint_url="https://sns"), Unsure()),
    ],
)
def test_what_sns_answers_to_a_push(error: Exception, outcome: object) -> None:
    sns = Sns()
    sns.publish = refusing(error)  # type: ignore[method-assign]
    pusher = SnsPusher(sns, {"fcm": "arn:aws:sns:eu-west-1:1:app/GCM/shop"})
    notifications = [Notification("c1", "fcm", "t1", "{}", {}), Notification("c2", "apns", "t2", "{}", {})]
    assert pusher.send(notifications) == [outcome, Refused("no_platform_application")]
