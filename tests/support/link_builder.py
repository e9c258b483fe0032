"""Link headers beyond those of ``builder``: LLC and SNAP, MPLS, PPPoE, PPP, Cisco HDLC, 802.11 and radiotap.

Knows these formats from their specifications and imports nothing of the package.  Each function puts a packet behind
one header; what a header says can be set to something else than the truth.
"""

from __future__ import annotations

import struct

from builder import ether_type_of

PPP, PPP_HDLC, PPP_ETHER, C_HDLC, IEEE802_11, RADIOTAP, PPP_WITH_DIRECTION = 9, 50, 51, 104, 105, 127, 204
ADDRESSES = bytes.fromhex("020000000001020000000002")
MPLS_UNICAST, MPLS_MULTICAST, PPPOE_SESSION = 0x8847, 0x8848, 0x8864
SNAP = b"\xaa\xaa\x03"
ETHERNET_OUI, TUNNEL_OUI = b"\0\0\0", b"\0\0\xf8"

# Frame control, as a little-endian number: data, its subtype bits, and the flags of the second octet.
DATA, NO_DATA, QOS = 0x0008, 0x0040, 0x0080
TO_DS, FROM_DS, RETRY, PROTECTED, ORDER = 0x0100, 0x0200, 0x0800, 0x4000, 0x8000


def of_length(payload: bytes, length: int | None = None) -> bytes:
    """An 802.3 frame: a length stands where Ethernet II has its type."""
    return ADDRESSES + struct.pack(">H", min(len(payload), 1500) if length is None else length) + payload


def snap(packet: bytes, ether_type: int | None = None, oui: bytes = ETHERNET_OUI, llc: bytes = SNAP) -> bytes:
    return llc + oui + struct.pack(">H", ether_type_of(packet) if ether_type is None else ether_type) + packet


def vlan(payload: bytes, inner: int) -> bytes:
    """What stands behind the EtherType of a VLAN tag."""
    return struct.pack(">HH", 10, inner) + payload


def mpls(packet: bytes, labels: int = 1, bottom: bool = True) -> bytes:
    """A stack of labels; of the last one alone the bottom bit is set, or of none."""
    words = [(16 + number) << 12 | 64 for number in range(labels)]
    if bottom:
        words[-1] |= 0x100
    return struct.pack(f">{labels}I", *words) + packet


def ppp(packet: bytes, framing: bytes = b"", octets: int = 2, protocol: int | None = None) -> bytes:
    """`framing` is FF 03 or nothing; the protocol has one octet or two."""
    number = (0x57 if packet[:1] and packet[0] >> 4 == 6 else 0x21) if protocol is None else protocol
    return framing + number.to_bytes(octets, "big") + packet


def pppoe(payload: bytes, kind: int = 0x11, code: int = 0, length: int | None = None) -> bytes:
    return struct.pack(">BBHH", kind, code, 0x1234, len(payload) if length is None else length) + payload


def cisco(packet: bytes, address: int = 0x0F, ether_type: int | None = None) -> bytes:
    return struct.pack(">BBH", address, 0, ether_type_of(packet) if ether_type is None else ether_type) + packet


def wireless_header(control: int = DATA, qos: int = 0) -> bytes:
    """Header of a data frame; `qos` is the QoS control field, little-endian."""
    addresses = bytes(range(1, 19)) + struct.pack("<H", 0x5550)
    header = struct.pack("<HH", control, 0x002C) + addresses
    if control & TO_DS and control & FROM_DS:
        header += b"\x02\0\0\0\0\x09"
    if control & QOS:
        header += struct.pack("<H", qos)
        if control & ORDER:
            header += b"\xff\xff\xff\xff"
    return header


def wireless(packet: bytes, control: int = DATA, qos: int = 0, pad: int = 0) -> bytes:
    """A data frame with LLC and SNAP; `pad` octets stand behind its header."""
    return wireless_header(control, qos) + b"\xee" * pad + snap(packet)


def radiotap(
    frame: bytes, present: tuple[int, ...] = (0,), fields: bytes = b"", length: int | None = None, version: int = 0
) -> bytes:
    """The first present word and those that follow; `fields` begin right behind them."""
    size = 4 + 4 * len(present) + len(fields)
    head = struct.pack("<BBH", version, 0, size if length is None else length)
    return head + struct.pack(f"<{len(present)}I", *present) + fields + frame
