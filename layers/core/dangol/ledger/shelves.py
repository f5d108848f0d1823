"""What messages can show, as one object: the refresh of the products' shard writes it, senders read it."""

from dangol.campaigns.items import Shelves
from dangol.ledger.store import ObjectStore

SHELVES_KEY = "ledger/shelves/shelves.json.gz"
"""Holds no personal data."""


def keep_shelves(store: ObjectStore, shelves: Shelves) -> bool:
    """Write the shelves, if they differ from what is there; whether they did."""
    data = shelves.to_bytes()
    if data == _there(store):
        return False
    store.write(SHELVES_KEY, data)
    return True


def read_shelves(store: ObjectStore) -> Shelves:
    """The shelves as last written; empty ones where there are none."""
    data = _there(store)
    return Shelves() if data is None else Shelves.from_bytes(data)


def _there(store: ObjectStore) -> bytes | None:
    try:
        return store.read(SHELVES_KEY)
    except FileNotFoundError:
        return None
