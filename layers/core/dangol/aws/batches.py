"""Sending many small things in batches, of which AWS may refuse a part."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dangol.errors import DangolError

_THREADS = 8
"""Batches under way at once: a call takes 10 ms, a first refresh makes thousands, and a client keeps 10 connections."""
_TRIES = 8
_FIRST_WAIT = 0.1
"""Seconds; doubled each time, so about 13 in all. What is throttled longer waits for the next try of the refresh."""

T = TypeVar("T")


def send_all(items: Sequence[T], size: int, send: Callable[[list[T]], tuple[list[T], str]]) -> None:
    """Call `send` with batches of at most `size` items, several at once, until everything is taken.

    `send` returns what was refused, and why; that is sent again, more and more slowly. Raises DangolError
    in the end.
    """

    def send_batch(start: int) -> None:
        rest = list(items[start : start + size])
        why = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
            rest, why = send(rest)
            if not rest:
                return
        raise DangolError(f"{len(rest)} of {size} were refused {_TRIES} times: {why}")

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(send_batch, range(0, len(items), size)):
            pass
