"""Record headers of a pcap file: where each packet starts, when it came, what is damaged.

Knows nothing of what a packet holds.  Called by ``scan``; ``blocks`` shares what every walk counts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ..engine import Data
from ..wire.container import RECORD_HEADER_SIZE, Container
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Packet

NANOSECONDS = 1_000_000_000


class Frame(NamedTuple):
    """A packet as the file holds it: its captured octets, how many there were on the wire, where it was captured."""

    packet: Packet
    octets: bytes
    on_wire: int
    interface: int
    link_type: int


class Place(NamedTuple):
    """Where a record or block starts, and the number of its packet, or of the next one."""

    number: int
    file: int
    record_offset: int


class Walk:
    """One walk over records or blocks, and where it stands.

    Parameters
    ----------
    data : buffer
        The file, or a window of it.
    start, stop : int
        Range in which records start.
    container : Container
        What is known of the file.
    limits : Limits
        Caps.
    findings : Findings
        Takes the issues and the counters of records.
    """

    def __init__(
        self, data: Data, start: int, stop: int, container: Container, limits: Limits, findings: Findings
    ) -> None:
        self._data = data
        self._stop = stop
        self._container = container
        self._limits = limits
        self._findings = findings
        self.position = start
        self.records = 0
        self.damaged = False
        self.earliest: int | None = None
        self.latest: int | None = None
        self.last: Packet | None = None

    @property
    def container(self) -> Container:
        """What is known of the file at the place where the walk stands."""
        return self._container

    def frames(self, file: int, packets_before: int, origin: int, final: bool, most_records: int) -> Iterator[Frame]:
        """Each packet whose frame can be walked."""
        while self.position < self._stop and not (most_records and self.records == most_records):
            left = len(self._data) - self.position
            if left <= 0:
                return
            place = Place(packets_before + self.records + 1, file, origin + self.position)
            size, frame = self._step(place, left, final)
            if not size:
                return
            self.position += size
            if frame is not None:
                yield frame

    def _step(self, place: Place, left: int, final: bool) -> tuple[int, Frame | None]:
        """Octets of the record here, 0 where the walk ends, and its frame, None where there is none to walk."""
        raise NotImplementedError

    def _truncated(self, place: Place, needed: int, left: int, final: bool) -> None:
        # What is cut by the end of the window only will come.
        if final:
            self._damage(place, Kind.TRUNCATED_RECORD, needed, left)

    def _damage(self, place: Place, kind: Kind, needed: int, had: int) -> None:
        # decoding 1.4
        self.damaged = True
        self._issue(place, kind, needed, had)

    def _issue(self, place: Place, kind: Kind, needed: int, had: int) -> None:
        """Note what concerns no packet."""
        packet = Packet(place.number, None, place.file, place.record_offset)
        self._findings.issue(packet, Layer.CONTAINER, kind, needed, had)

    def _count(self, packet: Packet, captured: int, original: int, there: int) -> None:
        # decoding 1.5; `captured` and `original` are claims, `there` are the octets that the file has.
        self.records += 1
        self.last = packet
        if packet.time is not None:
            self.earliest = packet.time if self.earliest is None else min(self.earliest, packet.time)
            self.latest = packet.time if self.latest is None else max(self.latest, packet.time)
        counters = self._findings.counters
        counters["packets"] += 1
        counters["captured_octets"] += there
        counters["original_octets"] += original
        if captured > original:
            self._findings.issue(packet, Layer.CONTAINER, Kind.CAPTURED_EXCEEDS_ORIGINAL, original, captured)


class RecordWalk(Walk):
    """A walk over the records of a pcap file (decoding 1)."""

    def _step(self, place: Place, left: int, final: bool) -> tuple[int, Frame | None]:
        if left < RECORD_HEADER_SIZE:
            self._truncated(place, RECORD_HEADER_SIZE, left, final)  # decoding 1.1
            return 0, None
        layout = "<4I" if self._container.byte_order == "little" else ">4I"
        seconds, fraction, captured, original = struct.unpack_from(layout, self._data, self.position)
        if captured > self._limits.captured_length:
            self._damage(place, Kind.CORRUPT_RECORD, self._limits.captured_length, captured)  # decoding 1.2
            return 0, None
        size = RECORD_HEADER_SIZE + captured
        if left < size:
            self._truncated(place, size, left, final)  # decoding 1.3
            return 0, None
        packet = self._packet(place, seconds, fraction)
        self._count(packet, captured, original, captured)
        if packet.time_fraction:
            self._findings.issue(packet, Layer.CONTAINER, Kind.TIME_FRACTION, self._container.ticks, fraction)
        octets = bytes(self._data[self.position + RECORD_HEADER_SIZE : self.position + size])
        return size, Frame(packet, octets, max(captured, original), 0, self._container.link_type)

    def _packet(self, place: Place, seconds: int, fraction: int) -> Packet:
        # decoding 1.6
        ticks = self._container.ticks
        time = seconds * NANOSECONDS + fraction * (NANOSECONDS // ticks)
        return Packet(place.number, time, place.file, place.record_offset, fraction >= ticks)
