"""Record headers of a pcap file: where each packet starts, when it came, what is damaged.

Knows nothing of what a packet holds.  Called by ``scan``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..engine import Data
from ..wire.container import RECORD_HEADER_SIZE, Container
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Packet

_NANOSECONDS = 1_000_000_000


class RecordWalk:
    """One walk over records, and where it stands.

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
        self._header = struct.Struct("<4I" if container.byte_order == "little" else ">4I")
        self._ticks = container.ticks
        self._limits = limits
        self._findings = findings
        self.position = start
        self.records = 0
        self.damaged = False
        self.earliest: int | None = None
        self.latest: int | None = None
        self.last: Packet | None = None

    def packets(
        self, file: int, packets_before: int, origin: int, final: bool, most_records: int
    ) -> Iterator[tuple[Packet, bytes, int]]:
        """Each packet, its captured octets, and how many there were on the wire."""
        total = len(self._data)
        while self.position < self._stop and not (most_records and self.records == most_records):
            left = total - self.position
            if left <= 0:
                return
            place = (packets_before + self.records + 1, file, origin + self.position)
            if left < RECORD_HEADER_SIZE:
                if final:
                    self._damage(place, Kind.TRUNCATED_RECORD, RECORD_HEADER_SIZE, left)  # decoding 1.1
                return
            seconds, fraction, captured, original = self._header.unpack_from(self._data, self.position)
            if captured > self._limits.captured_length:
                self._damage(place, Kind.CORRUPT_RECORD, self._limits.captured_length, captured)  # decoding 1.2
                return
            size = RECORD_HEADER_SIZE + captured
            if left < size:
                if final:
                    self._damage(place, Kind.TRUNCATED_RECORD, size, left)  # decoding 1.3
                return
            packet = self._count(place, seconds, fraction, captured, original)
            octets = bytes(self._data[self.position + RECORD_HEADER_SIZE : self.position + size])
            self.position += size
            yield packet, octets, max(captured, original)

    def _damage(self, place: tuple[int, int, int], kind: Kind, needed: int, had: int) -> None:
        # decoding 1.4
        number, file, record_offset = place
        self.damaged = True
        self._findings.issue(Packet(number, None, file, record_offset), Layer.CONTAINER, kind, needed, had)

    def _count(self, place: tuple[int, int, int], seconds: int, fraction: int, captured: int, original: int) -> Packet:
        # decoding 1.5, 1.6
        number, file, record_offset = place
        time = seconds * _NANOSECONDS + fraction * (_NANOSECONDS // self._ticks)
        packet = Packet(number, time, file, record_offset, fraction >= self._ticks)
        self.records += 1
        self.last = packet
        if self.earliest is None or self.latest is None:
            self.earliest = self.latest = time
        elif time < self.earliest:
            self.earliest = time
        elif time > self.latest:
            self.latest = time
        counters = self._findings.counters
        counters["packets"] += 1
        counters["captured_octets"] += captured
        counters["original_octets"] += original
        if captured > original:
            self._findings.issue(packet, Layer.CONTAINER, Kind.CAPTURED_EXCEEDS_ORIGINAL, original, captured)
        if packet.time_fraction:
            self._findings.issue(packet, Layer.CONTAINER, Kind.TIME_FRACTION, self._ticks, fraction)
        return packet
