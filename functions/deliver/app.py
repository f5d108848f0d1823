"""A batch of a campaign's run: send it, message by message through the gate."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.moves.campaign.messages import Batch

logger, metrics, tracer = Logger(), Metrics(), Tracer()
processor = BatchProcessor(event_type=EventType.SQS)


@tracer.capture_method(capture_response=False)
def deliver(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """One batch."""
    batch = Batch.from_dict(record.json_body)
    left = timedelta(milliseconds=lambda_context.get_remaining_time_in_millis())
    counts = wiring.deliverer().take(batch, left)
    logger.info("delivered", extra={"batch": batch.id, "counts": counts})
    for name in ("sent", "unknown"):
        metrics.add_metric(f"Messages{name.title()}", MetricUnit.Count, counts.get(name, 0) - batch.counts.get(name, 0))


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """SQS: batches, as `Batch.as_dict` writes them."""
    return process_partial_response(event=event, record_handler=deliver, processor=processor, context=context)
