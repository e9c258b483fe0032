"""Sums up what happens often into a bounded number of periods.

Must not know rows or words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar

__all__ = ["GAP_NS", "MOST", "Period", "Periods", "distance"]

# What follows within this time belongs to the same period, and the most periods that are kept: at this number, the two
# neighbours with the least time between them become one.
GAP_NS = 1_000_000_000
MOST = 64

_NOT_A_TIME = -(2**63)


class Period(Protocol):
    """Something with a beginning and an end, that takes in what follows it.  Times are ns, or the number of NaT."""

    start: int
    end: int

    def add(self, later: Self, /) -> None:
        """Take in one that follows."""


Kind = TypeVar("Kind", bound=Period)


def distance(one: Period, later: Period) -> int:
    """Nanoseconds from the end of one period to the start of the next; 0 if a time is not known or clocks step back."""
    if _NOT_A_TIME in (one.end, later.start):
        return 0
    return max(0, later.start - one.end)


class Periods(Generic[Kind]):
    """Periods in the order in which they came; `together` says whether two neighbours are one."""

    def __init__(self, together: Callable[[Kind, Kind], bool]) -> None:
        self.all: list[Kind] = []
        self._together = together

    def add(self, new: Kind) -> None:
        """Take one more."""
        if self.all and self._together(self.all[-1], new):
            self.all[-1].add(new)
            return
        self.all.append(new)
        if len(self.all) > MOST:
            pairs = [distance(*pair) for pair in zip(self.all, self.all[1:], strict=False)]
            place = pairs.index(min(pairs))
            self.all[place].add(self.all.pop(place + 1))
