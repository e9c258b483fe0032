"""The protocol number in front of a PPP packet inside Enhanced GRE.

Knows nothing of GRE.  Called by ``gre``.
"""

from __future__ import annotations

from ..wire.ppp import ADDRESS_CONTROL

# No more octets than these decide the protocol.
LONGEST_HEADER = 4


def read_protocol(payload: bytes) -> int:
    """Protocol number of a PPP packet, 0 where there is no valid one (decoding 8.5).

    Parameters
    ----------
    payload : bytes
        What was captured of the packet, its first ``LONGEST_HEADER`` octets at least.

    Returns
    -------
    int
        The number; a valid one is odd in its low octet.
    """
    if payload[:2] == ADDRESS_CONTROL:
        payload = payload[2:]
    if payload and payload[0] & 1:
        return payload[0]
    if len(payload) >= 2 and payload[1] & 1:
        return payload[0] << 8 | payload[1]
    return 0
