"""Messages bounced, annoyed or were read: note what decides on the next ones."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.moves.campaign.answers import heed

logger, metrics, tracer = Logger(), Metrics(), Tracer()
processor = BatchProcessor(event_type=EventType.SQS)


@tracer.capture_method(capture_response=False)
def take(record: SQSRecord) -> None:
    """One event of SES."""
    kind = heed(record.json_body, wiring.profiles(), wiring.deliveries())
    if kind:
        metrics.add_metric(f"Messages{kind.title()}", MetricUnit.Count, 1)


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """SQS: events as SES publishes them, of those kinds that something follows from."""
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
