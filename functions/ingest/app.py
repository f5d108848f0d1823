"""A file was dropped: append it to the ledger and answer with its receipt."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.moves.ingest import DroppedFile

logger, metrics, tracer = Logger(), Metrics(), Tracer()
processor = BatchProcessor(event_type=EventType.SQS)


@tracer.capture_method(capture_response=False)
def take(record: SQSRecord) -> None:
    """One upload."""
    file = DroppedFile.from_event(record.json_body)
    if file.key.endswith("/"):  # the console's way to make a folder
        return
    receipt = wiring.ingest().take(file)
    logger.info("taken", extra={"key": file.key, "version": file.version, "status": receipt["status"]})
    metrics.add_metric("FilesRejected", MetricUnit.Count, int(receipt["status"] == "rejected"))
    metrics.add_metric("RowsAccepted", MetricUnit.Count, int(receipt.get("rows_accepted", 0)))
    metrics.add_metric("RowsRejected", MetricUnit.Count, int(receipt.get("rows_rejected", 0)))


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """SQS: S3's "Object Created" events."""
    with wiring.tried_again_soon(event, "DANGOL_INGEST_QUEUE_URL"):
        return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
