"""The project's own EventBridge bus."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dangol.aws.batches import send_all

SOURCE = "dangol"
_AT_ONCE = 10


class EventBridgeBus:
    """EventBus (see dangol.moves.messages)."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, kind: str, details: Sequence[Mapping[str, object]]) -> None:
        """See EventBus."""
        entries = [
            {
                "EventBusName": self._name,
                "Source": SOURCE,
                "DetailType": kind,
                "Detail": json.dumps(detail, ensure_ascii=False),
            }
            for detail in details
        ]
        send_all(entries, _AT_ONCE, self._put)

    def _put(self, entries: list[dict[str, str]]) -> tuple[list[dict[str, str]], str]:
        answers = self._client.put_events(Entries=entries)["Entries"]
        refused = [(entry, answer) for entry, answer in zip(entries, answers, strict=True) if "ErrorCode" in answer]
        return [entry for entry, _ in refused], refused[0][1]["ErrorCode"] if refused else ""
