"""Walks the blocks of a pcapng file: sections, interfaces, packets.

Must not know what a packet holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from ..engine import Data
from ..wire.container import (
    BLOCK_CHAIN,
    BYTE_ORDER_MAGIC,
    ENHANCED_PACKET_BLOCK,
    INTERFACE_DESCRIPTION_BLOCK,
    LEAST_BLOCK,
    OPTION_TIME_OFFSET,
    OPTION_TIME_RESOLUTION,
    PACKET_BLOCK,
    PCAP_HEADER_SIZE,
    PLAUSIBLE_BLOCKS,
    SECTION_HEADER_BLOCK,
    SIMPLE_PACKET_BLOCK,
    Container,
    Interface,
)
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Packet
from .parts import begins_part
from .records import NANOSECONDS, Frame, Place, Walk

# Type, total length, total length again.
_LEAST = 12
_TRAILER = 4
# Type, total length, byte-order magic, version.
_SECTION_HEAD = 16
_MAJOR_VERSION = 1
_OPTION_HEAD = 4
_END_OF_OPTIONS = 0
# Greatest exponents of a resolution: ticks a second fit in 64 bits.
_MOST_DECIMAL = 19
_MOST_BINARY = 63
# Where the data of a packet starts.
_PACKET_HEAD = 28
_SIMPLE_HEAD = 12
_LATEST = (1 << 63) - 1


class BlockWalk(Walk):
    """A walk over the blocks of a pcapng file (decoding 1b).

    Parameters
    ----------
    data, start, stop, container, limits, findings, salvage, front
        As for every walk; the container says what is known of the section in which the range starts.
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
        super().__init__(data, start, stop, container, limits, findings, salvage, front)
        self._byte_order = container.byte_order
        # Interfaces of the section that were known before, and those that this walk found.
        self._known = container.interfaces
        self._found: list[Interface] = []

    @property
    def container(self) -> Container:
        """What is known of the file, and of its section, at the place where the walk stands."""
        before = super().container
        if not self._found and self._known is before.interfaces and self._byte_order == before.byte_order:
            return before
        return replace(before, byte_order=self._byte_order, interfaces=(*self._known, *self._found))

    def _step(self, place: Place, left: int, final: bool) -> tuple[int, Frame | None]:
        begins = self._begins_records(self.position, final)
        if begins:
            self._join(place, PCAP_HEADER_SIZE)
        if begins is not False:
            return 0, None
        head = self._head(place, left, final)
        if head is None:
            return 0, None
        kind, size, byte_order = head
        block = _Block(bytes(self._data[self.position : self.position + size]), byte_order)
        if kind == SECTION_HEADER_BLOCK:
            major = block.number(12, 2)
            if major != _MAJOR_VERSION:  # decoding 1b.3
                self._damage(place, Kind.CORRUPT_BLOCK, _MAJOR_VERSION, major)
                return 0, None
            self._findings.places.append(~place.record_offset)
            self._byte_order = byte_order
            self._known = ()
            self._found = []
        elif kind == INTERFACE_DESCRIPTION_BLOCK:
            self._describe_interface(place, block)
        elif kind in (ENHANCED_PACKET_BLOCK, PACKET_BLOCK):
            number = block.number(8, 4 if kind == ENHANCED_PACKET_BLOCK else 2)
            ticks = block.number(12, 4) << 32 | block.number(16, 4)
            return size, self._packet(place, block, number, ticks, block.number(20, 4), block.number(24, 4))
        elif kind == SIMPLE_PACKET_BLOCK:
            return size, self._simple_packet(place, block)
        return size, None  # decoding 1b.7

    def _head(self, place: Place, left: int, final: bool) -> tuple[int, int, Literal["little", "big"]] | None:
        """Type, total length and byte order of the block here, None where the walk ends (decoding 1b.1, 1b.2)."""
        if left < _LEAST:
            self._truncated(place, _LEAST, left, final)
            return None
        head = bytes(self._data[self.position : self.position + _SECTION_HEAD])
        byte_order = self._byte_order
        # The type of a section header reads the same from both ends.
        if int.from_bytes(head[:4], "big") == SECTION_HEADER_BLOCK:
            if left < _SECTION_HEAD:
                self._truncated(place, _SECTION_HEAD, left, final)
                return None
            if int.from_bytes(head[8:12], "little") == BYTE_ORDER_MAGIC:
                byte_order = "little"
            elif int.from_bytes(head[8:12], "big") == BYTE_ORDER_MAGIC:
                byte_order = "big"
            else:
                self._damage(place, Kind.CORRUPT_BLOCK, BYTE_ORDER_MAGIC, int.from_bytes(head[8:12], "big"))
                return None
        kind = int.from_bytes(head[:4], byte_order)
        size = int.from_bytes(head[4:8], byte_order)
        least = LEAST_BLOCK.get(kind, _LEAST)
        if size < least or size % 4:
            self._damage(place, Kind.CORRUPT_BLOCK, least, size)
            return None
        if size > self._limits.block_length:
            self._damage(place, Kind.CORRUPT_BLOCK, self._limits.block_length, size)
            return None
        if size > left:
            self._truncated(place, size, left, final)
            return None
        end = self.position + size
        again = int.from_bytes(self._data[end - _TRAILER : end], byte_order)
        if again != size:
            self._damage(place, Kind.CORRUPT_BLOCK, size, again)
            return None
        return kind, size, byte_order

    def _begins_records(self, at: int, final: bool) -> bool | None:
        """Whether a pcap file begins here, None where more octets are needed to tell (decoding 1.8)."""
        if bytes(self._data[at : at + 4]) == SECTION_HEADER_BLOCK.to_bytes(4, "big"):
            return False
        return begins_part(self._data, at, final, self._limits.captured_length)

    def is_plausible(self, final: bool) -> bool | None:
        """Whether a chain of them starts here, None where more octets are needed to tell (decoding 1d.2)."""
        at, size, byte_order = self.position, len(self._data), self._byte_order
        for whole in range(BLOCK_CHAIN):
            left = size - at
            if left < _SECTION_HEAD:
                return None if not final else whole > 1
            begins = self._begins_records(at, final)
            if begins is not False:
                return begins and whole != 1
            head = _Block(bytes(self._data[at : at + _PACKET_HEAD]), byte_order)
            kind = head.number(0, 4)
            if kind == SECTION_HEADER_BLOCK:
                if head.number(8, 4) != BYTE_ORDER_MAGIC:
                    byte_order = "big" if byte_order == "little" else "little"
                    head.byte_order = byte_order
                if head.number(8, 4) != BYTE_ORDER_MAGIC or head.number(12, 2) != _MAJOR_VERSION:
                    return False
            length = head.number(4, 4)
            if kind not in PLAUSIBLE_BLOCKS or length % 4:
                return False
            if not LEAST_BLOCK.get(kind, _LEAST) <= length <= self._limits.block_length:
                return False
            if length > left:
                return None if not final else whole > 1
            if kind in (ENHANCED_PACKET_BLOCK, PACKET_BLOCK) and head.number(20, 4) > length - _PACKET_HEAD - _TRAILER:
                return False
            if int.from_bytes(self._data[at + length - _TRAILER : at + length], byte_order) != length:
                return False
            at += length
        return True

    def _describe_interface(self, place: Place, block: _Block) -> None:
        # decoding 1b.4
        cap = self._limits.interfaces
        if len(self._known) + len(self._found) >= cap:
            self._issue(place, Kind.INTERFACE_LIMIT, cap, cap + 1)
            return
        self._findings.places.append(~place.record_offset)
        interface = Interface(block.number(8, 2), block.number(12, 4))
        for code, value in self._options(place, block):
            if code == OPTION_TIME_RESOLUTION and self._has_length(place, value, 1):
                interface = replace(interface, ticks=self._ticks(place, value[0]))
            elif code == OPTION_TIME_OFFSET and self._has_length(place, value, 8):
                interface = replace(interface, offset=int.from_bytes(value, block.byte_order, signed=True))
        self._found.append(interface)

    def _options(self, place: Place, block: _Block) -> Iterator[tuple[int, bytes]]:
        """Code and value of each option of an interface."""
        at, end = 16, len(block.octets) - _TRAILER
        while end - at >= _OPTION_HEAD:
            code, length = block.number(at, 2), block.number(at + 2, 2)
            if code == _END_OF_OPTIONS:
                return
            at += _OPTION_HEAD
            if length > end - at:
                self._issue(place, Kind.BAD_OPTION, length, end - at)
                return
            yield code, block.octets[at : at + length]
            at += (length + 3) // 4 * 4

    def _has_length(self, place: Place, value: bytes, length: int) -> bool:
        if len(value) != length:
            self._issue(place, Kind.BAD_OPTION, length, len(value))
        return len(value) == length

    def _ticks(self, place: Place, resolution: int) -> int:
        """Ticks in a second, 0 where there is no such resolution."""
        base, most = (2, _MOST_BINARY) if resolution & 0x80 else (10, _MOST_DECIMAL)
        exponent = resolution & 0x7F
        if exponent > most:
            self._issue(place, Kind.BAD_OPTION, most, exponent)
            return 0
        return int(base**exponent)

    def _interface(self, number: int) -> Interface | None:
        """The interface with this number, None if there is none."""
        if number < len(self._known):
            return self._known[number]
        number -= len(self._known)
        return self._found[number] if number < len(self._found) else None

    def _packet(
        self, place: Place, block: _Block, number: int, ticks: int, captured: int, original: int
    ) -> Frame | None:
        # decoding 1b.5: an Enhanced Packet Block, or the obsolete Packet Block.
        interface = self._interface(number)
        packet = Packet(place.number, self._time(interface, ticks), place.file, place.record_offset)
        if interface is not None and interface.ticks and packet.time is None:
            self._findings.issue(packet, Layer.CONTAINER, Kind.TIME_RANGE, 0, ticks // interface.ticks)
        room = len(block.octets) - _PACKET_HEAD - _TRAILER
        if captured <= room:
            return self._frame(packet, block, _PACKET_HEAD, number, captured, original)
        self._count(packet, captured, original, 0)
        self._findings.issue(packet, Layer.CONTAINER, Kind.CAPTURED_EXCEEDS_BLOCK, captured, room)
        self._findings.count("frames_cut")
        return None

    def _simple_packet(self, place: Place, block: _Block) -> Frame | None:
        # decoding 1b.5
        original = block.number(8, 4)
        interface = self._interface(0)
        captured = min(original, len(block.octets) - _SIMPLE_HEAD - _TRAILER)
        if interface is not None and interface.snap_length:
            captured = min(captured, interface.snap_length)
        packet = Packet(place.number, None, place.file, place.record_offset)
        return self._frame(packet, block, _SIMPLE_HEAD, 0, captured, original)

    def _frame(self, packet: Packet, block: _Block, at: int, number: int, captured: int, original: int) -> Frame | None:
        """Count a packet whose data lie within its block; its frame, None where its interface is not there."""
        self._count(packet, captured, original, captured)
        interface = self._interface(number)
        if interface is None:
            there = len(self._known) + len(self._found)
            self._findings.issue(packet, Layer.CONTAINER, Kind.UNKNOWN_INTERFACE, there, number)
            self._findings.count("unsupported_link")
            return None
        octets = block.octets[at : at + captured]
        return Frame(packet, octets, self._on_wire(captured, original), number, interface.link_type, self._byte_order)

    def _time(self, interface: Interface | None, ticks: int) -> int | None:
        # decoding 1b.6
        if interface is None or not interface.ticks:
            return None
        time = ticks * NANOSECONDS // interface.ticks + interface.offset * NANOSECONDS
        return time if -_LATEST <= time <= _LATEST else None


class _Block:
    """The octets of one block, and how to read its numbers."""

    def __init__(self, octets: bytes, byte_order: Literal["little", "big"]) -> None:
        self.octets = octets
        self.byte_order = byte_order

    def number(self, at: int, width: int) -> int:
        """The number in `width` octets at `at`."""
        return int.from_bytes(self.octets[at : at + width], self.byte_order)
