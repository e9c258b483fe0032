"""The walk of one packet: its link headers, its IP headers, and every carrier between them (decoding 2 to 5).

Knows the order of the walks.  Decides nothing about a header.
"""

from __future__ import annotations

from ..wire.limits import Limits
from .events import Findings, FragmentKey, Packet
from .frames import NetworkWalk
from .layers import Layers
from .link import LinkWalk
from .records import Frame


class PacketWalk:
    """Walks the packets of one range, or the datagrams of a capture.

    Parameters
    ----------
    findings : Findings
        Takes events, issues and counters.
    ports : tuple of int
        TCP ports of the control connection.
    limits : Limits
        Caps.
    """

    def __init__(self, findings: Findings, ports: tuple[int, ...], limits: Limits) -> None:
        self._findings = findings
        self._link = LinkWalk(findings, limits)
        self._network = NetworkWalk(findings, frozenset(ports), limits)

    def frame(self, frame: Frame) -> None:
        """Walk a frame as the file has it."""
        self._findings.layers = Layers()
        for found in self._link.networks(frame):
            octets, at = found.frame.octets, found.at
            self._network.link = (found.frame.before + octets[:at], frame.interface)
            on_wire, captured = found.frame.on_wire - at, len(octets) - at
            self._network.network(frame.packet, octets, found.version, at, on_wire, captured)

    def datagram(
        self, packet: Packet, octets: bytes, on_wire: int, key: FragmentKey, headers: int, layers: Layers
    ) -> None:
        """Walk a reassembled payload (decoding 4.4)."""
        self._findings.layers = layers
        self._network.datagram(packet, octets, on_wire, key, headers)
