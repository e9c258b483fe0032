"""IP addresses as the tables have them (RFC 4291 section 2.5.5.2).

Knows no packet.  Called by the reference engine; the core has the same octets in its leaf.
"""

from __future__ import annotations

# In front of the 4 octets of an IPv4 address.
MAPPED = bytes(10) + b"\xff\xff"
