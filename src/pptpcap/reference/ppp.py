"""PPP inside Enhanced GRE: the protocol number, and control packets in clear with their options.

Must not know GRE, or what is negotiated.
"""

from __future__ import annotations

from typing import NamedTuple

from ..wire import ppp
from ..wire.limits import Limits
from ..wire.status import Kind, Layer, PppStatus
from .events import ControlPacket, Findings, Option, Packet

_HEAD_END = ppp.HEAD_SIZE
# Type and length of an option.
_OPTION_HEAD = 2


class Framed(NamedTuple):
    """A protocol number, 0 where there is no valid one, and the octets up to the information."""

    protocol: int
    size: int


def read_protocol(payload: bytes) -> Framed:
    """Protocol number of a PPP packet (decoding 8.5); a valid one is odd in its low octet."""
    at = 2 if payload[:2] == ppp.ADDRESS_CONTROL else 0
    if len(payload) > at and payload[at] & 1:
        return Framed(payload[at], at + 1)
    if len(payload) > at + 1 and payload[at + 1] & 1:
        return Framed(payload[at] << 8 | payload[at + 1], at + 2)
    return Framed(0, 0)


def begins_ip(fragment: bytes, on_wire: int) -> bool:
    """Whether a multilink fragment of so many octets on the wire begins an IP packet in clear (decoding 8.7)."""
    first = fragment[0] if fragment else 0
    if not first & ppp.MULTILINK_FIRST:
        return False
    for size, reserved in (
        (ppp.MULTILINK_HEADER, ppp.MULTILINK_RESERVED),
        (ppp.MULTILINK_SHORT_HEADER, ppp.MULTILINK_SHORT_RESERVED),
    ):
        framed = read_protocol(fragment[size:])
        inner = fragment[size + framed.size :]
        if first & reserved:
            continue
        if framed.protocol == ppp.IPV4 and _is_ipv4(inner):
            return True
        is_whole = bool(first & ppp.MULTILINK_LAST)
        if framed.protocol == ppp.IPV6 and is_whole and _is_ipv6(inner, on_wire - size - framed.size):
            return True
    return False


def _is_ipv4(octets: bytes) -> bool:
    """Whether a whole header stands there whose checksum is right."""
    if not octets or octets[0] >> 4 != 4:
        return False
    header = octets[: 4 * (octets[0] & 0x0F)]
    if len(header) < max(4 * (octets[0] & 0x0F), 20):
        return False
    # A number is congruent to the sum of its digits in base 65,536 modulo 65,535; the header is not all zeros.
    return int.from_bytes(header, "big") % 0xFFFF == 0


def _is_ipv6(octets: bytes, on_wire: int) -> bool:
    """Whether a header stands there whose length is that of the packet."""
    return len(octets) >= 40 and octets[0] >> 4 == 6 and int.from_bytes(octets[4:6], "big") + 40 == on_wire


def read_control(
    findings: Findings, packet: Packet, limits: Limits, framed: Framed, payload: bytes, on_wire: int, has_sequence: bool
) -> ControlPacket | None:
    """The control packet in a payload, None where it holds none (decoding 8b).

    Parameters
    ----------
    findings : Findings
        Takes the issues.
    packet : Packet
        The packet that holds it.
    limits : Limits
        Caps.
    framed : Framed
        What `read_protocol` says of the payload.
    payload : bytes
        Its octets that are captured.
    on_wire : int
        Octets of it that were on the wire; not fewer.
    has_sequence : bool
        Whether the GRE packet has a sequence number.
    """
    status = 0 if has_sequence else PppStatus.NO_SEQUENCE.value
    protocol, at = framed
    if protocol == ppp.MULTILINK:  # decoding 8b.1
        head = payload[at : at + ppp.MULTILINK_HEADER]
        if len(head) < ppp.MULTILINK_HEADER or head[0] & ppp.MULTILINK_WHOLE != ppp.MULTILINK_WHOLE:
            return None
        at += ppp.MULTILINK_HEADER
        protocol, size = read_protocol(payload[at:])
        at += size
        status |= PppStatus.MULTILINK.value
    if protocol < ppp.FIRST_CONTROL:
        return None
    return _Reading(findings, packet, limits, protocol, payload[at:], on_wire - at, status).control()


