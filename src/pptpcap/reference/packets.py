"""The walk of one packet: its link headers, its IP headers, and every carrier between them (decoding 2 to 5).

Knows the order of the walks.  Decides nothing about a header.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..wire import link
from ..wire.ip import PROTOCOL_GRE
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .checks import claimed_length
from .events import Findings, FragmentKey, Packet
from .frames import NetworkWalk, Unopened
from .layers import Layers
from .link import Found, LinkWalk
from .mirrors import Inside, Mirrors
from .records import Frame

# What begins behind an EtherType, or out of IP fragments, has no link type.
_NO_LINK = -1


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
    mirrors : tuple of tuple of int
        Ports of carriers that the user named.
    """

    def __init__(
        self, findings: Findings, ports: tuple[int, ...], limits: Limits, mirrors: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self._findings = findings
        self._limits = limits
        self._link = LinkWalk(findings, limits)
        self._mirrors = Mirrors(mirrors)
        self._network = NetworkWalk(findings, frozenset(ports), limits, self._mirrors)

    def frame(self, frame: Frame) -> None:
        """Walk a frame as the file has it."""
        self._findings.layers = Layers()
        self._walk(self._link.networks(frame), 0)

    def datagram(
        self, packet: Packet, octets: bytes, on_wire: int, key: FragmentKey, headers: int, layers: Layers
    ) -> None:
        """Walk a reassembled payload (decoding 4.4)."""
        self._findings.layers = layers
        self._findings.carriers = 0
        whole = Frame(packet, octets, on_wire, 0, _NO_LINK, "little")
        self._open(whole, self._network.datagram(packet, octets, on_wire, key, headers))

    def _walk(self, networks: Iterable[Found], headers: int) -> None:
        """Walk each IP packet to which link headers lead, behind so many IP headers."""
        for frame, version, at in networks:
            octets, captured, on_wire = frame.octets, len(frame.octets) - at, frame.on_wire - at
            if frame.may_be_cut:  # decoding 3b.1
                on_wire = max(on_wire, claimed_length(octets[at:])[1])
            self._findings.carriers = frame.carriers
            self._network.link = (frame.before + octets[:at], frame.interface)
            left = self._network.network(frame.packet, octets, version, at, on_wire, captured, headers)
            self._open(frame, left)

    def _open(self, frame: Frame, unopened: Unopened | None) -> None:
        """Walk what a carrier over IP holds, as if nothing stood in front of it (decoding 3b)."""
        if unopened is None:
            return
        protocol, payload, headers = unopened
        opened = self._mirrors.open(protocol, payload)
        if not isinstance(opened, Inside):
            if opened is not None:
                self._findings.not_followed(frame.packet, opened)
            self._findings.count("gre_other" if protocol == PROTOCOL_GRE else "ip_other")
        elif frame.carriers == self._limits.carriers:
            self._findings.issue(frame.packet, Layer.LINK, Kind.TOO_DEEP, frame.carriers, frame.carriers + 1)
            self._findings.count("ip_malformed")
        else:
            self._walk_inside(frame, opened, headers)

    def _walk_inside(self, frame: Frame, opened: Inside, headers: int) -> None:
        octets, on_wire = opened.payload
        inside = frame._replace(
            octets=octets,
            on_wire=on_wire,
            link_type=opened.link_type,
            before=b"",
            carriers=frame.carriers + 1,
            may_be_cut=opened.may_be_cut,
        )
        layers = self._findings.layers.carried(opened.carrier, opened.network_id)
        if opened.link_type == _NO_LINK:
            self._findings.layers = layers
            self._walk(self._link.behind(inside, opened.ethertype), headers)
        else:
            is_frame = opened.link_type not in (link.IPV4, link.IPV6)
            self._findings.layers = layers.untagged().tagged(opened.vlan) if is_frame else layers
            self._walk(self._link.inside(inside), headers)
