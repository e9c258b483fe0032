"""One TCP segment of a control connection, from its frame: header, data, checksum.

Written from section 5 of ``docs/decoding/``; knows no connection and imports nothing of the package.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PORTS = (1723,)
FIN, SYN, RST, ACK, URG = 0x01, 0x02, 0x04, 0x10, 0x20
# Ethernet and IPv4 without options.
ETHERNET, HEADERS = 14, 34
# (kind, needed, had)
Issues = list[tuple[str, int, int]]


@dataclass
class Segment:
    """One TCP segment; `data` are the captured octets of its `size` octets on the wire."""

    packet: int
    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    sequence: int
    acknowledgment: int
    flags: int
    size: int
    data: bytes
    verifies: bool
    wrong: bool


def ones_sum(data: bytes) -> int:
    """Internet checksum."""
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def read_segment(packet: int, frame: bytes, original: int) -> tuple[str, Issues, Segment | None]:
    """The counter in which an Ethernet frame of IPv4 and TCP counts, issues, and the segment where it is one.

    The frame may be cut behind its IP header.
    """
    source, destination = frame[26:30], frame[30:34]
    wire = min(struct.unpack_from(">H", frame, ETHERNET + 2)[0], original - ETHERNET) - (HEADERS - ETHERNET)
    octets = frame[HEADERS : HEADERS + wire]
    if wire < 20:
        return "ip_malformed", [("MALFORMED", 20, wire)], None
    if len(octets) < 4:
        return "ip_malformed", [("HEADER_CUT", 20, len(octets))], None
    ports = struct.unpack_from(">HH", octets)
    if not set(ports) & set(PORTS):
        return "ip_other", [], None
    if len(octets) < 20:
        return "ip_malformed", [("HEADER_CUT", 20, len(octets))], None
    sequence, acknowledgment, words, flags = struct.unpack_from(">IIBB", octets, 4)
    head = (words >> 4) * 4
    if head < 20:
        return "ip_malformed", [("MALFORMED", 20, head)], None
    if head > wire:
        return "ip_malformed", [("MALFORMED", head, wire)], None
    pseudo = source + destination + struct.pack(">HH", 6, wire)
    whole = len(octets) == wire
    verifies = whole and ones_sum(pseudo + octets) == 0
    # A sum of the pseudo header that nobody complemented, or nothing, is left to the network card.
    left = {0, ones_sum(pseudo) ^ 0xFFFF, ones_sum(pseudo[:-2]) ^ 0xFFFF}
    wrong = whole and not verifies and wire > head and int.from_bytes(octets[16:18], "big") not in left
    issues: Issues = []
    if wrong:
        right = ones_sum(pseudo + octets[:16] + b"\0\0" + octets[18:])
        issues.append(("BAD_CHECKSUM", right, int.from_bytes(octets[16:18], "big")))
    ends = (source, ports[0]), (destination, ports[1])
    segment = Segment(
        packet, *ends, sequence, acknowledgment, flags, wire - head, octets[head:], verifies=verifies, wrong=wrong
    )
    return "control_segments", issues, segment
