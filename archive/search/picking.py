"""The first of many by several keys, without sorting them all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archive.search import kernels
from archive.search.arrays import Array

_BLOCK = 64
_HEAP = 200
"""More than so many are found by parting and sorting."""


def first_of(keys: Sequence[Array], count: int) -> Array:
    """`smallest`; where one key tells, by a heap, which costs little more than a look at each."""
    if len(keys) == 1 and keys[0].dtype == np.float32 and count <= _HEAP:
        chosen: Array = kernels.lowest(keys[0], count)
        return chosen
    return smallest(keys, count)


def smallest(keys: Sequence[Array], count: int) -> Array:
    """Indices of the `count` smallest rows, in order: by the first key, ties by the next ones, then by index, so that pages never overlap."""
    chosen = _chosen(keys, count, np.arange(len(keys[0])))
    return chosen[np.lexsort([key[chosen] for key in reversed(keys)])]


def _chosen(keys: Sequence[Array], count: int, rows: Array) -> Array:
    """The `count` smallest of `rows` (ascending), in the order of rows."""
    if len(rows) <= count:
        return rows
    if not keys:
        return rows[:count]
    key = keys[0] if len(rows) == len(keys[0]) else keys[0][rows]
    within = _at_most(key, count)
    if within is not None:
        rows, key = rows[within], key[within]
        if len(rows) <= count:
            return rows
    last = np.partition(key, count - 1)[count - 1]
    before, tied = rows[key < last], rows[key == last]
    return np.sort(np.concatenate((before, _chosen(keys[1:], count - len(before), tied))))


def _at_most(key: Array, count: int) -> Array | None:
    """Indices that surely hold the `count` smallest, by the least of each block; None when there is nothing to gain."""
    blocks = len(key) // _BLOCK
    if blocks < 4 * count:
        return None
    least = key[: blocks * _BLOCK].reshape(blocks, _BLOCK).min(axis=1)
    bound = np.partition(least, count - 1)[count - 1]
    return np.flatnonzero(key <= bound)
