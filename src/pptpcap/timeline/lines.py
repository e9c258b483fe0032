"""Keeps a bounded number of events of one source, and the packets that prove what happened.

Must not know tables.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from .event import Event, EventKind

__all__ = ["Facts", "Lines"]

# Of each source: events that are kept from its start, and from its end.
_FIRST = 1_000
_LAST = 1_000


class Lines:
    """The first and the last events of a source, and one that says how many are left out."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._first: list[Event] = []
        self._last: deque[Event] = deque(maxlen=_LAST)
        self._left_out = 0
        self._before: Event | None = None

    def add(self, event: Event) -> None:
        """Take one more."""
        if len(self._first) < _FIRST:
            self._first.append(event)
            return
        if len(self._last) == _LAST:
            self._left_out += 1
            self._before = self._before or self._last[0]
        self._last.append(event)

    def all(self) -> list[Event]:
        """What is kept, in order."""
        if self._before is None:
            return [*self._first, *self._last]
        text = f"{self._left_out:,} {self._what} are left out here"
        between = Event(self._before.time, self._before.packets, "", EventKind.LEFT_OUT, "", text)
        return [*self._first, between, *self._last]


@dataclass
class Fact:
    """Packets of one kind: what they are, their number, the first with its time, and the last."""

    said: str
    count: int
    first: int
    last: int
    time: np.datetime64


class Facts:
    """Packets by what they show, of either side."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Fact] = {}
        self._before: dict[tuple[str, str], Fact] | None = None

    def note(self, what: str, side: str, packet: int, said: str, time: np.datetime64) -> None:
        """Note one more packet."""
        fact = self._known.setdefault((what, side), Fact(said, 0, packet, packet, time))
        if said not in fact.said.split(" and "):
            fact.said += f" and {said}"
        fact.count += 1
        fact.last = packet

    def forget(self, what: str, side: str) -> None:
        """Forget the packets of a kind."""
        self._known.pop((what, side), None)

    def hold(self) -> None:
        """Remember what is known now, unless something is remembered."""
        if self._before is None:
            self._before = {key: replace(fact) for key, fact in self._known.items()}

    def release(self) -> None:
        """Forget what is remembered."""
        self._before = None

    def before(self, what: str, side: str) -> Fact | None:
        """Packets of a kind, only those before `hold` if it was called."""
        return (self._known if self._before is None else self._before).get((what, side))

    def get(self, what: str, side: str) -> Fact | None:
        """Packets of a kind, None if there are none."""
        return self._known.get((what, side))
