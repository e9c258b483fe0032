"""Headers of the link types that networks have: Ethernet, loopback, PPP, 802.11, and what Linux puts in their place.

Each reader takes the octets that are captured from its header on (decoding 2).
"""

from __future__ import annotations

from collections.abc import Callable

from ..wire import link, ppp
from ..wire.carriers import Carrier
from . import wireless
from .heads import Aggregate, Head, Need, Network, Refused, Typed, word
from .taps import version_of_family

_NOT_IP = Refused()
_SNAP = b"\xaa\xaa\x03"
_SNAP_SIZE = 8
_SNAP_ORGANIZATIONS = frozenset({b"\x00\x00\x00", b"\x00\x00\xf8"})
_PPPOE_SIZE = 6
_PPP_VERSIONS = {ppp.IPV4: 4, ppp.IPV6: 6}


def read_plain(link_type: int, octets: bytes) -> Head | None:
    """What the header of such a link type leads to; None if the type is not one of them."""
    reader = _READERS.get(link_type)
    return None if reader is None else reader(octets)


def by_version(octets: bytes) -> Head:
    """IP, whose first octet tells the version."""
    if not octets:
        return Need(1)
    version = octets[0] >> 4
    return Network(0, version) if version in (4, 6) else _NOT_IP


def read_snap(octets: bytes) -> Head:
    """LLC, with SNAP and an EtherType if it leads to IP."""
    if len(octets) < len(_SNAP):
        return Need(len(_SNAP))
    if not octets.startswith(_SNAP):
        return _NOT_IP
    if len(octets) < _SNAP_SIZE:
        return Need(_SNAP_SIZE)
    return Typed(_SNAP_SIZE, word(octets, 6)) if octets[3:6] in _SNAP_ORGANIZATIONS else _NOT_IP


def read_pppoe(octets: bytes) -> Head:
    """A session of PPP over Ethernet."""
    if len(octets) < _PPPOE_SIZE:
        return Need(_PPPOE_SIZE)
    if octets[0] != link.PPPOE_VERSION_AND_TYPE or octets[1] != 0:
        return _NOT_IP
    return _ppp_protocol(octets, _PPPOE_SIZE)


def _ethernet(octets: bytes) -> Head:
    return Typed(14, word(octets, 12), may_be_length=True) if len(octets) >= 14 else Need(14)


def _cooked(octets: bytes, size: int, at: int, hardware_at: int) -> Head:
    if len(octets) < size:
        return Need(size)
    hardware, protocol = word(octets, hardware_at), word(octets, at)
    if hardware == link.ARPHRD_RADIOTAP:
        return _radiotap(octets, size)
    if hardware == link.ARPHRD_FRELAY:
        return Refused(Carrier.LINK_HEADER)
    if hardware == link.ARPHRD_NETLINK:
        return _NOT_IP
    is_bridged = hardware == link.ARPHRD_GRE and protocol == link.TRANSPARENT_ETHERNET
    if not is_bridged and protocol != link.COOKED_ETHERNET:
        return Typed(size, protocol, may_be_length=protocol == link.COOKED_LLC)
    if len(octets) < size + 14:
        return Need(14, size)
    return Typed(size + 14, word(octets, size + 12), may_be_length=True)


def _family(octets: bytes) -> Head:
    if len(octets) < 4:
        return Need(4)
    version = version_of_family(octets[:4])
    return _NOT_IP if version is None else Network(4, version)


def _radiotap(octets: bytes, at: int) -> Head:
    rest = octets[at:]
    if len(rest) < wireless.RADIOTAP_SIZE:
        return Need(wireless.RADIOTAP_SIZE, at)
    size = rest[2] | rest[3] << 8
    if rest[0] != 0 or size < wireless.RADIOTAP_SIZE:
        return _NOT_IP
    if len(rest) < size:
        return Need(size, at)
    return _wireless(octets, at + size, padded=wireless.pads_header(rest[:size]))


def _wireless(octets: bytes, at: int, *, padded: bool = False) -> Head:
    if len(octets) < at + wireless.FRAME_CONTROL_SIZE:
        return Need(wireless.FRAME_CONTROL_SIZE, at)
    control = wireless.frame_control(octets, at)
    if not wireless.carries_data(control):
        return _NOT_IP
    if wireless.is_protected(control):
        return Refused(Carrier.WIRELESS)
    size = wireless.header_size(control)
    if padded:
        size = (size + 3) // 4 * 4
    if len(octets) < at + size:
        return Need(size, at)
    if wireless.is_aggregate(control, octets, at):
        return Aggregate(at + size)
    return Typed(at + size, 0, may_be_length=True)


def _serial(octets: bytes) -> Head:
    """PPP or Cisco's HDLC."""
    if not octets:
        return Need(1)
    return _cisco(octets) if octets[0] in link.CISCO_ADDRESSES else _ppp(octets, 0)


def _cisco(octets: bytes) -> Head:
    return Typed(4, word(octets, 2)) if len(octets) >= 4 else Need(4)


def _ppp(octets: bytes, at: int) -> Head:
    has_framing = octets[at : at + 2] == ppp.ADDRESS_CONTROL
    return _ppp_protocol(octets, at + 2 * has_framing)


def _ppp_protocol(octets: bytes, at: int) -> Head:
    if len(octets) <= at:
        return Need(1, at)
    protocol, size = octets[at], 1
    if not protocol & 1:
        size = 2
        if len(octets) < at + size:
            return Need(size, at)
        protocol = word(octets, at)
    version = _PPP_VERSIONS.get(protocol)
    return _NOT_IP if version is None else Network(at + size, version)


_READERS: dict[int, Callable[[bytes], Head]] = {
    link.ETHERNET: _ethernet,
    link.LINUX_SLL: lambda octets: _cooked(octets, 16, 14, 2),
    link.LINUX_SLL2: lambda octets: _cooked(octets, 20, 0, 8),
    link.IPV4: lambda _: Network(0, 4),
    link.IPV6: lambda _: Network(0, 6),
    **dict.fromkeys(link.RAW_TYPES, by_version),
    **dict.fromkeys(link.FAMILY_TYPES, _family),
    link.IEEE802_11: lambda octets: _wireless(octets, 0),
    link.RADIOTAP: lambda octets: _radiotap(octets, 0),
    **dict.fromkeys(link.PPP_TYPES, _serial),
    link.PPP_WITH_DIRECTION: lambda octets: _ppp(octets, 1) if octets else Need(1),
    link.PPP_ETHER: read_pppoe,
    link.C_HDLC: _cisco,
}
