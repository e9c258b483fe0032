"""Recognises packets that the capture holds more than once (decoding 4b).

Must not know what a packet holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import accumulate

from ..wire.limits import COPY_EVIDENCE, COPY_LOOKS, COPY_MILLISECONDS, COPY_TIMES, COPY_VANTAGES, COPY_WINDOW


@dataclass(slots=True, eq=False)
class _Entry:
    """A packet at one vantage: when it came there first, how often, and how many of these were no copies."""

    identity: Hashable
    vantage: Hashable
    time: int | None
    times: int
    kept: int


class Copies:
    """Packets of one kind, in their order."""

    def __init__(self) -> None:
        self.found = 0
        self._entries: deque[_Entry] = deque()
        self._by_identity: dict[Hashable, list[_Entry]] = {}

    def let_pass(self, identity: Hashable, vantage: Hashable, time: int | None) -> None:
        """The next packet, which is no copy."""
        self._add(_Entry(identity, vantage, time, 1, 1))

    def is_copy(self, identity: Hashable, vantage: Hashable, time: int | None) -> bool:
        """Whether the next packet is a copy of an earlier one."""
        alike = [entry for entry in self._by_identity.get(identity, ()) if _is_near(entry.time, time)]
        kept = sum(entry.kept for entry in alike)
        # The last one, as an older one may be near as well where packets have no time.
        here = next((entry for entry in reversed(alike) if entry.vantage == vantage), None)
        if here is None:
            rank = 1
            if len(alike) < COPY_VANTAGES:
                self._add(_Entry(identity, vantage, time, 1, int(kept == 0)))
        else:
            here.times += 1
            rank = -(-here.times // self._as_a_rule(here))
            here.kept += rank > kept
        self.found += rank <= kept
        return rank <= kept

    def _add(self, entry: _Entry) -> None:
        if len(self._entries) == COPY_WINDOW:
            oldest = self._entries.popleft()
            alike = self._by_identity[oldest.identity]
            alike.remove(oldest)
            if not alike:
                del self._by_identity[oldest.identity]
        self._entries.append(entry)
        self._by_identity.setdefault(entry.identity, []).append(entry)

    def _as_a_rule(self, here: _Entry) -> int:
        # decoding 4b.3: the greatest number of times that is a rule
        place = self._entries.index(here)
        before = [self._entries[number] for number in range(place - 1, max(place - COPY_LOOKS, 0) - 1, -1)]
        own = [entry.times for entry in before if entry.vantage == here.vantage]
        told = own or [entry.times for entry in before]
        least = min(COPY_EVIDENCE, len(own)) if own else len(told)
        if not own and len(told) < COPY_EVIDENCE:
            return min(here.times, COPY_TIMES)
        for times in range(min(here.times, COPY_TIMES), 1, -1):
            came = list(accumulate(often >= times for often in told))
            if any(2 * came[number - 1] >= number for number in range(least, len(told) + 1)):
                return times
        return 1


def _is_near(one: int | None, other: int | None) -> bool:
    return one is None or other is None or abs(one - other) <= COPY_MILLISECONDS * 1_000_000
