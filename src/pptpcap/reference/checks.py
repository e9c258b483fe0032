"""Whether octets are an IP packet or an Ethernet frame, where little else says so (decoding 3b.1).

Each function takes the octets that are captured from a header on, and how many there were on the wire.  Must not know
what stands in front.
"""

from __future__ import annotations

from ..wire import link

# Octets that may stand behind an IP packet in a frame: padding and check sequence.
FRAME_SURPLUS = 50
ANY_SURPLUS = 1 << 31

_SNAP = (b"\xaa\xaa\x03\0\0\0", b"\xaa\xaa\x03\0\0\xf8")
# Spanning tree, OSI, Cisco's own protocols.
_OTHER_LLC = (b"\x42\x42\x03", b"\xfe\xfe\x03", b"\xaa\xaa\x03\0\0\x0c")
_VERSIONS = {link.ETHERTYPE_IPV4: 4, link.ETHERTYPE_IPV6: 6}


def claimed_length(octets: bytes) -> tuple[int, int]:
    """Version of the IP packet, and how many octets its header claims; (0, 0) where there is no whole header."""
    if len(octets) >= 20 and octets[0] in range(0x45, 0x50):
        total = int.from_bytes(octets[2:4], "big")
        return (4, total) if total >= 4 * (octets[0] & 15) else (0, 0)
    if len(octets) >= 40 and octets[0] >> 4 == 6:
        return 6, 40 + int.from_bytes(octets[4:6], "big")
    return 0, 0


def holds_ip(octets: bytes, on_wire: int, surplus: int = 0, *, may_be_cut: bool = False) -> int:
    """Version of an IP packet with at most `surplus` octets behind it; 0 where CHK4 and CHK6 fail."""
    version, claimed = claimed_length(octets)
    if on_wire - surplus <= claimed and (claimed <= on_wire or may_be_cut):
        return version
    return 0


def holds_sum(octets: bytes) -> bool:
    """CHKS: whether the checksum of an IPv4 header is right."""
    size = 4 * (octets[0] & 15)
    if size < 20 or len(octets) < size:
        return False
    # The sum of 16-bit words in ones' complement is the number modulo 65,535; a header is never all zeros.
    return int.from_bytes(octets[:size], "big") % 0xFFFF == 0


def holds_ethernet(octets: bytes, on_wire: int, *, may_be_cut: bool = False) -> bool:
    """CHKE: whether it is an Ethernet frame."""
    if len(octets) < 14 or octets[6] & 1 or not any(octets[6:12]):
        return False
    return holds_ethertype(octets[12:], on_wire - 12, may_be_cut=may_be_cut) is not None


def holds_ethertype(octets: bytes, on_wire: int, *, may_be_cut: bool = False) -> int | None:
    """Version of the IP packet behind an EtherType, or a length; 0 if it is true and not IP, None if it is not true."""
    ethertype, at = int.from_bytes(octets[:2], "big"), 2
    while ethertype in link.VLAN_ETHERTYPES:
        if len(octets) < at + 4:
            return None
        ethertype = int.from_bytes(octets[at + 2 : at + 4], "big")
        at += 4
    if ethertype in link.ETHERTYPES_KNOWN:
        return 0
    if ethertype < link.LEAST_ETHERTYPE:
        if len(octets) >= at + 6 and octets[at:].startswith(_OTHER_LLC):
            return 0
        if octets[at : at + 6] not in _SNAP or len(octets) < at + 8:
            return None
        ethertype = int.from_bytes(octets[at + 6 : at + 8], "big")
        if ethertype in link.OTHER_ETHERTYPES:
            return 0
        at += 8
    version = holds_ip(octets[at:], on_wire - at, FRAME_SURPLUS, may_be_cut=may_be_cut)
    return version if version and version == _VERSIONS.get(ethertype) else None
