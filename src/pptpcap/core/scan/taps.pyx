"""Headers that taps, firewalls and capture cards put in front of a frame or of IP (decoding section 2e).

Leaves frames of another link type to the driver of the walk.  Compares each length from the wire before it is used.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ..base.numbers cimport (
    CARRIER_LINK_HEADER, COUNT_NOT_IP, LINK_AVS, LINK_AVS_LEAST, LINK_AVS_MAGIC, LINK_COOKED_LLC, LINK_DOT11_DATA,
    LINK_DOT11_FROM_DS, LINK_DOT11_NO_DATA, LINK_DOT11_ORDER, LINK_DOT11_PROTECTED, LINK_DOT11_QOS, LINK_DOT11_TO_DS,
    LINK_DOT11_TYPE, LINK_DOT11_VERSION, LINK_ENC, LINK_ERF, LINK_ERF_EXTENDED, LINK_ERF_IPV4, LINK_ERF_IPV6,
    LINK_ERF_PADDING, LINK_FAMILY_IPV4, LINK_IEEE802_11, LINK_IPNET, LINK_IPNET_IPV6, LINK_JUNIPER_ETHER,
    LINK_JUNIPER_EXTENDED, LINK_JUNIPER_MAGIC, LINK_JUNIPER_NO_LINK, LINK_NFLOG,
    LINK_NFLOG_BRIDGE, LINK_NFLOG_IPV6, LINK_NFLOG_PACKET_HEADER, LINK_NFLOG_PAYLOAD, LINK_PFLOG, LINK_PFLOG_LEAST,
    LINK_PKTAP, LINK_PKTAP_LEAST, LINK_PKTAP_MOST, LINK_PKTAP_USER, LINK_PPI, LINK_PPP_HDLC, LINK_PRISM,
    LINK_PRISM_LEAST, LINK_PRISM_MOST, LINK_PRISM_SIZE, in_LINK_AVS_VERSIONS, in_LINK_ERF_CHANNEL_HDLC,
    in_LINK_ERF_ETHERNET, in_LINK_ERF_HDLC,
)
from ..base.octets cimport load16, load16_little, load32, load32_little
from ..base.packets cimport Packet
from .heads cimport is_cut, not_followed, version_in_family, version_of_family, walk_version
from .sink cimport (
    INSIDE_ETHERNET, INSIDE_ETHERTYPE, INSIDE_LINK, INSIDE_LLC, Sink, count, open_later, open_numbered,
)


cdef enum:
    PKTAP_NAME = 12
    PKTAP_NAME_END = 36


cdef inline void refuse(Sink* sink, const Packet* packet) noexcept nogil:
    not_followed(sink, packet, CARRIER_LINK_HEADER)


cdef inline uint32_t attribute16(const Sink* sink, const uint8_t* p) noexcept nogil:
    return load16(p) if sink.big_endian else load16_little(p)


cdef void walk_nflog_packet(
    Sink* sink, const Packet* packet, int family, int protocol, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """The packet of a family; behind the EtherType `protocol` (-1 without) if it crossed a bridge."""
    if family != LINK_NFLOG_BRIDGE or protocol < 0:
        walk_version(
            sink, packet, 4 if family == LINK_FAMILY_IPV4 else 6 if family == LINK_NFLOG_IPV6 else 0, p, captured, wire
        )
    elif protocol == LINK_COOKED_LLC:
        open_later(sink, INSIDE_LLC, p, captured, wire)
    else:
        open_numbered(sink, INSIDE_ETHERTYPE, protocol, p, captured, wire)


cdef void walk_nflog(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """Attributes, of which one is the packet; each step moves forward by 4 octets at least."""
    cdef int family
    cdef int protocol = -1
    cdef int64_t length
    cdef int64_t step
    if is_cut(sink, packet, 4, captured):
        return
    if p[1] != 0:
        refuse(sink, packet)
        return
    family = p[0]
    p += 4
    captured -= 4
    wire -= 4
    while wire >= 4:
        if is_cut(sink, packet, 4, captured):
            return
        length = attribute16(sink, p)
        if length < 4 or length > wire:
            refuse(sink, packet)
            return
        if attribute16(sink, p + 2) == LINK_NFLOG_PAYLOAD:
            walk_nflog_packet(sink, packet, family, protocol, p + 4, min(captured, length) - 4, length - 4)
            return
        if is_cut(sink, packet, length, captured):
            return
        if attribute16(sink, p + 2) == LINK_NFLOG_PACKET_HEADER and length >= 6:
            protocol = load16(p + 4)
        step = (length + 3) & ~3
        p += min(step, captured)
        captured -= min(step, captured)
        wire -= step
    count(sink, COUNT_NOT_IP)


cdef void walk_ppi(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t length
    if is_cut(sink, packet, 8, captured):
        return
    length = load16_little(p + 2)
    if p[0] != 0 or length < 8:
        refuse(sink, packet)
    elif not is_cut(sink, packet, length, captured):
        open_numbered(
            sink, INSIDE_LINK, <int>load32_little(p + 4), p + length, captured - length, wire - length
        )


cdef inline bint is_avs(const uint8_t* p) noexcept nogil:
    return load32(p) >> 8 == LINK_AVS_MAGIC and in_LINK_AVS_VERSIONS(p[3])


cdef void walk_avs(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t length
    if is_cut(sink, packet, 8, captured):
        return
    length = load32(p + 4)
    if not is_avs(p) or length < LINK_AVS_LEAST:
        refuse(sink, packet)
    elif not is_cut(sink, packet, length, captured):
        open_numbered(sink, INSIDE_LINK, LINK_IEEE802_11, p + length, captured - length, wire - length)


cdef bint begins_data(const uint8_t* p, int64_t captured) noexcept nogil:
    """Whether an 802.11 frame with data in clear and SNAP is captured at `p`."""
    cdef int control
    cdef int64_t size = 24
    if captured < 2:
        return False
    control = load16_little(p)
    if control & (LINK_DOT11_VERSION | LINK_DOT11_TYPE | LINK_DOT11_NO_DATA | LINK_DOT11_PROTECTED) != LINK_DOT11_DATA:
        return False
    if control & LINK_DOT11_TO_DS and control & LINK_DOT11_FROM_DS:
        size += 6
    if control & LINK_DOT11_QOS:
        size += 6 if control & LINK_DOT11_ORDER else 2
    return captured >= size + 6 and load32(p + size) == 0xAAAA0300U and p[size + 4] == 0 and (
        p[size + 5] == 0 or p[size + 5] == 0xF8
    )


cdef void walk_prism(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t length = LINK_PRISM_SIZE
    cdef int64_t told
    if is_cut(sink, packet, 4, captured):
        return
    if is_avs(p):
        walk_avs(sink, packet, p, captured, wire)
        return
    if captured >= 8:
        told = load32(p + 4) if sink.big_endian else load32_little(p + 4)
        if LINK_PRISM_LEAST <= told <= LINK_PRISM_MOST and begins_data(p + told, captured - told):
            if not begins_data(p + LINK_PRISM_SIZE, captured - LINK_PRISM_SIZE):
                length = told
    if not is_cut(sink, packet, length, captured):
        open_numbered(sink, INSIDE_LINK, LINK_IEEE802_11, p + length, captured - length, wire - length)


cdef void walk_pflog(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int version
    cdef int64_t size
    if is_cut(sink, packet, 2, captured):
        return
    if p[0] < LINK_PFLOG_LEAST:
        refuse(sink, packet)
        return
    size = (p[0] + 3) & ~3
    if is_cut(sink, packet, size + 1, captured):
        return
    version = version_in_family(p[1])
    if version and p[size] >> 4 != version:
        refuse(sink, packet)
        return
    walk_version(sink, packet, version, p + size, captured - size, wire - size)


cdef bint is_pktap(const uint8_t* p, int64_t captured) noexcept nogil:
    """Whether a frame of a link type of the user's own looks like this one: length, type, name of an interface."""
    cdef int at = PKTAP_NAME
    if captured < PKTAP_NAME_END or not LINK_PKTAP_LEAST <= load32_little(p) <= LINK_PKTAP_MOST:
        return False
    while at < PKTAP_NAME_END and 0x20 <= p[at] < 0x7F:
        at += 1
    if at == PKTAP_NAME or load32_little(p + 4) > 1:
        return False
    while at < PKTAP_NAME_END and p[at] == 0:
        at += 1
    return at == PKTAP_NAME_END


