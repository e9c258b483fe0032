"""Rows of Enhanced GRE go to their calls, and inner packets come back in the order of the capture.

Knows rows, payloads and which tunnel is which side of which call; reads no file.  Called by ``decapsulate``.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from ..engine import Rows
from ..wire.status import GreStatus
from .login import Password
from .order import Given, Packet
from .outcome import Outcome
from .session import Done, Session

__all__ = ["Octets", "Sorter"]

Octets: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

# A packet waits for one before it no longer than this, in rows and in time of the capture.
_ROWS = 1_024
_NANOSECONDS = 10**9

_NO_SEQUENCE = GreStatus.NO_SEQUENCE.value
_SHORT = GreStatus.PAYLOAD_SHORT.value
_HEADER_CUT = GreStatus.HEADER_CUT.value
# Row of a call that packets belong to whose tunnel is not known.
_NO_CALL = -1


class Sorter:
    """All calls of one capture.

    Parameters
    ----------
    tunnels : mapping of int to (int, int)
        Row of the call and side, by row of the tunnel; packets of other tunnels are passed over.
    others : bool
        Count packets whose header is cut, which belong to no tunnel.
    password : Password or None
        With which to try logins.

    Attributes
    ----------
    counts : dict of int to Counter
        Packets by outcome, by row of the call.
    """

    def __init__(self, tunnels: Mapping[int, tuple[int, int]], password: Password | None, *, others: bool) -> None:
        self._tunnels = tunnels
        self._others = others
        self._password = password
        self._sessions: dict[int, Session] = {}
        self._waiting: deque[tuple[Packet, int, int]] = deque()
        self._ready: list[tuple[int, int, int, bytes]] = []
        self._row = 0
        self.counts: dict[int, Counter[Outcome]] = {}

    def take(self, rows: Rows, payloads: Octets) -> Iterator[tuple[int, bytes]]:
        """Take rows of ``gre`` in with the octets of their payloads; time and octets of packets that are ready."""
        columns: Iterable[tuple[Any, ...]] = zip(
            rows["time"].astype("int64").tolist(),
            *(rows[name].tolist() for name in ("tunnel", "payload_length", "available", "sequence_number", "status")),
            strict=True,
        )
        at = 0
        for time, tunnel, length, available, sequence, status in columns:
            row, self._row = self._row, self._row + 1
            start, at = at, at + available
            if not length:
                continue
            if status & _HEADER_CUT:
                if self._others:
                    self._count(_NO_CALL, Outcome.CUT, 1)
                continue
            place = self._tunnels.get(tunnel)
            if place is None:
                continue
            call, side = place
            if status & (_NO_SEQUENCE | _SHORT):
                self._count(call, Outcome.MALFORMED, 1)
                continue
            packet = Packet(row, time, sequence, payloads[start:at].tobytes(), length - available)
            self._add(call, side, packet)
            self._let_go(row, time)
            yield from self._written()

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """The capture ends: nothing waits any longer."""
        while self._waiting:
            self._let_go(self._row + _ROWS, self._waiting[0][0].time)
        last = Packet(self._row, 0, 0, b"", 0)
        for call, session in self._sessions.items():
            for side in (0, 1):
                self._keep(call, session.finish(side, last))
        yield from self._written()

    def _add(self, call: int, side: int, packet: Packet) -> None:
        session = self._sessions.get(call)
        if session is None:
            session = self._sessions[call] = Session(self._password)
        order = session.order(side)
        given = order.add(packet)
        if order.waits(packet):
            self._waiting.append((packet, call, side))
        self._keep(call, session.take(side, given))

    def _let_go(self, row: int, time: int) -> None:
        """Give up the numbers that packets have waited for too long."""
        while self._waiting:
            packet, call, side = self._waiting[0]
            session = self._sessions[call]
            if not session.order(side).waits(packet):
                self._waiting.popleft()
            elif row - packet.row >= _ROWS or time - packet.time > _NANOSECONDS:
                given: list[Given] = session.order(side).release()
                self._keep(call, session.take(side, given))
            else:
                return

    def _keep(self, call: int, done: Iterable[Done]) -> None:
        for one in done:
            self._count(call, one.outcome, one.times)
            if one.outcome is Outcome.WRITTEN:
                heapq.heappush(self._ready, (one.packet.row, call, one.packet.time, one.octets))

    def _written(self) -> Iterator[tuple[int, bytes]]:
        first = self._waiting[0][0].row if self._waiting else self._row
        while self._ready and self._ready[0][0] < first:
            _, _, time, octets = heapq.heappop(self._ready)
            yield time, octets

    def _count(self, call: int, outcome: Outcome, times: int) -> None:
        counts = self.counts.get(call)
        if counts is None:
            counts = self.counts[call] = Counter()
        counts[outcome] += times
