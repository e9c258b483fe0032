"""Frames of a capture file, read as simply as its specification allows, and the same as frames of Ethernet.

Imports nothing of the package.  Reads whole files of good faith: pcap, pcapng and snoop, perhaps in gzip.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

from builder import ETHERNET, RAW, SLL, SLL2, ethernet, pcap_header
from mirror_builder import Stored, ip_length

# Of what `frames` gives: pcap in nanoseconds.
HEAD = pcap_header(nanoseconds=True)
TAGS = (b"\x81\0", b"\x88\xa8")
IP = (b"\x08\0", b"\x86\xdd")


def frames(data: bytes) -> Iterator[tuple[int, Stored]]:
    """Link type and record of each packet, as a file that begins with `HEAD` has it; one that is cut is left out."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data.startswith(b"snoop\0\0\0"):
        return _snoop(data)
    return _pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(data)


def _record(link: int, nanoseconds: int, octets: bytes, original: int) -> tuple[int, Stored]:
    return link, Stored(struct.pack("<II", *divmod(nanoseconds, 10**9)), octets, original)


def _pcap(data: bytes) -> Iterator[tuple[int, Stored]]:
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    magic, *_, link = struct.unpack_from(order + "IHHiIII", data)
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, original = struct.unpack_from(order + "IIII", data, at)
        at += 16 + captured
        if at <= len(data):
            yield _record(link, seconds * 10**9 + fraction * unit, data[at - captured : at], original)


def _pcapng(data: bytes) -> Iterator[tuple[int, Stored]]:
    at, order = 0, "<"
    interfaces: list[tuple[int, int]] = []
    while at < len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order, interfaces = "<" if data[at + 8] == 0x4D else ">", []
        kind, length = struct.unpack_from(order + "II", data, at)
        body = data[at + 8 : at + length - 4]
        at += length
        if kind == 1:
            options = _options(order, body[8:])
            assert 14 not in options, "an offset of times"
            interfaces.append((struct.unpack_from(order + "H", body)[0], 10 ** (9 - options.get(9, b"\6")[0])))
        elif kind == 6:
            number, high, low, captured, original = struct.unpack_from(order + "IIIII", body)
            link, unit = interfaces[number]
            yield _record(link, (high << 32 | low) * unit, body[20 : 20 + captured], original)


def _options(order: str, octets: bytes) -> dict[int, bytes]:
    found = {}
    while octets:
        code, length = struct.unpack_from(order + "HH", octets)
        found[code] = octets[4 : 4 + length]
        octets = octets[4 + (length + 3) // 4 * 4 :]
    return found


def _snoop(data: bytes) -> Iterator[tuple[int, Stored]]:
    assert data[12:16] == b"\0\0\0\4", "Ethernet"
    at = 16
    while at < len(data):
        original, captured, length, _, seconds, microseconds = struct.unpack_from(">6I", data, at)
        octets = data[at + 24 : at + 24 + captured]
        at += length
        yield _record(ETHERNET, seconds * 10**9 + microseconds * 1000, octets, original)


def as_ethernet(link: int, record: Stored) -> Stored:
    """The packet in an Ethernet frame; of another link header the addresses keep what tells packets apart."""
    octets = record.octets
    if link == ETHERNET:
        return record
    if link == RAW:
        frame = ethernet(octets)
    elif link == SLL:
        kind, hardware, _, address, protocol = struct.unpack_from(">HHH6s2xH", octets)
        frame = _addresses(kind, 0, hardware, address) + struct.pack(">H", protocol) + octets[16:]
    else:
        assert link == SLL2
        protocol, interface, hardware, kind, address = struct.unpack_from(">H2xIHBx6s", octets)
        frame = _addresses(kind, interface, hardware, address) + struct.pack(">H", protocol) + octets[20:]
    return Stored(record.time, frame, record.on_wire + len(frame) - len(octets))


def _addresses(kind: int, interface: int, hardware: int, address: bytes) -> bytes:
    return struct.pack(">BBBHB", 2, kind, interface, hardware, address[0]) + b"\2" + address[1:]


def as_packet(record: Stored) -> Stored | None:
    """The IP packet of an Ethernet frame, without what stands behind it; None where it is not IP."""
    at = 12
    while record.octets[at : at + 2] in TAGS:
        at += 4
    if record.octets[at : at + 2] not in IP:
        return None
    packet = record.octets[at + 2 :]
    return Stored(record.time, packet[: ip_length(packet)], ip_length(packet))
