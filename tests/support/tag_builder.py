"""Tags between Ethernet and IP, frames inside frames, and the headers of taps, firewalls and cards.

Knows these formats from their specifications and imports nothing of the package.  What a header says can be set to
something else than the truth.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from builder import ether_type_of, ethernet
from link_builder import DATA, FROM_DS, QOS, SNAP, cisco, mpls, ppp, snap, wireless, wireless_header
from mirror_builder import Stored, ip_length

VN_TAG, E_TAG, CISCO_METADATA, TIMESTAMP, MACSEC, HSR, NSH = 0x8926, 0x893F, 0x8909, 0xD28B, 0x88E5, 0x892F, 0x894F
PBB, TRILL, FABRICPATH, BATMAN, MPLS = 0x88E7, 0x22F3, 0x8903, 0x4305, 0x8847

TOKEN_RING, FDDI, ATM_RFC1483, FRELAY, ENC, PFLOG, PRISM, SUNATM = 6, 10, 100, 107, 109, 117, 119, 123
DOCSIS, PKTAP_OLD, AVS, JUNIPER_ETHER, PPI, ERF, IPNET, NFLOG, IPOIB, PKTAP = (
    143, 149, 163, 178, 192, 197, 226, 239, 242, 258,
)  # fmt: skip

ARPHRD_FRELAY, ARPHRD_GRE, ARPHRD_RADIOTAP, ARPHRD_NETLINK = 770, 778, 803, 824
TRANSPARENT_ETHERNET = 0x6558
BRIDGED_OUI = b"\0\x80\xc2"


# ---- tags that end with an EtherType: what stands behind the tag's own


def vn_tag(payload: bytes, ether_type: int) -> bytes:
    return struct.pack(">IH", 0x00000014, ether_type) + payload


def e_tag(payload: bytes, ether_type: int) -> bytes:
    return struct.pack(">HHHH", 0, 0x1005, 0, ether_type) + payload


def cisco_metadata(payload: bytes, ether_type: int, version: int = 1, length: int = 1) -> bytes:
    return struct.pack(">BBHHH", version, length, 1, 5, ether_type) + payload


def hsr(payload: bytes, ether_type: int) -> bytes:
    return struct.pack(">HHH", len(payload) + 6 & 0x0FFF, 1, ether_type) + payload


def timestamp(payload: bytes, ether_type: int, kind: int = 1, form: int = 1, subtype: int = 1) -> bytes:
    """`form` 1 has 8 octets of time, 2 has 6; the low half octet is of the hardware."""
    time = bytes(range(1, 7 if form == 2 else 9))
    return struct.pack(">HBB", subtype, kind, form << 4) + time + struct.pack(">H", ether_type) + payload


def macsec(
    payload: bytes, ether_type: int, flags: int = 0x00, short: int = 0, channel: bool = False, check: bytes = bytes(16)
) -> bytes:
    head = struct.pack(">BBI", flags | 0x20 * channel, short, 9) + b"\2\0\0\0\0\2\0\1" * channel
    return head + struct.pack(">H", ether_type) + payload + check


def nsh(
    payload: bytes, follows: int, *, flags: int = 0x0FC0, kind: int = 2, words: int | None = None, metadata: bytes = b""
) -> bytes:
    """Metadata of type 1 have 16 octets."""
    size = 2 + len(metadata) // 4 if words is None else words
    return struct.pack(">HBBI", flags | size, kind, follows, 0x000000FF) + metadata + payload


def nsh_of(payload: bytes, ether_type: int) -> bytes:
    """IP or labels behind a header with metadata of type 1."""
    follows = {0x0800: 1, 0x86DD: 2, NSH: 4, MPLS: 5}[ether_type]
    return nsh(payload, follows, kind=1, metadata=bytes(16))


# ---- headers with a whole frame behind them


def pbb(frame: bytes, service: int = 0x1234, flags: int = 0) -> bytes:
    return struct.pack(">I", flags << 24 | service) + frame


def trill(frame: bytes, options: bytes = b"", flags: int = 0x0014, words: int | None = None) -> bytes:
    size = len(options) // 4 if words is None else words
    return struct.pack(">HHH", flags | size << 6, 1, 2) + options + frame


def fabricpath(frame: bytes) -> bytes:
    return b"\x04\x20" + frame


def batman(frame: bytes, kind: int = 0x40, version: int = 15) -> bytes:
    size = {0x40: 10, 0x42: 18, 0x01: 14}.get(kind, 10)
    return bytes([kind, version, 50]).ljust(size, b"\2") + frame


def nsh_frame(frame: bytes) -> bytes:
    return nsh(frame, 3, kind=1, metadata=bytes(16))


def nsh_short(frame: bytes) -> bytes:
    return nsh(frame, 3)


def pseudowire(frame: bytes, control: bytes = bytes(4), labels: int = 1) -> bytes:
    return mpls(control + frame, labels)


# ---- 802.11


def aggregate(packets: Sequence[bytes], control: int = DATA | QOS | FROM_DS, *, last_padded: bool = False) -> bytes:
    """Several packets in one frame (A-MSDU); each but the last is padded to a multiple of 4."""
    parts = [subframe(snap(packet)) for packet in packets]
    padded = [part + bytes(-len(part) % 4) for part in parts[:-1]] + parts[-1:]
    if last_padded:
        padded[-1] += bytes(-len(padded[-1]) % 4)
    return wireless_header(control, 0x80) + b"".join(padded)


def subframe(payload: bytes, length: int | None = None) -> bytes:
    return (
        bytes.fromhex("020000000001020000000002")
        + struct.pack(">H", len(payload) if length is None else length)
        + payload
    )


# ---- link headers


def cooked(payload: bytes, protocol: int, hardware: int = 1, link: int = 113) -> bytes:
    """SLL, or SLL2 for link type 276, of an ARPHRD type."""
    if link == 276:
        return struct.pack(">HHIHBB8s", protocol, 0, 3, hardware, 0, 6, b"\2\0\0\0\0\2") + payload
    return struct.pack(">HHH8sH", 0, hardware, 6, b"\2\0\0\0\0\2", protocol) + payload


def attribute(kind: int, value: bytes, order: str = "<", length: int | None = None) -> bytes:
    """Of NFLOG, padded to a multiple of 4."""
    size = 4 + len(value) if length is None else length
    return struct.pack(order + "HH", size, kind) + value + bytes(-len(value) % 4)


def nflog(
    packet: bytes, order: str = "<", family: int | None = None, attributes: bytes = b"", version: int = 0
) -> bytes:
    number = (10 if ether_type_of(packet) == 0x86DD else 2) if family is None else family
    return struct.pack(">BBH", number, version, 5) + attributes + attribute(9, packet, order)


def ppi(frame: bytes, link: int, fields: bytes = b"", version: int = 0, length: int | None = None) -> bytes:
    return struct.pack("<BBHI", version, 0, 8 + len(fields) if length is None else length, link) + fields + frame


def prism(frame: bytes, order: str = "<", size: int = 144, length: int | None = None) -> bytes:
    return (struct.pack(order + "II", 0x44, size if length is None else length)).ljust(size, b"\0") + frame


def avs(frame: bytes, size: int = 64, version: int = 0x80211001, length: int | None = None) -> bytes:
    return struct.pack(">II", version, size if length is None else length).ljust(size, b"\0") + frame


def pflog(packet: bytes, length: int = 61, family: int | None = None) -> bytes:
    number = (24 if ether_type_of(packet) == 0x86DD else 2) if family is None else family
    return bytes([length, number]).ljust((length + 3) // 4 * 4, b"\0") + packet


def enc(packet: bytes, order: str = "<", family: int | None = None) -> bytes:
    number = (24 if ether_type_of(packet) == 0x86DD else 2) if family is None else family
    return struct.pack(order + "I", number) + bytes(8) + packet


def pktap(
    frame: bytes, link: int, kind: int = 1, size: int = 108, length: int | None = None, name: bytes = b"en0"
) -> bytes:
    head = struct.pack("<III", size if length is None else length, kind, link) + name.ljust(24, b"\0")
    return head.ljust(size, b"\0") + frame


def ipnet(packet: bytes, version: int = 1, family: int | None = None) -> bytes:
    number = (26 if ether_type_of(packet) == 0x86DD else 2) if family is None else family
    return bytes([version, number]).ljust(24, b"\0") + packet


def erf(
    frame: bytes,
    kind: int = 2,
    extensions: int = 0,
    front: bytes = b"\0\0",
    length: int | None = None,
    wire: int | None = None,
) -> bytes:
    more = b"".join(bytes([0x80 * (number < extensions)]).ljust(8, b"\3") for number in range(1, extensions + 1))
    record = 16 + len(more) + len(front) + len(frame) if length is None else length
    sizes = struct.pack(">HHH", record, 0, len(frame) if wire is None else wire)
    return bytes(8) + bytes([kind | 0x80 * bool(extensions), 4]) + sizes + more + front + frame


def juniper(payload: bytes, flags: int = 0, extension: bytes | None = None, magic: bytes = b"MGC") -> bytes:
    more = b"" if extension is None else struct.pack(">H", len(extension)) + extension
    return magic + bytes([flags | 0x80 * (extension is not None)]) + more + payload


def bridged(frame: bytes, kind: int = 7) -> bytes:
    """Ethernet behind LLC, as RFC 2684 has it."""
    return SNAP + BRIDGED_OUI + struct.pack(">H", kind) + b"\0\0" + frame


def frame_relay(payload: bytes, address: bytes = b"\x18\x41") -> bytes:
    return address + payload


def fddi(payload: bytes, control: int = 0x50) -> bytes:
    return bytes([control]) + bytes.fromhex("020000000001020000000002") + payload


def token_ring(payload: bytes, route: bytes = b"", control: int = 0x40) -> bytes:
    addresses = bytearray.fromhex("020000000001020000000002")
    addresses[6] |= 0x80 * bool(route)
    return bytes([0x10, control]) + bytes(addresses) + route + payload


def ipoib(payload: bytes, ether_type: int) -> bytes:
    return bytes(40) + struct.pack(">HH", ether_type, 0) + payload


def docsis(frame: bytes, extension: bytes = b"", control: int = 0) -> bytes:
    size = len(extension)
    return bytes([control | bool(size), size]) + struct.pack(">H", len(frame) + size) + extension + b"\x6b\xa8" + frame


# ---- every kind: how one packet or frame of it is put together

Wrap = Callable[[bytes], bytes]


def _tag(ether_type: int, tag: Callable[[bytes, int], bytes]) -> Wrap:
    return lambda packet: ethernet(tag(packet, ether_type_of(packet)), ether_type)


def _around(ether_type: int, header: Wrap) -> Wrap:
    return lambda packet: ethernet(header(ethernet(packet)), ether_type)


# Name: link type, and what makes a frame of it from an IP packet.
KINDS: dict[str, tuple[int, Wrap]] = {
    "vn_tag": (1, _tag(VN_TAG, vn_tag)),
    "e_tag": (1, _tag(E_TAG, e_tag)),
    "cisco_metadata": (1, _tag(CISCO_METADATA, cisco_metadata)),
    "hsr": (1, _tag(HSR, hsr)),
    "timestamp": (1, _tag(TIMESTAMP, timestamp)),
    "timestamp_48": (1, _tag(TIMESTAMP, lambda p, t: timestamp(p, t, form=2))),
    "macsec": (1, _tag(MACSEC, macsec)),
    "macsec_channel": (1, _tag(MACSEC, lambda p, t: macsec(p, t, channel=True))),
    "nsh_ip": (1, _tag(NSH, nsh_of)),
    "nsh_mpls": (1, lambda p: ethernet(nsh(mpls(p), 5), NSH)),
    "nsh_nsh": (1, lambda p: ethernet(nsh(nsh_of(p, ether_type_of(p)), 4), NSH)),
    "nsh_frame": (1, _around(NSH, nsh_frame)),
    "nsh_short": (1, _around(NSH, nsh_short)),
    "pbb": (1, _around(PBB, pbb)),
    "pbb_tagged": (1, lambda p: ethernet(pbb(ethernet(p)), PBB, tags=[0x88A8])),
    "trill": (1, _around(TRILL, trill)),
    "trill_options": (1, _around(TRILL, lambda f: trill(f, bytes(8)))),
    "fabricpath": (1, _around(FABRICPATH, fabricpath)),
    "batman": (1, _around(BATMAN, batman)),
    "batman_4": (1, _around(BATMAN, lambda f: batman(f, 0x42))),
    "batman_broadcast": (1, _around(BATMAN, lambda f: batman(f, 0x01))),
    "pseudowire": (1, _around(MPLS, pseudowire)),
    "pseudowire_bare": (1, _around(MPLS, lambda f: pseudowire(f, b""))),
    "sll_802_2": (113, lambda p: cooked(snap(p), 4)),
    "sll2_802_2": (276, lambda p: cooked(snap(p), 4, link=276)),
    "sll_ethernet": (113, lambda p: cooked(ethernet(p), 3)),
    "sll_gre": (113, lambda p: cooked(p, ether_type_of(p), ARPHRD_GRE)),
    "sll_gre_ethernet": (113, lambda p: cooked(ethernet(p), TRANSPARENT_ETHERNET, ARPHRD_GRE)),
    "sll2_gre_ethernet": (276, lambda p: cooked(ethernet(p), TRANSPARENT_ETHERNET, ARPHRD_GRE, 276)),
    "sll_radiotap": (113, lambda p: cooked(b"\0\0\x08\0\0\0\0\0" + wireless(p), 0x19, ARPHRD_RADIOTAP)),
    "aggregate": (105, lambda p: aggregate([p])),
    "radiotap_aggregate": (127, lambda p: b"\0\0\x08\0\0\0\0\0" + aggregate([p])),
    "nflog": (239, nflog),
    "nflog_attributes": (239, lambda p: nflog(p, attributes=attribute(1, b"\0\0\0\1") + attribute(10, b"prefix\0"))),
    "nflog_bridge": (
        239,
        lambda p: nflog(p, family=7, attributes=attribute(1, struct.pack(">HBB", ether_type_of(p), 1, 0))),
    ),
    "ppi_ethernet": (192, lambda p: ppi(ethernet(p), 1)),
    "ppi_wireless": (192, lambda p: ppi(wireless(p), 105, bytes(12))),
    "ppi_raw": (192, lambda p: ppi(p, 12)),
    "ppi_ppi": (192, lambda p: ppi(ppi(ethernet(p), 1), 192)),
    "prism": (119, lambda p: prism(wireless(p))),
    "prism_short": (119, lambda p: prism(wireless(p), size=132)),
    "prism_avs": (119, lambda p: avs(wireless(p), version=0x80211002)),
    "avs": (163, lambda p: avs(wireless(p))),
    "pflog_61": (117, pflog),
    "pflog_69": (117, lambda p: pflog(p, 69)),
    "pflog_100": (117, lambda p: pflog(p, 100)),
    "enc": (109, enc),
    "enc_big": (109, lambda p: enc(p, ">")),
    "pktap_ethernet": (258, lambda p: pktap(ethernet(p), 1)),
    "pktap_null": (258, lambda p: pktap((struct.pack("<I", 30 if ether_type_of(p) == 0x86DD else 2)) + p, 0)),
    "pktap_old": (149, lambda p: pktap(ethernet(p), 1)),
    "ipnet": (226, ipnet),
    "erf_ethernet": (197, lambda p: erf(ethernet(p) + b"fcs!")),
    "erf_extended": (197, lambda p: erf(ethernet(p), 11, 2)),
    "erf_ip": (197, lambda p: erf(p, 23 if ether_type_of(p) == 0x86DD else 22, front=b"")),
    "erf_hdlc": (197, lambda p: erf(cisco(p), 1, front=b"")),
    "erf_ppp": (197, lambda p: erf(ppp(p, b"\xff\x03"), 5, front=bytes(4))),
    "juniper": (178, lambda p: juniper(ethernet(p), 1)),
    "juniper_extended": (178, lambda p: juniper(ethernet(p), 0, b"\3\2\0\1")),
    "juniper_no_link": (178, lambda p: juniper(bytes(4) + p, 2)),
    "atm": (100, snap),
    "atm_bridged": (100, lambda p: bridged(ethernet(p))),
    "atm_bridged_check": (100, lambda p: bridged(ethernet(p), 1) + b"fcs!"),
    "sunatm": (123, lambda p: bytes(4) + snap(p)),
    "frelay": (107, lambda p: frame_relay(b"\x03" + (b"\x8e" if ether_type_of(p) == 0x86DD else b"\xcc") + p)),
    "frelay_cisco": (107, lambda p: frame_relay(struct.pack(">H", ether_type_of(p)) + p, b"\x18\x40\x01")),
    "frelay_snap": (107, lambda p: frame_relay(b"\x03\0\x80\0\0\0" + struct.pack(">H", ether_type_of(p)) + p)),
    "frelay_bridged": (107, lambda p: frame_relay(b"\x03\0\x80" + BRIDGED_OUI + b"\0\7" + ethernet(p), b"\x18\0\0\1")),
    "frelay_ppp": (107, lambda p: frame_relay(b"\x03\xcf" + ppp(p))),
    "fddi": (10, lambda p: fddi(snap(p))),
    "token_ring": (6, lambda p: token_ring(snap(p))),
    "token_ring_route": (6, lambda p: token_ring(snap(p), b"\x06\x30\0\x11\0\x20")),
    "ipoib": (242, lambda p: ipoib(p, ether_type_of(p))),
    "docsis": (143, lambda p: docsis(ethernet(p))),
    "docsis_extended": (143, lambda p: docsis(ethernet(p), b"\1\2\3\4\5")),
}

# Kinds that hold an Ethernet frame, as a function of that frame: what another kind can be put into.
AROUND: dict[str, tuple[int, Wrap]] = {
    "pbb": (1, lambda f: ethernet(pbb(f), PBB)),
    "trill": (1, lambda f: ethernet(trill(f), TRILL)),
    "fabricpath": (1, lambda f: ethernet(fabricpath(f), FABRICPATH)),
    "batman": (1, lambda f: ethernet(batman(f), BATMAN)),
    "nsh": (1, lambda f: ethernet(nsh_frame(f), NSH)),
    "pseudowire": (1, lambda f: ethernet(pseudowire(f), MPLS)),
    "pseudowire_bare": (1, lambda f: ethernet(pseudowire(f, b""), MPLS)),
    "vn_tag": (1, lambda f: f[:12] + struct.pack(">HI", VN_TAG, 0x14) + f[12:]),
    "macsec": (1, lambda f: f[:12] + struct.pack(">HBBI", MACSEC, 0, 0, 9) + f[12:] + bytes(16)),
    "pbb_tagged": (1, lambda f: ethernet(pbb(f), PBB, tags=[0x88A8, 0x8100])),
    "sll": (113, lambda f: cooked(f, TRANSPARENT_ETHERNET, ARPHRD_GRE)),
    "ppi": (192, lambda f: ppi(f, 1)),
    "pktap": (258, lambda f: pktap(f, 1)),
    "erf": (197, erf),
    "juniper": (178, juniper),
    "atm": (100, bridged),
    "docsis": (143, docsis),
}

# ---- whole captures


def rewrapped(head: bytes, record: Stored, link: int, wrap: Wrap) -> tuple[bytes, Stored]:
    """The header of a file for this link type, and a record of Ethernet whose IP packet is wrapped without its frame.

    What a snap length cut off the packet is cut off again.
    """
    size = ip_length(record.octets[14:]) or record.on_wire - 14
    packet = record.octets[14:][:size]
    return _relinked(head, link), _cut_again(record, packet, size, wrap)


def around(head: bytes, record: Stored, link: int, wrap: Wrap) -> tuple[bytes, Stored]:
    """The same, of a record of Ethernet that is wrapped whole."""
    return _relinked(head, link), _cut_again(record, record.octets, record.on_wire, wrap)


def _relinked(head: bytes, link: int) -> bytes:
    return head[:20] + struct.pack("<I", link)


def _cut_again(record: Stored, packet: bytes, size: int, wrap: Wrap) -> Stored:
    missing = size - len(packet)
    frame = wrap(packet + bytes(missing))
    end = frame.index(packet) + len(packet) if missing else len(frame)
    return Stored(record.time, frame[:end], len(frame))
