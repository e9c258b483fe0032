"""scapy: a script as its users write them, over packets that scapy takes apart whole.

Knows scapy, which knows Enhanced GRE and the 15 messages.  Of several messages in one segment it reads the first, and
none that begins in the segment before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Layers that are not named are imported so that scapy knows them.
from scapy.layers import inet6, pptp  # noqa: F401
from scapy.layers.inet import TCP
from scapy.layers.l2 import GRE_PPTP
from scapy.layers.pptp import PPTP
from scapy.utils import PcapReader

from . import PORT

PROGRAM = False

Rows = list[tuple[Any, ...]]


def read(path: Path) -> tuple[int, Rows, Rows]:
    """Packets, a row for each control segment, a row for each Enhanced GRE packet."""
    packets = 0
    control: Rows = []
    tunnelled: Rows = []
    with PcapReader(str(path)) as file:
        for packet in file:
            packets += 1
            if TCP in packet:
                tcp = packet[TCP]
                if PORT in (tcp.sport, tcp.dport):
                    message, ip = tcp.payload, tcp.underlayer
                    told: tuple[Any, ...] = (None, None, None)
                    if isinstance(message, PPTP):
                        # Not every message has ids.
                        ids = (getattr(message, name, None) for name in ("call_id", "peer_call_id"))
                        told = (message.ctrl_msg_type, *ids)
                    control.append((packets, packet.time, ip.src, ip.dst, tcp.sport, tcp.dport, *told))
            elif GRE_PPTP in packet:
                gre = packet[GRE_PPTP]
                ip = gre.underlayer
                numbers = (gre.call_id, gre.sequence_number, gre.ack_number)
                tunnelled.append((packets, packet.time, ip.src, ip.dst, *numbers))
    return packets, control, tunnelled


def answer(rows: tuple[int, Rows, Rows]) -> dict[str, int]:
    """Packets in all and of either kind."""
    packets, control, tunnelled = rows
    return {"packets": packets, "control_segments": len(control), "gre": len(tunnelled)}
