"""Who follows the link of an e-mail to unsubscribe: a GET shows a page, a POST acts (RFC 8058)."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.campaigns.links import BadLink
from dangol.channels.pages import ASK, BAD, DONE, HEADERS, page
from dangol.moves.campaign.answers import unsubscribe, whose

logger, tracer = Logger(), Tracer()


def answer(event: dict[str, Any]) -> tuple[int, str]:
    """Status and page. Mail scanners follow links, so nothing but a POST unsubscribes anybody."""
    token, now = (event.get("queryStringParameters") or {}).get("token", ""), datetime.now(UTC)
    try:
        if event["requestContext"]["http"]["method"] == "POST":
            unsubscribe(token, wiring.link_keys(), now, wiring.profiles(), wiring.journal())
            return 200, page(DONE)
        whose(token, wiring.link_keys(), now)
    except BadLink:
        return 400, page(BAD)
    return 200, page(ASK)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A request to the function's URL."""
    status, body = answer(event)
    return {"statusCode": status, "headers": HEADERS, "body": body}
