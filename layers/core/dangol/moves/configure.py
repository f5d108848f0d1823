"""Configure: a dropped configuration goes live, or is refused and the last good one goes on."""

from collections.abc import Callable, Mapping
from typing import Any

from dangol.errors import InvalidConfiguration
from dangol.ledger.store import ObjectStore
from dangol.moves.messages import CONFIGURATION, FILE_REJECTED, EventBus, Runs, rejected
from dangol.segments.policy import POLICY_FILE, Policy, default_policy, load_policy

CONFIG_RUN = "configuration"
CONFIG = "config/"
LIVE = "config/live/"
_LIVE_POLICY = LIVE + POLICY_FILE


def live_policy(store: ObjectStore) -> Policy:
    """The policy in force: the last good one dropped, or else the one shipped with Dangol."""
    if _LIVE_POLICY not in store.keys(_LIVE_POLICY):
        return default_policy()
    return load_policy(store.read(_LIVE_POLICY), _LIVE_POLICY)


class Configure:
    """Takes dropped configurations."""

    def __init__(self, store: ObjectStore, runs: Runs, bus: EventBus, refresh_all: Callable[[str], None]) -> None:
        self._store = store
        self._runs = runs
        self._bus = bus
        self._refresh_all = refresh_all

    def take(self, key: str, version: str) -> Mapping[str, Any]:
        """Check the file at `key`; make it live and refresh every shard by it, or refuse it.

        A refused one is reported as `File Rejected` with each line and reason. `version` names the upload.
        """
        if key.startswith(LIVE) or key.endswith("/"):  # what this wrote itself; the console's way to make a folder
            return {"status": "ignored", "key": key}
        if key != CONFIG + POLICY_FILE:
            return self._refuse(key, version, f"{key}: is not a known configuration; known is {CONFIG}{POLICY_FILE}")
        text = self._read(key)
        if text is None:
            return self._note(version, {"status": "deleted", "key": key})
        try:
            policy = load_policy(text, key)
        except InvalidConfiguration as error:
            return self._refuse(key, version, str(error))
        self._store.write(_LIVE_POLICY, text)
        if self._read(key) not in (text, None):  # replaced meanwhile, and whoever took that may have been faster
            return self.take(key, version)
        self._refresh_all(CONFIGURATION)
        return self._note(version, {"status": "live", "key": key, "policy_version": policy.version})

    def _read(self, key: str) -> bytes | None:
        try:
            return self._store.read(key)
        except FileNotFoundError:
            return None

    def _refuse(self, key: str, version: str, reason: str) -> Mapping[str, Any]:
        event = rejected(key, version, reason)
        self._bus.publish(FILE_REJECTED, [event])
        return self._note(version, {"status": "refused", "key": key, "reason": event["reason"]})

    def _note(self, version: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        self._runs.note(CONFIG_RUN, version, facts)
        return facts
