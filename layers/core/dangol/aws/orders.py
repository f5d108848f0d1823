"""When customers ordered last, by table `Customers`."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from dangol.aws.batches import send_all

_AT_ONCE = 100


def last_orders(resource: Any, table: str, customer_ids: Sequence[str]) -> dict[str, date]:
    """customer_id → the day of the last counted order, as far as there is one. `resource` is boto3's."""
    found: dict[str, date] = {}

    def read(batch: list[str]) -> tuple[list[str], str]:
        asked = {
            "Keys": [{"customer_id": customer_id} for customer_id in batch],
            "ProjectionExpression": "customer_id, last_order_on",
        }
        answer = resource.meta.client.batch_get_item(RequestItems={table: asked})
        rows = answer["Responses"][table]
        found.update({r["customer_id"]: date.fromisoformat(r["last_order_on"]) for r in rows if "last_order_on" in r})
        left = answer["UnprocessedKeys"].get(table, {"Keys": []})["Keys"]
        return [key["customer_id"] for key in left], f"{table} is throttled"

    send_all(list(dict.fromkeys(customer_ids)), _AT_ONCE, read)
    return found
