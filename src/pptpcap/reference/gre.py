"""Reads the payload of IP protocol 47 into a row, or finds why there is none.

Of IP it knows two addresses.  Must not know tunnels.
"""

from __future__ import annotations

from ..wire import gre, ppp
from ..wire.carriers import Carrier
from ..wire.limits import Limits
from ..wire.status import GreStatus, Kind, Layer
from .events import ControlPacket, Findings, GrePacket, Packet
from .ppp import Framed, begins_ip, read_control, read_protocol

_SMALLEST = 4


def walk_gre(
    findings: Findings,
    limits: Limits,
    packet: Packet,
    source: bytes,
    destination: bytes,
    octets: bytes,
    at: int,
    on_wire: int,
    captured: int,
) -> bool:
    """Read one GRE packet that starts at `at` (decoding 8); whether it is of another kind.

    Parameters
    ----------
    findings : Findings
        Takes the row, issues and counters.
    limits : Limits
        Caps.
    packet : Packet
        The packet that holds it, or completes it.
    source, destination : bytes
        IPv6 addresses, IPv4 ones mapped.
    octets : bytes
        The frame, or the reassembled payload.
    at : int
        Where GRE starts.
    on_wire, captured : int
        Octets from there; captured is not above on the wire.
    """
    if on_wire < _SMALLEST:
        findings.issue(packet, Layer.GRE, Kind.MALFORMED, _SMALLEST, on_wire)
        findings.count("ip_malformed")
        return False
    if captured < _SMALLEST:
        findings.issue(packet, Layer.GRE, Kind.HEADER_CUT, _SMALLEST, captured)
        findings.count("ip_malformed")
        return False
    word = octets[at] << 8 | octets[at + 1]
    if (octets[at + 2] << 8 | octets[at + 3]) != gre.PROTOCOL_TYPE:
        return True
    version = word & gre.VERSION_MASK
    if version != gre.VERSION:
        findings.issue(packet, Layer.GRE, Kind.WRONG_VERSION, gre.VERSION, version)
        findings.count("gre_other")
        if version == 0:
            findings.not_followed(packet, Carrier.PPP_IN_GRE)
        return False
    findings.count("gre_packets")

    status = 0
    if packet.time_fraction:
        status |= GreStatus.TIME_FRACTION.value
    if findings.reassembled:
        status |= GreStatus.FRAGMENTED.value
    if word & gre.FORBIDDEN:
        status |= GreStatus.FORBIDDEN_FLAGS.value
        findings.issue(packet, Layer.GRE, Kind.FORBIDDEN_FLAGS, 0, word & gre.FORBIDDEN)
    if not word & gre.KEY_PRESENT:
        status |= GreStatus.NO_KEY.value
        findings.issue(packet, Layer.GRE, Kind.NO_KEY, gre.KEY_PRESENT, 0)

    has_sequence = bool(word & gre.SEQUENCE_PRESENT)
    has_acknowledgment = bool(word & gre.ACKNOWLEDGMENT_PRESENT)
    header = gre.FIXED_SIZE + 4 * has_sequence + 4 * has_acknowledgment

    def field(offset: int, width: int) -> int:
        if captured < offset + width:
            return 0
        return int.from_bytes(octets[at + offset : at + offset + width], "big")

    payload_length = field(4, 2)
    call_id = field(6, 2)
    sequence_number = field(8, 4) if has_sequence else 0
    acknowledgment_number = field(header - 4, 4) if has_acknowledgment else 0
    payload = b""
    framed = Framed(0, 0)
    control: ControlPacket | None = None
    if captured < header:
        # decoding 8.3: cut by the packet itself is an issue, by the capture only a status
        status |= GreStatus.HEADER_CUT.value
        if on_wire < header:
            findings.issue(packet, Layer.GRE, Kind.MALFORMED, header, on_wire)
    else:
        # decoding 8.4
        rest = on_wire - header
        if rest < payload_length:
            status |= GreStatus.PAYLOAD_SHORT.value
            findings.issue(packet, Layer.GRE, Kind.PAYLOAD_SHORT, payload_length, rest)
        elif rest > payload_length:
            status |= GreStatus.PAYLOAD_SURPLUS.value
        if payload_length and not has_sequence:
            status |= GreStatus.NO_SEQUENCE.value
            findings.issue(packet, Layer.GRE, Kind.NO_SEQUENCE, 0, payload_length)
        elif has_sequence and not payload_length:
            status |= GreStatus.EMPTY_SEQUENCE.value
        payload_on_wire = min(rest, payload_length)
        payload = octets[at + header : at + min(header + payload_length, captured)]
        if len(payload) < payload_on_wire:
            status |= GreStatus.PAYLOAD_CUT.value
        # decoding 8.5
        if payload_length:
            framed = read_protocol(payload)
            if not framed.protocol:
                status |= GreStatus.NO_PROTOCOL.value
                if not status & GreStatus.PAYLOAD_CUT.value:
                    findings.issue(packet, Layer.PPP, Kind.NO_PROTOCOL, 0, len(payload))
            if framed.protocol == ppp.MULTILINK and begins_ip(payload[framed.size :], payload_on_wire - framed.size):
                status |= GreStatus.MULTILINK_IP.value
            control = read_control(findings, packet, limits, framed, payload, payload_on_wire, has_sequence)
    findings.events.append(
        GrePacket(
            packet,
            source,
            destination,
            word,
            call_id,
            payload_length,
            sequence_number,
            acknowledgment_number,
            framed.protocol,
            payload,
            status,
            control,
            findings.sighting(on_wire % 0x10000),
            findings.layers,
        )
    )
    return False
