"""Headers that taps, firewalls and capture cards put in front of a frame or of IP (decoding 2e).

Each reader takes the octets that are captured of a frame, and if it needs them, how many there were on the wire and the
byte order of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from ..wire import link
from ..wire.carriers import Carrier
from . import wireless
from .heads import Head, Inside, Need, Network, Refused, Typed, word

Order: TypeAlias = Literal["little", "big"]

_REFUSED = Refused(Carrier.LINK_HEADER)
_NOT_IP = Refused()
_SNAP = (b"\xaa\xaa\x03\0\0\0", b"\xaa\xaa\x03\0\0\xf8")
_NFLOG_VERSIONS = {link.FAMILY_IPV4: 4, link.NFLOG_IPV6: 6}
_IPNET_VERSIONS = {link.FAMILY_IPV4: 4, link.IPNET_IPV6: 6}


def read_tap(link_type: int, octets: bytes, on_wire: int, order: Order) -> Head | None:
    """What the header of such a link type leads to; None if the type is not one of them."""
    if link_type == link.NFLOG:
        return _nflog(octets, on_wire, order)
    if link_type == link.PRISM:
        return _prism(octets, order)
    if link_type == link.ERF:
        return _erf(octets, on_wire)
    reader = _READERS.get(link_type)
    if reader is None or (link_type == link.PKTAP_USER and not _looks_like_pktap(octets)):
        return None
    return reader(octets)


def version_of_family(octets: bytes) -> int | None:
    """IP version of the address family in 4 octets, in whichever byte order they were written."""
    family = min(int.from_bytes(octets, "big"), int.from_bytes(octets, "little"))
    return _version(family)


def _version(family: int) -> int | None:
    if family == link.FAMILY_IPV4:
        return 4
    return 6 if family in link.FAMILIES_IPV6 else None


def _nflog(octets: bytes, on_wire: int, order: Order) -> Head:
    if len(octets) < 4:
        return Need(4)
    family, version, at = octets[0], octets[1], 4
    if version:
        return _REFUSED
    ethertype: int | None = None
    while on_wire - at >= 4:
        captured = max(len(octets) - at, 0)
        if captured < 4:
            return Need(4, len(octets) - captured)
        length, kind = (int.from_bytes(octets[start : start + 2], order) for start in (at, at + 2))
        if not 4 <= length <= on_wire - at:
            return _REFUSED
        if kind == link.NFLOG_PAYLOAD:
            return _nflog_packet(family, ethertype, at + 4, min(captured, length) - 4, length - 4)
        if captured < length:
            return Need(length, at)
        if kind == link.NFLOG_PACKET_HEADER and length >= 6:
            ethertype = word(octets, at + 4)
        at += -(-length // 4) * 4
    return _NOT_IP


def _nflog_packet(family: int, ethertype: int | None, at: int, captured: int, on_wire: int) -> Head:
    if family == link.NFLOG_BRIDGE and ethertype is not None:
        is_llc = ethertype == link.COOKED_LLC
        return Typed(at, 0 if is_llc else ethertype, is_llc, captured, on_wire)
    version = _NFLOG_VERSIONS.get(family)
    return _NOT_IP if version is None else Network(at, version, captured, on_wire)


def _ppi(octets: bytes) -> Head:
    if len(octets) < 8:
        return Need(8)
    size = int.from_bytes(octets[2:4], "little")
    if octets[0] or size < 8:
        return _REFUSED
    return Need(size) if len(octets) < size else Inside(size, int.from_bytes(octets[4:8], "little"))


def _is_avs(octets: bytes) -> bool:
    return octets[:4] in (b"\x80\x21\x10\x01", b"\x80\x21\x10\x02")


def _avs(octets: bytes) -> Head:
    if len(octets) < 8:
        return Need(8)
    size = int.from_bytes(octets[4:8], "big")
    if not _is_avs(octets) or size < link.AVS_LEAST:
        return _REFUSED
    return Need(size) if len(octets) < size else Inside(size, link.IEEE802_11)


def _prism(octets: bytes, order: Order) -> Head:
    if len(octets) < 4:
        return Need(4)
    if _is_avs(octets):
        return _avs(octets)
    size = link.PRISM_SIZE
    told = int.from_bytes(octets[4:8], order) if len(octets) >= 8 else 0
    if link.PRISM_LEAST <= told <= link.PRISM_MOST and _has_data(octets[told:]) and not _has_data(octets[size:]):
        size = told
    return Need(size) if len(octets) < size else Inside(size, link.IEEE802_11)


def _has_data(octets: bytes) -> bool:
    """Whether an 802.11 frame with data in clear and SNAP is captured."""
    if len(octets) < wireless.FRAME_CONTROL_SIZE:
        return False
    control = wireless.frame_control(octets, 0)
    size = wireless.header_size(control)
    return wireless.carries_data(control) and not wireless.is_protected(control) and octets[size : size + 6] in _SNAP


def _pflog(octets: bytes) -> Head:
    if len(octets) < 2:
        return Need(2)
    length, family = octets[:2]
    if length < link.PFLOG_LEAST:
        return _REFUSED
    size = -(-length // 4) * 4
    if len(octets) <= size:
        return Need(size + 1)
    version = _version(family)
    if version is None:
        return _NOT_IP
    return Network(size, version) if octets[size] >> 4 == version else _REFUSED


def _enc(octets: bytes) -> Head:
    if len(octets) < 12:
        return Need(12)
    version = version_of_family(octets[:4])
    return _NOT_IP if version is None else Network(12, version)


def _looks_like_pktap(octets: bytes) -> bool:
    """Whether a frame of a link type of the user's own looks like this one: length, type, name of an interface."""
    if len(octets) < 36:
        return False
    size, kind = int.from_bytes(octets[:4], "little"), int.from_bytes(octets[4:8], "little")
    name = octets[12:36].rstrip(b"\0")
    is_name = name != b"" and all(0x20 <= octet < 0x7F for octet in name)
    return link.PKTAP_LEAST <= size <= link.PKTAP_MOST and kind <= 1 and is_name


