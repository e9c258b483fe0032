"""The data of one tunnel: first and last packet, loss, and what came late or again.

Knows rows of ``gre`` and ``tunnels``.  Must not know calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from .._show import ppp
from ..engine import Rows
from ..wire.gre import SEQUENCE_PRESENT
from ..wire.ppp import COMPRESSED, FIRST_CONTROL
from ..wire.status import GreStatus
from .event import Event, EventKind
from .periods import GAP_NS, Periods, distance

__all__ = ["Flow"]

# Kinds of data whose first packet is told.
_KINDS = 16
# Ranges of sequence numbers that a line names.
_NAMED = 8
_OLD = GreStatus.DUPLICATED | GreStatus.REORDERED


@dataclass
class _Numbers:
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
    times: int = 1
    late: int = 0
    ranges: list[tuple[int, int]] | None = field(init=False)

    def __post_init__(self) -> None:
        self.ranges = [(self.low, self.high)]

    def add(self, later: Self) -> None:
        self.end, self.last = later.end, max(self.last, later.last)
        self.low, self.high = min(self.low, later.low), max(self.high, later.high)
        self.count += later.count
        self.times += later.times
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


def _soon(period: _Numbers, later: _Numbers) -> bool:
    return distance(period, later) <= GAP_NS


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
        self._lost: Periods[_Numbers] = Periods(_soon)
        self._again: Periods[_Numbers] = Periods(_soon)
        # Packets that came late, with a number below the first one.
        self._before: _Numbers | None = None
        # Position of the highest number so far, and its row.
        self._highest: tuple[int, Any] = (-1, None)
        self._kinds: dict[int, _Data] = {}
        self._first: _Data | None = None
        self._last: _Data | None = None

    def take(self, rows: Rows) -> None:
        """Take the next rows of the tunnel."""
        numbered = rows[rows["flags_and_version"] & SEQUENCE_PRESENT != 0]
        if len(numbered):
            self._take_numbers(numbered)
            self._take_data(numbered[(numbered["payload_length"] > 0) & (numbered["ppp_protocol"] < FIRST_CONTROL)])

    def _take_numbers(self, rows: Rows) -> None:
        is_old = rows["status"] & _OLD != 0
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
        if not status & _OLD:
            before, skipped = int(highest["packet"]), int(row["skipped"])
            low, high = position + 1, position + skipped
            self._lost.add(_Numbers(highest["time"], time, time, before, packet, low, high, skipped))
            return
        place = position + _signed(int(row["sequence_number"]) - int(highest["sequence_number"]))
        one = _Numbers(row["time"], time, time, packet, packet, place, place, 1)
        if status & GreStatus.DUPLICATED:
            self._again.add(one)
        elif period := next(
            (period for period in reversed(self._lost.all) if period.low <= place <= period.high), None
        ):
            period.late += 1
            period.last = max(period.last, packet)
        elif self._before is None:
            self._before = one
        else:
            self._before.add(one)

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
        for period in self._lost.all:
            yield self._event(period, *self._loss(period))
        if self._before is not None:
            text = f"{_packets(self._before.count)} came late, with sequence numbers below the first"
            yield self._event(self._before, EventKind.REORDERED, text)
        for period in self._again.all:
            text = f"{_packets(period.count)} came again{self._unless}: {self._numbers(period)}"
            yield self._event(period, EventKind.DUPLICATES, text)

    def _data(self) -> Iterator[Event]:
        if self._first is None or self._last is None:
            return
        for protocol, data in self._kinds.items():
            which = "first data" if data.packet == self._first.packet else "first data of another kind"
            text = f"{which}: {self._kind(protocol)}"
            yield Event(data.time, (data.packet,), self.side, EventKind.DATA, "", text)
        text = f"last data: {_packets(self._last.packets)} of {self._last.octets:,} octets in all"
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

    def _loss(self, period: _Numbers) -> tuple[EventKind, str]:
        never = period.count - period.late
        numbers = self._numbers(period)
        if not never:
            return EventKind.REORDERED, f"{_packets(period.count)} came late: {numbers}"
        text = f"{_packets(never)} lost: "
        text += f"of {numbers}" if period.late and period.ranges else numbers
        return EventKind.LOSS, text + (f"; {_packets(period.late)} came late" if period.late else "")

    def _numbers(self, period: _Numbers) -> str:
        """The sequence numbers of a period; they wrap."""
        first = int(self._tunnel["first_sequence"])
        named = ", ".join(
            str((first + low) & 0xFFFFFFFF) + (f" to {(first + high) & 0xFFFFFFFF}" if high > low else "")
            for low, high in period.ranges or [(period.low, period.high)]
        )
        if period.ranges is None:
            return f"among sequence numbers {named}"
        return f"sequence number{'' if period.low == period.high else 's'} {named}"

    def _event(self, period: _Numbers, kind: EventKind, text: str) -> Event:
        packets = (period.first,) if period.first == period.last else (period.first, period.last)
        return Event(period.time, packets, self.side, kind, "", text)


def _signed(number: int) -> int:
    """The signed 32-bit difference."""
    return (number + 2**31) % 2**32 - 2**31


def _packets(count: int) -> str:
    return "1 packet" if count == 1 else f"{count:,} packets"
