"""Last step of the daily run: build the report."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.moves.configure import live_configuration

logger, tracer = Logger(), Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What the map hands over: as_of, reason, run_id, shards, refreshed."""
    with wiring.scratch_database() as (connection, folder):
        facts = wiring.report().build(connection, event, live_configuration(wiring.store()).policy, folder)
    logger.info("reported", extra=facts)
    return facts
