"""A configuration was dropped: make it live, or refuse it."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring

logger, tracer = Logger(), Tracer()
processor = BatchProcessor(event_type=EventType.SQS)


@tracer.capture_method(capture_response=False)
def take(record: SQSRecord) -> None:
    """One upload."""
    event = record.json_body
    outcome = wiring.configure().take(event["detail"]["object"]["key"], event["id"])
    logger.info("configuration", extra=dict(outcome))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """SQS: S3's "Object Created" events."""
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
