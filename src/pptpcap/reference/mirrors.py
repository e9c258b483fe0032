"""Opens what IP, UDP and GRE carry besides PPTP: mirrors, overlays, tunnels (decoding 3b).

Each function takes the octets behind a header and gives what is inside them, the carrier that is not followed, or None
where there is nothing.  Must not know what the packet inside means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from ..wire import gre, ip, link, ppp
from ..wire.carriers import EITHER_PORT, NAMED_ONLY, PORTS, Carrier
from . import wireless
from .checks import ANY_SURPLUS, FRAME_SURPLUS, holds_ethernet, holds_ethertype, holds_ip, holds_sum

_MOST_LABELS = 8
_PPP_VERSIONS = {ppp.IPV4: 4, ppp.IPV6: 6}
_VERSIONS = {link.ETHERTYPE_IPV4: 4, link.ETHERTYPE_IPV6: 6}
# EtherTypes, and protocol types of GRE, that prove the header in front of them.
_TOLD = link.ETHERTYPES_KNOWN | link.VLAN_ETHERTYPES | {*_VERSIONS, link.TRANSPARENT_ETHERNET}
_TOLD_BY_GRE = _TOLD | {gre.ERSPAN, gre.ERSPAN_III, gre.WCCP}
_LINK_TYPES = {4: link.IPV4, 6: link.IPV6}
_NO_IP, _UNKNOWN = -1, -2


class Payload(NamedTuple):
    """Octets behind a header: those that are captured, and how many there were on the wire."""

    octets: bytes
    on_wire: int

    def after(self, size: int) -> Payload:
        """What stands behind the first of them."""
        return Payload(self.octets[size:], self.on_wire - size)


class Inside(NamedTuple):
    """What a carrier holds.

    Parameters
    ----------
    payload : Payload
        Its octets.
    carrier : Carrier
        What carried it.
    link_type : int
        As a frame of which it is walked; -1 where an EtherType stands in front.
    ethertype : int
        That EtherType.
    network_id : int
        -1 without.
    vlan : int
        VLAN that the carrier names, 0 without.
    may_be_cut : bool
        The mirror may have sent the head of a frame only.
    """

    payload: Payload
    carrier: Carrier
    link_type: int
    ethertype: int = -1
    network_id: int = -1
    vlan: int = 0
    may_be_cut: bool = False


Opened: TypeAlias = Inside | Carrier | None


class Mirrors:
    """Opens payloads of IP packets.

    Parameters
    ----------
    named : iterable of tuple of int
        Ports that the user named: number of the Carrier, and port.
    """

    def __init__(self, named: Iterable[tuple[int, int]]) -> None:
        self._kinds = {port: carrier for carrier, ports in PORTS.items() for port in ports}
        self._only_told = {port for port, carrier in self._kinds.items() if carrier in NAMED_ONLY}
        for carrier, port in named:
            self._kinds[port] = Carrier(carrier)
            self._only_told.discard(port)

    def has_port(self, octets: bytes) -> bool:
        """Whether a port of a UDP header, which is whole, may be that of a carrier."""
        return len(octets) >= 8 and not self._kinds.keys().isdisjoint((_word(octets, 0), _word(octets, 2)))

    def open(self, protocol: int, payload: Payload) -> Opened:
        """What the payload of an IP packet of this protocol holds."""
        octets = payload.octets
        if protocol in ip.PROTOCOLS_UDP:
            return self._udp(payload, is_lite=protocol == ip.PROTOCOL_UDP_LITE)
        if protocol == ip.PROTOCOL_GRE:
            return _gre(payload)
        if protocol == ip.PROTOCOL_ETHERIP:
            is_known = octets[:2] in (b"\x30\0", b"\x03\0")
            return _ethernet(payload.after(2), Carrier.ETHERIP) if is_known else Carrier.ETHERIP
        if protocol == ip.PROTOCOL_ETHERNET:
            return _ethernet(payload, Carrier.ETHERIP)
        if protocol == ip.PROTOCOL_MPLS:
            return _labels(payload, Carrier.MPLS) or Carrier.MPLS
        if protocol == ip.PROTOCOL_L2TP:
            return None if octets[:4] == bytes(4) else Carrier.L2TP
        return Carrier.ESP if protocol == ip.PROTOCOL_ESP else Carrier.IP_OTHER

    def _udp(self, payload: Payload, *, is_lite: bool) -> Opened:
        octets = payload.octets
        if len(octets) < 8:
            return None
        length = payload.on_wire if is_lite else _word(octets, 4)
        if not 8 <= length <= payload.on_wire:
            return None
        source, destination = _word(octets, 0), _word(octets, 2)
        port = destination
        if destination not in self._kinds:
            if self._kinds.get(source) not in EITHER_PORT:
                return None
            port = source
        kind = self._kinds[port]
        if is_lite and kind is not Carrier.CAPWAP:
            return None
        opened = _BEHIND_UDP[kind](Payload(octets[8:length], length - 8))
        if port in self._only_told:
            return kind if isinstance(opened, Inside) else None
        return opened


def _word(octets: bytes, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


# ---- what is inside


def _ip(
    payload: Payload,
    carrier: Carrier,
    version: int = 0,
    surplus: int = 0,
    network_id: int = -1,
) -> Inside | Carrier:
    found = holds_ip(payload.octets, payload.on_wire, surplus)
    if not found or version not in (0, found):
        return carrier
    return Inside(payload, carrier, _LINK_TYPES[found], network_id=network_id)


def _ethernet(payload: Payload, carrier: Carrier, network_id: int = -1) -> Inside | Carrier:
    if not holds_ethernet(payload.octets, payload.on_wire):
        return carrier
    return Inside(payload, carrier, link.ETHERNET, network_id=network_id)


def _labels(payload: Payload, carrier: Carrier, network_id: int = -1) -> Opened:
    """MPLS; None where no label is the last one."""
    stack = [payload.octets[at : at + 4] for at in range(0, 4 * _MOST_LABELS, 4)]
    count = next((number for number, label in enumerate(stack, 1) if len(label) == 4 and label[2] & 1), 0)
    if not count:
        return None
    octets, on_wire = payload.after(4 * count)
    if (
        holds_ip(octets, on_wire, FRAME_SURPLUS)
        or holds_ethernet(octets, on_wire)
        or (octets and octets[0] < 0x10 and holds_ethernet(octets[4:], on_wire - 4))
    ):
        return Inside(payload, carrier, -1, link.ETHERTYPE_MPLS, network_id)
    return carrier


def _behind(payload: Payload, ethertype: int, carrier: Carrier, network_id: int) -> Inside | Carrier:
    """What an EtherType of GRE or GENEVE says."""
    if ethertype in _VERSIONS:
        return _ip(payload, carrier, _VERSIONS[ethertype], network_id=network_id)
    if ethertype == link.TRANSPARENT_ETHERNET:
        return _ethernet(payload, carrier, network_id)
    if ethertype in link.ETHERTYPES_MPLS:
        return _labels(payload, carrier, network_id) or carrier
    if ethertype in link.VLAN_ETHERTYPES:
        # What is to be true stands behind the EtherType.
        octets = ethertype.to_bytes(2, "big") + payload.octets
        if holds_ethertype(octets, payload.on_wire + 2) is None:
            return carrier
    elif ethertype != link.ETHERTYPE_NSH:
        return carrier
    return Inside(payload, carrier, -1, ethertype, network_id)


def _find_wireless(payload: Payload, control: int, *, may_be_cut: bool) -> int:
    """Where IP starts in an 802.11 frame with this frame control; 0 if the frame does not prove itself.

    _NO_IP if it has none, _UNKNOWN if it is not looked into.
    """
    octets, on_wire = payload
    size = wireless.header_size(control)
    if control & link.DOT11_VERSION:
        return 0
    if not wireless.carries_data(control):
        return _NO_IP
    if wireless.is_protected(control):
        return _UNKNOWN
    if len(octets) < size:
        return 0
    if wireless.is_aggregate(control, octets, 0):
        return _UNKNOWN
    # As behind a length in the place of an EtherType, which LLC follows.
    version = holds_ethertype(b"\0\0" + octets[size:], on_wire - size + 2, may_be_cut=may_be_cut)
    if version is None:
        return 0
    return size + 8 if version else _NO_IP


# ---- GRE


def _gre(payload: Payload, *, in_udp: bool = False) -> Opened:
    octets = payload.octets
    if len(octets) < 4:
        return None
    flags, protocol = _word(octets, 0), _word(octets, 2)
    if (flags, protocol) == (gre.EOIP_FLAGS, gre.EOIP_TYPE) and not in_udp:
        return _eoip(payload)
    if flags & gre.VERSION_MASK or protocol == gre.KEEPALIVE:
        return None
    if in_udp and (flags & gre.RESERVED_BITS or protocol not in _TOLD_BY_GRE):
        return None
    if flags & gre.RESERVED_BITS:
        return Carrier.GRE
    if protocol == gre.PROTOCOL_TYPE:
        return Carrier.PPP_IN_GRE
    key_at = 8 if flags & (gre.CHECKSUM_PRESENT | gre.ROUTING_PRESENT) else 4
    size = key_at + 4 * bool(flags & gre.KEY_PRESENT) + 4 * bool(flags & gre.SEQUENCE_PRESENT)
    if flags & gre.ROUTING_PRESENT:
        # Each entry has a family, an offset and a length; the last one neither family nor length.
        entry = b""
        while entry[:2] + entry[3:] != bytes(3):
            entry = octets[size : size + 4]
            if len(entry) < 4:
                return Carrier.GRE
            size += 4 + entry[3]
    if len(octets) < size:
        return Carrier.GRE
    network_id = _number(octets[key_at : key_at + 4]) if flags & gre.KEY_PRESENT else -1
    payload = payload.after(size)
    if protocol in (gre.ERSPAN, gre.ERSPAN_III):
        is_first_type = protocol == gre.ERSPAN and not flags & gre.SEQUENCE_PRESENT
        return _mirrored(payload, Carrier.ERSPAN) if is_first_type else _erspan(payload)
    if protocol == gre.WCCP:
        redirect = 4 if payload.octets and payload.octets[0] >> 4 != 4 else 0
        return _ip(payload.after(redirect), Carrier.GRE, 4, network_id=network_id)
    if protocol == link.ETHERTYPE_CISCO_METADATA:
        if len(payload.octets) < 8 or payload.octets[2:4] != b"\x01\x01":
            return Carrier.GRE
        return _behind(payload.after(8), _word(payload.octets, 0), Carrier.GRE, network_id)
    others = gre.CHECKSUM_PRESENT | gre.ROUTING_PRESENT | gre.SEQUENCE_PRESENT
    if protocol == link.TRANSPARENT_ETHERNET and not flags & others and network_id >> 8 >= gre.LEAST_SUBNET:
        return _ethernet(payload, Carrier.NVGRE, network_id >> 8)
    return _behind(payload, protocol, Carrier.GRE, network_id)


def _eoip(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 8 or _word(octets, 4) != payload.on_wire - 8:
        return Carrier.EOIP
    return _ethernet(payload.after(8), Carrier.EOIP) if payload.on_wire > 8 else None


def _mirrored(payload: Payload, carrier: Carrier, vlan: int = 0) -> Inside | Carrier:
    """Ethernet of which the mirror may have sent the head only."""
    if not holds_ethernet(payload.octets, payload.on_wire, may_be_cut=True):
        return carrier
    return Inside(payload, carrier, link.ETHERNET, vlan=vlan, may_be_cut=True)


def _erspan(payload: Payload) -> Opened:
    """Types II and III."""
    octets = payload.octets
    if len(octets) < 8:
        return Carrier.ERSPAN
    version, vlan = octets[0] >> 4, _word(octets, 0) & link.VLAN_ID
    if version == 1:
        still_tagged = octets[2] & 0x18 == 0x18
        return _mirrored(payload.after(8), Carrier.ERSPAN, 0 if still_tagged else vlan)
    if version != 2 or len(octets) < 12:
        return Carrier.ERSPAN
    inside = payload.after(20 if octets[11] & 1 else 12)
    frame_type = octets[10] >> 2 & 0x1F
    if frame_type == 0:
        return _mirrored(inside, Carrier.ERSPAN, vlan)
    version = holds_ip(inside.octets, inside.on_wire, ANY_SURPLUS, may_be_cut=True)
    if frame_type != 2 or not version:
        return Carrier.ERSPAN
    return Inside(inside, Carrier.ERSPAN, _LINK_TYPES[version], vlan=vlan, may_be_cut=True)


# ---- UDP


def _vxlan(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 8:
        return None
    flags, network_id = octets[0], _number(octets[4:7])
    if flags & 0x04:
        return _vxlan_gpe(payload, network_id)
    group = octets[1:4]
    fits = (flags == 0x08 and group == bytes(3)) or (flags == 0x88 and group[0] | 0x48 == 0x48)
    return _ethernet(payload.after(8), Carrier.VXLAN, network_id) if fits and not octets[7] else None


def _vxlan_gpe(payload: Payload, network_id: int) -> Opened:
    octets, carrier = payload.octets, Carrier.VXLAN_GPE
    if not octets[0] & 0x08 or octets[1] or octets[2] or octets[7]:
        return None
    if octets[0] not in (0x0C, 0x0E):
        return carrier
    inside = payload.after(8)
    match octets[3]:
        case 1:
            return _ip(inside, carrier, 4, network_id=network_id)
        case 2:
            return _ip(inside, carrier, 6, network_id=network_id)
        case 3:
            return _ethernet(inside, carrier, network_id)
        case 4:
            return _behind(inside, link.ETHERTYPE_NSH, carrier, network_id)
        case 5:
            return _behind(inside, link.ETHERTYPE_MPLS, carrier, network_id)
    return carrier


def _geneve(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 8 or octets[1] & 0x3F or octets[7] or _word(octets, 2) not in _TOLD:
        return None
    size = 8 + 4 * (octets[0] & 0x3F)
    options = octets[8:size]
    if octets[0] & 0xC0 or octets[1] & 0x80 or len(octets) < size:
        return Carrier.GENEVE
    while options:
        length = 4 + 4 * (options[3] & 0x1F)
        if length > len(options):
            return Carrier.GENEVE
        options = options[length:]
    return _behind(payload.after(size), _word(octets, 2), Carrier.GENEVE, _number(octets[4:7]))


def _tzsp(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 4:
        return None
    protocol = _word(octets, 2)
    if octets[0] not in (1, 2) or octets[1] > 1 or protocol not in (1, 18, 119, 127):
        return None
    if octets[0] != 1:
        return Carrier.TZSP
    at = 4
    while octets[at : at + 1] != b"\x01":
        if at >= len(octets) or (octets[at] and at + 1 >= len(octets)):
            return Carrier.TZSP
        at += 2 + octets[at + 1] if octets[at] else 1
    inside = payload.after(at + 1)
    if protocol == 1:
        return _mirrored(inside, Carrier.TZSP)
    if protocol == 18:
        control = int.from_bytes(inside.octets[:2], "little")
        if len(inside.octets) < 2 or not _find_wireless(inside, control, may_be_cut=True):
            return Carrier.TZSP
        return Inside(inside, Carrier.TZSP, link.IEEE802_11, may_be_cut=True)
    begins = {b"\x80\x21\x10\x01", b"\x80\x21\x10\x02"}
    if protocol == 119:
        begins |= {b"\0\0\0\x44", b"\x44\0\0\0"}
    if inside.octets[:4] not in begins:
        return Carrier.TZSP
    return Inside(inside, Carrier.TZSP, link.PRISM if protocol == 119 else link.AVS, may_be_cut=True)


def _gtp(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 8 or octets[0] & 0xF8 != 0x30 or octets[1] != 255 or _word(octets, 2) != payload.on_wire - 8:
        return None
    size = 12 if octets[0] & 7 else 8
    if len(octets) < size:
        return Carrier.GTP_U
    while octets[0] & 4 and octets[size - 1]:
        extension = 4 * octets[size] if len(octets) > size else 0
        if not extension or len(octets) < size + extension:
            return Carrier.GTP_U
        size += extension
    return _ip(payload.after(size), Carrier.GTP_U)


def _capwap(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 8:
        return None
    if octets[:4] == b"\x01\0\0\0":
        return Carrier.CAPWAP if octets[4] in range(0x14, 0x18) and octets[5] == 0xFE else None
    word = _number(octets[:4])
    size = 4 * (word >> 19 & 0x1F)
    binding = word >> 9 & 0x1F
    if word >> 24 or binding > 1 or word & 0x0F or octets[7] & 0x07 or not 8 <= size <= payload.on_wire:
        return None
    if word & 0x80 or len(octets) < size:
        return Carrier.CAPWAP
    # Fields that have a length: an address, and what is known of the radio.
    fields = octets[8:size]
    for bit in (0x10, 0x20):
        if word & bit:
            if not fields or (bit == 0x10 and fields[0] not in (6, 8)) or len(fields) < 1 + fields[0]:
                return Carrier.CAPWAP
            fields = fields[(1 + fields[0] + 3) // 4 * 4 :]
    inside = payload.after(size)
    if not word & 0x100:
        return _ethernet(inside, Carrier.CAPWAP)
    if len(inside.octets) < 2:
        return Carrier.CAPWAP
    controls = [int.from_bytes(octets, "little") for octets in (inside.octets[:2], inside.octets[1::-1])]
    found = [_find_wireless(inside, control, may_be_cut=False) for control in controls]
    for at in found:
        if at > 0:
            return _ip(inside.after(at), Carrier.CAPWAP, surplus=FRAME_SURPLUS)
    is_swapped = bool(controls[0] & link.DOT11_VERSION)
    return None if found[is_swapped] == _NO_IP else Carrier.CAPWAP


def _l2tp(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) < 4:
        return None
    flags = _word(octets, 0)
    is_l2f = flags in (0x0001, 0x4001) and (octets[2] in (2, 3) or octets[6:8] == ppp.ADDRESS_CONTROL)
    if octets[:4] == b"\0\x03\0\0" or is_l2f:
        return Carrier.L2TP
    has_length, has_numbers, has_offset = bool(flags & 0x4000), bool(flags & 0x0800), bool(flags & 0x0200)
    if flags & 0x8000 or flags & 0x34FF != 2 or (has_length and _word(octets, 2) != payload.on_wire):
        return None
    size = 6 + 2 * has_length + 4 * has_numbers
    if has_offset:
        if len(octets) < size + 2:
            return None
        size += 2 + _word(octets, size)
    if len(octets) < size + 2 or not _word(octets, 4 + 2 * has_length):
        return None
    opened = _ppp(payload.after(size))
    # Without a length nothing but the framing of PPP proves more.
    is_proved = has_length or octets[size : size + 2] == ppp.ADDRESS_CONTROL
    return opened if isinstance(opened, Inside) or is_proved else None


def _ppp(payload: Payload) -> Opened:
    """PPP of L2TP."""
    if payload.octets.startswith(ppp.ADDRESS_CONTROL):
        payload = payload.after(2)
    size = 1 if payload.octets and payload.octets[0] & 1 else 2
    if len(payload.octets) < size:
        return Carrier.L2TP
    protocol = _number(payload.octets[:size])
    if protocol in _PPP_VERSIONS:
        return _ip(payload.after(size), Carrier.L2TP, _PPP_VERSIONS[protocol], ANY_SURPLUS)
    return None if protocol >= 0x8000 else Carrier.L2TP


def _teredo(payload: Payload) -> Opened:
    octets = payload.octets
    if len(octets) >= 4 and octets[:2] == b"\0\x01":
        payload = payload.after(13 + octets[2] + octets[3])
    if payload.octets[:2] == b"\0\0":
        payload = payload.after(8)
    if not payload.octets or payload.octets[0] >> 4 != 6:
        return None
    addresses = payload.octets[8:40]
    is_teredo = len(addresses) == 32 and b"\x20\x01\0\0" in (addresses[:4], addresses[16:20])
    opened = _ip(payload, Carrier.TEREDO, 6, ANY_SURPLUS if is_teredo else 0)
    return opened if isinstance(opened, Inside) or is_teredo else None


def _proven(payload: Payload, carrier: Carrier, version: int = 0) -> Inside | Carrier:
    """IP where nothing in front says so: IPv4 by its checksum too."""
    opened = _ip(payload, carrier, version)
    if isinstance(opened, Inside) and opened.link_type == link.IPV4 and not holds_sum(payload.octets):
        return carrier
    return opened


def _jmirror(payload: Payload) -> Opened:
    inside = payload.after(8)
    if len(inside.octets) < 4 or inside.octets[:2] != ppp.ADDRESS_CONTROL:
        return _proven(inside, Carrier.JMIRROR)
    version = _PPP_VERSIONS.get(_word(inside.octets, 2))
    return _proven(inside.after(4), Carrier.JMIRROR, version) if version else Carrier.JMIRROR


def _gue(payload: Payload) -> Opened:
    octets = payload.octets
    if octets and octets[0] >> 6 == 1:
        return _proven(payload, Carrier.GUE)
    if len(octets) < 4 or octets[0] >> 6:
        return Carrier.GUE
    if octets[0] & 0x20:
        return None
    inside = payload.after(4 + 4 * (octets[0] & 0x1F))
    match octets[1]:
        case ip.PROTOCOL_IPV4:
            return _proven(inside, Carrier.GUE, 4)
        case ip.PROTOCOL_IPV6:
            return _proven(inside, Carrier.GUE, 6)
        case ip.PROTOCOL_GRE:
            opened = _gre(inside, in_udp=True)
            return opened if isinstance(opened, Inside) else Carrier.GUE
    return Carrier.GUE


def _gre_in_udp(payload: Payload) -> Opened:
    return _gre(payload, in_udp=True)


def _mpls(payload: Payload) -> Opened:
    opened = _labels(payload, Carrier.MPLS)
    return opened if isinstance(opened, Inside) else None


_BEHIND_UDP: dict[Carrier, Callable[[Payload], Opened]] = {
    Carrier.GRE: _gre_in_udp,
    Carrier.MPLS: _mpls,
    Carrier.VXLAN: _vxlan,
    Carrier.VXLAN_GPE: _vxlan,
    Carrier.GENEVE: _geneve,
    Carrier.TZSP: _tzsp,
    Carrier.GTP_U: _gtp,
    Carrier.CAPWAP: _capwap,
    Carrier.JMIRROR: _jmirror,
    Carrier.L2TP: _l2tp,
    Carrier.TEREDO: _teredo,
    Carrier.GUE: _gue,
}
