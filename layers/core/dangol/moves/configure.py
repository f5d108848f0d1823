"""Configure: a dropped configuration goes live, or is refused and the last good one goes on."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dangol.configuration import Configuration, from_json, load_configuration, to_json
from dangol.errors import InvalidConfiguration, InvalidFiles, Problem
from dangol.ledger.store import ObjectStore
from dangol.moves.messages import CONFIGURATION, FILE_REJECTED, EventBus, Runs, rejected
from dangol.segments.policy import POLICY_FILE

CONFIG_RUN = "configuration"
CONFIG = "config/"
LIVE = "config/live/"
LIVE_KEY = f"{LIVE}configuration.json"
"""All files of the configuration in force, as one object: it changes at once or not at all."""
PUSHED = "config/pushed/"
"""Whole configurations, as `dangol config push` puts them there, each under a name of its own."""


class ConfigurationStore(ObjectStore, Protocol):
    """A bucket in which one object can be replaced on condition."""

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """The bytes of an object and what tells them from others. FileNotFoundError when there is none."""

    def replace(self, key: str, data: bytes, tag: str | None) -> bool:
        """Write an object if it is still the one with this tag (None: if there is none); whether it was."""


def live_configuration(store: ObjectStore) -> Configuration:
    """What is in force: the last good configuration, or else the one shipped with Dangol."""
    return load_configuration(live_files(store))


def live_files(store: ObjectStore) -> dict[str, bytes]:
    """The files of what is in force, as they are: they were in order when they went live."""
    return from_json(store.read(LIVE_KEY)) if LIVE_KEY in store.keys(LIVE_KEY) else {}


class Configure:
    """Takes dropped configurations."""

    def __init__(
        self, store: ConfigurationStore, runs: Runs, bus: EventBus, refresh_all: Callable[[str], None]
    ) -> None:
        self._store = store
        self._runs = runs
        self._bus = bus
        self._refresh_all = refresh_all

    def take(self, key: str, version: str) -> Mapping[str, Any]:
        """Check the file at `key` together with what is live; make it live as well, or refuse it.

        Of a pushed configuration the whole takes the place of what is live. When the segments change, every shard is
        refreshed. What is refused is reported as `File Rejected` with each line and reason. `version` names the upload.
        """
        if key.startswith(LIVE) or key.endswith("/"):  # what this wrote itself; the console's way to make a folder
            return {"status": "ignored", "key": key}
        run_id = key.removeprefix(PUSHED) if key.startswith(PUSHED) else version
        while True:
            live, tag = self._live()
            try:
                configuration = load_configuration(self._files(key, live))
            except FileNotFoundError:
                return self._note(run_id, {"status": "deleted", "key": key})
            except InvalidFiles as error:
                return self._refuse(key, run_id, version, str(error))
            # Whoever changed it meanwhile may have taken another file, or a newer upload of this one: then look again.
            if self._store.replace(LIVE_KEY, to_json(configuration.files), tag):
                break
        # One that is live already may be of a try that died here. To refresh once too often writes nothing.
        again = configuration.files == live.files and key.startswith((PUSHED, CONFIG + POLICY_FILE))
        if configuration.policy != live.policy or again:
            self._refresh_all(CONFIGURATION)
        versions = {"configuration_version": configuration.version, "policy_version": configuration.policy.version}
        return self._note(run_id, {"status": "live", "key": key, **versions})

    def _live(self) -> tuple[Configuration, str | None]:
        try:
            text, tag = self._store.read_tagged(LIVE_KEY)
        except FileNotFoundError:
            return Configuration.default(), None
        return load_configuration(from_json(text)), tag

    def _files(self, key: str, live: Configuration) -> dict[str, bytes]:
        """What would be in force with the file at `key`."""
        text = self._store.read(key)
        if not key.startswith(PUSHED):
            return {**live.files, key.removeprefix(CONFIG): text}
        try:
            return from_json(text)
        except ValueError as error:
            reason = "is not what `dangol config push` writes; push the folder again"
            raise InvalidFiles([InvalidConfiguration(key, [Problem(1, reason)])]) from error

    def _refuse(self, key: str, run_id: str, version: str, reason: str) -> Mapping[str, Any]:
        event = rejected(key, version, reason)
        self._bus.publish(FILE_REJECTED, [event])
        return self._note(run_id, {"status": "refused", "key": key, "reason": event["reason"]})

    def _note(self, run_id: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        self._runs.note(CONFIG_RUN, run_id, facts)
        return facts
