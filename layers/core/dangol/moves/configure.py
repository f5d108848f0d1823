"""Configure: a dropped configuration goes live, or is refused and the last good one goes on."""

from collections.abc import Callable, Mapping
from typing import Any

from dangol.errors import InvalidConfiguration
from dangol.ledger.store import ObjectStore
from dangol.moves.messages import CONFIGURATION, FILE_REJECTED, EventBus, Runs
from dangol.segments.policy import POLICY_FILE, Policy, default_policy, load_policy

CONFIG_RUN = "configuration"
CONFIG = "config/"
LIVE = "config/live/"
_LIVE_POLICY = LIVE + POLICY_FILE


def live_policy(store: ObjectStore) -> Policy:
    """The policy in force: the last good one dropped, or else the one shipped with Dangol."""
    if not store.keys(_LIVE_POLICY):
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
        if key.startswith(LIVE):
            return {"status": "ignored", "key": key}
        if key != CONFIG + POLICY_FILE:
            return self._refuse(key, version, f"{key}: is not a known configuration; known is {CONFIG}{POLICY_FILE}")
        text = self._store.read(key)
        try:
            policy = load_policy(text, key)
        except InvalidConfiguration as error:
            return self._refuse(key, version, str(error))
        self._store.write(_LIVE_POLICY, text)
        self._refresh_all(CONFIGURATION)
        facts = {"status": "live", "key": key, "policy_version": policy.version}
        self._runs.note(CONFIG_RUN, version, facts)
        return facts

    def _refuse(self, key: str, version: str, reason: str) -> Mapping[str, Any]:
        self._bus.publish(FILE_REJECTED, [{"key": key, "version": version, "reason": reason}])
        facts = {"status": "refused", "key": key, "reason": reason}
        self._runs.note(CONFIG_RUN, version, facts)
        return facts
