"""Refresh one shard, write what changed, and answer the daily run if it asked."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from dangol import wiring
from dangol.moves.configure import live_configuration
from dangol.moves.messages import RefreshRequest
from dangol.moves.refresh import refresh_and_tell

LAST_TRY = 3
"""maxReceiveCount of the queue."""

logger, metrics, tracer = Logger(), Metrics(), Tracer()
processor = SqsFifoPartialProcessor(skip_group_on_error=True)


@tracer.capture_method(capture_response=False)
def refresh(record: SQSRecord) -> None:
    """One request."""
    body = record.json_body
    token = body.get("task_token")
    try:
        request = RefreshRequest.from_dict(body)
        live = live_configuration(wiring.store())
        with wiring.refresher(live.messaging) as refresher:
            done = refresh_and_tell(refresher, request, live.policy, wiring.runs(), wiring.bus())
    except Exception as error:
        if token and int(record.attributes.approximate_receive_count) >= LAST_TRY:
            wiring.daily_run().failed(token, type(error).__name__)
        raise
    logger.info("refreshed", extra=done)
    metrics.add_metric("CustomersWritten", MetricUnit.Count, done["customers_written"])
    metrics.add_metric("SegmentChanges", MetricUnit.Count, done["changes"])
    if token:
        wiring.daily_run().succeeded(token, done)


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """SQS FIFO: refresh requests, the shard as message group."""
    with wiring.tried_again_soon(event, "DANGOL_REFRESH_QUEUE_URL"):
        return process_partial_response(event=event, record_handler=refresh, processor=processor, context=context)
