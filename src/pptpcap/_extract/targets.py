"""Writes records to a pcapng file, or to a pcap file if that can hold them.

Knows both formats.  Must not know which records are written, or what a packet holds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple, NoReturn, Protocol

from ..wire.container import (
    BYTE_ORDER_MAGIC,
    ENHANCED_PACKET_BLOCK,
    INTERFACE_DESCRIPTION_BLOCK,
    MICROSECONDS,
    NANOSECONDS,
    OPTION_TIME_RESOLUTION,
    PACKET_BLOCK,
    SECTION_HEADER_BLOCK,
    Container,
)

__all__ = ["BEGINNINGS", "PcapTarget", "PcapngTarget", "Target"]

# Ticks in a second as an exponent of 10.
_EXPONENTS = {10**6: 6, 10**9: 9}
_MAGICS = {10**6: MICROSECONDS, 10**9: NANOSECONDS}
# What files of both formats begin with, in either byte order.
BEGINNINGS = tuple(
    number.to_bytes(4, order) for number in (SECTION_HEADER_BLOCK, *_MAGICS.values()) for order in ("little", "big")
)
# Where an Enhanced Packet Block has its data, and the length behind them.
_DATA, _TRAILER = 28, 4
_MOST_SECONDS = 0xFFFF_FFFF


class Target(Protocol):
    """Takes sections and files with the packets of each, in order.

    The order is that of octets in numbers, "<" or ">".  Link headers of some types depend on it, so it stays.
    """

    def section(self, octets: bytes) -> None:
        """A Section Header Block with blocks of interfaces, or more of these."""

    def block(self, octets: bytes, order: str) -> None:
        """A block of a packet."""

    def file(self, container: Container, link_type: int, order: str) -> None:
        """A pcap file; the link type has all 32 bits of its field."""

    def record(self, seconds: int, fraction: int, original: int, octets: bytes) -> None:
        """A packet of a pcap file."""


class PcapngTarget:
    """Writes blocks as they are, and a section for each pcap file.

    Parameters
    ----------
    write : callable
        Takes octets.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._ticks = 0
        self._head = struct.Struct("<7I")
        self._end = struct.Struct("<I")

    def section(self, octets: bytes) -> None:
        """Write them as they are."""
        self._write(octets)

    def block(self, octets: bytes, order: str) -> None:  # noqa: ARG002 - it stays as it is
        """Write it as it is."""
        self._write(octets)

    def file(self, container: Container, link_type: int, order: str) -> None:
        """Begin a section with one interface."""
        self._ticks = container.ticks
        self._head, self._end = struct.Struct(f"{order}7I"), struct.Struct(f"{order}I")
        # The option is one octet and three of padding; the option of type 0 ends the list.
        resolution = struct.pack(f"{order}HHB3xI", OPTION_TIME_RESOLUTION, 1, _EXPONENTS[container.ticks], 0)
        interface = struct.pack(f"{order}HHI", link_type & 0xFFFF, 0, container.snap_length) + resolution
        section = struct.pack(f"{order}IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
        self._write(
            _block(SECTION_HEADER_BLOCK, section, order) + _block(INTERFACE_DESCRIPTION_BLOCK, interface, order)
        )

    def record(self, seconds: int, fraction: int, original: int, octets: bytes) -> None:
        """Write an Enhanced Packet Block."""
        ticks = seconds * self._ticks + fraction
        padding = -len(octets) % 4
        size = _DATA + len(octets) + padding + _TRAILER
        head = self._head.pack(ENHANCED_PACKET_BLOCK, size, 0, ticks >> 32, ticks & 0xFFFF_FFFF, len(octets), original)
        self._write(b"".join((head, octets, bytes(padding), self._end.pack(size))))


class _Header(NamedTuple):
    """What all records of a pcap file have in common."""

    order: str
    ticks: int
    link_type: int
    snap_length: int


class PcapTarget:
    """Writes the records of files and interfaces that are alike.

    Parameters
    ----------
    write : callable
        Takes octets.
    learn : callable
        What is known of a section behind some of its blocks, from what was known before.

    Raises
    ------
    ValueError
        From each method, where a pcap file cannot hold something.
    """

    def __init__(self, write: Callable[[bytes], object], learn: Callable[[bytes, Container | None], Container]) -> None:
        self._write = write
        self._learn = learn
        self._section: Container | None = None
        self._header: _Header | None = None

    def section(self, octets: bytes) -> None:
        """Learn of interfaces."""
        kind = int.from_bytes(octets[:4], "big")
        self._section = self._learn(octets, None if kind == SECTION_HEADER_BLOCK else self._section)

    def block(self, octets: bytes, order: str) -> None:
        """Write the packet of a block."""
        assert self._section is not None
        (kind,) = struct.unpack_from(f"{order}I", octets)
        if kind not in (ENHANCED_PACKET_BLOCK, PACKET_BLOCK):
            _refuse("a packet without a time")
        number, high, low, captured, original = struct.unpack_from(f"{order}8x5I", octets)
        if kind == PACKET_BLOCK:
            (number,) = struct.unpack_from(f"{order}8xH", octets)
        if number >= len(self._section.interfaces) or captured > len(octets) - _DATA - _TRAILER:
            _refuse("a packet whose block is wrong")
        interface = self._section.interfaces[number]
        if interface.ticks not in _MAGICS:
            _refuse("times in other units than microseconds and nanoseconds")
        seconds, fraction = divmod(high << 32 | low, interface.ticks)
        seconds += interface.offset
        if not 0 <= seconds <= _MOST_SECONDS:
            _refuse("a time outside of 1970 to 2106")
        self._begin(_Header(order, interface.ticks, interface.link_type, interface.snap_length))
        self.record(seconds, fraction, original, octets[_DATA : _DATA + captured])

    def file(self, container: Container, link_type: int, order: str) -> None:
        """Begin the file, or go on with what is alike."""
        self._begin(_Header(order, container.ticks, link_type, container.snap_length))

    def record(self, seconds: int, fraction: int, original: int, octets: bytes) -> None:
        """Write a record."""
        assert self._header is not None
        self._write(struct.pack(f"{self._header.order}4I", seconds, fraction, len(octets), original) + octets)

    def _begin(self, header: _Header) -> None:
        if self._header is None:
            self._header = header
            order, ticks, link_type, snap_length = header
            self._write(struct.pack(f"{order}IHHiIII", _MAGICS[ticks], 2, 4, 0, 0, snap_length, link_type))
        elif header != self._header:
            _refuse("more than one byte order, unit of time, link type or snap length")


def _block(kind: int, body: bytes, order: str) -> bytes:
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"a pcap file cannot hold {reason}: give the output another name, such as one with .pcapng")