class _Reading:
    """One control packet that is being read: `octets` from its code on, of `on_wire`."""

    def __init__(
        self,
        findings: Findings,
        packet: Packet,
        limits: Limits,
        protocol: int,
        octets: bytes,
        on_wire: int,
        status: int,
    ) -> None:
        self._findings = findings
        self._packet = packet
        self._limits = limits
        self._protocol = protocol
        self._octets = octets
        self._on_wire = on_wire
        self._status = status

    def control(self) -> ControlPacket:
        octets, on_wire = self._octets, self._on_wire
        if self._protocol == ppp.QUALITY_REPORT:  # decoding 8b.2
            self._status |= PppStatus.NO_HEAD.value
            return self._made(0, 0, 0, octets, ())
        if on_wire < _HEAD_END:  # decoding 8b.3
            self._mark(PppStatus.MALFORMED, Kind.PPP_LENGTH, _HEAD_END, on_wire)
        if len(octets) < _HEAD_END:
            if on_wire >= _HEAD_END:
                self._status |= PppStatus.HEAD_CUT.value
            code, identifier = octets[:2].ljust(2, b"\0")
            return self._made(code, identifier, 0, octets, ())
        code, identifier, length = octets[0], octets[1], octets[2] << 8 | octets[3]
        octets = octets[:length]  # decoding 8b.4
        if length < _HEAD_END:
            self._mark(PppStatus.MALFORMED, Kind.PPP_LENGTH, _HEAD_END, length)
            return self._made(code, identifier, length, octets, ())
        if length > on_wire:
            self._mark(PppStatus.MALFORMED, Kind.PPP_LENGTH, on_wire, length)
            return self._made(code, identifier, length, octets, ())
        if length < on_wire:
            self._status |= PppStatus.PADDED.value
        if len(octets) < length:
            self._status |= PppStatus.CUT.value
        options = tuple(self._options(octets, length)) if self._has_options(code) else ()
        claims = self._claims(code, octets[_HEAD_END:], length - _HEAD_END)
        if max(claims, default=0) > length - _HEAD_END:
            first = next(claim for claim in claims if claim > length - _HEAD_END)
            self._mark(PppStatus.BAD_FIELD, Kind.PPP_FIELD, first, length - _HEAD_END)
        return self._made(code, identifier, length, octets, options)

    def _made(
        self, code: int, identifier: int, length: int, octets: bytes, options: tuple[Option, ...]
    ) -> ControlPacket:
        return ControlPacket(self._protocol, code, identifier, length, octets, options, self._status)

    def _mark(self, status: PppStatus, kind: Kind, needed: int, had: int) -> None:
        self._status |= status.value
        self._findings.issue(self._packet, Layer.PPP, kind, needed, had)

    def _has_options(self, code: int) -> bool:
        if self._protocol == ppp.CBCP:
            return 1 <= code <= ppp.LAST_CBCP
        is_configured = self._protocol < ppp.FIRST_LINK_CONTROL or self._protocol in ppp.WITH_OPTIONS
        return is_configured and ppp.CONFIGURE_REQUEST <= code <= ppp.CONFIGURE_REJECT

    def _options(self, octets: bytes, length: int) -> list[Option]:
        # decoding 8b.5
        found: list[Option] = []
        at = _HEAD_END
        while at < length:
            left = length - at
            if left < _OPTION_HEAD:
                self._mark(PppStatus.BAD_OPTION, Kind.PPP_OPTION, _OPTION_HEAD, left)
                break
            if len(octets) < at + _OPTION_HEAD:
                break
            size = octets[at + 1]
            if not _OPTION_HEAD <= size <= left:
                self._mark(PppStatus.BAD_OPTION, Kind.PPP_OPTION, left, size)
                break
            if len(octets) < at + size:
                break
            cap = self._limits.ppp_options
            if len(found) == cap:
                self._mark(PppStatus.OPTION_LIMIT, Kind.PPP_OPTION_LIMIT, cap, cap + 1)
                break
            found.append(Option(octets[at], size, octets[at + _OPTION_HEAD : at + size]))
            at += size
        return found

    def _claims(self, code: int, data: bytes, there: int) -> list[int]:
        """How many octets lengths in the data claim, in order; only those that are captured (decoding 8b.6)."""
        if self._protocol == ppp.PAP and code == 1:
            if not data:
                return [] if there else [1]
            claims = [1 + data[0] + 1]
            if len(data) >= claims[0]:
                claims.append(claims[0] + data[1 + data[0]])
            return claims
        if self._protocol == ppp.PAP and code in (2, 3):
            return [1 + data[0]] if data else []
        if self._protocol == ppp.CHAP and code in (1, 2):
            if not data:
                return [] if there else [1]
            return [1 + data[0]]
        if self._protocol == ppp.EAP and code in (1, 2):
            return [1]
        return []
