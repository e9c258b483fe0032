"""Sequence numbers of one tunnel that were passed over, came late, or came again.

Knows rows of ``gre``.  Must not know words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from ..engine import Rows
from ..wire.status import OUT_OF_TURN, GreStatus
from .periods import GAP_NS, Periods, distance

__all__ = ["Numbers", "Passed"]

# Ranges of sequence numbers that are kept of a period.
_NAMED = 8


@dataclass
class Passed:
    """Sequence numbers that were passed over, or came again, in a period.

    `start` and `end` are the times at which this was seen.  `first` and `last` are packets, between which numbers were
    passed over, or the last that came late; `time` is that of the first.  `low` and `high` are positions from the
    tunnel's first number.  `ranges` are those between, None if there are too many.
    """

    time: np.datetime64
    start: int
    end: int
    first: int
    last: int
    low: int
    high: int
    count: int
    late: int = 0
    ranges: list[tuple[int, int]] | None = field(init=False)

    def __post_init__(self) -> None:
        self.ranges = [(self.low, self.high)]

    def add(self, later: Self) -> None:
        """Take in a period that follows."""
        self.end, self.last = later.end, max(self.last, later.last)
        self.low, self.high = min(self.low, later.low), max(self.high, later.high)
        self.count += later.count
        self.late += later.late
        self.ranges = _joined(self.ranges, later.ranges)


def _joined(some: list[tuple[int, int]] | None, more: list[tuple[int, int]] | None) -> list[tuple[int, int]] | None:
    """The ranges of both, ascending, with neighbours as one."""
    if some is None or more is None:
        return None
    joined: list[tuple[int, int]] = []
    for low, high in sorted([*some, *more]):
        if joined and low <= joined[-1][1] + 1:
            low, high = joined[-1][0], max(high, joined.pop()[1])
        joined.append((low, high))
    return joined if len(joined) <= _NAMED else None


def _soon(period: Passed, later: Passed) -> bool:
    return distance(period, later) <= GAP_NS


class Numbers:
    """The sequence numbers of one tunnel, from its rows of ``gre`` that have one, in their order.

    Attributes
    ----------
    lost : Periods of Passed
        Numbers that were passed over, and how many of them came late.
    again : Periods of Passed
        Numbers that came again.
    before : Passed or None
        Packets that came late, with a number below the first one.
    """

    def __init__(self) -> None:
        self.lost: Periods[Passed] = Periods(_soon)
        self.again: Periods[Passed] = Periods(_soon)
        self.before: Passed | None = None
        # Position of the highest number so far, and its row.
        self._highest: tuple[int, Any] = (-1, None)

    def take(self, rows: Rows) -> None:
        """Take the next rows."""
        if not len(rows):
            return
        is_old = rows["status"] & OUT_OF_TURN != 0
        steps = np.where(is_old, 0, rows["skipped"].astype(np.int64) + 1)
        positions = self._highest[0] + np.cumsum(steps)
        # The row that had the highest number before each row.
        newest = np.maximum.accumulate(np.where(is_old, -1, np.arange(len(rows))))
        for place in np.flatnonzero(is_old | (steps > 1)).tolist():
            row = rows[place]
            at = int(newest[place - 1]) if place else -1
            self._take_odd(row, *(self._highest if at < 0 else (int(positions[at]), rows[at])))
        if newest[-1] >= 0:
            # A copy: a row would keep the whole batch.
            self._highest = int(positions[newest[-1]]), rows[newest[-1]].copy()

    def _take_odd(self, row: Any, position: int, highest: Any) -> None:
        """Take a row that passes over numbers, or does not have the highest one."""
        time, packet = int(row["time"].astype(np.int64)), int(row["packet"])
        status = int(row["status"])
        if not status & OUT_OF_TURN:
            before, skipped = int(highest["packet"]), int(row["skipped"])
            low, high = position + 1, position + skipped
            self.lost.add(Passed(highest["time"], time, time, before, packet, low, high, skipped))
            return
        place = position + _signed(int(row["sequence_number"]) - int(highest["sequence_number"]))
        one = Passed(row["time"], time, time, packet, packet, place, place, 1)
        if status & GreStatus.DUPLICATED:
            self.again.add(one)
        elif period := next((period for period in reversed(self.lost.all) if period.low <= place <= period.high), None):
            period.late += 1
            period.last = max(period.last, packet)
        elif self.before is None:
            self.before = one
        else:
            self.before.add(one)

    def missing(self, behind: int = 0) -> list[Passed]:
        """The periods of which numbers never came, without those that ended at a packet or before it."""
        return [period for period in self.lost.all if period.count > period.late and period.last > behind]


def _signed(number: int) -> int:
    """The signed 32-bit difference."""
    return (number + 2**31) % 2**32 - 2**31
