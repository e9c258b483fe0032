"""The sequence numbers of one tunnel: lost, duplicate and late ones, and delays of acknowledgments (decoding 10.3).

Must not know calls.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import NamedTuple

from ..wire.calls import MOST_NS, RANGES, SILENCE_NS, TIMED
from ..wire.status import GreStatus
from .streams import signed_difference


class Arrival(NamedTuple):
    """What a row says of its number: bits of its status, none where it is the highest, and ``skipped``."""

    status: int
    skipped: int


class Numbers:
    """Sequence numbers that came, as positions from the first one on, and packets that wait for acknowledgment."""

    def __init__(self) -> None:
        self.packets = 0
        self.first = 0
        self.last = 0
        self.duplicated = 0
        self.reordered = 0
        self.samples = 0
        self.least_ns = 0
        self._sum_ns = 0
        self._highest = 0
        self._came = 0
        # Ranges of positions, both ends in them, lowest first.
        self._ranges: list[tuple[int, int]] = []
        self._timed: deque[tuple[int, int]] = deque()

    @property
    def lost(self) -> int:
        """Positions from the first to the highest that never came."""
        return self._highest + 1 - self._came if self.packets else 0

    @property
    def mean_ns(self) -> int:
        """Mean of the samples, rounded down."""
        return self._sum_ns // self.samples if self.samples else 0

    def add(self, number: int) -> Arrival:
        """Count a packet with S."""
        self.packets += 1
        if self.packets == 1:
            self.first = self.last = number
            self._came = 1
            self._ranges = [(0, 0)]
            return Arrival(0, 0)
        position = self._position(number)
        skipped = position - self._highest - 1
        if skipped >= 0:
            self._highest = position
            self.last = number
        place = bisect_right(self._ranges, position, key=lambda one: one[0])
        if place and position <= self._ranges[place - 1][1]:
            self.duplicated += 1
            return Arrival(GreStatus.DUPLICATED.value, 0)
        self._came += position >= 0
        self._insert(place, position)
        if skipped >= 0:
            return Arrival(0, skipped)
        self.reordered += 1
        return Arrival(GreStatus.REORDERED.value, int(position < 0))

    def wait(self, time: int) -> None:
        """Time the packet with the highest number."""
        if len(self._timed) < TIMED:
            self._timed.append((self._highest, time))

    def acknowledge(self, number: int, time: int | None) -> None:
        """The other side has all numbers up to this one."""
        if not self.packets:
            return
        position = self._position(number)
        while self._timed and self._timed[0][0] <= position:
            _, sent = self._timed.popleft()
            if time is None or not 0 <= time - sent <= SILENCE_NS or self._sum_ns + time - sent >= MOST_NS:
                continue
            sample = time - sent
            self._sum_ns += sample
            self.least_ns = min(self.least_ns, sample) if self.samples else sample
            self.samples += 1

    def forget_timed(self) -> None:
        """Drop the packets that wait for an acknowledgment."""
        self._timed.clear()

    def _position(self, number: int) -> int:
        return self._highest + signed_difference(number, self.last)

    def _insert(self, place: int, position: int) -> None:
        low = high = position
        if place < len(self._ranges) and self._ranges[place][0] == position + 1:
            high = self._ranges.pop(place)[1]
        if place and self._ranges[place - 1][1] == position - 1:
            place -= 1
            low = self._ranges.pop(place)[0]
        self._ranges.insert(place, (low, high))
        if len(self._ranges) > RANGES:
            (low, _), (_, high), *rest = self._ranges
            self._ranges = [(low, high), *rest]
