"""Reads TCP headers into segments of the control ports.

Must not know connections.
"""

from __future__ import annotations

from ..wire.ip import ADDRESS, PROTOCOL_TCP
from ..wire.status import Kind, Layer
from .events import Checksum, Findings, Packet, Segment

_SIZE = 20
_CHECKSUM = 16


def walk_tcp(
    findings: Findings,
    ports: frozenset[int],
    packet: Packet,
    source: bytes,
    destination: bytes,
    octets: bytes,
    at: int,
    on_wire: int,
    captured: int,
) -> None:
    """Read one TCP segment that starts at `at` (decoding 5).

    Parameters
    ----------
    findings : Findings
        Takes the segment, issues and counters.
    ports : frozenset of int
        TCP ports of the control connection.
    packet : Packet
        The packet that holds it, or completes it.
    source, destination : bytes
        IPv6 addresses, IPv4 ones mapped.
    octets : bytes
        The frame, or the reassembled payload.
    at : int
        Where TCP starts.
    on_wire, captured : int
        Octets from there; captured is not above on the wire.
    """
    if on_wire < _SIZE:
        _malformed(findings, packet, Kind.MALFORMED, _SIZE, on_wire)
        return
    source_port = int.from_bytes(octets[at : at + 2], "big")
    destination_port = int.from_bytes(octets[at + 2 : at + 4], "big")
    is_control = source_port in ports or destination_port in ports
    if captured < _SIZE and (captured < 4 or is_control):
        _malformed(findings, packet, Kind.HEADER_CUT, _SIZE, captured)
        return
    if not is_control:
        findings.count("ip_other")
        return
    header = 4 * (octets[at + 12] >> 4)
    if header < _SIZE:
        _malformed(findings, packet, Kind.MALFORMED, _SIZE, header)
        return
    if header > on_wire:
        _malformed(findings, packet, Kind.MALFORMED, header, on_wire)
        return
    findings.count("control_segments")
    length = on_wire - header
    checksum = Checksum.UNKNOWN
    content = 0
    if captured == on_wire:
        # decoding 4b.1: the sum of all octets but the checksum, which a network card may have changed
        segment = octets[at : at + _CHECKSUM] + bytes(2) + octets[at + _CHECKSUM + 2 : at + on_wire]
        content = int.from_bytes(segment + bytes(on_wire % 2), "big") % 0xFFFF or 0xFFFF
    if length and captured == on_wire:
        checksum = _judge(findings, packet, source, destination, octets[at : at + on_wire])
    findings.events.append(
        Segment(
            packet,
            source,
            destination,
            source_port,
            destination_port,
            int.from_bytes(octets[at + 4 : at + 8], "big"),
            int.from_bytes(octets[at + 8 : at + 12], "big"),
            octets[at + 13],
            length,
            octets[at + header : at + captured],
            checksum,
            findings.reassembled,
            findings.sighting(content),
            findings.layers,
        )
    )


def _judge(findings: Findings, packet: Packet, source: bytes, destination: bytes, segment: bytes) -> Checksum:
    # decoding 5.4.  A sum of 16-bit words in ones' complement is the number modulo 65535.  An IPv4 address in its
    # mapped form adds FFFF, which is nothing there.  The sum holds the protocol, so that it is never zero itself.
    ends = PROTOCOL_TCP + sum(int.from_bytes(address[:ADDRESS], "big") for address in (source, destination))
    pseudo = ends + len(segment)
    total = pseudo + int.from_bytes(segment + bytes(len(segment) % 2), "big")
    if total % 0xFFFF == 0:
        return Checksum.VERIFIES
    found = int.from_bytes(segment[_CHECKSUM : _CHECKSUM + 2], "big")
    if found in (0, ends % 0xFFFF or 0xFFFF, pseudo % 0xFFFF or 0xFFFF):
        findings.count("checksums_offloaded")
        return Checksum.UNKNOWN
    right = -(total - found) % 0xFFFF
    findings.issue(packet, Layer.TCP, Kind.BAD_CHECKSUM, right, found)
    return Checksum.WRONG


def _malformed(findings: Findings, packet: Packet, kind: Kind, needed: int, had: int) -> None:
    findings.issue(packet, Layer.TCP, kind, needed, had)
    findings.count("ip_malformed")
