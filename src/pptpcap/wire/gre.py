"""Enhanced GRE (RFC 2637 section 4): the flags word, the size of the header, what is not allowed.

Must not know packets.
"""

from __future__ import annotations

PROTOCOL_TYPE = 0x880B
VERSION = 1
FIXED_SIZE = 8

CHECKSUM_PRESENT = 0x8000
ROUTING_PRESENT = 0x4000
KEY_PRESENT = 0x2000
SEQUENCE_PRESENT = 0x1000
STRICT_SOURCE_ROUTE = 0x0800
RECURSION = 0x0700
ACKNOWLEDGMENT_PRESENT = 0x0080
RESERVED_FLAGS = 0x0078
VERSION_MASK = 0x0007

# Bits that must be zero in PPTP.  They do not move the header: its size is 8 + 4 S + 4 A.
FORBIDDEN = CHECKSUM_PRESENT | ROUTING_PRESENT | STRICT_SOURCE_ROUTE | RECURSION | RESERVED_FLAGS
