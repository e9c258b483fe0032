"""Records inside VXLAN, as a cloud's mirror sends them.

Knows the headers in front of the frame and not what is in it.
"""

from __future__ import annotations

import numpy as np

from .draw import Numbers, Octets
from .frames import FRAME, starts

# Ethernet, IPv4, UDP and VXLAN.
AROUND = 14 + 20 + 8 + 8
_HEADERS = bytes.fromhex(
    "0200000000a2 0200000000a1 0800"
    "4500 0000 0000 4000 40 11 0000 cb007101 cb007102"
    "c000 12b5 0000 0000"
    "08000000 00000700".replace(" ", "")
)
_IP, _UDP = 14, 34


def wrapped(octets: Octets, lengths: Numbers, which: Numbers) -> Octets:
    """Records laid end to end, some of them inside a mirror's headers.

    Parameters
    ----------
    octets : ndarray of uint8
        Records, as ``pack`` lays them.
    lengths : ndarray of int64
        Octets of each frame.
    which : ndarray of int64
        Indices of the records to wrap, in order.

    Returns
    -------
    ndarray of uint8
        The records; those that are wrapped are longer by ``AROUND``.
    """
    headers = np.tile(np.frombuffer(_HEADERS, dtype=np.uint8), (len(which), 1))
    inside = lengths[which]
    _put(headers, _IP + 2, inside + AROUND - 14)
    _put(headers, _UDP, 0xC000 + which % 0x3FFF)
    _put(headers, _UDP + 4, inside + 16)
    sums = headers[:, _IP:_UDP].view(">u2").sum(axis=1, dtype=np.int64)
    _put(headers, _IP + 10, 0xFFFF - sums % 0xFFFF)
    places = starts(lengths)[:-1][which]
    octets = octets.copy()
    # Captured and original length, of which the upper two octets are 0.
    for place in (places + 8, places + 12):
        octets[place] = (inside + AROUND) & 0xFF
        octets[place + 1] = (inside + AROUND) >> 8
    parts: list[Octets] = []
    begin = 0
    for place, header in zip((places + FRAME).tolist(), headers, strict=True):
        parts += [octets[begin:place], header]
        begin = place
    return np.concatenate([*parts, octets[begin:]])


def _put(headers: Octets, place: int, numbers: Numbers) -> None:
    headers[:, place] = numbers >> 8
    headers[:, place + 1] = numbers & 0xFF
