"""The project's own EventBridge bus."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dangol.errors import DangolError

SOURCE = "dangol"
_AT_ONCE = 10
_TRIES = 6


class EventBridgeBus:
    """EventBus (see dangol.moves.messages)."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, kind: str, details: Sequence[Mapping[str, object]]) -> None:
        """See EventBus. Entries that EventBridge refuses are sent again, more and more slowly."""
        entries = [
            {
                "EventBusName": self._name,
                "Source": SOURCE,
                "DetailType": kind,
                "Detail": json.dumps(detail, ensure_ascii=False),
            }
            for detail in details
        ]
        for start in range(0, len(entries), _AT_ONCE):
            self._put(entries[start : start + _AT_ONCE])

    def _put(self, entries: list[dict[str, str]]) -> None:
        code = ""
        for attempt in range(_TRIES):
            answer = self._client.put_events(Entries=entries)
            if not answer["FailedEntryCount"]:
                return
            results = list(zip(entries, answer["Entries"], strict=True))
            code = next(result["ErrorCode"] for _, result in results if "ErrorCode" in result)
            entries = [entry for entry, result in results if "ErrorCode" in result]
            time.sleep(0.1 * 2**attempt)
        raise DangolError(f"{len(entries)} events were refused {_TRIES} times: {code}")
