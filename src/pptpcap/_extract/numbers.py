"""Sets of packets by number: a bit for each packet, and intervals that a user gave.

Knows NumPy and no capture.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Intervals", "Packets"]

Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


class Packets:
    """Numbers of packets; memory is a bit for each packet up to the highest."""

    def __init__(self) -> None:
        self._octets = np.zeros(1 << 10, np.uint8)

    def add(self, numbers: Numbers) -> None:
        """Add these."""
        places, bits = self._places(numbers)
        np.bitwise_or.at(self._octets, places, bits)

    def has(self, numbers: Numbers) -> Mask:
        """Whether it has each of these."""
        places, bits = self._places(numbers)
        found: Mask = self._octets[places] & bits != 0
        return found

    def __bool__(self) -> bool:
        return bool(self._octets.any())

    def _places(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        numbers = numbers.astype(np.int64)
        places = numbers >> 3
        needed = int(places.max(initial=0)) + 1
        if needed > len(self._octets):
            grown = np.zeros(max(needed, 2 * len(self._octets)), np.uint8)
            grown[: len(self._octets)] = self._octets
            self._octets = grown
        return places, np.left_shift(1, numbers & 7).astype(np.uint8)


class Intervals:
    """Numbers that a user gave, one by one and in ranges.

    Parameters
    ----------
    given : int, range, or iterable of these
        Numbers of packets, from 1; a range has a step of 1.

    Raises
    ------
    ValueError, TypeError
        Where one is none of these, or no number is given.
    """

    def __init__(self, given: int | range | Iterable[int | range]) -> None:
        several = given if isinstance(given, Iterable) and not isinstance(given, range) else [given]
        spans = sorted({_span(one) for one in several})
        if not spans:
            raise ValueError("packets: no number is given")
        self.highest_start = spans[-1][0]
        starts, stops = zip(*spans, strict=True)
        self._starts = np.array(starts, np.int64)
        # What an interval before reaches over counts on.
        self._stops = np.maximum.accumulate(np.array(stops, np.int64))

    def has(self, numbers: Numbers) -> Mask:
        """Whether it has each of these."""
        places = np.searchsorted(self._starts, numbers, "right") - 1
        found: Mask = (places >= 0) & (numbers < self._stops[places])
        return found


def _span(one: int | range) -> tuple[int, int]:
    most = np.iinfo(np.int64).max
    if isinstance(one, range):
        if one.step != 1 or not one:
            raise ValueError(f"packets: {one} is no range of numbers that follow one another")
        start, stop = one.start, one.stop
    else:
        start = operator.index(one)
        stop = start + 1
    if start < 1:
        raise ValueError(f"packets are counted from 1, and {start} is less")
    return min(start, most - 1), min(stop, most)
