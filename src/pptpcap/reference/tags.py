"""Tags between Ethernet and IP, headers with a whole frame behind them, and what MPLS labels carry (decoding 2d).

Each reader takes the octets that are captured from its header on, and how many there were on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..wire import ip, link
from ..wire.carriers import Carrier
from .checks import FRAME_SURPLUS, holds_ethernet, holds_ip, holds_sum
from .heads import Inside, Need, Network, Refused, word

# Behind a cut frame with less than this, nothing is checked.
_CHECKED = 64
_ETHERNET_SIZE = 14
# Tags of one size whose last word is the next EtherType.
_SIZES = {link.ETHERTYPE_VN_TAG: 6, link.ETHERTYPE_HSR: 6, link.ETHERTYPE_E_TAG: 8}
# Arista: the format of a time, and octets of the tag with it.
_TIMESTAMPS = {1: 14, 2: 12}
_BATMAN = {link.BATMAN_UNICAST: 10, link.BATMAN_UNICAST_4: 18, link.BATMAN_BROADCAST: 14}
_NSH_FOLLOWS = {
    1: link.ETHERTYPE_IPV4,
    2: link.ETHERTYPE_IPV6,
    3: None,
    4: link.ETHERTYPE_NSH,
    5: link.ETHERTYPE_MPLS,
}
# What an IPv6 header is likely to name next.
_NEXT_HEADERS = ip.FOLLOWED | ip.EXTENSIONS | {ip.PROTOCOL_UDP, ip.PROTOCOL_ICMPV6}


class Tag(NamedTuple):
    """A header of `size` octets, what follows it, and how many octets of that were on the wire.

    Parameters
    ----------
    size : int
        Octets of the header.
    ethertype : int or None
        What follows; None for a whole Ethernet frame.
    on_wire : int
        Octets behind the header.
    carrier : Carrier
        What the packet goes on in, if it is one.
    network_id : int
        -1 where there is none.
    """

    size: int
    ethertype: int | None
    on_wire: int
    carrier: Carrier = Carrier.NONE
    network_id: int = -1


def read_tag(ethertype: int, octets: bytes, on_wire: int, *, may_be_cut: bool) -> Tag | Need | Refused:
    """The header behind one of the EtherTypes of tags."""
    if ethertype in _SIZES:
        return _ends(octets, on_wire, _SIZES[ethertype])
    if ethertype == link.ETHERTYPE_MACSEC:
        return _macsec(octets, on_wire, may_be_cut=may_be_cut)
    tag = _READERS[ethertype](octets, on_wire)
    if not isinstance(tag, Tag) or tag.carrier not in (Carrier.PBB, Carrier.TRILL):
        return tag
    frame = octets[tag.size :]
    is_cut_short = len(frame) < _CHECKED and (may_be_cut or len(frame) < tag.on_wire)
    is_frame = is_cut_short or holds_ethernet(frame, tag.on_wire, may_be_cut=may_be_cut)
    return tag if is_frame else Refused(tag.carrier)


def _ends(octets: bytes, on_wire: int, size: int) -> Tag | Need:
    """A tag whose last word is the next EtherType."""
    return Need(size) if len(octets) < size else Tag(size, word(octets, size - 2), on_wire - size)


def _cisco_metadata(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    tag = _ends(octets, on_wire, 8)
    known = isinstance(tag, Need) or octets[:2] == b"\1\1"
    return tag if known else Refused(Carrier.CISCO_METADATA)


def _timestamp(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    if len(octets) < 4:
        return Need(4)
    size = _TIMESTAMPS.get(octets[3] >> 4)
    if octets[:2] != b"\0\1" or size is None:
        return Refused(Carrier.TIMESTAMP)
    return _ends(octets, on_wire, size)


def _macsec(octets: bytes, on_wire: int, *, may_be_cut: bool) -> Tag | Need | Refused:
    if len(octets) < 6:
        return Need(6)
    if octets[0] & link.MACSEC_NOT_CLEAR:
        return Refused(Carrier.MACSEC)
    tag = _ends(octets, on_wire, 16 if octets[0] & link.MACSEC_HAS_CHANNEL else 8)
    if isinstance(tag, Need):
        return tag
    left = tag.on_wire if may_be_cut else tag.on_wire - link.MACSEC_CHECK_VALUE
    short = octets[1] & link.MACSEC_SHORT_LENGTH
    if short:
        left = min(left, short - 2)
    return Refused(Carrier.MACSEC) if left < 0 else tag._replace(on_wire=left)


def _nsh(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    if len(octets) < 8:
        return Need(8)
    first, kind, follows = word(octets, 0), octets[2] & 15, octets[3]
    words = first & link.NSH_LENGTH
    if first & link.NSH_VERSION:
        return Refused(Carrier.NSH)
    if first & link.NSH_OAM:
        return Refused()
    if words < 2 or (kind == 1 and words != 6) or follows not in _NSH_FOLLOWS:
        return Refused(Carrier.NSH)
    size = 4 * words
    return Need(size) if len(octets) < size else Tag(size, _NSH_FOLLOWS[follows], on_wire - size, Carrier.NSH)


def _batman(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    if len(octets) < 2:
        return Need(2)
    kind, version = octets[:2]
    if version == link.BATMAN_VERSION and kind in link.BATMAN_OWN:
        return Refused()
    size = _BATMAN.get(kind)
    if version != link.BATMAN_VERSION or size is None:
        return Refused(Carrier.BATMAN)
    return Need(size) if len(octets) < size else Tag(size, None, on_wire - size, Carrier.BATMAN)


def _pbb(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    if len(octets) < 4:
        return Need(4)
    first = int.from_bytes(octets[:4], "big")
    if first & link.PBB_RESERVED:
        return Refused(Carrier.PBB)
    return Tag(4, None, on_wire - 4, Carrier.PBB, first & link.PBB_SERVICE)


def _trill(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    if len(octets) < 6:
        return Need(6)
    first = word(octets, 0)
    if first & link.TRILL_VERSION:
        return Refused(Carrier.TRILL)
    size = 6 + 4 * (first % 0x800 // 0x40)
    return Need(size) if len(octets) < size else Tag(size, None, on_wire - size, Carrier.TRILL)


def _fabricpath(octets: bytes, on_wire: int) -> Tag | Need | Refused:
    return Need(2) if len(octets) < 2 else Tag(2, None, on_wire - 2, Carrier.TRILL)


_READERS: dict[int, Callable[[bytes, int], Tag | Need | Refused]] = {
    link.ETHERTYPE_CISCO_METADATA: _cisco_metadata,
    link.ETHERTYPE_TIMESTAMP: _timestamp,
    link.ETHERTYPE_NSH: _nsh,
    link.ETHERTYPE_BATMAN: _batman,
    link.ETHERTYPE_PBB: _pbb,
    link.ETHERTYPE_TRILL: _trill,
    link.ETHERTYPE_FABRICPATH: _fabricpath,
}


# ---- behind the last label


def read_labelled(label: int, octets: bytes, on_wire: int, *, may_be_cut: bool) -> Network | Inside | Need | Refused:
    """What the label at the bottom of a stack carries."""
    if not octets:
        return Need(1)
    half = octets[0] >> 4
    if label == link.LABEL_CHANNEL:
        return Refused()
    if label in (link.LABEL_IPV4, link.LABEL_IPV6):
        return Network(0, 4 if label == link.LABEL_IPV4 else 6)
    if _is_ip(half, octets, on_wire, may_be_cut=may_be_cut):
        return Network(0, half)
    if half == 1 and not holds_ethernet(octets, on_wire, may_be_cut=may_be_cut):
        return Refused()
    if len(octets) < _ETHERNET_SIZE:
        return Need(_ETHERNET_SIZE)
    starts = []
    if _has_control_word(octets, on_wire, may_be_cut=may_be_cut) and holds_ethernet(
        octets[4:], on_wire - 4, may_be_cut=may_be_cut
    ):
        starts.append(4)
    if holds_ethernet(octets, on_wire, may_be_cut=may_be_cut):
        starts.append(0)
    if not starts:
        return Network(0, 4) if half == 4 and holds_sum(octets) else Refused(Carrier.PSEUDOWIRE)
    return Inside(starts[0] if not any(octets[:4]) else starts[-1], link.ETHERNET)


def _is_ip(half: int, octets: bytes, on_wire: int, *, may_be_cut: bool) -> bool:
    if half not in (4, 6):
        return False
    if len(octets) < (20 if half == 4 else 40):
        return True
    if not holds_ip(octets, on_wire, FRAME_SURPLUS, may_be_cut=may_be_cut):
        return False
    is_sure = holds_sum(octets) if half == 4 else octets[6] in _NEXT_HEADERS and not may_be_cut
    return is_sure or not holds_ethernet(octets, on_wire, may_be_cut=may_be_cut)


def _has_control_word(octets: bytes, on_wire: int, *, may_be_cut: bool) -> bool:
    first = word(octets, 0)
    if first >> 6:  # half octet of 0, and flags
        return False
    return first == 0 or (first >= link.LEAST_CONTROL_LENGTH and (may_be_cut or first <= on_wire))
