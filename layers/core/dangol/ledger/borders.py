"""The borders of quintile scores, by day: computed over the whole base, used by every shard from that day on."""

from datetime import date
from pathlib import Path

import duckdb

from dangol.ledger.state import last_states_sql
from dangol.ledger.store import ObjectStore
from dangol.segments.scores import Borders, borders_of

_PREFIX = "ledger/borders/"


def keep_borders(connection: duckdb.DuckDBPyConnection, store: ObjectStore, as_of: date, folder: Path) -> bool:
    """Note the borders of a day from every shard's last state; False where nobody has an order yet."""
    borders = borders_of(connection, f"({_known(last_states_sql(store, folder), as_of)})", as_of)
    if borders is not None:
        store.write(f"{_PREFIX}{as_of}.json", borders.to_json().encode())
    return borders is not None


def borders_key(store: ObjectStore, as_of: date) -> str | None:
    """The newest borders noted by a day."""
    keys = [key for key in store.keys(_PREFIX) if key <= f"{_PREFIX}{as_of}.json"]
    return keys[-1] if keys else None


def is_borders(key: str) -> bool:
    """Whether an object holds borders."""
    return key.startswith(_PREFIX)


def load_borders(store: ObjectStore, key: str) -> Borders:
    """The borders at a key."""
    return Borders.from_json(store.read(key))


def _known(states: str, as_of: date) -> str:
    return f"FROM {states} WHERE NOT gone AND first_order_on <= DATE '{as_of}'"
