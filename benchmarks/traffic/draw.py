"""Random numbers that stay the same from one NumPy version to the next.

Knows bit generators, whose streams NumPy promises to keep, and not ``numpy.random.Generator``, whose methods may
change.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.int64]
Octets: TypeAlias = NDArray[np.uint8]


class Draw:
    """A stream of random numbers that depends on nothing but the numbers it was made with.

    Parameters
    ----------
    *key : int
        Seed first, then what sets this stream apart from others of the same seed.
    """

    def __init__(self, *key: int) -> None:
        self._bits: Any = np.random.PCG64(np.random.SeedSequence(key))

    def raw(self, count: int) -> NDArray[np.uint64]:
        """`count` numbers of 64 random bits."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def below(self, count: int, limit: int) -> Numbers:
        """`count` numbers from 0 to `limit` - 1; `limit` is at most 2**31."""
        return ((self.raw(count) >> np.uint64(33)) * np.uint64(limit) >> np.uint64(31)).astype(np.int64)

    def between(self, count: int, low: int, high: int) -> Numbers:
        """`count` numbers from `low` to `high`, both included."""
        return self.below(count, high - low + 1) + low

    def one(self, limit: int) -> int:
        """One number from 0 to `limit` - 1."""
        return int(self.below(1, limit)[0])

    def octets(self, count: int) -> Octets:
        """`count` random octets."""
        return self.raw(-(-count // 8)).astype("<u8", copy=False).view(np.uint8)[:count]

    def order(self, groups: int, size: int) -> Numbers:
        """A random order of 0 to `size` - 1 in each of `groups` rows."""
        return np.argsort(self.raw(groups * size).reshape(groups, size), axis=1, kind="stable")
