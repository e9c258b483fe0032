"""TCP flags (RFC 9293 section 3.1).

Must not know packets.
"""

from __future__ import annotations

FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10
URG = 0x20
