"""Who follows the link of an invitation: a GET shows the free slots, a POST books, moves, cancels or declines."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.campaigns.invitations.replies import Result
from dangol.campaigns.links import BadLink
from dangol.channels.invitation_page import invitation_page
from dangol.channels.pages import BAD, HEADERS, page

logger, tracer = Logger(), Tracer()
STATUS = {Result.FULL: 409, Result.UNCLEAR: 400, Result.OVER: 410, Result.BUSY: 503}
"""Of an answer that was not taken; else 200."""
LONGEST = 1000
"""Bytes of a form that are looked at; ours has far fewer."""


def answer(event: dict[str, Any]) -> tuple[int, str]:
    """Status and page. Mail scanners follow links, so nothing but a POST replies for anybody."""
    token, responder = (event.get("queryStringParameters") or {}).get("token", ""), wiring.responder()
    try:
        posted = event["requestContext"]["http"]["method"] == "POST"
        visit = responder.reply(token, choice_of(event)) if posted else responder.look(token)
    except BadLink:
        return 400, page(BAD)
    return STATUS.get(visit.result, 200), invitation_page(visit)


def choice_of(event: dict[str, Any]) -> str:
    """What the form says; '' if nothing."""
    body = event.get("body") or ""
    text = b64decode(body) if event.get("isBase64Encoded") else body.encode()
    return parse_qs(text[:LONGEST].decode("utf-8", errors="replace")).get("choice", [""])[0]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A request to the function's URL."""
    status, body = answer(event)
    return {"statusCode": status, "headers": HEADERS, "body": body}
