"""First step of the daily run: for which date, which shards, and what is counted for all of them."""

from datetime import date
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.moves.configure import live_configuration
from dangol.moves.daily import needs_borders, plan_refresh

logger, tracer = Logger(), Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The input of the execution; see `plan_refresh`."""
    settings = wiring.settings()
    plan = plan_refresh(event, context.aws_request_id, settings.shards, settings.today, settings.date_of)
    if needs_borders(live_configuration(wiring.store()).policy):
        wiring.keep_borders(date.fromisoformat(plan["as_of"]))
    wiring.keep_sales(date.fromisoformat(plan["as_of"]))
    logger.info("planned", extra={name: plan[name] for name in ("as_of", "reason", "run_id")})
    return plan
