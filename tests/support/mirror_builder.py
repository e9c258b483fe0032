"""Mirrors and overlays around packets, made octet by octet, and whole captures wrapped in them.

Knows these formats from their specifications and imports nothing of the package.  What a header says can be set to
something else than the truth.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from builder import ether_type_of, ipv4
from link_builder import snap

OUTER = bytes([203, 0, 113, 1]), bytes([203, 0, 113, 2])
ENDS = bytes.fromhex("0200000000a2"), bytes.fromhex("0200000000a1")

Wrap: TypeAlias = Callable[[bytes], bytes]


def outer(payload: bytes, protocol: int, identification: int = 0) -> bytes:
    """An IPv4 packet between the ends of a tunnel."""
    return ipv4(payload, protocol, *OUTER, identification=identification)


def udp(payload: bytes, port: int, source: int = 54321, length: int | None = None, protocol: int = 17) -> bytes:
    """A UDP packet between the ends of a tunnel."""
    size = 8 + len(payload) if length is None else length
    return outer(struct.pack(">HHHH", source, port, size, 0) + payload, protocol)


def link(packet: bytes) -> bytes:
    """An Ethernet frame between the ends of a tunnel."""
    return b"".join(ENDS) + struct.pack(">H", ether_type_of(packet)) + packet


# ---- GRE


def gre0(payload: bytes, protocol: int, flags: int = 0, fields: bytes = b"") -> bytes:
    """GRE of version 0; `fields` are what the flags announce."""
    return outer(struct.pack(">HH", flags, protocol) + fields + payload, 47)


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def gre_ip(packet: bytes) -> bytes:
    return gre0(packet, ether_type_of(packet))


def gre_full(packet: bytes) -> bytes:
    """With every field: checksum, key, sequence number and one source route."""
    route = bytes.fromhex("08000004 0a000001 00000000")
    return gre0(packet, ether_type_of(packet), 0xF000, bytes(4) + number(7) + number(9) + route)


def erspan(frame: bytes, kind: int, vlan: int = 0, bits: int = 0) -> bytes:
    """ERSPAN of type I, II or III; `bits` are those behind the VLAN (II) or those of the last word (III)."""
    if kind == 1:
        return gre0(frame, 0x88BE)
    if kind == 2:
        header = struct.pack(">HHI", 0x1000 | vlan, bits | 100, 0)
        return gre0(header + frame, 0x88BE, 0x1000, number(1))
    header = struct.pack(">HHIHH", 0x2000 | vlan, 100, 0, 0, bits)
    return gre0(header + bytes(8 * (bits & 1)) + frame, 0x22EB, 0x1000, number(1))


def eoip(frame: bytes) -> bytes:
    return outer(struct.pack(">HHH", 0x2001, 0x6400, len(frame)) + b"\x07\0" + frame, 47)


# ---- UDP


def vxlan(frame: bytes, network: int = 0x1234, port: int = 4789, flags: int = 0x08) -> bytes:
    return udp(struct.pack(">II", flags << 24, network << 8) + frame, port)


def vxlan_gpe(payload: bytes, following: int, network: int = 0x1234) -> bytes:
    return udp(struct.pack(">II", 0x0C000000 | following, network << 8) + payload, 4790)


def geneve(payload: bytes, protocol: int, options: bytes = b"", network: int = 0x55) -> bytes:
    return udp(struct.pack(">BBHI", len(options) // 4, 0, protocol, network << 8) + options + payload, 6081)


def tzsp(payload: bytes, protocol: int = 1, tags: bytes = b"") -> bytes:
    return udp(struct.pack(">BBH", 1, 0, protocol) + tags + b"\x01" + payload, 37008)


def gtp(packet: bytes, flags: int = 0, extensions: bytes = b"", source: int = 54321, port: int = 2152) -> bytes:
    """GTP-U; `extensions` begin with the sequence number where a flag says so."""
    size = len(extensions) + len(packet)
    return udp(struct.pack(">BBHI", 0x30 | flags, 255, size, 0x99) + extensions + packet, port, source)


def capwap(payload: bytes, fields: bytes = b"", bits: int = 0) -> bytes:
    """CAPWAP data; `bits` are those of the first word, `fields` those that they announce, padded."""
    word = (8 + len(fields)) // 4 << 19 | 1 << 9 | bits
    return udp(struct.pack(">II", word, 0) + fields + payload, 5247)


def l2tp(packet: bytes, flags: int = 0, fields: bytes = b"", framing: bytes = b"\xff\x03") -> bytes:
    """L2TP with a length if `flags` has it; `fields` stand behind the session."""
    protocol = 0x57 if packet[:1] > b"\x5f" else 0x21
    rest = struct.pack(">HH", 5, 6) + fields + framing + struct.pack(">H", protocol) + packet
    length = struct.pack(">H", len(rest) + 4) if flags & 0x4000 else b""
    return udp(struct.pack(">H", 2 | flags) + length + rest, 1701)


def jmirror(packet: bytes, port: int = 30030) -> bytes:
    return udp(bytes.fromhex("12345678 00000044") + packet, port)


def labels(count: int = 1) -> bytes:
    words = [(100 + place) << 12 | 0xFF for place in range(count)]
    return struct.pack(f">{count}I", *words[:-1], words[-1] | 0x100)


def to_access_point(frame: bytes) -> bytes:
    """An Ethernet frame of IP as an 802.11 data frame to an access point."""
    destination, source, packet = frame[:6], frame[6:12], frame[14:]
    head = struct.pack("<HH", 0x0108, 0) + ENDS[1] + source + destination + bytes(2)
    return head + snap(packet, int.from_bytes(frame[12:14], "big"))


# ---- kinds, by name: what they wrap, and how

OPTION = bytes.fromhex("01080101 41414141")
RADIO_ADDRESS = bytes.fromhex("06 0200000000a1 00")

FRAMES: dict[str, Wrap] = {
    "gre ethernet": lambda frame: gre0(frame, 0x6558),
    "gre in udp": lambda frame: udp(struct.pack(">HH", 0, 0x6558) + frame, 4754),
    "nvgre": lambda frame: gre0(frame, 0x6558, 0x2000, number(0x00123400)),
    "erspan 1": lambda frame: erspan(frame, 1),
    "erspan 2": lambda frame: erspan(frame, 2),
    "erspan 3": lambda frame: erspan(frame, 3),
    "erspan 3 with platform": lambda frame: erspan(frame, 3, bits=0x0001),
    "eoip": eoip,
    "vxlan": vxlan,
    "vxlan 8472": lambda frame: vxlan(frame, port=8472),
    "gpe ethernet": lambda frame: vxlan_gpe(frame, 3),
    "geneve ethernet": lambda frame: geneve(frame, 0x6558, OPTION),
    "tzsp": tzsp,
    "tzsp with tags": lambda frame: tzsp(frame, tags=bytes.fromhex("0d0400000001 00 2902ffff")),
    "capwap": capwap,
    "capwap with address": lambda frame: capwap(frame, RADIO_ADDRESS, 0x10),
    "etherip": lambda frame: outer(b"\x30\0" + frame, 97),
    "ethernet in ip": lambda frame: outer(frame, 143),
    "pseudowire in udp": lambda frame: udp(labels() + bytes(4) + frame, 6635),
}
PACKETS: dict[str, Wrap] = {
    "gre": gre_ip,
    "gre full": gre_full,
    "gre mpls": lambda packet: gre0(labels(2) + packet, 0x8847),
    "gre tag": lambda packet: gre0(struct.pack(">HH", 10, ether_type_of(packet)) + packet, 0x8100),
    "gre metadata": lambda packet: gre0(
        struct.pack(">H", ether_type_of(packet)) + bytes.fromhex("010100010000") + packet, 0x8909, 0x2000, number(40)
    ),
    "gpe ip": lambda packet: vxlan_gpe(packet, 2 if packet[0] >> 4 == 6 else 1),
    "gpe mpls": lambda packet: vxlan_gpe(labels() + packet, 5),
    "geneve ip": lambda packet: geneve(packet, ether_type_of(packet)),
    "gtp": gtp,
    "gtp back": lambda packet: gtp(packet, source=2152, port=54321),
    "gtp extended": lambda packet: gtp(packet, 4, bytes.fromhex("00000085 01000940 0201020304050600")),
    "l2tp": l2tp,
    "l2tp full": lambda packet: l2tp(packet, 0x4A00, bytes.fromhex("00010001 0004 00000000"), b""),
    "mpls in udp": lambda packet: udp(labels() + packet, 6635),
    "mpls in ip": lambda packet: outer(labels(3) + packet, 137),
}
# These stand over ports that have to be named.
NAMES = {"jmirror": 30030, "gue": 6080}
NAMED: dict[str, Wrap] = {
    "jmirror": lambda packet: jmirror(packet, NAMES["jmirror"]),
    "gue": lambda packet: udp(bytes([0, 41 if packet[0] >> 4 == 6 else 4, 0, 0]) + packet, NAMES["gue"]),
    "ip in udp": lambda packet: udp(packet, NAMES["gue"]),
}
# These have 802.11 inside, into which frames of IP alone are changed.
WIRELESS: dict[str, Wrap] = {
    "tzsp wireless": lambda frame: tzsp(to_access_point(frame), 18),
    "capwap wireless": lambda frame: capwap(to_access_point(frame), bits=0x100),
    "capwap swapped": lambda frame: capwap(swapped(to_access_point(frame)), bits=0x100),
}


def swapped(frame: bytes) -> bytes:
    """The frame control of 802.11 in the order of some vendors."""
    return frame[1::-1] + frame[2:]


# ---- whole captures


@dataclass(frozen=True)
class Stored:
    """A record of a pcap file: its header but for the lengths, and its octets, of so many on the wire."""

    time: bytes
    octets: bytes
    on_wire: int


def records(data: bytes) -> Iterator[Stored]:
    """The records of a little-endian pcap file."""
    at = 24
    while at + 16 <= len(data):
        captured, original = struct.unpack("<II", data[at + 8 : at + 16])
        yield Stored(data[at : at + 8], data[at + 16 : at + 16 + captured], max(captured, original))
        at += 16 + captured


def stored(head: bytes, wanted: Iterator[Stored] | list[Stored]) -> bytes:
    """A file of these records."""
    parts = [head]
    for record in wanted:
        parts += [record.time, struct.pack("<II", len(record.octets), record.on_wire), record.octets]
    return b"".join(parts)


def ip_length(packet: bytes) -> int:
    """Octets that an IP header, whole or not, claims; 0 if it is none."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return int.from_bytes(packet[2:4], "big")
    return 40 + int.from_bytes(packet[4:6], "big") if len(packet) >= 40 and packet[0] >> 4 == 6 else 0


