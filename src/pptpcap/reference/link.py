"""Link headers: from the first octet of a frame to the IP header, or to why there is none.

Knows nothing of IP but its version number.  Called by ``frames``.
"""

from __future__ import annotations

from typing import TypeAlias

from ..wire import link
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Packet

# Version of IP and where its header starts; None where the frame is done.
Network: TypeAlias = tuple[int, int] | None

_RAW = frozenset({link.RAW, link.RAW_OPENBSD, link.RAW_BSDOS})
_FAMILY = frozenset({link.NULL, link.LOOP})
# Size of the header, where the EtherType stands in it.
_ETHERTYPES = {link.ETHERNET: (14, 12), link.LINUX_SLL: (16, 14), link.LINUX_SLL2: (20, 0)}
_VERSIONS = {link.IPV4: 4, link.IPV6: 6}
_TAG_SIZE = 4


class LinkWalk:
    """Reads the link headers of the frames of one file (decoding 2).

    Parameters
    ----------
    findings : Findings
        Takes issues and counters.
    limits : Limits
        Caps.
    link_type : int
        Of the file.
    """

    def __init__(self, findings: Findings, limits: Limits, link_type: int) -> None:
        self._findings = findings
        self._limits = limits
        self._link_type = link_type
        self._unsupported_seen = False

    def network(self, packet: Packet, frame: bytes) -> Network:
        """Version of IP and where its header starts, or None where the frame is done."""
        if self._link_type in _ETHERTYPES:
            return self._by_ethertype(packet, frame, *_ETHERTYPES[self._link_type])
        if self._link_type in _VERSIONS:
            return _VERSIONS[self._link_type], 0
        if self._link_type in _RAW:
            if not frame:
                return self._cut(packet, 1, 0)
            version = frame[0] >> 4
            return (version, 0) if version in (4, 6) else self._not_ip()
        if self._link_type in _FAMILY:
            return self._by_family(packet, frame)
        if not self._unsupported_seen:
            self._unsupported_seen = True
            self._findings.issue(packet, Layer.LINK, Kind.UNSUPPORTED_LINK, 0, self._link_type)
        self._findings.count("unsupported_link")
        return None

    def _by_ethertype(self, packet: Packet, frame: bytes, size: int, at: int) -> Network:
        if len(frame) < size:
            return self._cut(packet, size, len(frame))
        ethertype = frame[at] << 8 | frame[at + 1]
        tags = 0
        while ethertype in link.VLAN_ETHERTYPES:
            if tags == self._limits.link_headers:
                self._findings.issue(packet, Layer.LINK, Kind.TOO_DEEP, tags, tags + 1)
                self._findings.count("ip_malformed")
                return None
            if len(frame) < size + _TAG_SIZE:
                return self._cut(packet, _TAG_SIZE, len(frame) - size)
            ethertype = frame[size + 2] << 8 | frame[size + 3]
            size += _TAG_SIZE
            tags += 1
        if ethertype == link.ETHERTYPE_IPV4:
            return 4, size
        if ethertype == link.ETHERTYPE_IPV6:
            return 6, size
        return self._not_ip()

    def _by_family(self, packet: Packet, frame: bytes) -> Network:
        if len(frame) < 4:
            return self._cut(packet, 4, len(frame))
        family = int.from_bytes(frame[:4], "big")
        if family >= 1 << 16:
            family = int.from_bytes(frame[:4], "little")
        if family == link.FAMILY_IPV4:
            return 4, 4
        if family in link.FAMILIES_IPV6:
            return 6, 4
        return self._not_ip()

    def _cut(self, packet: Packet, needed: int, had: int) -> Network:
        self._findings.issue(packet, Layer.LINK, Kind.FRAME_CUT, needed, had)
        self._findings.count("frames_cut")
        return None

    def _not_ip(self) -> Network:
        self._findings.count("not_ip")
        return None
