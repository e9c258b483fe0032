"""From the first byte of a frame to its IP headers, or to why there is none.

Of IP it knows the version only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..wire import link
from ..wire.carriers import Carrier
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings
from .heads import Aggregate, Head, Inside, Need, Network, Refused, Typed, word
from .lines import read_line
from .plain import read_plain, read_pppoe, read_snap
from .records import Frame
from .tags import Tag, read_labelled, read_tag
from .taps import read_tap

_VLAN_SIZE = 4
_LABEL_SIZE = 4
_BOTTOM_OF_STACK = 0x01
# Of a frame in an aggregate: two addresses and a length.
_SUBFRAME_SIZE = 14
_LEAST_SUBFRAME = 8


class Found(NamedTuple):
    """An IP header: its version, and where it starts in a frame, which may be inside another one."""

    frame: Frame
    version: int
    at: int


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
        head = _read(frame)
        if head is not None:
            yield from self._follow(frame, head)
            return
        if (frame.interface, frame.link_type) not in self._unsupported:  # decoding 1b.8
            self._unsupported.add((frame.interface, frame.link_type))
            self._findings.issue(frame.packet, Layer.LINK, Kind.UNSUPPORTED_LINK, frame.interface, frame.link_type)
        self._findings.count("unsupported_link")

    def behind(self, frame: Frame, ethertype: int) -> Iterator[Found]:
        """Each IP header to which a frame leads that begins behind an EtherType."""
        yield from self._typed(frame, 0, ethertype, may_be_length=False)

    def inside(self, frame: Frame) -> Iterator[Found]:
        """Each IP header to which a frame inside a carrier leads."""
        head = _read(frame)
        yield from self._follow(frame, Refused(Carrier.LINK_HEADER) if head is None else head)

    def _follow(self, frame: Frame, head: Head) -> Iterator[Found]:
        """What a header of the frame leads to."""
        if isinstance(head, Typed):
            if frame.link_type not in _OF_THEIR_OWN:
                if self._is_full(frame):
                    return
                frame = frame._replace(carriers=frame.carriers + 1)
            frame = _shortened(frame, head)
            yield from self._typed(frame, head.at, head.ethertype, may_be_length=head.may_be_length)
        elif isinstance(head, Need):
            self._cut(frame, head)
        elif isinstance(head, Refused):
            self._refused(frame, head)
        elif isinstance(head, Network):
            yield Found(_shortened(frame, head), head.version, head.at)
        elif self._is_full(frame):
            return
        elif isinstance(head, Aggregate):
            yield from self._aggregate(frame.inside(head.at, link.ETHERNET))
        else:
            yield from self._inside(frame.inside(head.at, head.link_type, head.captured, head.on_wire))

    def _inside(self, frame: Frame) -> Iterator[Found]:
        """Walk a frame inside another one."""
        self._findings.layers = self._findings.layers.untagged()
        yield from self.inside(frame)

    def _aggregate(self, frame: Frame) -> Iterator[Found]:
        """Walk each frame of an A-MSDU, as if it came alone."""
        layers = self._findings.layers.untagged()
        at = 0
        if frame.on_wire < _SUBFRAME_SIZE:
            self._refused(frame, Refused())
        while frame.on_wire - at >= _SUBFRAME_SIZE:
            captured = max(len(frame.octets) - at, 0)
            if captured < _SUBFRAME_SIZE:
                self._cut(frame, Need(_SUBFRAME_SIZE, len(frame.octets) - captured))
                return
            length = word(frame.octets, at + 12)
            size = _SUBFRAME_SIZE + length
            if size > frame.on_wire - at and not frame.may_be_cut:
                self._refused(frame, Refused(Carrier.WIRELESS))
                return
            if length < _LEAST_SUBFRAME:
                self._refused(frame, Refused())
            else:
                self._findings.layers = layers
                one = frame._replace(octets=frame.octets[at : at + size], on_wire=size, before=b"", may_be_cut=False)
                yield from self._typed(one, _SUBFRAME_SIZE, 0, may_be_length=True)
            at += (size + 3) // 4 * 4

    def _typed(self, frame: Frame, at: int, ethertype: int, *, may_be_length: bool) -> Iterator[Found]:
        """Walk from an EtherType on, over tags and LLC."""
        tags = 0
        while True:
            octets, on_wire = frame.octets[at:], frame.on_wire - at
            if ethertype < link.LEAST_ETHERTYPE and may_be_length:
                snap = read_snap(octets)
                if not isinstance(snap, Typed):
                    yield from self._follow(frame, _moved(snap, at))
                    return
                at, ethertype, may_be_length = at + snap.at, snap.ethertype, False
                continue
            if ethertype not in _TAGS:
                break
            if self._is_too_deep(frame, tags):
                return
            tag = (
                self._vlan(octets, on_wire)
                if ethertype in link.VLAN_ETHERTYPES
                else read_tag(ethertype, octets, on_wire, may_be_cut=frame.may_be_cut)
            )
            if not isinstance(tag, Tag):
                yield from self._follow(frame, _moved(tag, at))
                return
            at += tag.size
            if tag.on_wire < frame.on_wire - at:
                frame = frame._replace(octets=frame.octets[: at + tag.on_wire], on_wire=at + tag.on_wire)
            if tag.carrier is not Carrier.NONE:
                self._findings.layers = self._findings.layers.carried(tag.carrier, tag.network_id)
            if tag.ethertype is None:
                yield from self._follow(frame, Inside(at, link.ETHERNET))
                return
            ethertype, may_be_length = tag.ethertype, True
            tags += 1
        if ethertype in link.ETHERTYPES_MPLS:
            yield from self._labelled(frame, at, tags)
        else:
            yield from self._follow(frame, _moved(_last(ethertype, octets), at))

    def _vlan(self, octets: bytes, on_wire: int) -> Tag | Need:
        if len(octets) < _VLAN_SIZE:
            return Need(_VLAN_SIZE)
        self._findings.layers = self._findings.layers.tagged(word(octets, 0) & link.VLAN_ID)
        return Tag(_VLAN_SIZE, word(octets, 2), on_wire - _VLAN_SIZE)

    def _labelled(self, frame: Frame, at: int, tags: int) -> Iterator[Found]:
        """MPLS labels; the last one does not say what follows."""
        label, is_last = 0, False
        while not is_last:
            if self._is_too_deep(frame, tags):
                return
            octets = frame.octets[at : at + _LABEL_SIZE]
            if len(octets) < _LABEL_SIZE:
                self._cut(frame, Need(_LABEL_SIZE, at))
                return
            label, is_last = int.from_bytes(octets, "big") >> 12, bool(octets[2] & _BOTTOM_OF_STACK)
            at += _LABEL_SIZE
            tags += 1
        head = read_labelled(label, frame.octets[at:], frame.on_wire - at, may_be_cut=frame.may_be_cut)
        if isinstance(head, Inside):
            self._findings.layers = self._findings.layers.carried(Carrier.PSEUDOWIRE)
        yield from self._follow(frame, _moved(head, at))

    def _cut(self, frame: Frame, need: Need) -> None:
        self._findings.issue(frame.packet, Layer.LINK, Kind.FRAME_CUT, need.octets, len(frame.octets) - need.start)
        self._findings.count("frames_cut")

    def _refused(self, frame: Frame, refused: Refused) -> None:
        if refused.carrier is not Carrier.NONE:
            self._findings.not_followed(frame.packet, refused.carrier)
        self._findings.count("not_ip")

    def _is_too_deep(self, frame: Frame, tags: int) -> bool:
        """Whether no tag or label may follow `tags` of them; then the frame is done."""
        return self._is_over(frame, tags, self._limits.link_headers)

    def _is_full(self, frame: Frame) -> bool:
        """Whether no carrier may be in this frame; then it is done."""
        return self._is_over(frame, frame.carriers, self._limits.carriers)

    def _is_over(self, frame: Frame, number: int, cap: int) -> bool:
        if number < cap:
            return False
        self._findings.issue(frame.packet, Layer.LINK, Kind.TOO_DEEP, number, number + 1)
        self._findings.count("ip_malformed")
        return True


_TAGS = link.VLAN_ETHERTYPES | link.TAG_ETHERTYPES
# Link types whose EtherType, or length, is their own header's.
_OF_THEIR_OWN = frozenset(
    {link.ETHERNET, link.LINUX_SLL, link.LINUX_SLL2, link.C_HDLC, link.IEEE802_11, link.RADIOTAP} | link.PPP_TYPES
)


def _read(frame: Frame) -> Head | None:
    """The header of a frame of its link type; None if that is not supported."""
    head = read_plain(frame.link_type, frame.octets)
    if head is None:
        head = read_tap(frame.link_type, frame.octets, frame.on_wire, frame.byte_order)
    return read_line(frame.link_type, frame.octets) if head is None else head


def _last(ethertype: int, octets: bytes) -> Head:
    """What stands behind the last EtherType of a frame."""
    if ethertype in _LAST:
        return _LAST[ethertype](octets)
    silent = ethertype < link.LEAST_ETHERTYPE or ethertype in link.OTHER_ETHERTYPES
    return Refused(Carrier.NONE if silent else Carrier.ETHERTYPE)


_LAST: dict[int, Callable[[bytes], Head]] = {
    link.ETHERTYPE_IPV4: lambda _: Network(0, 4),
    link.ETHERTYPE_IPV6: lambda _: Network(0, 6),
    link.ETHERTYPE_PPPOE: read_pppoe,
}


def _moved(head: Head, at: int) -> Head:
    """The same, of a header that begins at an offset."""
    if isinstance(head, Refused):
        return head
    return head._replace(start=head.start + at) if isinstance(head, Need) else head._replace(at=head.at + at)


def _shortened(frame: Frame, head: Network | Typed) -> Frame:
    """The frame, which ends where what its header leads to does."""
    if head.captured is None or head.on_wire is None:
        return frame
    return frame._replace(octets=frame.octets[: head.at + head.captured], on_wire=head.at + head.on_wire)