def wrap_frame(record: Stored, wrap: Wrap) -> Stored:
    """An Ethernet frame in Ethernet, wrapped whole; what a snap length cut off is cut off again."""
    missing = record.on_wire - len(record.octets)
    frame = link(wrap(record.octets + bytes(missing)))
    return Stored(record.time, frame[: len(frame) - missing], len(frame))


def wrap_packet(record: Stored, wrap: Wrap) -> Stored:
    """The IP packet of an Ethernet frame, wrapped without the frame; one that is not IP stays as it is."""
    if record.octets[12:14] not in (b"\x08\0", b"\x86\xdd"):
        return record
    packet = record.octets[14:]
    # What is in the frame behind the packet does not go into a tunnel.
    length = ip_length(packet) or record.on_wire - 14
    return wrap_frame(Stored(record.time, packet[:length], length), wrap)


def wrapped(data: bytes, wrap: Wrap, one: Callable[[Stored, Wrap], Stored]) -> bytes:
    """A capture of Ethernet in which each packet is wrapped."""
    return stored(data[:24], [one(record, wrap) for record in records(data)])


def fragmented(record: Stored, size: int = 40, identification: int | None = None) -> list[Stored]:
    """An Ethernet frame of IPv4, wholly captured, in two fragments, the first of `size` octets of payload."""
    packet = record.octets[14:]
    assert packet[0] == 0x45
    payload = packet[20:]
    number = int.from_bytes(packet[4:6], "big") if identification is None else identification
    pieces = []
    for part, offset, more in ((payload[:size], 0, True), (payload[size:], size, False)):
        ends = packet[12:16], packet[16:20]
        frame = record.octets[:14] + ipv4(part, packet[9], *ends, identification=number, offset=offset, more=more)
        pieces.append(Stored(record.time, frame, len(frame)))
    return pieces
