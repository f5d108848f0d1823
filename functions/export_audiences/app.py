"""Once a day, or when asked: export the audiences for ad platforms."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring

logger, metrics, tracer = Logger(), Metrics(), Tracer()


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:
    """EventBridge Scheduler, or `dangol audiences export`, with "audience" and "dry_run" where they are wanted."""
    dry_run = bool(event.get("dry_run", False))
    done = wiring.audience_exporter().export(event.get("audience"), dry_run=dry_run)
    if dry_run:
        return done
    for facts in done:
        logger.info("exported", extra={"list": facts})
    metrics.add_metric("AudienceRowsAdded", MetricUnit.Count, sum(facts["added"] for facts in done))
    metrics.add_metric("AudienceRowsRemoved", MetricUnit.Count, sum(facts["removed"] for facts in done))
    return done
