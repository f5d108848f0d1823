"""Erase people, or say who would be erased; `dangol forget` calls it until it is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring

RESERVE = timedelta(minutes=5)
"""Of the function's time, for what follows the waiting: going through files and tables."""

logger, tracer = Logger(), Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """{"customers": ["C0001"], "look": true}; without `look` they are erased."""
    until = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis()) - RESERVE
    with wiring.forgetter() as forgetter:
        if event.get("look"):
            return forgetter.look(event["customers"])
        answer = forgetter.forget(event["customers"], until)
    counts = {name: answer[name] for name in ("request", "accounts", "removed", "clean") if name in answer}
    logger.info("forgotten" if answer["done"] else "waiting", extra=counts)
    return answer
