"""From an IP header to its payload: a TCP segment, an Enhanced GRE packet, or a fragment.

Has no state: each packet is read by itself.
"""

from __future__ import annotations

from typing import NamedTuple

from ..wire.ip import (
    ADDRESS,
    AUTHENTICATION_HEADER,
    CARRIERS,
    EXTENSIONS,
    FOLLOWED,
    FRAGMENT_HEADER,
    MAPPED,
    PROTOCOL_GRE,
    PROTOCOL_IPV4,
    PROTOCOL_IPV6,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    REASSEMBLED,
)
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Fragment, FragmentKey, Packet
from .gre import walk_gre
from .mirrors import Mirrors, Payload
from .tcp import walk_tcp

_IPV4_SIZE = 20
_IPV6_SIZE = 40


class Carried(NamedTuple):
    """What one IP header carries: `on_wire` and `captured` octets from `at` on."""

    protocol: int
    source: bytes
    destination: bytes
    at: int
    on_wire: int
    captured: int


class Unopened(NamedTuple):
    """What the payload of an IP packet of this protocol, behind `headers` IP headers, may hold."""

    protocol: int
    payload: Payload
    headers: int


class NetworkWalk:
    """Walks IP headers, one inside the other (decoding 3).

    Parameters
    ----------
    findings : Findings
        Takes events, issues and counters.
    ports : frozenset of int
        TCP ports of the control connection.
    limits : Limits
        Caps.
    mirrors : Mirrors
        Ports of carriers.
    """

    def __init__(self, findings: Findings, ports: frozenset[int], limits: Limits, mirrors: Mirrors) -> None:
        self._findings = findings
        self._ports = ports
        self._limits = limits
        self._mirrors = mirrors
        # Link header and interface of the present packet.
        self.link = (b"", 0)

    def network(
        self, packet: Packet, octets: bytes, version: int, at: int, on_wire: int, captured: int, headers: int = 0
    ) -> Unopened | None:
        """Walk from an IP header on, behind `headers` of them; give what a carrier may hold."""
        while True:
            if headers == self._limits.network_headers:
                self._malformed(packet, Kind.TOO_DEEP, headers, headers + 1)
                return None
            headers += 1
            read = self._ipv4 if version == 4 else self._ipv6
            carried = read(packet, octets, at, on_wire, captured, headers)
            if carried is None:
                return None
            if carried.protocol not in (PROTOCOL_IPV4, PROTOCOL_IPV6):
                return self._transport(packet, octets, carried, headers)
            version = 4 if carried.protocol == PROTOCOL_IPV4 else 6
            at, on_wire, captured = carried.at, carried.on_wire, carried.captured

    def datagram(self, packet: Packet, octets: bytes, on_wire: int, key: FragmentKey, headers: int) -> Unopened | None:
        """Walk a reassembled payload (decoding 4.4)."""
        carried = Carried(key.protocol, key.source[:ADDRESS], key.destination[:ADDRESS], 0, on_wire, len(octets))
        if key.protocol == PROTOCOL_IPV4:
            return self.network(packet, octets, 4, 0, on_wire, len(octets), headers)
        if key.protocol == PROTOCOL_IPV6:
            return self.network(packet, octets, 6, 0, on_wire, len(octets), headers)
        return self._transport(packet, octets, carried, headers)

    def _transport(self, packet: Packet, octets: bytes, carried: Carried, headers: int) -> Unopened | None:
        protocol, source, destination, at, on_wire, captured = carried
        if protocol == PROTOCOL_TCP:
            walk_tcp(self._findings, self._ports, packet, source, destination, octets, at, on_wire, captured)
            return None
        if protocol == PROTOCOL_GRE and not walk_gre(
            self._findings, self._limits, packet, source, destination, octets, at, on_wire, captured
        ):
            return None
        return Unopened(protocol, Payload(octets[at : at + captured], on_wire), headers)

    def _carries(self, protocol: int, octets: bytes, offset: int, *, more: bool) -> bool:
        """Whether what is captured of a payload, whole or a fragment, may hold another packet (decoding 3b)."""
        if offset:
            return protocol in REASSEMBLED
        if protocol == PROTOCOL_UDP:
            return self._mirrors.has_port(octets)
        return protocol in (REASSEMBLED if more else CARRIERS)

    def _ipv4_carries(self, octets: bytes) -> bool:
        header = 4 * (octets[0] & 15)
        total = octets[2] << 8 | octets[3]
        if header < _IPV4_SIZE or len(octets) < header or 0 < total < header:
            return False
        word = octets[6] << 8 | octets[7]
        return self._carries(octets[9], octets[header:], word & 0x1FFF, more=bool(word & 0x2000))

    def _ipv4(
        self, packet: Packet, octets: bytes, at: int, remaining: int, captured: int, headers: int
    ) -> Carried | None:
        if captured < _IPV4_SIZE:  # step 1
            return self._malformed(packet, Kind.HEADER_CUT, _IPV4_SIZE, captured)
        if octets[at] >> 4 != 4:  # step 2
            return self._malformed(packet, Kind.MALFORMED, 4, octets[at] >> 4)
        protocol = octets[at + 9]
        if protocol not in FOLLOWED and not self._ipv4_carries(octets[at : at + captured]):  # step 3
            return self._other()
        header = 4 * (octets[at] & 15)  # step 4
        if header < _IPV4_SIZE:
            return self._malformed(packet, Kind.MALFORMED, _IPV4_SIZE, header)
        if captured < header:
            return self._malformed(packet, Kind.HEADER_CUT, header, captured)
        total = octets[at + 2] << 8 | octets[at + 3]  # step 5
        if total == 0:
            total = remaining
        elif total < header:
            return self._malformed(packet, Kind.MALFORMED, header, total)
        elif total > remaining:
            self._findings.issue(packet, Layer.IP, Kind.LENGTH_EXCEEDS_FRAME, total, remaining)
            total = remaining
        on_wire = total - header
        captured = min(on_wire, captured - header)
        source = MAPPED + octets[at + 12 : at + 16]
        destination = MAPPED + octets[at + 16 : at + 20]
        identification = octets[at + 4] << 8 | octets[at + 5]
        self._findings.vantage = (*self.link, octets[at + 8])
        self._findings.identification = identification
        word = octets[at + 6] << 8 | octets[at + 7]
        carried = Carried(protocol, source, destination, at + header, on_wire, captured)
        if word & 0x3FFF:  # step 6
            key = FragmentKey(4, source, destination, protocol, identification)
            return self._fragment(packet, octets, key, carried, 8 * (word & 0x1FFF), bool(word & 0x2000), headers)
        return carried  # step 7

    def _ipv6(
        self, packet: Packet, octets: bytes, at: int, remaining: int, captured: int, headers: int
    ) -> Carried | None:
        if captured < _IPV6_SIZE:  # step 1
            return self._malformed(packet, Kind.HEADER_CUT, _IPV6_SIZE, captured)
        if octets[at] >> 4 != 6:  # step 2
            return self._malformed(packet, Kind.MALFORMED, 6, octets[at] >> 4)
        length = octets[at + 4] << 8 | octets[at + 5]  # step 3
        on_wire = remaining - _IPV6_SIZE
        if length > on_wire:
            needed = _IPV6_SIZE + length
            self._findings.issue(packet, Layer.IP, Kind.LENGTH_EXCEEDS_FRAME, needed, remaining)
        elif length:
            on_wire = length
        captured = min(on_wire, captured - _IPV6_SIZE)
        source = octets[at + 8 : at + 24]
        destination = octets[at + 24 : at + 40]
        protocol = octets[at + 6]
        self._findings.vantage = (*self.link, octets[at + 7])
        self._findings.identification = 0
        at += _IPV6_SIZE
        walked = 0
        while protocol in EXTENSIONS:  # step 4
            if walked == self._limits.extension_headers:
                return self._malformed(packet, Kind.TOO_DEEP, walked, walked + 1)
            walked += 1
            if captured < 8:
                return self._malformed(packet, Kind.HEADER_CUT, 8, captured)
            if protocol == FRAGMENT_HEADER:
                size = 8
            elif protocol == AUTHENTICATION_HEADER:
                size = 4 * (octets[at + 1] + 2)
            else:
                size = 8 * (octets[at + 1] + 1)
            if size > on_wire:
                return self._malformed(packet, Kind.MALFORMED, size, on_wire)
            if size > captured:
                return self._malformed(packet, Kind.HEADER_CUT, size, captured)
            following = octets[at]
            if protocol == FRAGMENT_HEADER:
                word = octets[at + 2] << 8 | octets[at + 3]
                if word & 0xFFF9:
                    offset, more = word & 0xFFF8, bool(word & 1)
                    payload = octets[at + size : at + captured]
                    if following not in FOLLOWED and not self._carries(following, payload, offset, more=more):
                        return self._other()
                    key = FragmentKey(6, source, destination, following, int.from_bytes(octets[at + 4 : at + 8], "big"))
                    carried = Carried(following, source, destination, at + size, on_wire - size, captured - size)
                    return self._fragment(packet, octets, key, carried, offset, more, headers)
            protocol = following
            at += size
            on_wire -= size
            captured -= size
        payload = octets[at : at + captured]
        if protocol not in FOLLOWED and not self._carries(protocol, payload, 0, more=False):  # step 5
            return self._other()
        return Carried(protocol, source, destination, at, on_wire, captured)

    def _fragment(
        self, packet: Packet, octets: bytes, key: FragmentKey, carried: Carried, offset: int, more: bool, headers: int
    ) -> Carried | None:
        if self._findings.reassembled and not self._findings.carriers:  # decoding 4.4 and 3b.10
            return None
        self._findings.count("fragments")
        payload = octets[carried.at : carried.at + carried.captured]
        # A part of what was captured tells nothing of the whole.
        ends = (payload[:8], payload[-8:]) if len(payload) == carried.on_wire else ()
        sighting = self._findings.sighting(*ends)
        self._findings.events.append(
            Fragment(packet, key, offset, carried.on_wire, payload, more, headers, sighting, self._findings.layers)
        )
        return None

    def _malformed(self, packet: Packet, kind: Kind, needed: int, had: int) -> Carried | None:
        self._findings.issue(packet, Layer.IP, kind, needed, had)
        self._findings.count("ip_malformed")
        return None

    def _other(self) -> Carried | None:
        self._findings.count("ip_other")
        return None
