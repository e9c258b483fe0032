"""Pairs echo requests with their replies, and sums up runs of them.

Must not know tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from .._follow.periods import Periods
from .._show.stories import other
from .event import Event, EventKind

__all__ = ["Echoes"]

# Requests of a side that wait for their replies, and unanswered ones of a run that are named.
_WAITING = 256
_NAMED = 8

_NOT_A_TIME = np.iinfo(np.int64).min


@dataclass
class _Request:
    identifier: int
    time: int
    packet: int
    reply: int = 0
    answered: bool = False
    nanoseconds: int | None = None


@dataclass
class _Run:
    """Requests of one side in a row; `first` and `last` are packets, of which the last may be a reply."""

    start: int
    end: int
    first: int
    last: int
    sent: int = 1
    unanswered: list[int] = field(default_factory=list)
    silent: int = 0
    times: int = 0
    least: int = 0
    total: int = 0
    greatest: int = 0

    def add(self, later: Self) -> None:
        self.end, self.last = later.end, max(self.last, later.last)
        self.sent += later.sent
        self.silent += later.silent
        self.unanswered = (self.unanswered + later.unanswered)[:_NAMED]
        if later.times:
            self.least = min(self.least, later.least) if self.times else later.least
            self.greatest = max(self.greatest, later.greatest)
            self.total += later.total
            self.times += later.times


def _alike(run: _Run, later: _Run) -> bool:
    """Whether both were answered, or both were not."""
    return (run.silent == 0) == (later.silent == 0) and (run.silent == run.sent) == (later.silent == later.sent)


class _Side:
    def __init__(self) -> None:
        self.waiting: deque[_Request] = deque()
        self.newest: dict[int, _Request] = {}
        self.runs: Periods[_Run] = Periods(_alike)

    def ask(self, request: _Request) -> None:
        """Take a request, and forget the oldest of too many.  An answered one is kept for a second reply."""
        self.newest.pop(request.identifier, None)
        self.newest[request.identifier] = request
        if len(self.newest) > _WAITING:
            del self.newest[next(iter(self.newest))]
        self.waiting.append(request)
        self.settle(_WAITING)

    def settle(self, most: int) -> None:
        """Sum up requests from the oldest on: those that were answered, and those beyond the most that may wait."""
        while self.waiting and (self.waiting[0].answered or len(self.waiting) > most):
            request = self.waiting.popleft()
            run = _Run(request.time, request.time, request.packet, max(request.packet, request.reply))
            if not request.answered:
                run.silent, run.unanswered = 1, [request.packet]
            elif request.nanoseconds is not None:
                run.times = 1
                run.least = run.total = run.greatest = request.nanoseconds
            self.runs.add(run)


class Echoes:
    """Echo requests and replies of both sides, in LCP or on the control connection.

    Parameters
    ----------
    what : str
        "LCP" or "control".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._sides = {"PNS": _Side(), "PAC": _Side()}
        # Replies of a side to requests that were not seen.
        self._alone: dict[str, _Run] = {}

    def request(self, side: str, identifier: int, time: int, packet: int) -> None:
        """A side asks."""
        self._sides[side].ask(_Request(identifier, time, packet))

    def reply(self, side: str, identifier: int, time: int, packet: int) -> None:
        """A side answers."""
        asked = self._sides[other(side)]
        request = asked.newest.get(identifier)
        if request is None:
            one = _Run(time, time, packet, packet)
            if side in self._alone:
                self._alone[side].add(one)
            else:
                self._alone[side] = one
        elif not request.answered:
            request.answered, request.reply = True, packet
            if _NOT_A_TIME not in (time, request.time) and time >= request.time:
                request.nanoseconds = time - request.time
            asked.settle(_WAITING)

    def unanswered(self, side: str) -> tuple[int, int, int] | None:
        """The last requests of a side, if they had no answer: how many, first and last packet; ask after `events`."""
        runs = self._sides[side].runs.all
        if not runs or runs[-1].silent < runs[-1].sent:
            return None
        return runs[-1].sent, runs[-1].first, runs[-1].last

    def events(self, captured: set[str]) -> Iterator[Event]:
        """What is to be said; `captured` are the sides of which the capture has packets."""
        for side, asked in self._sides.items():
            asked.settle(0)
            for run in asked.runs.all:
                kind = EventKind.UNANSWERED if run.silent and other(side) in captured else EventKind.ECHO
                yield _event(run.start, (run.first, run.last), side, kind, self._text(run, other(side) in captured))

        for side, run in self._alone.items():
            # With both sides, the requests are older than the call, or copies came.
            if other(side) not in captured:
                replies = _number(run.sent, f"{self._what} Echo-Repl", "y", "ies")
                text = f"{replies}; {self._lacks()} of the side that asks"
                yield _event(run.start, (run.first, run.last), side, EventKind.ECHO, text)

    def _lacks(self) -> str:
        """What there is nothing of: packets of a side can be in the capture, and not be of the call."""
        return f"the {'call has no Enhanced GRE' if self._what == 'LCP' else 'control connection has no TCP segment'}"

    def _text(self, run: _Run, heard: bool) -> str:
        what = _number(run.sent, f"{self._what} Echo-Request", "", "s")
        if not heard:
            return f"{what}; {self._lacks()} of the side that answers"
        answered = run.sent - run.silent
        times = ""
        if run.times:
            least, mean, greatest = (f"{ns / 1e6:.1f}" for ns in (run.least, run.total // run.times, run.greatest))
            times = (
                f" in {least} ms" if run.times == 1 else f" in {least}, {mean}, {greatest} ms (least, mean, greatest)"
            )
        if not run.silent:
            return f"{what} answered{times}"
        silent = ", ".join(map(str, run.unanswered)) + (", ..." if run.silent > len(run.unanswered) else "")
        if not answered:
            return f"{what} not answered" + (f": packets {silent}" if run.sent > 1 else "")
        return f"{what}, {answered} answered{times}; not answered: packets {silent}"


def _number(count: int, stem: str, one: str, several: str) -> str:
    return f"{stem}{one}" if count == 1 else f"{count:,} {stem}{several}"


def _event(time: int, packets: tuple[int, int], side: str, kind: EventKind, text: str) -> Event:
    first, last = packets
    return Event(np.datetime64(time, "ns"), (first,) if first == last else packets, side, kind, "", text)
