"""IP protocol numbers, and the form of addresses in tables (RFC 4291 section 2.5.5.2).

Must not know packets.
"""

from __future__ import annotations

# In front of the 4 octets of an IPv4 address.
# Octets of an address in a row.
ADDRESS = 16
MAPPED = bytes(10) + b"\xff\xff"

PROTOCOL_IPV4 = 4
PROTOCOL_TCP = 6
PROTOCOL_IPV6 = 41
PROTOCOL_GRE = 47
PROTOCOL_UDP = 17
PROTOCOL_ICMPV6 = 58
FOLLOWED = frozenset({PROTOCOL_IPV4, PROTOCOL_TCP, PROTOCOL_IPV6, PROTOCOL_GRE})

FRAGMENT_HEADER = 44
AUTHENTICATION_HEADER = 51
# Hop-by-hop options, routing, destination options, mobility, HIP, shim6: length in units of 8 octets.
EXTENSIONS_IN_EIGHTS = frozenset({0, 43, 60, 135, 139, 140})
EXTENSIONS = EXTENSIONS_IN_EIGHTS | {FRAGMENT_HEADER, AUTHENTICATION_HEADER}
