"""E-mail through SES."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, HTTPClientError

from dangol.campaigns.definition import Campaign
from dangol.channels import EMAIL
from dangol.engagement.events import CUSTOMER_TAG, RUN_TAG, STEP_TAG, tag_of
from dangol.moves.campaign.posts import Mail, NotNow, Outcome, Refused, Sent, Unsure

ONE_TRY = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
"""For clients that send: botocore would repeat a call that broke off, which may have gone through."""
_THROTTLED = ("ACCOUNT_THROTTLED", "TRANSIENT_FAILURE")
_OF_THE_MESSAGE = ("MESSAGE_REJECTED", "INVALID_PARAMETER", "FAILED")
"""Statuses of one entry (SES API v2, BulkEmailStatus), an address that SES cannot read among them; all others (quota,
paused, not verified, no such configuration set) concern every message."""
_SLOWER = ("TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException")
_BAD = NotNow("BadRequestException", soon=False)
_BROKEN = ("InternalFailure", "InternalServerError", "InternalServiceErrorException", "ServiceUnavailable")
NOT_REACHED = (EndpointConnectionError, ConnectTimeoutError)
"""The call was never made."""
_TEMPLATE = {"Subject": "{{subject}}", "Html": "{{html}}", "Text": "{{text}}"}
"""Each message is written here; SES puts values in as they are (source: SES developer guide, personalised e-mail)."""


class SesMailer:
    """Mailer (see dangol.moves.campaign.posts)."""

    def __init__(self, client: Any, configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, mails: Sequence[Mail], run: str, step: int) -> list[Outcome]:
        """See Mailer. If SES calls the whole call bad, each mail is sent alone: so one does not hold up the others."""
        outcomes = self._call(mails, run, step)
        if outcomes != [_BAD] * len(mails) or len(mails) == 1:
            return outcomes
        outcomes = [self._call([mail], run, step)[0] for mail in mails]
        if not any(isinstance(outcome, Sent) for outcome in outcomes):
            return outcomes  # what is bad concerns them all: the sender's address, say
        return [Refused("bad_request") if outcome == _BAD else outcome for outcome in outcomes]

    def _call(self, mails: Sequence[Mail], run: str, step: int) -> list[Outcome]:
        try:
            answer = self._client.send_bulk_email(
                FromEmailAddress=mails[0].email.sender,
                ConfigurationSetName=self._configuration_set,
                DefaultContent={"Template": {"TemplateContent": _TEMPLATE, "TemplateData": "{}"}},
                DefaultEmailTags=_tags({RUN_TAG: run, STEP_TAG: str(step)}),
                BulkEmailEntries=[_entry(mail) for mail in mails],
            )
        except NOT_REACHED:
            return [NotNow("mail service not reached", soon=True)] * len(mails)
        except HTTPClientError:
            return [Unsure()] * len(mails)
        except ClientError as error:
            return [_of_call(error)] * len(mails)
        return [_of_entry(entry) for entry in answer["BulkEmailEntryResults"]]


def _entry(mail: Mail) -> dict[str, Any]:
    data = {"subject": mail.email.subject, "html": mail.email.html, "text": mail.email.text}
    return {
        "Destination": {"ToAddresses": [mail.to]},
        "ReplacementTags": _tags({CUSTOMER_TAG: mail.customer_id}),
        "ReplacementEmailContent": {
            "ReplacementTemplate": {"ReplacementTemplateData": json.dumps(data, ensure_ascii=False)}
        },
        "ReplacementHeaders": [{"Name": name, "Value": value} for name, value in mail.email.headers],
    }


def _tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    tags = {name: tag_of(value) for name, value in values.items()}
    return [{"Name": name, "Value": tag} for name, tag in tags.items() if tag is not None]


def _of_entry(entry: Mapping[str, Any]) -> Outcome:
    status = entry["Status"]
    if status == "SUCCESS":
        return Sent(entry.get("MessageId", ""))
    if status in _OF_THE_MESSAGE:
        return Refused(status.lower())
    return NotNow(status.lower(), soon=status in _THROTTLED)


def _of_call(error: ClientError) -> Outcome:
    """What the error of a whole call means for each of its messages."""
    code = error.response["Error"]["Code"]
    if code in _BROKEN or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return Unsure()
    return NotNow(code, soon=code in _SLOWER)


class SesAccount:
    """Whether the account may send at all."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def complaint(self, campaign: Campaign, sender: str) -> str | None:
        """What a person must mend before a campaign's e-mails can be sent from an address; None: nothing."""
        if EMAIL not in campaign.channels:
            return None
        account = self._client.get_account()
        if not account.get("SendingEnabled", True):
            return "SES has paused sending of this account: see the account dashboard of SES"
        if not account.get("ProductionAccessEnabled", False):
            return "the account is in SES's sandbox, which mails to verified addresses only: request production access"
        domain = sender.rpartition("@")[2]
        if self._is_verified(sender) or self._is_verified(domain):
            return None
        return f"SES has not verified the sender's address or its domain {domain}: create and verify an identity for it"

    def _is_verified(self, identity: str) -> bool:
        try:
            return bool(self._client.get_email_identity(EmailIdentity=identity)["VerifiedForSendingStatus"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
            return False
