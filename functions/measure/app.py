"""Last step of the daily run: measure what the runs of campaigns changed."""

from datetime import date
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring

logger, tracer = Logger(), Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What the report hands over: as_of."""
    with wiring.scratch_database() as (connection, folder):
        done = wiring.measurer().measure(connection, date.fromisoformat(event["as_of"]), folder)
    logger.info("measured", extra=done)
    return done
