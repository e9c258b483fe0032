"""PPP control packets as far as decapsulating needs them: head and options (RFC 1661 sections 5 and 6).

Knows no protocol's options.
"""

from __future__ import annotations

__all__ = ["CCP", "CHAP", "CONFIGURE_ACK", "FIRST_CONTROL", "LCP", "RESET_ACK", "options", "read_head"]

# From here on a protocol field tells of control packets.
FIRST_CONTROL = 0x8000
CCP = 0x80FD
LCP = 0xC021
CHAP = 0xC223

CONFIGURE_ACK = 2
RESET_ACK = 15

_HEAD = 4


def read_head(octets: bytes) -> tuple[int, bytes] | None:
    """Code and data of a control packet, None where its length and what is there do not agree."""
    if len(octets) < _HEAD:
        return None
    length = octets[2] << 8 | octets[3]
    return (octets[0], octets[_HEAD:length]) if _HEAD <= length <= len(octets) else None


def options(data: bytes) -> dict[int, bytes] | None:
    """The first option of each type, None where a length is wrong: then the whole packet is."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if len(data) < at + 2 or not 2 <= data[at + 1] <= len(data) - at:
            return None
        found.setdefault(data[at], data[at + 2 : at + data[at + 1]])
        at += data[at + 1]
    return found
