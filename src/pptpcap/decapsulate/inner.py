"""What a PPP frame holds: the protocol field, IP packets without padding, whether plain text can be right.

Knows the framing rules and no state.
"""

from __future__ import annotations

from ..wire.ppp import ADDRESS_CONTROL, PROTOCOLS

__all__ = [
    "COMPRESSED",
    "IPV4",
    "IPV6",
    "MULTILINK",
    "VJ_COMPRESSED",
    "VJ_UNCOMPRESSED",
    "ip_length",
    "plausible",
    "split",
]

IPV4 = 0x0021
VJ_COMPRESSED = 0x002D
VJ_UNCOMPRESSED = 0x002F
MULTILINK = 0x003D
IPV6 = 0x0057
COMPRESSED = 0x00FD
# Only datagrams of network protocols are encrypted (RFC 3078 section 3).
_LAST_ENCRYPTED = 0x00FA

_VERSION4_SIZE = 20
_VERSION6_SIZE = 40
# From so many octets on, both versions have told their length.
_LENGTH_KNOWN = 6


def split(octets: bytes) -> tuple[int, bytes]:
    """Protocol and information of a frame; protocol 0 where there is none (RFC 1661 section 2)."""
    at = 2 if octets[:2] == ADDRESS_CONTROL else 0
    if len(octets) > at and octets[at] & 1:
        return octets[at], octets[at + 1 :]
    if len(octets) >= at + 2 and octets[at + 1] & 1:
        return octets[at] << 8 | octets[at + 1], octets[at + 2 :]
    return 0, b""


def ip_length(protocol: int, octets: bytes, missing: int) -> int:
    """Octets of the IP packet that `octets` and `missing` more begin with, 0 where they cannot be one."""
    there = len(octets) + missing
    if protocol == IPV4:
        if len(octets) < 4:
            return 0
        header, length = (octets[0] & 15) * 4, octets[2] << 8 | octets[3]
        return length if octets[0] >> 4 == 4 and _VERSION4_SIZE <= header <= length <= there else 0
    if len(octets) < 6:
        return 0
    length = _VERSION6_SIZE + (octets[4] << 8 | octets[5])
    return length if octets[0] >> 4 == 6 and length <= there else 0


def plausible(octets: bytes, missing: int) -> int:
    """How well plain text looks like what a sender encrypted.

    Returns
    -------
    int
        2 for IP that fits into it, 1 for another network protocol, of which nothing can be compared, 0 for nonsense.
    """
    protocol, information = split(octets)
    if protocol in (IPV4, IPV6, VJ_UNCOMPRESSED):
        # Of VJ, the protocol octet alone differs, and is not looked at here.
        if ip_length(IPV6 if protocol == IPV6 else IPV4, information, missing):
            return 2
        return int(missing > 0 and len(information) < _LENGTH_KNOWN)
    if protocol == VJ_COMPRESSED:
        return int(bool(information) and not information[0] & 0x80)
    return int(0 < protocol <= _LAST_ENCRYPTED and protocol in PROTOCOLS)
