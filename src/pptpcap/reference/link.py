"""From the first byte of a frame to its IP header, or to why there is none.

Of IP it knows the version only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from ..wire import link, ppp
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from . import wireless
from .events import Findings
from .records import Frame

# Version of IP and where its header starts; None where the frame is done.
Network: TypeAlias = tuple[int, int] | None


class Found(NamedTuple):
    """An IP header: its version, and where it starts in a frame, which may be inside another one."""

    frame: Frame
    version: int
    at: int


_VERSIONS = {link.IPV4: 4, link.IPV6: 6}
# Size of the header, where the EtherType stands in it.
_TAGGED = {link.ETHERNET: (14, 12), link.LINUX_SLL: (16, 14), link.LINUX_SLL2: (20, 0)}

_TAG_SIZE = 4
_LABEL_SIZE = 4
_BOTTOM_OF_STACK = 0x01
_SNAP = b"\xaa\xaa\x03"
_SNAP_SIZE = 8
_SNAP_ORGANIZATIONS = frozenset({b"\x00\x00\x00", b"\x00\x00\xf8"})
_PPPOE_SIZE = 6
_CISCO_SIZE = 4
_PPP_VERSIONS = {ppp.IPV4: 4, ppp.IPV6: 6}


class LinkWalk:
    """Reads the link headers of the frames of one range (decoding 2).

    Parameters
    ----------
    findings : Findings
        Takes issues and counters.
    limits : Limits
        Caps.
    """

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        # Interface number and link type.
        self._unsupported: set[tuple[int, int]] = set()

    def networks(self, frame: Frame) -> Iterator[Found]:
        """Each IP header to which a frame leads."""
        network = self._network(frame)
        if network is not None:
            yield Found(frame, *network)

    def behind(self, frame: Frame, ethertype: int) -> Iterator[Found]:
        """Each IP header to which a frame leads that begins behind an EtherType."""
        network = self._carried(frame, 0, ethertype)
        if network is not None:
            yield Found(frame, *network)

    def _network(self, frame: Frame) -> Network:
        kind = frame.link_type
        if kind in _TAGGED:
            return self._tagged(frame, *_TAGGED[kind])
        if kind in _VERSIONS:
            return _VERSIONS[kind], 0
        if kind in link.RAW_TYPES:
            return self._by_version(frame, 0)
        if kind in link.FAMILY_TYPES:
            return self._family(frame)
        if kind == link.IEEE802_11:
            return self._wireless(frame, 0, padded=False)
        if kind == link.RADIOTAP:
            return self._radiotap(frame)
        if kind in link.PPP_TYPES:
            if self._cut(frame, 0, 1):
                return None
            if frame.octets[0] in link.CISCO_ADDRESSES:
                return self._cisco(frame)
            return self._ppp(frame, 0)
        if kind == link.PPP_WITH_DIRECTION:
            return None if self._cut(frame, 0, 1) else self._ppp(frame, 1)
        if kind == link.PPP_ETHER:
            return self._pppoe(frame, 0)
        if kind == link.C_HDLC:
            return self._cisco(frame)
        if (frame.interface, kind) not in self._unsupported:  # decoding 1b.8
            self._unsupported.add((frame.interface, kind))
            self._findings.issue(frame.packet, Layer.LINK, Kind.UNSUPPORTED_LINK, frame.interface, kind)
        self._findings.count("unsupported_link")
        return None

    def _tagged(self, frame: Frame, size: int, at: int) -> Network:
        """A header of `size` octets with an EtherType at `at`; in Ethernet that may be a length."""
        if self._cut(frame, 0, size):
            return None
        ethertype = _word(frame.octets, at)
        return self._carried(frame, size, ethertype, may_be_length=frame.link_type == link.ETHERNET)

    def _carried(self, frame: Frame, at: int, ethertype: int, *, may_be_length: bool = False) -> Network:
        """Find IP after an EtherType: step over VLAN tags and LLC."""
        tags = 0
        while ethertype in link.VLAN_ETHERTYPES or (may_be_length and ethertype < link.LEAST_ETHERTYPE):
            if ethertype in link.VLAN_ETHERTYPES:
                if self._is_too_deep(frame, tags) or self._cut(frame, at, _TAG_SIZE):
                    return None
                self._findings.layers = self._findings.layers.tagged(_word(frame.octets, at) & link.VLAN_ID)
                ethertype = _word(frame.octets, at + 2)
                at += _TAG_SIZE
                tags += 1
                may_be_length = True
            else:
                if not self._is_snap(frame, at):
                    return None
                ethertype = _word(frame.octets, at + 6)
                at += _SNAP_SIZE
                may_be_length = False
        if ethertype == link.ETHERTYPE_IPV4:
            return 4, at
        if ethertype == link.ETHERTYPE_IPV6:
            return 6, at
        if ethertype in link.ETHERTYPES_MPLS:
            return self._labelled(frame, at, tags)
        if ethertype == link.ETHERTYPE_PPPOE:
            return self._pppoe(frame, at)
        return self._not_ip()

    def _is_snap(self, frame: Frame, at: int) -> bool:
        """Whether LLC with SNAP and an EtherType is at `at`; if not, the frame is done."""
        if self._cut(frame, at, len(_SNAP)):
            return False
        if frame.octets[at : at + len(_SNAP)] != _SNAP:
            self._not_ip()
            return False
        if self._cut(frame, at, _SNAP_SIZE):
            return False
        if frame.octets[at + 3 : at + 6] not in _SNAP_ORGANIZATIONS:
            self._not_ip()
            return False
        return True

    def _labelled(self, frame: Frame, at: int, tags: int) -> Network:
        """MPLS labels; the last one does not say what follows."""
        is_last = False
        while not is_last:
            if self._is_too_deep(frame, tags) or self._cut(frame, at, _LABEL_SIZE):
                return None
            is_last = bool(frame.octets[at + 2] & _BOTTOM_OF_STACK)
            at += _LABEL_SIZE
            tags += 1
        return self._by_version(frame, at)

    def _by_version(self, frame: Frame, at: int) -> Network:
        if self._cut(frame, at, 1):
            return None
        version = frame.octets[at] >> 4
        return (version, at) if version in (4, 6) else self._not_ip()

    def _family(self, frame: Frame) -> Network:
        if self._cut(frame, 0, 4):
            return None
        family = int.from_bytes(frame.octets[:4], "big")
        if family >= 1 << 16:
            family = int.from_bytes(frame.octets[:4], "little")
        if family == link.FAMILY_IPV4:
            return 4, 4
        if family in link.FAMILIES_IPV6:
            return 6, 4
        return self._not_ip()

    def _radiotap(self, frame: Frame) -> Network:
        octets = frame.octets
        if self._cut(frame, 0, wireless.RADIOTAP_SIZE):
            return None
        size = octets[2] | octets[3] << 8
        if octets[0] != 0 or size < wireless.RADIOTAP_SIZE:
            return self._not_ip()
        if self._cut(frame, 0, size):
            return None
        return self._wireless(frame, size, padded=wireless.pads_header(octets[:size]))

    def _wireless(self, frame: Frame, at: int, *, padded: bool) -> Network:
        if self._cut(frame, at, wireless.FRAME_CONTROL_SIZE):
            return None
        control = wireless.frame_control(frame.octets, at)
        if not wireless.carries_data(control):
            return self._not_ip()
        size = wireless.header_size(control)
        if padded:
            size = (size + 3) // 4 * 4
        if self._cut(frame, at, size):
            return None
        if wireless.is_aggregate(control, frame.octets, at):
            return self._not_ip()
        return self._carried(frame, at + size, 0, may_be_length=True)

    def _cisco(self, frame: Frame) -> Network:
        if self._cut(frame, 0, _CISCO_SIZE):
            return None
        return self._carried(frame, _CISCO_SIZE, _word(frame.octets, 2))

    def _pppoe(self, frame: Frame, at: int) -> Network:
        if self._cut(frame, at, _PPPOE_SIZE):
            return None
        if frame.octets[at] != link.PPPOE_VERSION_AND_TYPE or frame.octets[at + 1] != 0:
            return self._not_ip()
        return self._ppp_protocol(frame, at + _PPPOE_SIZE)

    def _ppp(self, frame: Frame, at: int) -> Network:
        if frame.octets[at : at + 2] == ppp.ADDRESS_CONTROL:
            at += 2
        return self._ppp_protocol(frame, at)

    def _ppp_protocol(self, frame: Frame, at: int) -> Network:
        size = 1
        if self._cut(frame, at, size):
            return None
        protocol = frame.octets[at]
        if not protocol & 1:
            size = 2
            if self._cut(frame, at, size):
                return None
            protocol = _word(frame.octets, at)
        version = _PPP_VERSIONS.get(protocol)
        return self._not_ip() if version is None else (version, at + size)

    def _cut(self, frame: Frame, at: int, needed: int) -> bool:
        """Whether fewer than `needed` octets of the header at `at` are captured; then the frame is done."""
        captured = len(frame.octets) - at
        if captured >= needed:
            return False
        self._findings.issue(frame.packet, Layer.LINK, Kind.FRAME_CUT, needed, captured)
        self._findings.count("frames_cut")
        return True

    def _is_too_deep(self, frame: Frame, tags: int) -> bool:
        """Whether no tag or label may follow `tags` of them; then the frame is done."""
        if tags < self._limits.link_headers:
            return False
        self._findings.issue(frame.packet, Layer.LINK, Kind.TOO_DEEP, tags, tags + 1)
        self._findings.count("ip_malformed")
        return True

    def _not_ip(self) -> Network:
        self._findings.count("not_ip")
        return None


def _word(octets: bytes, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]
