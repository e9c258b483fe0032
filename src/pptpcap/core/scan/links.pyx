"""From a captured frame to its IP header, for every link type (decoding section 2).

Knows link headers, and of IP its version only.  Compares each length from the wire before it is used.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ..base.numbers cimport (
    CARRIER_ETHERTYPE, CARRIER_LINK_HEADER, CARRIER_NONE, CARRIER_WIRELESS, COUNT_IP_OTHER, COUNT_NOT_IP,
    COUNT_UNSUPPORTED_LINK, KIND_UNSUPPORTED_LINK, LAYER_LINK, LINK_ARPHRD_FRELAY, LINK_ARPHRD_GRE, LINK_ARPHRD_NETLINK,
    LINK_ARPHRD_RADIOTAP, LINK_COOKED_ETHERNET, LINK_COOKED_LLC, LINK_C_HDLC, LINK_DOT11_AGGREGATE, LINK_DOT11_DATA,
    LINK_DOT11_FROM_DS, LINK_DOT11_NO_DATA, LINK_DOT11_ORDER, LINK_DOT11_PROTECTED, LINK_DOT11_QOS, LINK_DOT11_TO_DS,
    LINK_DOT11_TYPE, LINK_DOT11_VERSION, LINK_ETHERNET, LINK_ETHERTYPE_IPV4, LINK_ETHERTYPE_IPV6, LINK_ETHERTYPE_PPPOE,
    LINK_IEEE802_11, LINK_IPV4, LINK_IPV6, LINK_LEAST_ETHERTYPE, LINK_LINUX_SLL, LINK_LINUX_SLL2,
    LINK_PPPOE_VERSION_AND_TYPE, LINK_PPP_ETHER, LINK_PPP_WITH_DIRECTION, LINK_RADIOTAP, LINK_RADIOTAP_FLAGS,
    LINK_RADIOTAP_MORE, LINK_RADIOTAP_PADDED, LINK_RADIOTAP_TSFT, LINK_TRANSPARENT_ETHERNET, LINK_VLAN_ID, PPP_IPV4,
    PPP_IPV6, in_LINK_CISCO_ADDRESSES, in_LINK_ETHERTYPES_MPLS, in_LINK_FAMILY_TYPES, in_LINK_OTHER_ETHERTYPES,
    in_LINK_PPP_TYPES, in_LINK_RAW_TYPES, in_LINK_TAG_ETHERTYPES, in_LINK_VLAN_ETHERTYPES,
)
from ..base.octets cimport load16, load16_little, load32_little
from ..base.packets cimport Packet, add_issue
from .frames cimport is_other_tcp, walk_ip
from .heads cimport is_cut, is_deep, not_followed, version_of_family, walk_version
from .lines cimport walk_line
from .sink cimport (
    INSIDE_AGGREGATE, INSIDE_ETHERNET, Sink, add_vlan, count, count_unfollowed, enter_carrier, enter_network,
    open_later,
)
from .tags cimport WHOLE_FRAME, Tag, read_tag, walk_mpls
from .taps cimport walk_tap


cdef inline void enter_tagged(Sink* sink, const Tag* tag) noexcept nogil:
    """The packet goes on inside the carrier of a header."""
    if tag.network < 0:
        enter_carrier(sink, tag.carrier)
    else:
        enter_network(sink, tag.carrier, <uint32_t>tag.network)


cdef void walk_ppp_protocol(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """A PPP protocol field of one or two octets."""
    cdef int protocol
    cdef int64_t size
    if is_cut(sink, packet, 1, captured):
        return
    size = 1 if p[0] & 1 else 2
    if is_cut(sink, packet, size, captured):
        return
    protocol = p[0] if size == 1 else load16(p)
    walk_version(
        sink, packet, 4 if protocol == PPP_IPV4 else 6 if protocol == PPP_IPV6 else 0,
        p + size, captured - size, wire - size,
    )


cdef void walk_pppoe(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    if is_cut(sink, packet, 6, captured):
        return
    if p[0] != LINK_PPPOE_VERSION_AND_TYPE or p[1] != 0:
        count(sink, COUNT_NOT_IP)
        return
    walk_ppp_protocol(sink, packet, p + 6, captured - 6, wire - 6)


cdef void walk_tagged(
    Sink* sink, const Packet* packet, int ethertype, bint may_be_length, const uint8_t* p, int64_t captured,
    int64_t wire,
) noexcept nogil:
    """Walk what follows an EtherType: tags, LLC, MPLS, PPPoE, in any stack; then IP, or a frame inside this one."""
    cdef Tag tag
    cdef int64_t tags = 0
    while True:
        if ethertype == LINK_ETHERTYPE_IPV4:
            walk_ip(sink, packet, 4, p, captured, wire, sink.headers)
            return
        if ethertype == LINK_ETHERTYPE_IPV6:
            walk_ip(sink, packet, 6, p, captured, wire, sink.headers)
            return
        if in_LINK_VLAN_ETHERTYPES(ethertype):
            if is_deep(sink, packet, tags) or is_cut(sink, packet, 4, captured):
                return
            add_vlan(sink, load16(p) & LINK_VLAN_ID)
            ethertype = load16(p + 2)
            may_be_length = True
            tags += 1
            p += 4
            captured -= 4
            wire -= 4
        elif in_LINK_ETHERTYPES_MPLS(ethertype):
            walk_mpls(sink, packet, p, captured, wire, tags)
            return
        elif ethertype == LINK_ETHERTYPE_PPPOE:
            walk_pppoe(sink, packet, p, captured, wire)
            return
        elif ethertype < LINK_LEAST_ETHERTYPE and may_be_length:
            if is_cut(sink, packet, 3, captured):
                return
            if p[0] != 0xAA or p[1] != 0xAA or p[2] != 0x03:
                break
            if is_cut(sink, packet, 8, captured):
                return
            if p[3] != 0 or p[4] != 0 or (p[5] != 0 and p[5] != 0xF8):
                break
            ethertype = load16(p + 6)
            may_be_length = False
            p += 8
            captured -= 8
            wire -= 8
        elif in_LINK_TAG_ETHERTYPES(ethertype):
            if is_deep(sink, packet, tags) or not read_tag(sink, packet, ethertype, p, captured, wire, &tag):
                return
            p += tag.size
            captured = min(captured - tag.size, tag.wire)
            wire = tag.wire
            if tag.carrier != CARRIER_NONE:
                enter_tagged(sink, &tag)
            if tag.ethertype == WHOLE_FRAME:
                open_later(sink, INSIDE_ETHERNET, p, captured, wire)
                return
            ethertype = tag.ethertype
            may_be_length = True
            tags += 1
        else:
            if ethertype >= LINK_LEAST_ETHERTYPE and not in_LINK_OTHER_ETHERTYPES(ethertype):
                count_unfollowed(sink, packet, CARRIER_ETHERTYPE)
            break
    count(sink, COUNT_NOT_IP)


cdef void walk_ethertype(
    Sink* sink, const Packet* packet, int ethertype, bint may_be_length, const uint8_t* p, int64_t captured,
    int64_t wire,
) noexcept nogil:
    """Walk what follows an EtherType; IP, which follows most, needs no room on the stack."""
    if ethertype == LINK_ETHERTYPE_IPV4:
        walk_ip(sink, packet, 4, p, captured, wire, sink.headers)
    elif ethertype == LINK_ETHERTYPE_IPV6:
        walk_ip(sink, packet, 6, p, captured, wire, sink.headers)
    else:
        walk_tagged(sink, packet, ethertype, may_be_length, p, captured, wire)


cdef void walk_ppp(
    Sink* sink, const Packet* packet, bint may_be_cisco, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """PPP as on a serial line, or Cisco HDLC, if that is possible."""
    if is_cut(sink, packet, 1, captured):
        return
    if may_be_cisco and in_LINK_CISCO_ADDRESSES(p[0]):
        if not is_cut(sink, packet, 4, captured):
            walk_ethertype(sink, packet, load16(p + 2), False, p + 4, captured - 4, wire - 4)
    elif captured >= 2 and p[0] == 0xFF and p[1] == 0x03:
        walk_ppp_protocol(sink, packet, p + 2, captured - 2, wire - 2)
    else:
        walk_ppp_protocol(sink, packet, p, captured, wire)


cdef void walk_802_11(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, bint padded
) noexcept nogil:
    """A data frame in clear, whose payload starts with LLC."""
    cdef int control
    cdef int64_t header = 24
    cdef int64_t quality
    if is_cut(sink, packet, 2, captured):
        return
    control = load16_little(p)
    if control & (LINK_DOT11_VERSION | LINK_DOT11_TYPE | LINK_DOT11_NO_DATA) != LINK_DOT11_DATA:
        count(sink, COUNT_NOT_IP)
        return
    if control & LINK_DOT11_PROTECTED:
        not_followed(sink, packet, CARRIER_WIRELESS)
        return
    if control & LINK_DOT11_TO_DS and control & LINK_DOT11_FROM_DS:
        header += 6
    quality = header
    if control & LINK_DOT11_QOS:
        header += 2
        if control & LINK_DOT11_ORDER:
            header += 4
    if padded:
        header = (header + 3) & ~3
    if is_cut(sink, packet, header, captured):
        return
    if control & LINK_DOT11_QOS and p[quality] & LINK_DOT11_AGGREGATE:
        open_later(sink, INSIDE_AGGREGATE, p + header, captured - header, wire - header)
        return
    walk_ethertype(sink, packet, 0, True, p + header, captured - header, wire - header)


cdef bint is_padded(const uint8_t* p, int64_t length) noexcept nogil:
    """Whether the flags of a radiotap header of `length` octets say that the 802.11 header is padded."""
    cdef uint32_t present = load32_little(p + 4)
    cdef uint32_t word = present
    cdef int64_t offset = 8
    while word & LINK_RADIOTAP_MORE:
        if offset + 4 > length:
            return False
        word = load32_little(p + offset)
        offset += 4
    if not present & LINK_RADIOTAP_FLAGS:
        return False
    if present & LINK_RADIOTAP_TSFT:
        offset = ((offset + 7) & ~7) + 8
    return offset < length and p[offset] & LINK_RADIOTAP_PADDED != 0


cdef void walk_radiotap(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t length
    if is_cut(sink, packet, 8, captured):
        return
    length = load16_little(p + 2)
    if p[0] != 0 or length < 8:
        count(sink, COUNT_NOT_IP)
        return
    if not is_cut(sink, packet, length, captured):
        walk_802_11(sink, packet, p + length, captured - length, wire - length, is_padded(p, length))


cdef void walk_ethernet(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """An Ethernet frame, as the link has it or a carrier."""
    if not is_cut(sink, packet, 14, captured):
        walk_ethertype(sink, packet, load16(p + 12), True, p + 14, captured - 14, wire - 14)


cdef void walk_cooked(
    Sink* sink, const Packet* packet, int hardware, int protocol, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """What Linux put behind its own header, whose protocol means something else on some hardware."""
    if hardware == LINK_ARPHRD_RADIOTAP:
        walk_radiotap(sink, packet, p, captured, wire)
    elif hardware == LINK_ARPHRD_FRELAY:
        not_followed(sink, packet, CARRIER_LINK_HEADER)
    elif hardware == LINK_ARPHRD_NETLINK:
        count(sink, COUNT_NOT_IP)
    elif protocol == LINK_COOKED_ETHERNET or (
        hardware == LINK_ARPHRD_GRE and protocol == LINK_TRANSPARENT_ETHERNET
    ):
        walk_ethernet(sink, packet, p, captured, wire)
    else:
        walk_ethertype(sink, packet, protocol, protocol == LINK_COOKED_LLC, p, captured, wire)


cdef bint walk_link(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """A frame of a link type, as a record has it or a carrier; False if the type is not supported."""
    if link_type == LINK_ETHERNET:
        walk_ethernet(sink, packet, p, captured, wire)
    elif link_type == LINK_LINUX_SLL:
        if not is_cut(sink, packet, 16, captured):
            walk_cooked(sink, packet, load16(p + 2), load16(p + 14), p + 16, captured - 16, wire - 16)
    elif link_type == LINK_LINUX_SLL2:
        if not is_cut(sink, packet, 20, captured):
            walk_cooked(sink, packet, load16(p + 8), load16(p), p + 20, captured - 20, wire - 20)
    elif in_LINK_RAW_TYPES(link_type):
        if not is_cut(sink, packet, 1, captured):
            walk_version(sink, packet, p[0] >> 4, p, captured, wire)
    elif link_type == LINK_IPV4 or link_type == LINK_IPV6:
        walk_ip(sink, packet, 4 if link_type == LINK_IPV4 else 6, p, captured, wire, sink.headers)
    elif in_LINK_FAMILY_TYPES(link_type):
        if not is_cut(sink, packet, 4, captured):
            walk_version(sink, packet, version_of_family(p), p + 4, captured - 4, wire - 4)
    elif link_type == LINK_RADIOTAP:
        walk_radiotap(sink, packet, p, captured, wire)
    elif link_type == LINK_IEEE802_11:
        walk_802_11(sink, packet, p, captured, wire, False)
    elif in_LINK_PPP_TYPES(link_type):
        walk_ppp(sink, packet, True, p, captured, wire)
    elif link_type == LINK_PPP_WITH_DIRECTION:
        if not is_cut(sink, packet, 1, captured):
            walk_ppp(sink, packet, False, p + 1, captured - 1, wire - 1)
    elif link_type == LINK_PPP_ETHER:
        walk_pppoe(sink, packet, p, captured, wire)
    elif link_type == LINK_C_HDLC:
        if not is_cut(sink, packet, 4, captured):
            walk_ethertype(sink, packet, load16(p + 2), False, p + 4, captured - 4, wire - 4)
    else:
        return walk_tap(sink, packet, link_type, p, captured, wire) or walk_line(
            sink, packet, link_type, p, captured, wire
        )
    return True


cdef void walk_frame(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """One frame of `captured` octets at `p`, of `wire` octets that were on the wire."""
    cdef bint may_be_quick = link_type == LINK_ETHERNET and captured >= 14 and load16(p + 12) == LINK_ETHERTYPE_IPV4
    if may_be_quick and is_other_tcp(sink, p + 14, captured - 14, wire - 14):
        # Most packets take no more steps than these.
        count(sink, COUNT_IP_OTHER)
        return
    sink.frame = p
    sink.network = NULL
    sink.layers = 0
    sink.headers = 0
    sink.carriers = 0
    sink.may_be_cut = False
    if may_be_quick:
        walk_ip(sink, packet, 4, p + 14, captured - 14, wire - 14, 0)
        return
    if walk_link(sink, packet, link_type, p, captured, wire):
        return
    count(sink, COUNT_UNSUPPORTED_LINK)
    if not sink.unsupported_seen:
        sink.unsupported_seen = True
        add_issue(&sink.issues, packet, LAYER_LINK, KIND_UNSUPPORTED_LINK, sink.interface, link_type)
