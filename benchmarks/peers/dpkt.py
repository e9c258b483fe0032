"""dpkt: a script as its users write them, over a capture that dpkt walks and whose headers it takes apart.

Knows dpkt, and of the control messages what dpkt does not: where their type and ids are.  Of several messages in one
segment it reads the first, and none that begins in the segment before.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import dpkt

from . import PORT

PROGRAM = False
_COOKIE = 0x1A2B3C4D
_HEADER = struct.Struct(">HHIHH")
_ID = struct.Struct(">H")
# Types from which on messages have an id of a call, and those that have the peer's too.
_FIRST_WITH_ID = 7
_WITH_BOTH = (8, 10)

Rows = list[tuple[Any, ...]]


def read(path: Path) -> tuple[int, Rows, Rows]:
    """Packets, a row for each control segment, a row for each Enhanced GRE packet."""
    packets = 0
    control: Rows = []
    tunnelled: Rows = []
    with path.open("rb") as file:
        for seconds, frame in dpkt.pcap.Reader(file):
            packets += 1
            ip = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)):
                continue
            inside = ip.data
            if isinstance(inside, dpkt.tcp.TCP):
                if PORT in (inside.sport, inside.dport):
                    ends = (ip.src, ip.dst, inside.sport, inside.dport)
                    control.append((packets, seconds, *ends, *_message(inside.data)))
            elif isinstance(inside, dpkt.gre.GRE) and inside.v == 1:
                numbers = (inside.callid, getattr(inside, "seq", None), getattr(inside, "ack", None))
                tunnelled.append((packets, seconds, ip.src, ip.dst, *numbers))
    return packets, control, tunnelled


def _message(data: bytes) -> tuple[int | None, int | None, int | None]:
    """Type, id and peer's id of the message that a segment begins with."""
    if len(data) < _HEADER.size:
        return None, None, None
    _, _, cookie, kind, _ = _HEADER.unpack_from(data)
    if cookie != _COOKIE:
        return None, None, None
    call = peer = None
    if kind >= _FIRST_WITH_ID and len(data) >= _HEADER.size + 4:
        (call,) = _ID.unpack_from(data, _HEADER.size)
        if kind in _WITH_BOTH:
            (peer,) = _ID.unpack_from(data, _HEADER.size + 2)
    return kind, call, peer


def answer(rows: tuple[int, Rows, Rows]) -> dict[str, int]:
    """Packets in all and of either kind."""
    packets, control, tunnelled = rows
    return {"packets": packets, "control_segments": len(control), "gre": len(tunnelled)}
