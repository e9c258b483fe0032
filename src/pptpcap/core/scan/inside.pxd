"""What a carrier holds, once it has proved itself (decoding 3b.1).

Each function leaves in `inner` what is to be walked.  Must not know the headers of carriers.
"""

from libc.stdint cimport int64_t, uint8_t

from ..base.numbers cimport (
    LINK_DOT11_AGGREGATE, LINK_DOT11_DATA, LINK_DOT11_FROM_DS, LINK_DOT11_NO_DATA, LINK_DOT11_ORDER,
    LINK_DOT11_PROTECTED, LINK_DOT11_QOS, LINK_DOT11_TO_DS, LINK_DOT11_TYPE, LINK_DOT11_VERSION, LINK_ETHERTYPE_IPV4,
    LINK_ETHERTYPE_IPV6, LINK_ETHERTYPE_MPLS, LINK_ETHERTYPE_NSH, LINK_TRANSPARENT_ETHERNET, in_LINK_ETHERTYPES_KNOWN,
    in_LINK_ETHERTYPES_MPLS, in_LINK_VLAN_ETHERTYPES,
)
from .checks cimport FRAME_SURPLUS, NO_SURPLUS, holds_ethernet, holds_ethertype, holds_ip
from .sink cimport INSIDE_ETHERNET, INSIDE_ETHERTYPE, INSIDE_IP, Inner


cdef enum Outcome:
    # Not the carrier's header, or a message without a packet; recognised and not followed; `inner` is what is inside.
    OTHER
    TOLD
    FOLLOWED


cdef enum:
    MOST_LABELS = 8
    # What an 802.11 frame holds, in the place of an offset.
    NO_IP = -1
    UNKNOWN_DATA = -2


cdef inline void step(Inner* inner, int64_t octets) noexcept nogil:
    """Over a header, which may be longer than what is captured."""
    inner.data += min(octets, inner.captured)
    inner.captured = max(inner.captured - octets, <int64_t>0)
    inner.wire -= octets


cdef inline Outcome inside_ip(Inner* inner, int version, int64_t surplus) noexcept nogil:
    """An IP packet, of this version if it is not 0, with at most `surplus` octets behind it."""
    inner.number = holds_ip(inner.data, inner.captured, inner.wire, surplus, False)
    if inner.number == 0 or (version and inner.number != version):
        return TOLD
    inner.kind = INSIDE_IP
    return FOLLOWED


cdef inline Outcome inside_ethernet(Inner* inner, bint may_be_cut) noexcept nogil:
    if not holds_ethernet(inner.data, inner.captured, inner.wire, may_be_cut):
        return TOLD
    inner.may_be_cut = may_be_cut
    inner.kind = INSIDE_ETHERNET
    return FOLLOWED


cdef inline Outcome behind_ethertype(Inner* inner, int ethertype) noexcept nogil:
    inner.kind = INSIDE_ETHERTYPE
    inner.number = ethertype
    return FOLLOWED


cdef inline Outcome inside_labels(Inner* inner) noexcept nogil:
    """MPLS labels, behind which IP or Ethernet proves itself."""
    cdef const uint8_t* p = inner.data
    cdef int64_t captured = inner.captured
    cdef int64_t wire = inner.wire
    cdef int labels = 0
    cdef bint bottom = False
    while not bottom:
        if labels == MOST_LABELS or captured < 4:
            return OTHER
        bottom = p[2] & 1
        labels += 1
        p += 4
        captured -= 4
        wire -= 4
    if (
        holds_ip(p, captured, wire, FRAME_SURPLUS, False) or holds_ethernet(p, captured, wire, False)
        or (captured >= 4 and p[0] >> 4 == 0 and holds_ethernet(p + 4, captured - 4, wire - 4, False))
    ):
        return behind_ethertype(inner, LINK_ETHERTYPE_MPLS)
    return TOLD


cdef inline bint is_told_ethertype(int ethertype) noexcept nogil:
    """Whether an EtherType is one that proves the header in front of it."""
    return (
        ethertype == LINK_ETHERTYPE_IPV4 or ethertype == LINK_ETHERTYPE_IPV6 or ethertype == LINK_TRANSPARENT_ETHERNET
        or in_LINK_VLAN_ETHERTYPES(ethertype) or in_LINK_ETHERTYPES_KNOWN(ethertype)
    )


cdef inline Outcome inside_ethertype(Inner* inner, int ethertype) noexcept nogil:
    """What an EtherType of GRE or GENEVE says."""
    if ethertype == LINK_ETHERTYPE_IPV4 or ethertype == LINK_ETHERTYPE_IPV6:
        return inside_ip(inner, 4 if ethertype == LINK_ETHERTYPE_IPV4 else 6, NO_SURPLUS)
    if ethertype == LINK_TRANSPARENT_ETHERNET:
        return inside_ethernet(inner, False)
    if in_LINK_ETHERTYPES_MPLS(ethertype):
        return FOLLOWED if inside_labels(inner) == FOLLOWED else TOLD
    if ethertype == LINK_ETHERTYPE_NSH or (
        in_LINK_VLAN_ETHERTYPES(ethertype)
        and holds_ethertype(ethertype, inner.data, inner.captured, inner.wire, False)
    ):
        return behind_ethertype(inner, ethertype)
    return TOLD


cdef inline int64_t find_wireless(
    const uint8_t* p, int64_t captured, int64_t wire, int control, bint may_be_cut
) noexcept nogil:
    """CHKW: offset of the IP packet in the 802.11 frame with this frame control; 0 if it does not prove itself.

    NO_IP if it has none, UNKNOWN_DATA if it is not looked into.
    """
    cdef int64_t header = 24
    cdef int64_t quality
    cdef int version
    if control & LINK_DOT11_VERSION:
        return 0
    if control & (LINK_DOT11_TYPE | LINK_DOT11_NO_DATA) != LINK_DOT11_DATA:
        return NO_IP
    if control & LINK_DOT11_PROTECTED:
        return UNKNOWN_DATA
    if control & LINK_DOT11_TO_DS and control & LINK_DOT11_FROM_DS:
        header += 6
    quality = header
    if control & LINK_DOT11_QOS:
        header += 2
        if control & LINK_DOT11_ORDER:
            header += 4
    if captured < header:
        return 0
    if control & LINK_DOT11_QOS and p[quality] & LINK_DOT11_AGGREGATE:
        return UNKNOWN_DATA
    # As behind a length in the place of an EtherType, which LLC follows.
    version = holds_ethertype(0, p + header, captured - header, wire - header, may_be_cut)
    return header + 8 if version > 1 else NO_IP if version else 0
