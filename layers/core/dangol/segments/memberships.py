"""Who is in what: the rules of a policy over many customers, a block of them at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dangol.segments.language.columns import Columns, Mask
from dangol.segments.language.evaluate import Evaluation
from dangol.segments.language.syntax import Did
from dangol.segments.policy import UNCLASSIFIED, Policy

_BLOCK = 1 << 16
"""Rows evaluated at once: what is computed of them stays in the processor's cache."""
_DIGIT = 12
"""Bits."""
_MANY = 1 << 14
"""Distinct values beyond which the small table would not be small: it has 2 ** _DIGIT times as many elements."""


@dataclass(frozen=True, slots=True)
class Memberships:
    """Who is in what, a row a customer."""

    rfm: NDArray[np.int16]
    """Position in `policy.rfm_ids` of the RFM segment."""
    others: NDArray[np.int64]
    """All other segments as one number: bit i for the i-th of `policy.other_ids`."""


def memberships(policy: Policy, columns: Columns, as_of: date, done: Mapping[Did, Mask] | None = None) -> Memberships:
    """Apply the rules to each row. `done`: of each condition on interactions, for which rows it holds."""
    blocks = [_judged(policy, columns, rows, as_of, done or {}) for rows in _blocks(columns.size)]
    rfm, others = zip(*blocks, strict=True)
    return Memberships(np.concatenate(rfm), np.concatenate(others))


def _blocks(size: int) -> Iterable[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, max(size, 1), _BLOCK))


def _judged(
    policy: Policy, columns: Columns, rows: slice, as_of: date, done: Mapping[Did, Mask]
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    part = columns.part(rows)
    evaluation = Evaluation(part, as_of, {did: mask[rows] for did, mask in done.items()})
    members = evaluation.members
    where = {rule.id: rule.where for rule in policy.rules}
    left = {id(section): np.ones(part.size, dtype=np.bool_) for section in (policy.rfm, policy.scores)}
    exclusive = {rule.id: left[id(section)] for section in (policy.rfm, policy.scores) for rule in section}
    for segment in policy.order:
        if segment == UNCLASSIFIED:
            members[segment] = left[id(policy.rfm)]
            continue
        members[segment] = evaluation.mask(where[segment])
        if segment in exclusive:  # the first that holds wins
            members[segment] = members[segment] & exclusive[segment]
            exclusive[segment] &= ~members[segment]
    return _rfm_codes(policy, members, part.size), _bits([members[segment] for segment in policy.other_ids], part.size)


def _rfm_codes(policy: Policy, members: Mapping[str, Mask], size: int) -> NDArray[np.int16]:
    codes = np.full(size, len(policy.rfm), dtype=np.int16)
    for position, rule in enumerate(policy.rfm):
        np.putmask(codes, members[rule.id], position)
    return codes


def _bits(masks: list[Mask], size: int) -> NDArray[np.int64]:
    """Bit i of each row is the i-th mask's. Eight at a time in bytes, which is many times faster than in words."""
    words = np.zeros((size, 8), dtype=np.uint8)
    for byte in range(0, len(masks), 8):
        held = np.zeros(size, dtype=np.uint8)
        for bit, mask in enumerate(masks[byte : byte + 8]):
            held |= mask.view(np.uint8) << np.uint8(bit)
        words[:, byte // 8] = held
    return words.view("<i8")[:, 0]


def factorized(bits: NDArray[np.int64]) -> tuple[NDArray[np.integer[Any]], NDArray[np.int64]]:
    """(position of each row's value among the distinct ones, the distinct values).

    A dozen bits at a time: to mark what occurs in a small table is several times faster than to sort or to hash.
    """
    position: NDArray[np.integer[Any]] = np.zeros(bits.size, dtype=np.int64)
    distinct = np.zeros(min(bits.size, 1), dtype=np.int64)
    for shift in range(0, int(bits.max(initial=0)).bit_length(), _DIGIT):
        if distinct.size > _MANY:
            distinct, position = np.unique(bits, return_inverse=True)
            return position, distinct
        key = (position << _DIGIT) | (bits >> shift & (1 << _DIGIT) - 1)
        occurs = np.zeros(distinct.size << _DIGIT, dtype=np.bool_)
        occurs[key] = True
        found = np.flatnonzero(occurs)
        place = np.empty(occurs.size, dtype=np.int64)
        place[found] = np.arange(found.size)
        position = place[key]
        distinct = distinct[found >> _DIGIT] | (found & (1 << _DIGIT) - 1) << shift
    return position, distinct
