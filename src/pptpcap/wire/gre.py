"""Enhanced GRE (RFC 2637 section 4): the flags word, the size of the header, what is not allowed; other kinds of GRE.

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

# Of version 0 (RFC 2784, RFC 2890): these must be zero.
RESERVED_BITS = 0x00F8
# First word and protocol type of EoIP.
EOIP_FLAGS = 0x2001
EOIP_TYPE = 0x6400
# Protocol types of version 0: keepalive, Ethernet, WCCP, ERSPAN.
KEEPALIVE = 0
WCCP = 0x883E
ERSPAN = 0x88BE
ERSPAN_III = 0x22EB
# In the upper 24 bits of a key, the least virtual subnet of NVGRE.
LEAST_SUBNET = 0x1000
