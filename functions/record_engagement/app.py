"""Messages were delivered, opened, clicked and so on: append it to the ledger."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring

logger, metrics, tracer = Logger(), Metrics(), Tracer()


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@event_source(data_class=SQSEvent)
def handler(event: SQSEvent, context: LambdaContext) -> dict[str, Any]:
    """SQS: events as SES publishes them. All of a batch go into the ledger together, or none."""
    with wiring.engagement_recorder() as recorder:
        recorded = recorder.take({record.message_id: record.body for record in event.records})
    logger.info("recorded", extra={"events": recorded.events, "of_others": recorded.of_others})
    metrics.add_metric("EmailEvents", MetricUnit.Count, recorded.events)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in recorded.unreadable]}
