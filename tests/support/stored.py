"""The packets that a capture file holds, walked from the specifications of pcap and pcapng alone.

Imports nothing of the package: what is read here judges what it writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple


class Interface(NamedTuple):
    """Link type with all that its field says, snap length, ticks in a second and seconds to add."""

    link: int
    snap_length: int
    ticks: int
    offset: int = 0


class Packet(NamedTuple):
    """A packet: its interface, ns since 1970 (None without a time), octets on the wire, captured octets."""

    interface: Interface
    time: int | None
    original: int
    octets: bytes


def packets(data: bytes) -> list[Packet]:
    """Every packet of a file, in order."""
    return list(_of_blocks(data) if data[:4] == b"\n\r\r\n" else _of_records(data))


def _of_records(data: bytes) -> Iterator[Packet]:
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    magic, major, minor, zone, digits, snap_length, link = struct.unpack_from(order + "IHHiIII", data)
    assert (major, minor, zone, digits) == (2, 4, 0, 0)
    ticks = {0xA1B2C3D4: 10**6, 0xA1B23C4D: 10**9}[magic]
    at = 24
    while at < len(data):
        seconds, fraction, captured, original = struct.unpack_from(order + "4I", data, at)
        at += 16 + captured
        assert at <= len(data)
        time = seconds * 10**9 + fraction * 10**9 // ticks
        yield Packet(Interface(link, snap_length, ticks), time, original, data[at - captured : at])


def _of_blocks(data: bytes) -> Iterator[Packet]:
    order, at = "<", 0
    interfaces: list[Interface] = []
    while at < len(data):
        if data[at : at + 4] == b"\n\r\r\n":
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, at)
        body = data[at + 8 : at + size - 4]
        assert size % 4 == 0 and data[at + size - 4 : at + size] == data[at + 4 : at + 8]
        at += size
        if kind == 0x0A0D0D0A:
            magic, major, _, length = struct.unpack_from(order + "IHHq", body)
            assert (magic, major, length) == (0x1A2B3C4D, 1, -1)
        elif kind == 1:
            link, _, snap_length = struct.unpack_from(order + "HHI", body)
            interfaces.append(Interface(link, snap_length, *_times(order, body[8:])))
        elif kind == 3:
            (original,) = struct.unpack_from(order + "I", body)
            yield Packet(interfaces[0], None, original, body[4 : 4 + original])
        elif kind in (2, 6):
            number, high, low, captured, original = struct.unpack_from(order + "5I", body)
            if kind == 2:
                (number,) = struct.unpack_from(order + "H", body)
            interface = interfaces[number]
            time = (high << 32 | low) * 10**9 // interface.ticks + interface.offset * 10**9
            assert captured <= len(body) - 20
            yield Packet(interface, time, original, body[20 : 20 + captured])


def _times(order: str, options: bytes) -> tuple[int, int]:
    """Ticks in a second, and seconds to add."""
    ticks, offset = 10**6, 0
    while len(options) >= 4:
        code, length = struct.unpack_from(order + "HH", options)
        value = options[4 : 4 + length]
        options = options[4 + (length + 3) // 4 * 4 :]
        if code == 9:
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == 14:
            (offset,) = struct.unpack(order + "q", value)
    return ticks, offset
