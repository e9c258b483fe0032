"""Rows of Enhanced GRE go to their calls, and inner packets come back in the order of the capture.

Knows rows, payloads and which tunnel is which side of which call; reads no file.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

from ..engine import Rows
from ..wire.limits import SESSION_OCTETS, SESSIONS, WAITING_OCTETS
from ..wire.status import GreStatus
from .counts import NO_CALL, Counts
from .login import Password
from .order import Given, Payload
from .outcome import Outcome
from .places import Places
from .session import Done, Session

__all__ = ["GRE_COLUMNS", "Octets", "Sorter"]

Octets: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

# Columns of gre that are needed.
GRE_COLUMNS = ("time", "packet", "payload_length", "sequence_number", "available", "tunnel", "status")

# How long a packet waits for an earlier one, in rows and in capture time.
_ROWS = 1_024
_NANOSECONDS = 10**9

# Rows that become Python objects at a time.
_SLICE = 4_096

_MALFORMED = (GreStatus.NO_SEQUENCE | GreStatus.PAYLOAD_SHORT).value
_HEADER_CUT = GreStatus.HEADER_CUT.value


class Sorter:
    """All calls of one capture.

    A call has a session from its first packet to its last, unless it is forgotten before.

    Parameters
    ----------
    places : Places
        Which tunnel is which side of which call; packets of other tunnels are skipped.
    password : Password or None
        With which to try logins.
    others : bool
        Count packets that belong to no call.
    sessions, session_octets, waiting_octets : int
        Caps, as in ``wire.limits``.

    Attributes
    ----------
    counts : Counts
        Packets by call and outcome.
    """

    def __init__(
        self,
        places: Places,
        password: Password | None,
        *,
        others: bool,
        sessions: int = SESSIONS,
        session_octets: int = SESSION_OCTETS,
        waiting_octets: int = WAITING_OCTETS,
    ) -> None:
        self._places = places
        self._password = password
        self._others = others
        self._most_sessions = sessions
        self._most_session_octets = session_octets
        self._most_waiting_octets = waiting_octets
        # Least recently used first.
        self._sessions: OrderedDict[int, Session] = OrderedDict()
        self._session_octets = 0
        self._forgotten = bytearray(places.calls)
        self._waiting: deque[tuple[Payload, int, int]] = deque()
        self._ready: list[tuple[int, int, int, bytes]] = []
        # Bytes of waiting packets, and of finished ones behind a waiting one.
        self._waiting_octets = 0
        self._rows = 0
        self.counts = Counts(places.calls)

    def take(self, rows: Rows, payloads: Octets) -> Iterator[tuple[int, bytes]]:
        """Process rows of ``gre`` with their payloads; yield time and bytes of finished packets."""
        available = rows["available"].astype(np.int64)
        stops = np.cumsum(available)
        calls, sides = self._places.of(rows["tunnel"])
        due, ends = self._due(rows, calls)
        chosen = np.flatnonzero(due | ends)
        octets = payloads.data
        for first in range(0, len(chosen), _SLICE):
            part = chosen[first : first + _SLICE]
            columns: Iterable[tuple[Any, ...]] = zip(
                (part + self._rows).tolist(),
                calls[part].tolist(),
                sides[part].tolist(),
                due[part].tolist(),
                ends[part].tolist(),
                rows["time"][part].astype(np.int64).tolist(),
                rows["sequence_number"][part].tolist(),
                (stops[part] - available[part]).tolist(),
                stops[part].tolist(),
                (rows["payload_length"][part] - available[part]).tolist(),
                strict=True,
            )
            for row, call, side, is_due, is_end, time, sequence, start, stop, missing in columns:
                if is_due and self._forgotten[call]:
                    self.counts.add(call, Outcome.FORGOTTEN)
                elif is_due:
                    self._add(call, side, Payload(row, time, sequence, octets[start:stop].tobytes(), missing))
                if is_end and call in self._sessions:
                    self._end(call)
                while self._session_octets > self._most_session_octets or len(self._sessions) > self._most_sessions:
                    self._forget()
                if is_due and self._waiting:
                    self._let_go(row, time)
                if self._ready:
                    yield from self._written(row + 1)
        self._rows += len(rows)

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """End the capture: process all waiting packets."""
        while self._sessions:
            self._end(next(iter(self._sessions)))
        self._waiting.clear()
        yield from self._written(self._rows)

    def _due(self, rows: Rows, calls: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Rows that are to be undone, and rows that are the last of their calls; counts those that are neither."""
        status = rows["status"]
        has_payload = rows["payload_length"] != 0
        if self._others:
            of_none = has_payload & (calls == NO_CALL)
            is_cut = status & _HEADER_CUT != 0
            self.counts.add_rows(calls[of_none & is_cut], Outcome.CUT)
            self.counts.add_rows(calls[of_none & ~is_cut], Outcome.NO_CALL)
        of_call = calls >= 0
        malformed = of_call & has_payload & (status & _MALFORMED != 0)
        self.counts.add_rows(calls[malformed], Outcome.MALFORMED)
        ends = np.zeros(len(rows), np.bool_)
        ends[of_call] = self._places.ends(calls[of_call], rows["packet"][of_call])
        return of_call & has_payload & ~malformed, ends

    def _add(self, call: int, side: int, packet: Payload) -> None:
        session = self._sessions.get(call)
        if session is None:
            session = self._sessions[call] = Session(self._password)
        else:
            self._sessions.move_to_end(call)
        order = session.order(side)
        given = order.add(packet)
        if order.waits(packet):
            self._waiting.append((packet, call, side))
            self._waiting_octets += len(packet.octets)
        self._undo(call, session, side, given)

    def _undo(self, call: int, session: Session, side: int, given: list[Given]) -> None:
        before = session.octets
        self._keep(call, session.take(side, given))
        self._session_octets += session.octets - before

    def _end(self, call: int) -> None:
        """End a call, or drop its session."""
        session = self._sessions.pop(call)
        self._session_octets -= session.octets
        self._keep(call, session.finish())

    def _forget(self) -> None:
        call = next(iter(self._sessions))
        self._end(call)
        self._forgotten[call] = True

    def _let_go(self, row: int, time: int) -> None:
        """Give up numbers that packets have waited for too long, or while too many bytes wait."""
        while self._waiting:
            packet, call, side = self._waiting[0]
            session = self._sessions.get(call)
            if session is None or not session.order(side).waits(packet):
                self._waiting.popleft()
                self._waiting_octets -= len(packet.octets)
            elif (
                row - packet.row >= _ROWS
                or time - packet.time > _NANOSECONDS
                or self._waiting_octets > self._most_waiting_octets
            ):
                self._undo(call, session, side, session.order(side).release())
            else:
                return

    def _keep(self, call: int, done: list[Done]) -> None:
        for one in done:
            self.counts.add(call, one.outcome, one.times)
            if one.outcome is Outcome.WRITTEN:
                heapq.heappush(self._ready, (one.packet.row, call, one.packet.time, one.octets))
                self._waiting_octets += len(one.octets)

    def _written(self, rows: int) -> list[tuple[int, bytes]]:
        """Finished packets of the first `rows` rows that no waiting packet precedes."""
        first = self._waiting[0][0].row if self._waiting else rows
        written = []
        while self._ready and self._ready[0][0] < first:
            _, _, time, octets = heapq.heappop(self._ready)
            self._waiting_octets -= len(octets)
            written.append((time, octets))
        return written
