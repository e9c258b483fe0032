"""The stateless half: turns a range of records or blocks into events.

Must not know other ranges, or what packets mean together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import SCAN_COUNTERS, Data
from ..wire.container import Container
from ..wire.limits import Limits
from .blocks import BlockWalk
from .events import Event, Findings, GrePacket, Issue, Packet
from .packets import PacketWalk
from .records import RecordWalk, Walk

_WALKS: dict[str, type[Walk]] = {"pcap": RecordWalk, "pcapng": BlockWalk}


class Scan:
    """What one range holds.

    Parameters
    ----------
    findings : Findings
        Counters, and events in the order of packets.
    walk : Walk
        Where the walk ended.
    """

    def __init__(self, findings: Findings, walk: Walk) -> None:
        self.container = walk.container
        self.end = walk.position
        self.records = walk.records
        self.damaged = walk.damaged
        self.earliest = walk.earliest
        self.latest = walk.latest
        self.newest = walk.newest
        self.last: Packet | None = walk.last
        self.counters = findings.counters
        self.events: list[Event] = findings.events
        self.unfollowed = findings.unfollowed
        self._places = findings.places

    def take_places(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Where the records and headers of the range begin."""
        places, self._places = self._places, []
        return np.array(places, np.int64)

    def rebase(self, packets: int) -> None:
        """Add `packets` to the number of packets before the range."""
        if self.last is not None:
            self.last = _moved(self.last, packets)
        for carrier, (number, first) in self.unfollowed.items():
            self.unfollowed[carrier] = number, _moved(first, packets)
        for index, event in enumerate(self.events):
            packet = _moved(event.packet, packets)
            if isinstance(event, Issue | GrePacket):
                self.events[index] = event._replace(packet=packet)
            else:
                event.packet = packet


def _moved(packet: Packet, packets: int) -> Packet:
    return packet._replace(number=packet.number + packets)


def scan_range(
    data: Data,
    start: int,
    stop: int,
    container: Container,
    ports: tuple[int, ...],
    limits: Limits,
    *,
    file: int = 0,
    packets_before: int = 0,
    origin: int = 0,
    final: bool = True,
    most_records: int = 0,
    salvage: bool = False,
    mirrors: tuple[tuple[int, int], ...] = (),
    payloads: bool = False,  # noqa: ARG001 - each event has its payload anyway
    places: bool = False,  # noqa: ARG001 - they are few beside the events
) -> Scan:
    """Walk the records or blocks that start in ``data[start:stop]``, as ``engine.Engine.scan`` says."""
    findings = Findings(SCAN_COUNTERS)
    walk = _WALKS[container.format](data, start, stop, container, limits, findings, salvage)
    packets = PacketWalk(findings, ports, limits, mirrors)
    while True:
        for frame in walk.frames(file, packets_before, origin, final, most_records):
            packets.frame(frame)
        if walk.part is None:
            return Scan(findings, walk)
        walk = _WALKS[walk.part.format](data, walk.position, stop, walk.part, limits, findings, salvage, walk)


def find_record(data: Data, start: int, stop: int, container: Container, limits: Limits, *, final: bool = True) -> int:
    """The first plausible place in ``data[start:stop]``, else `stop`, as ``engine.Engine.find_record`` says."""
    walk = _WALKS[container.format](data, start, stop, container, limits, Findings(()))
    while walk.position < stop and not walk.is_plausible(final):
        walk.position += 1
    return walk.position
