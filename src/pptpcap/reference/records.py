"""Walks the record headers of a pcap file: where each packet starts, its time, what is damaged, what is no record.

Must not know what a packet holds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from ..engine import Data
from ..wire.container import BACK_SECONDS, CHAIN_SECONDS, PCAP_HEADER_SIZE, RECORD_CHAIN, ZERO_RUN, Container
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Packet
from .parts import begins_part, lengths_of, part_at

NANOSECONDS = 1_000_000_000


def goes_back(nanoseconds: int) -> bool:
    """Whether a clock that goes back by so much was set."""
    return nanoseconds >= BACK_SECONDS * NANOSECONDS


class Frame(NamedTuple):
    """A packet in the file: captured bytes, length on the wire, interface."""

    packet: Packet
    octets: bytes
    on_wire: int
    interface: int
    link_type: int
    # Of the file, or of the section.
    byte_order: Literal["little", "big"]
    # Octets of the record in front of it, and the carriers around it, if it is inside another one.
    before: bytes = b""
    carriers: int = 0
    # A mirror may have sent its head only: up to its first IP header, more may have been on the wire.
    may_be_cut: bool = False

    def inside(self, at: int, link_type: int, captured: int | None = None, on_wire: int | None = None) -> Frame:
        """What begins at an offset, as a frame of its own; all that is left, or so many octets."""
        left = len(self.octets) - at if captured is None else captured
        rest = self.on_wire - at if on_wire is None else on_wire
        octets, before = self.octets[at : at + left], self.before + self.octets[:at]
        carriers = self.carriers + 1
        return self._replace(octets=octets, on_wire=rest, link_type=link_type, before=before, carriers=carriers)


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
    salvage : bool
        Go on behind what is corrupt.
    front : Walk, optional
        The walk of the part in front, which goes on with this one.

    Attributes
    ----------
    part : Container or None
        What is known of the capture that begins where this walk ended (decoding 1.8).
    """

    def __init__(
        self,
        data: Data,
        start: int,
        stop: int,
        container: Container,
        limits: Limits,
        findings: Findings,
        salvage: bool = False,
        front: Walk | None = None,
    ) -> None:
        self._data = data
        self._stop = stop
        self._container = container
        self._limits = limits
        self._findings = findings
        self._salvage = salvage
        self._lost_at = container.lost_at
        self._zeros_at = container.zeros_at
        self._damaged_at = -1
        self.position = start
        self.part: Container | None = None
        self.records = 0
        self.damaged = False
        self.earliest: int | None = None
        self.latest: int | None = None
        self.last: Packet | None = None
        # Time of the last packet that has one.
        self.newest: int | None = None
        if front is not None:
            self.records, self.damaged, self.last = front.records, front.damaged, front.last
            self.earliest, self.latest, self.newest = front.earliest, front.latest, front.newest

    @property
    def container(self) -> Container:
        """What is known of the file at the present position."""
        known = self._container
        if (known.lost_at, known.zeros_at) == (self._lost_at, self._zeros_at):
            return known
        return replace(known, lost_at=self._lost_at, zeros_at=self._zeros_at)

    def frames(self, file: int, packets_before: int, origin: int, final: bool, most_records: int) -> Iterator[Frame]:
        """Each packet whose frame can be walked."""
        while self.position < self._stop and not (most_records and self.records == most_records):
            left = len(self._data) - self.position
            if left <= 0:
                return
            place = Place(packets_before + self.records + 1, file, origin + self.position)
            if self._zeros_at >= 0:
                if not self._cross_zeros(place, final):
                    return
                continue
            if self._lost_at >= 0:  # decoding 1d
                found = self.is_plausible(final)
                if found is None:
                    return
                if not found:
                    self.position += 1
                    if final and self.position == len(self._data):
                        self._skipped(place, place.record_offset + 1)
                    continue
                self._skipped(place, place.record_offset)
            size, frame = self._step(place, left, final)
            if self.part is not None:
                return
            if self._zeros_at >= 0:
                continue
            if not size:
                if not (self._salvage and self._damaged_at == place.record_offset):
                    return
                self._lost_at = place.record_offset
                self.position += 1
                if self.position == len(self._data):
                    self._skipped(place, place.record_offset + 1)
                continue
            self.position += size
            if frame is not None:
                yield frame

    def _step(self, place: Place, left: int, final: bool) -> tuple[int, Frame | None]:
        """The size of the record here, 0 at the end of the walk, and its frame, None if there is nothing to walk."""
        raise NotImplementedError

    def is_plausible(self, final: bool) -> bool | None:
        """Whether a chain of good records or blocks starts here; None if more data are needed."""
        raise NotImplementedError

    def _cross_zeros(self, place: Place, final: bool) -> bool:
        """Step over zeros as far as the range has any; False where the walk stops (decoding 1.9)."""
        # A record may begin with zeros, but its header has another octet.
        reach = self._container.record_header - 1
        size = len(self._data)
        octets = bytes(self._data[self.position : min(self._stop + reach, size)])
        zeros = len(octets) - len(octets.lstrip(b"\0"))
        ends = final and self.position + zeros == size
        self.position += zeros if ends else max(zeros - reach, 0)
        if zeros == len(octets) and not ends:
            return False
        offset, end = self._zeros_at, place.record_offset + zeros
        self._damage(place._replace(record_offset=offset), Kind.ZEROS, end, end - offset)
        self._zeros_at = -1
        if ends or not self._salvage:
            return False
        self._lost_at = offset
        return True

    def _join(self, place: Place, size: int) -> None:
        """Another capture begins here; its walk begins behind `size` octets of header."""
        known = self._container
        if size:
            self._findings.places.append(~place.record_offset)
        part = part_at(self._data, self.position, known.first_record)
        assert part is not None
        self.part = replace(part, parts=known.parts + 1)
        self.position += size

    def _on_wire(self, captured: int, original: int) -> int:
        """Octets of a frame that the walk takes to have been on the wire (decoding 1.5)."""
        return max(captured, min(original, self._limits.frame_length))

    def _skipped(self, place: Place, end: int) -> None:
        self._issue(place._replace(record_offset=self._lost_at), Kind.SKIPPED_OCTETS, end, end - self._lost_at)
        self._lost_at = -1

    def _truncated(self, place: Place, needed: int, left: int, final: bool) -> None:
        # Data that only the end of the window cuts will follow.
        if final:
            self._damage(place, Kind.TRUNCATED_RECORD, needed, left)

    def _damage(self, place: Place, kind: Kind, needed: int, had: int) -> None:
        # decoding 1.4
        self.damaged = True
        self._damaged_at = place.record_offset
        self._issue(place, kind, needed, had)

    def _issue(self, place: Place, kind: Kind, needed: int, had: int) -> None:
        """Add an issue that concerns no packet."""
        packet = Packet(place.number, None, place.file, place.record_offset)
        self._findings.issue(packet, Layer.CONTAINER, kind, needed, had)

    def _count(self, packet: Packet, captured: int, original: int, there: int) -> None:
        # decoding 1.5; `captured` and `original` are claims, `there` are the octets that the file has.
        self.records += 1
        self.last = packet
        self._findings.places.append(packet.record_offset)
        if packet.time is not None:
            # Of the first time, only the assembler knows what is before it (decoding 1.7).
            back = None if self.newest is None else self.newest - packet.time
            if back is None or goes_back(back):
                self._findings.issue(packet, Layer.CONTAINER, Kind.CLOCK_BACK, 0, back or 0)
            self.newest = packet.time
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
        header = self._container.record_header
        if left < header:
            self._truncated(place, header, left, final)  # decoding 1.1
            return 0, None
        begins = begins_part(self._data, self.position, final, self._limits.captured_length)
        if begins:
            has_blocks = bytes(self._data[self.position : self.position + 1]) == b"\n"
            self._join(place, 0 if has_blocks else PCAP_HEADER_SIZE)
            return 0, None
        zeros = self._are_zeros(header, final)
        if zeros:
            self._zeros_at = place.record_offset
        if zeros is not False or begins is None:
            return 0, None
        seconds, fraction, captured, original = self._numbers(self.position)
        if captured > self._limits.captured_length:
            self._damage(place, Kind.CORRUPT_RECORD, self._limits.captured_length, captured)  # decoding 1.2
            return 0, None
        size = header + captured
        if left < size:
            self._truncated(place, size, left, final)  # decoding 1.3
            return 0, None
        packet = self._packet(place, seconds, fraction)
        self._count(packet, captured, original, captured)
        if packet.time_fraction:
            self._findings.issue(packet, Layer.CONTAINER, Kind.TIME_FRACTION, self._container.ticks, fraction)
        octets = bytes(self._data[self.position + header : self.position + size])
        container = self._container
        return size, Frame(
            packet, octets, self._on_wire(captured, original), 0, container.link_type, container.byte_order
        )

    def _numbers(self, at: int) -> tuple[int, int, int, int]:
        """Seconds, fraction, captured and original length of the record header at an offset."""
        layout = "<4I" if self._container.byte_order == "little" else ">4I"
        seconds, fraction, *lengths = struct.unpack_from(layout, self._data, at)
        return seconds, fraction, *lengths_of(self._container.lengths, *lengths)

    def _are_zeros(self, header: int, final: bool) -> bool | None:
        """Whether zeros stand here that are no records (decoding 1.9), None where more octets are needed to tell."""
        if any(self._data[self.position : self.position + header]):
            return False
        octets = bytes(self._data[self.position : self.position + ZERO_RUN])
        if any(octets):
            return False
        return True if final or len(octets) == ZERO_RUN else None

    def is_plausible(self, final: bool) -> bool | None:
        """Whether a chain of them starts here, None where more octets are needed to tell (decoding 1d.1)."""
        header, cap = self._container.record_header, self._limits.captured_length
        at, size, before = self.position, len(self._data), None
        for whole in range(RECORD_CHAIN):
            if size - at < header:
                return None if not final else whole > 1
            begins = begins_part(self._data, at, final, cap)
            if begins is not False:
                return begins and whole != 1
            seconds, fraction, captured, original = self._numbers(at)
            near = before is None or abs(seconds - before) <= CHAIN_SECONDS
            if not (0 < captured <= original <= cap and fraction < self._container.ticks and near):
                return False
            if size - at < header + captured:
                return None if not final else whole > 1
            at += header + captured
            before = seconds
        return True

    def _packet(self, place: Place, seconds: int, fraction: int) -> Packet:
        # decoding 1.6
        ticks = self._container.ticks
        time = seconds * NANOSECONDS + fraction * (NANOSECONDS // ticks)
        return Packet(place.number, time, place.file, place.record_offset, fraction >= ticks)
