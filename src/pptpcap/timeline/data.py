"""The data of one tunnel: first and last packet, loss, and what came late or again.

Knows rows of ``gre`` and ``tunnels``.  Must not know calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._follow.numbers import Numbers, Passed
from .._show import ppp, words
from ..engine import Rows
from ..wire.gre import SEQUENCE_PRESENT
from ..wire.ppp import COMPRESSED, FIRST_CONTROL
from .event import Event, EventKind

__all__ = ["Flow"]

# Kinds of data whose first packet is told.
_KINDS = 16


@dataclass
class _Data:
    """Data packets, of one kind or of all."""

    time: np.datetime64
    packet: int
    packets: int = 0
    octets: int = 0


class Flow:
    """What one tunnel holds, from its rows of ``gre`` in their order.

    Parameters
    ----------
    side : str
        "PNS" or "PAC", the sender.
    shared : bool
        Its packets may be of two calls.
    tunnel : numpy.void
        The row of ``tunnels``.
    """

    def __init__(self, side: str, tunnel: Any, *, shared: bool) -> None:
        self.side = side
        self._unless = " or are of another call" if shared else ""
        self._tunnel = tunnel
        self._numbers = Numbers()
        self._kinds: dict[int, _Data] = {}
        self._first: _Data | None = None
        self._last: _Data | None = None

    def take(self, rows: Rows) -> None:
        """Take the next rows of the tunnel."""
        numbered = rows[rows["flags_and_version"] & SEQUENCE_PRESENT != 0]
        if len(numbered):
            self._numbers.take(numbered)
            self._take_data(numbered[(numbered["payload_length"] > 0) & (numbered["ppp_protocol"] < FIRST_CONTROL)])

    def _take_data(self, rows: Rows) -> None:
        if not len(rows):
            return
        protocols, places, counts = np.unique(rows["ppp_protocol"], return_index=True, return_counts=True)
        for _, protocol, count in sorted(zip(places.tolist(), protocols.tolist(), counts.tolist(), strict=True)):
            if protocol not in self._kinds and len(self._kinds) < _KINDS:
                row = rows[rows["ppp_protocol"] == protocol][0]
                self._kinds[protocol] = _Data(row["time"], int(row["packet"]))
            if protocol in self._kinds:
                self._kinds[protocol].packets += count
        first, last = (_Data(rows[place]["time"], int(rows[place]["packet"])) for place in (0, -1))
        before = self._last
        self._first = self._first or first
        packets, octets = len(rows), int(rows["payload_length"].sum(dtype=np.int64))
        if before is not None:
            packets, octets = packets + before.packets, octets + before.octets
        self._last = replace(last, packets=packets, octets=octets)

    def events(self) -> Iterator[Event]:
        """What is to be said, after all rows."""
        yield from self._data()
        for period in self._numbers.lost.all:
            yield self._event(period, *self._loss(period))
        if (before := self._numbers.before) is not None:
            text = f"{words.times(before.count, 'packet')} came late, with sequence numbers below the first"
            yield self._event(before, EventKind.REORDERED, text)
        for period in self._numbers.again.all:
            text = f"{words.times(period.count, 'packet')} came again{self._unless}: {self._which(period)}"
            yield self._event(period, EventKind.DUPLICATES, text)

    def _data(self) -> Iterator[Event]:
        if self._first is None or self._last is None:
            return
        for protocol, data in self._kinds.items():
            which = "first data" if data.packet == self._first.packet else "first data of another kind"
            text = f"{which}: {self._kind(protocol)}"
            yield Event(data.time, (data.packet,), self.side, EventKind.DATA, "", text)
        text = f"last data: {words.times(self._last.packets, 'packet')} of {self._last.octets:,} octets in all"
        yield Event(self._last.time, (self._last.packet,), self.side, EventKind.DATA, "", text)

    def _kind(self, protocol: int) -> str:
        if not protocol:
            return "no PPP protocol"
        name = ppp.protocol_name(protocol)
        if protocol == COMPRESSED:
            encrypted, compressed = (bool(self._tunnel[f"{what}_packets"]) for what in ("encrypted", "compressed"))
            if encrypted:
                return "encrypted with MPPE" if not compressed else f"{name}, some of them encrypted with MPPE"
        return name

    def _loss(self, period: Passed) -> tuple[EventKind, str]:
        never = period.count - period.late
        numbers = self._which(period)
        if not never:
            return EventKind.REORDERED, f"{words.times(period.count, 'packet')} came late: {numbers}"
        text = f"{words.times(never, 'packet')} lost: "
        text += f"of {numbers}" if period.late and period.ranges else numbers
        return EventKind.LOSS, text + (f"; {words.times(period.late, 'packet')} came late" if period.late else "")

    def _which(self, period: Passed) -> str:
        """The sequence numbers of a period; they wrap."""
        first = int(self._tunnel["first_sequence"])
        named = ", ".join(
            str((first + low) & 0xFFFFFFFF) + (f" to {(first + high) & 0xFFFFFFFF}" if high > low else "")
            for low, high in period.ranges or [(period.low, period.high)]
        )
        if period.ranges is None:
            return f"among sequence numbers {named}"
        return f"sequence number{'' if period.low == period.high else 's'} {named}"

    def _event(self, period: Passed, kind: EventKind, text: str) -> Event:
        packets = (period.first,) if period.first == period.last else (period.first, period.last)
        return Event(period.time, packets, self.side, kind, "", text)