def _pktap(octets: bytes) -> Head:
    if len(octets) < 12:
        return Need(12)
    size, kind, link_type = (int.from_bytes(octets[at : at + 4], "little") for at in (0, 4, 8))
    if size < link.PKTAP_LEAST:
        return _REFUSED
    if kind != 1:
        return _NOT_IP
    return Need(size) if len(octets) < size else Inside(size, link_type)


def _ipnet(octets: bytes) -> Head:
    if len(octets) < 24:
        return Need(24)
    if octets[0] != 1:
        return _REFUSED
    version = _IPNET_VERSIONS.get(octets[1])
    return _NOT_IP if version is None else Network(24, version)


def _erf(octets: bytes, on_wire: int) -> Head:
    size = 16
    if len(octets) < size:
        return Need(size)
    has_more = bool(octets[8] & link.ERF_EXTENDED)
    while has_more:
        if len(octets) < size + 8:
            return Need(size + 8)
        has_more = bool(octets[size] & link.ERF_EXTENDED)
        size += 8
    kind, record, told = octets[8] & 0x7F, word(octets, 10), word(octets, 14)
    if kind == link.ERF_PADDING:
        return _NOT_IP
    size += 2 if kind in link.ERF_ETHERNET else 4 if kind in link.ERF_CHANNEL_HDLC else 0
    known = link.ERF_ETHERNET | link.ERF_HDLC | link.ERF_CHANNEL_HDLC | {link.ERF_IPV4, link.ERF_IPV6}
    if kind not in known or record < size:
        return _REFUSED
    if len(octets) < size:
        return Need(size)
    captured, left = min(len(octets), record) - size, max(min(on_wire, record) - size, told)
    if kind in (link.ERF_IPV4, link.ERF_IPV6):
        return Network(size, 4 if kind == link.ERF_IPV4 else 6, captured, left)
    return Inside(size, link.ETHERNET if kind in link.ERF_ETHERNET else link.PPP_HDLC, captured, left)


def _juniper(octets: bytes) -> Head:
    if len(octets) < 4:
        return Need(4)
    if octets[:3] != link.JUNIPER_MAGIC.to_bytes(3, "big"):
        return _REFUSED
    flags, size = octets[3], 4
    if flags & link.JUNIPER_EXTENDED:
        if len(octets) < 6:
            return Need(6)
        size = 6 + word(octets, 4)
        if len(octets) < size:
            return Need(size)
    if not flags & link.JUNIPER_NO_LINK:
        return Inside(size, link.ETHERNET)
    if len(octets) < size + 5:
        return Need(5, size)
    version = octets[size + 4] >> 4
    return Network(size + 4, version) if version in (4, 6) else _NOT_IP


_READERS: dict[int, Callable[[bytes], Head]] = {
    link.PPI: _ppi,
    link.AVS: _avs,
    link.PFLOG: _pflog,
    link.ENC: _enc,
    link.PKTAP: _pktap,
    link.PKTAP_USER: _pktap,
    link.IPNET: _ipnet,
    link.JUNIPER_ETHER: _juniper,
}
