"""Links of lines and rings: ATM, frame relay, FDDI, token ring, InfiniBand, cable (decoding 2e).

Each reader takes the octets that are captured of a frame.
"""

from __future__ import annotations

from collections.abc import Callable

from ..wire import link
from ..wire.carriers import Carrier
from .heads import Head, Inside, Need, Network, Refused, Typed, word

_REFUSED = Refused(Carrier.LINK_HEADER)
_NOT_IP = Refused()
_SNAP_HEAD = b"\xaa\xaa\x03"
_OSI_HEAD = b"\xfe\xfe\x03"
_IP_HEAD = b"\x06\x06\x03"
_NLPIDS = {link.NLPID_IPV4: 4, link.NLPID_IPV6: 6}


def read_line(link_type: int, octets: bytes) -> Head | None:
    """What the header of such a link type leads to; None if the type is not one of them."""
    reader = _READERS.get(link_type)
    return None if reader is None else reader(octets)


def _snap(octets: bytes, at: int, pad: int) -> Head:
    """An organisation and an EtherType at `at`, or a frame that was bridged, behind `pad` octets more."""
    organization, kind = octets[at : at + 3], word(octets, at + 3)
    if not any(organization):
        return Typed(at + 5, kind)
    if organization != link.BRIDGED.to_bytes(3, "big"):
        return _NOT_IP
    if kind not in link.BRIDGED_ETHERNET:
        return _REFUSED
    return Inside(at + 5 + pad, link.ETHERNET) if len(octets) >= at + 5 + pad else Need(5 + pad, at)


def _nlpid(octets: bytes, at: int) -> Head:
    if len(octets) <= at:
        return Need(1, at)
    if octets[at] == link.NLPID_SNAP:
        return _snap(octets, at + 1, 0) if len(octets) >= at + 6 else Need(6, at)
    if octets[at] == link.NLPID_PPP:
        return Inside(at + 1, link.PPP)
    version = _NLPIDS.get(octets[at])
    return _NOT_IP if version is None else Network(at + 1, version)


def _llc(octets: bytes, at: int) -> Head:
    """LLC in front of IP, of an NLPID, of an EtherType or of a bridged frame."""
    head = octets[at : at + 3]
    if len(head) < 3:
        return Need(3, at)
    if head == _IP_HEAD:
        return Network(at + 3, 4)
    if head == _OSI_HEAD:
        return _nlpid(octets, at + 3)
    if head != _SNAP_HEAD:
        return _NOT_IP
    return _snap(octets, at + 3, 2) if len(octets) >= at + 8 else Need(8, at)


def _frame_relay(octets: bytes) -> Head:
    size = 2
    while True:
        if len(octets) < size:
            return Need(size)
        if octets[size - 1] & 1:
            break
        if size == 4:
            return _NOT_IP
        size += 1
    control = octets[size : size + 2]
    if not control:
        return Need(1, size)
    if control[0] == 0x03:
        return _nlpid(octets, size + (2 if control == b"\x03\0" else 1))
    return Typed(size + 2, word(control, 0)) if len(control) == 2 else Need(2, size)


def _fddi(octets: bytes) -> Head:
    if len(octets) < 13:
        return Need(13)
    return Typed(13, 0, may_be_length=True) if octets[0] >> 4 == 5 else _NOT_IP


def _token_ring(octets: bytes) -> Head:
    if len(octets) < 14:
        return Need(14)
    if octets[1] >> 6 != 1:
        return _NOT_IP
    route = 0
    if octets[8] & 0x80:
        if len(octets) < 15:
            return Need(15)
        route = octets[14] & 0x1F
        if route % 2 or not route:
            return _NOT_IP
    return Typed(14 + route, 0, may_be_length=True) if len(octets) >= 14 + route else Need(14 + route)


def _docsis(octets: bytes) -> Head:
    if len(octets) < 6:
        return Need(6)
    control, length = octets[:2]
    if control not in (0, 1):
        return _REFUSED
    size = 6 + control * length
    return Inside(size, link.ETHERNET) if len(octets) >= size else Need(size)


_READERS: dict[int, Callable[[bytes], Head]] = {
    link.ATM_RFC1483: lambda octets: _llc(octets, 0),
    link.SUNATM: lambda octets: _llc(octets, 4) if len(octets) >= 4 else Need(4),
    link.FRELAY: _frame_relay,
    link.FDDI: _fddi,
    link.TOKEN_RING: _token_ring,
    link.IPOIB: lambda octets: Typed(44, word(octets, 40)) if len(octets) >= 44 else Need(44),
    link.DOCSIS: _docsis,
}