cdef void walk_pktap(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t length
    if is_cut(sink, packet, 12, captured):
        return
    length = load32_little(p)
    if length < LINK_PKTAP_LEAST:
        refuse(sink, packet)
    elif load32_little(p + 4) != 1:
        count(sink, COUNT_NOT_IP)
    elif not is_cut(sink, packet, length, captured):
        open_numbered(
            sink, INSIDE_LINK, <int>load32_little(p + 8), p + length, captured - length, wire - length
        )


cdef void walk_erf(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int kind
    cdef int64_t size = 16
    cdef int64_t record
    cdef int64_t on_wire
    cdef int more = LINK_ERF_EXTENDED
    if is_cut(sink, packet, size, captured):
        return
    kind = p[8] & ~LINK_ERF_EXTENDED
    more = p[8] & LINK_ERF_EXTENDED
    while more:
        size += 8
        if is_cut(sink, packet, size, captured):
            return
        more = p[size - 8] & LINK_ERF_EXTENDED
    if in_LINK_ERF_ETHERNET(kind):
        size += 2
    elif in_LINK_ERF_CHANNEL_HDLC(kind):
        size += 4
    elif kind == LINK_ERF_PADDING:
        count(sink, COUNT_NOT_IP)
        return
    elif not in_LINK_ERF_HDLC(kind) and kind != LINK_ERF_IPV4 and kind != LINK_ERF_IPV6:
        refuse(sink, packet)
        return
    record = load16(p + 10)
    if record < size:
        refuse(sink, packet)
        return
    if is_cut(sink, packet, size, captured):
        return
    captured = min(captured, record) - size
    on_wire = max(min(wire, record) - size, <int64_t>load16(p + 14))
    p += size
    if in_LINK_ERF_ETHERNET(kind):
        open_later(sink, INSIDE_ETHERNET, p, captured, on_wire)
    elif kind == LINK_ERF_IPV4 or kind == LINK_ERF_IPV6:
        walk_version(sink, packet, 4 if kind == LINK_ERF_IPV4 else 6, p, captured, on_wire)
    else:
        open_numbered(sink, INSIDE_LINK, LINK_PPP_HDLC, p, captured, on_wire)


cdef void walk_juniper(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t size = 4
    if is_cut(sink, packet, size, captured):
        return
    if load32(p) >> 8 != LINK_JUNIPER_MAGIC:
        refuse(sink, packet)
        return
    if p[3] & LINK_JUNIPER_EXTENDED:
        if is_cut(sink, packet, 6, captured):
            return
        size = 6 + <int64_t>load16(p + 4)
        if is_cut(sink, packet, size, captured):
            return
    if not p[3] & LINK_JUNIPER_NO_LINK:
        open_later(sink, INSIDE_ETHERNET, p + size, captured - size, wire - size)
    elif not is_cut(sink, packet, 5, captured - size):
        size += 4
        walk_version(sink, packet, p[size] >> 4, p + size, captured - size, wire - size)


cdef bint walk_tap(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """A frame of one of these link types; False if it is of another one."""
    if link_type == LINK_NFLOG:
        walk_nflog(sink, packet, p, captured, wire)
    elif link_type == LINK_PPI:
        walk_ppi(sink, packet, p, captured, wire)
    elif link_type == LINK_PRISM:
        walk_prism(sink, packet, p, captured, wire)
    elif link_type == LINK_AVS:
        walk_avs(sink, packet, p, captured, wire)
    elif link_type == LINK_PFLOG:
        walk_pflog(sink, packet, p, captured, wire)
    elif link_type == LINK_ENC:
        if not is_cut(sink, packet, 12, captured):
            walk_version(sink, packet, version_of_family(p), p + 12, captured - 12, wire - 12)
    elif link_type == LINK_PKTAP or (link_type == LINK_PKTAP_USER and is_pktap(p, captured)):
        walk_pktap(sink, packet, p, captured, wire)
    elif link_type == LINK_IPNET:
        if is_cut(sink, packet, 24, captured):
            return True
        if p[0] != 1:
            refuse(sink, packet)
        else:
            walk_version(
                sink, packet, 4 if p[1] == LINK_FAMILY_IPV4 else 6 if p[1] == LINK_IPNET_IPV6 else 0,
                p + 24, captured - 24, wire - 24,
            )
    elif link_type == LINK_ERF:
        walk_erf(sink, packet, p, captured, wire)
    elif link_type == LINK_JUNIPER_ETHER:
        walk_juniper(sink, packet, p, captured, wire)
    else:
        return False
    return True
