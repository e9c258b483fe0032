"""Van Jacobson TCP/IP header compression: the receiving half of one direction (RFC 1144).

Knows no PPP.
"""

from __future__ import annotations

from .inner import IPV4, ip_length

__all__ = ["Decompressor", "internet_checksum"]

_TCP = 6
_IP_SIZE = 20
_TCP_SIZE = 20

# The change mask (RFC 1144 section 3.2.2).
_CONNECTION = 0x40
_IDENTIFICATION = 0x20
_PUSH = 0x10
_SEQUENCE = 0x08
_ACKNOWLEDGMENT = 0x04
_WINDOW = 0x02
_URGENT = 0x01
_SPECIALS = _SEQUENCE | _ACKNOWLEDGMENT | _WINDOW | _URGENT
# Not deltas, but: both numbers moved by the data of the last packet; only the sequence number did.
_ECHOED = _SEQUENCE | _WINDOW | _URGENT
_UNIDIRECTIONAL = _SPECIALS

_FLAG_URGENT = 0x20
_FLAG_PUSH = 0x08

# What the headers of a connection take: up to 120 octets of them, the object, and its place in a dict.
_HEADER_OCTETS = 256


class Decompressor:
    """Headers of the last packet of each connection, by its number; 256 at most."""

    __slots__ = ("_headers", "_last")

    def __init__(self) -> None:
        self._headers: dict[int, bytearray] = {}
        self._last: int | None = None

    @property
    def octets(self) -> int:
        """Octets that it holds."""
        return len(self._headers) * _HEADER_OCTETS

    def lose(self) -> None:
        """A packet was lost: what does not name its connection belongs to none (RFC 1144 section 4.1)."""
        self._last = None

    def uncompressed(self, octets: bytes, *, keep: bool) -> bytes | None:
        """The IP packet of an uncompressed one, None where it cannot be one; its headers are kept where told so."""
        length = ip_length(IPV4, octets, 0)
        if not length or length < _IP_SIZE:
            self.lose()
            return None
        number = octets[9]
        header = (octets[0] & 15) * 4
        packet = bytearray(octets[:length])
        packet[9] = _TCP
        if length < header + _TCP_SIZE or (packet[header + 12] >> 4) * 4 < _TCP_SIZE:
            self.lose()
            return None
        both = header + (packet[header + 12] >> 4) * 4
        if length < both:
            self.lose()
            return None
        if keep:
            self._headers[number] = packet[:both]
            self._last = number
        return bytes(packet)

    def compressed(self, octets: bytes) -> bytes | None:
        """The IP packet that a compressed one stands for, None where there is no header for it or it is malformed."""
        packet = self._rebuild(octets)
        if packet is None:
            self.lose()
        return packet

    def _rebuild(self, octets: bytes) -> bytes | None:
        read = _Reader(octets)
        mask = read.octet()
        if mask & _CONNECTION:
            self._last = read.octet()
        checksum = read.word()
        if read.short() or self._last is None or self._last not in self._headers:
            return None
        last = self._headers[self._last]
        headers = bytearray(last)
        tcp = (headers[0] & 15) * 4
        size = _word(headers, 2) - len(headers)
        headers[tcp + 16 : tcp + 18] = checksum.to_bytes(2, "big")
        headers[tcp + 13] = headers[tcp + 13] & ~_FLAG_PUSH | (_FLAG_PUSH if mask & _PUSH else 0)

        special = mask & _SPECIALS
        if special == _ECHOED:
            _add(headers, tcp + 8, 4, size)
            _add(headers, tcp + 4, 4, size)
        elif special == _UNIDIRECTIONAL:
            _add(headers, tcp + 4, 4, size)
        else:
            headers[tcp + 13] &= ~_FLAG_URGENT & 0xFF
            if mask & _URGENT:
                headers[tcp + 13] |= _FLAG_URGENT
                headers[tcp + 18 : tcp + 20] = read.delta().to_bytes(2, "big")
            if mask & _WINDOW:
                _add(headers, tcp + 14, 2, read.delta())
            if mask & _ACKNOWLEDGMENT:
                _add(headers, tcp + 8, 4, read.delta())
            if mask & _SEQUENCE:
                _add(headers, tcp + 4, 4, read.delta())
        _add(headers, 4, 2, read.delta() if mask & _IDENTIFICATION else 1)
        length = len(headers) + len(octets) - read.at
        if read.short() or length > 0xFFFF:
            return None
        headers[2:4] = length.to_bytes(2, "big")
        headers[10:12] = b"\0\0"
        headers[10:12] = internet_checksum(bytes(headers[:tcp])).to_bytes(2, "big")
        self._headers[self._last] = headers
        packet = bytes(headers) + octets[read.at :]
        # The sender's own checksum tells whether the deltas met the right headers.
        return packet if _tcp_holds(packet, tcp) else None


class _Reader:
    """Reads on; what is not there is 0, and `short` tells."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.at = 0

    def short(self) -> bool:
        return self.at > len(self._octets)

    def octet(self) -> int:
        self.at += 1
        return 0 if self.short() else self._octets[self.at - 1]

    def word(self) -> int:
        return self.octet() << 8 | self.octet()

    def delta(self) -> int:
        """One octet, or a zero and two (RFC 1144 section 3.2.2)."""
        return self.octet() or self.word()


def internet_checksum(octets: bytes) -> int:
    """The checksum that IP and TCP use (RFC 1071)."""
    total = int.from_bytes(octets + b"\0" * (len(octets) & 1), "big") % 0xFFFF
    # A sum that is not 0 and a multiple of FFFF is FFFF.
    return 0xFFFF - (total or (0xFFFF if any(octets) else 0))


def _tcp_holds(packet: bytes, tcp: int) -> bool:
    pseudo = packet[12:20] + bytes((0, _TCP)) + (len(packet) - tcp).to_bytes(2, "big")
    return internet_checksum(pseudo + packet[tcp:]) == 0


def _word(octets: bytearray, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]


def _add(octets: bytearray, at: int, width: int, value: int) -> None:
    total = int.from_bytes(octets[at : at + width], "big") + value
    octets[at : at + width] = (total & ((1 << 8 * width) - 1)).to_bytes(width, "big")
