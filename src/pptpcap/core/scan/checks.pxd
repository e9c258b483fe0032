"""Whether octets are an IP packet or an Ethernet frame, where little else says so (decoding 3b.1).

Leaves: each compares what it reads with what is captured, and decides nothing else.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ..base.numbers cimport (
    LINK_ETHERTYPE_IPV4, LINK_ETHERTYPE_IPV6, LINK_LEAST_ETHERTYPE, in_LINK_ETHERTYPES_KNOWN,
    in_LINK_OTHER_ETHERTYPES, in_LINK_VLAN_ETHERTYPES,
)
from ..base.octets cimport load16, load32


cdef enum:
    # Octets that may stand behind an IP packet: none; padding and check sequence of a frame; any number.
    NO_SURPLUS = 0
    FRAME_SURPLUS = 50
    ANY_SURPLUS = 0x7FFFFFFF


cdef inline bint holds_length(int64_t claimed, int64_t wire, int64_t surplus, bint may_be_cut) noexcept nogil:
    """Whether a packet that claims to have `claimed` octets fits in `wire`, with at most `surplus` left over."""
    return (claimed <= wire or may_be_cut) and wire - claimed <= surplus


cdef inline int holds_ip(
    const uint8_t* p, int64_t captured, int64_t wire, int64_t surplus, bint may_be_cut
) noexcept nogil:
    """Version of the IP packet at `p`; 0 where the checks CHK4 and CHK6 fail."""
    if captured >= 20 and 0x45 <= p[0] <= 0x4F:
        if load16(p + 2) >= 4 * (p[0] & 15) and holds_length(load16(p + 2), wire, surplus, may_be_cut):
            return 4
    elif captured >= 40 and p[0] >> 4 == 6:
        if holds_length(40 + <int64_t>load16(p + 4), wire, surplus, may_be_cut):
            return 6
    return 0


cdef inline bint holds_sum(const uint8_t* p, int64_t captured) noexcept nogil:
    """CHKS: whether the checksum of the IPv4 header at `p` is right; needs one octet."""
    cdef int64_t size = 4 * (p[0] & 15)
    cdef uint32_t total = 0
    cdef int64_t at
    if size < 20 or captured < size:
        return False
    for at in range(0, size, 2):
        total += load16(p + at)
    return (total & 0xFFFF) + (total >> 16) == 0xFFFF


cdef inline bint is_other_llc(const uint8_t* p) noexcept nogil:
    """Whether LLC leads to a protocol that is not IP: spanning tree, OSI, Cisco's own; needs 6 octets."""
    cdef uint32_t llc = load32(p) >> 8
    return llc == 0x424203 or llc == 0xFEFE03 or (llc == 0xAAAA03 and load16(p + 3) == 0 and p[5] == 0x0C)


cdef inline int holds_ethertype(
    int ethertype, const uint8_t* p, int64_t captured, int64_t wire, bint may_be_cut
) noexcept nogil:
    """Version of the IP packet behind an EtherType or length, 1 if there need be none; 0 if it is not true."""
    cdef const uint8_t* start = p
    cdef int64_t before
    cdef int version
    while in_LINK_VLAN_ETHERTYPES(ethertype):
        before = p - start
        if captured < before + 4:
            return 0
        ethertype = load16(p + 2)
        p += 4
    before = p - start
    if ethertype < LINK_LEAST_ETHERTYPE:
        if captured >= before + 6 and is_other_llc(p):
            return 1
        if (
            captured < before + 8 or load32(p) >> 8 != 0xAAAA03 or load16(p + 3) != 0 or (p[5] != 0 and p[5] != 0xF8)
        ):
            return 0
        ethertype = load16(p + 6)
        if in_LINK_OTHER_ETHERTYPES(ethertype):
            return 1
        before += 8
        p += 8
    elif in_LINK_ETHERTYPES_KNOWN(ethertype):
        return 1
    version = holds_ip(p, captured - before, wire - before, FRAME_SURPLUS, may_be_cut)
    if version == 0 or ethertype != (LINK_ETHERTYPE_IPV4 if version == 4 else LINK_ETHERTYPE_IPV6):
        return 0
    return version


cdef inline bint holds_ethernet(const uint8_t* p, int64_t captured, int64_t wire, bint may_be_cut) noexcept nogil:
    """CHKE: whether an Ethernet frame is at `p`."""
    if captured < 14 or p[6] & 1 or (load32(p + 6) | load16(p + 10)) == 0:
        return False
    return holds_ethertype(load16(p + 12), p + 14, captured - 14, wire - 14, may_be_cut) != 0
