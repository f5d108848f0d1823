"""Once a minute: launch the campaigns that are due, wake what waited, close what is over."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring

logger, metrics, tracer = Logger(), Metrics(), Tracer()


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """EventBridge Scheduler; what it says does not matter."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    done = dict(wiring.launcher().look(left))
    if done:
        logger.info("looked", extra={"done": done})
    metrics.add_metric("RunsRefused", MetricUnit.Count, done.get("refused", 0))
    return done
