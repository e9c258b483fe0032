"""Opens what IP, UDP and GRE carry besides PPTP: mirrors, overlays, tunnels (decoding section 3b).

Each function reads one header, of which at least the octets that it compares are captured, and leaves in `inner` what
follows it.  Must not know what the packet inside means.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from ..base.numbers cimport (
    CARRIER_CAPWAP, CARRIER_EOIP, CARRIER_ERSPAN, CARRIER_ESP, CARRIER_ETHERIP, CARRIER_GENEVE, CARRIER_GRE,
    CARRIER_GTP_U, CARRIER_GUE, CARRIER_IP_OTHER, CARRIER_JMIRROR, CARRIER_L2TP, CARRIER_MPLS, CARRIER_NVGRE,
    CARRIER_PPP_IN_GRE, CARRIER_TEREDO, CARRIER_TZSP, CARRIER_VXLAN, CARRIER_VXLAN_GPE, COUNT_GRE_OTHER, COUNT_IP_OTHER,
    GRE_CHECKSUM_PRESENT, GRE_EOIP_FLAGS, GRE_EOIP_TYPE, GRE_ERSPAN, GRE_ERSPAN_III, GRE_KEEPALIVE, GRE_KEY_PRESENT,
    GRE_LEAST_SUBNET, GRE_PROTOCOL_TYPE, GRE_RESERVED_BITS, GRE_ROUTING_PRESENT, GRE_SEQUENCE_PRESENT, GRE_VERSION_MASK,
    GRE_WCCP, IP_PROTOCOL_ESP, IP_PROTOCOL_ETHERIP, IP_PROTOCOL_ETHERNET, IP_PROTOCOL_GRE, IP_PROTOCOL_IPV4,
    IP_PROTOCOL_IPV6, IP_PROTOCOL_L2TP, IP_PROTOCOL_MPLS, IP_PROTOCOL_UDP, LINK_AVS, LINK_DOT11_VERSION,
    LINK_ETHERTYPE_CISCO_METADATA, LINK_ETHERTYPE_NSH, LINK_IEEE802_11, LINK_PRISM, LINK_TRANSPARENT_ETHERNET, PPP_IPV4,
    PPP_IPV6, in_CARRIER_EITHER_PORT, in_IP_PROTOCOLS_UDP,
)
from ..base.octets cimport load16, load16_little, load32
from ..base.packets cimport Packet
from .checks cimport ANY_SURPLUS, FRAME_SURPLUS, NO_SURPLUS, holds_ip, holds_sum
from .inside cimport (
    FOLLOWED, NO_IP, OTHER, TOLD, Outcome, behind_ethertype, find_wireless, inside_ethernet, inside_ethertype,
    inside_ip, inside_labels, is_told_ethertype, step,
)
from .sink cimport INSIDE_IP, INSIDE_LINK, MIRROR_ONLY_TOLD, Inner, Sink, count, count_unfollowed


# ---- GRE


cdef Outcome open_eoip(Inner* inner) noexcept nogil:
    cdef int64_t length
    inner.carrier = CARRIER_EOIP
    if inner.captured < 8:
        return TOLD
    length = load16(inner.data + 4)
    step(inner, 8)
    if length != inner.wire:
        return TOLD
    return inside_ethernet(inner, False) if length else OTHER


cdef Outcome open_erspan(Inner* inner, int protocol, bint has_sequence) noexcept nogil:
    """ERSPAN behind GRE of one of its two protocol types."""
    cdef int version
    cdef int frame_type
    cdef uint16_t word
    inner.carrier = CARRIER_ERSPAN
    inner.network = -1
    if protocol == GRE_ERSPAN and not has_sequence:
        return inside_ethernet(inner, True)
    if inner.captured < 8:
        return TOLD
    version = inner.data[0] >> 4
    inner.vlan = load16(inner.data) & 0xFFF
    if version == 1:
        if load16(inner.data + 2) >> 11 & 3 == 3:
            inner.vlan = 0
        step(inner, 8)
        return inside_ethernet(inner, True)
    if version != 2 or inner.captured < 12:
        return TOLD
    word = load16(inner.data + 10)
    frame_type = word >> 10 & 0x1F
    step(inner, 20 if word & 1 else 12)
    if frame_type == 0:
        return inside_ethernet(inner, True)
    inner.number = holds_ip(inner.data, inner.captured, inner.wire, ANY_SURPLUS, True)
    if frame_type != 2 or inner.number == 0:
        return TOLD
    inner.may_be_cut = True
    inner.kind = INSIDE_IP
    return FOLLOWED


cdef int64_t end_of_routes(const uint8_t* p, int64_t captured, int64_t at) noexcept nogil:
    """Where the source routes at `at` end; 0 where they do not."""
    cdef int family
    cdef int length
    while captured >= at + 4:
        family = load16(p + at)
        length = p[at + 3]
        at += 4 + length
        if family == 0 and length == 0:
            return at
    return 0


cdef inline bint is_told_gre(int protocol) noexcept nogil:
    """Whether a protocol type proves that GRE is in front of it."""
    return is_told_ethertype(protocol) or protocol == GRE_ERSPAN or protocol == GRE_ERSPAN_III or protocol == GRE_WCCP


cdef Outcome open_gre(Inner* inner, bint in_udp) noexcept nogil:
    """GRE of version 0, or EoIP."""
    cdef const uint8_t* p = inner.data
    cdef int64_t header = 4
    cdef int flags
    cdef int protocol
    inner.carrier = CARRIER_GRE
    if inner.captured < 4:
        return OTHER
    flags = load16(p)
    protocol = load16(p + 2)
    if flags == GRE_EOIP_FLAGS and protocol == GRE_EOIP_TYPE and not in_udp:
        return open_eoip(inner)
    if flags & GRE_VERSION_MASK or protocol == GRE_KEEPALIVE:
        return OTHER
    if in_udp and (flags & GRE_RESERVED_BITS or not is_told_gre(protocol)):
        return OTHER
    if flags & GRE_RESERVED_BITS:
        return TOLD
    if protocol == GRE_PROTOCOL_TYPE:
        inner.carrier = CARRIER_PPP_IN_GRE
        return TOLD
    if flags & (GRE_CHECKSUM_PRESENT | GRE_ROUTING_PRESENT):
        header += 4
    if flags & GRE_KEY_PRESENT:
        if inner.captured < header + 4:
            return TOLD
        inner.network = load32(p + header)
        header += 4
    if flags & GRE_SEQUENCE_PRESENT:
        header += 4
    if flags & GRE_ROUTING_PRESENT:
        header = end_of_routes(p, inner.captured, header)
    if header == 0 or inner.captured < header:
        return TOLD
    step(inner, header)
    if protocol == GRE_ERSPAN or protocol == GRE_ERSPAN_III:
        return open_erspan(inner, protocol, flags & GRE_SEQUENCE_PRESENT != 0)
    if (
        protocol == LINK_TRANSPARENT_ETHERNET and inner.network >> 8 >= GRE_LEAST_SUBNET
        and not flags & (GRE_CHECKSUM_PRESENT | GRE_ROUTING_PRESENT | GRE_SEQUENCE_PRESENT)
    ):
        inner.carrier = CARRIER_NVGRE
        inner.network >>= 8
    elif protocol == GRE_WCCP:
        if inner.captured and inner.data[0] >> 4 != 4:
            step(inner, 4)
        return inside_ip(inner, 4, NO_SURPLUS)
    elif protocol == LINK_ETHERTYPE_CISCO_METADATA:
        if inner.captured < 8 or inner.data[2] != 1 or inner.data[3] != 1:
            return TOLD
        protocol = load16(inner.data)
        step(inner, 8)
    return inside_ethertype(inner, protocol)


# ---- UDP


cdef Outcome open_gpe(Inner* inner) noexcept nogil:
    """VXLAN with a protocol field; needs 8 octets."""
    cdef const uint8_t* p = inner.data
    inner.carrier = CARRIER_VXLAN_GPE
    if not p[0] & 0x08 or load16(p + 1) or p[7]:
        return OTHER
    if p[0] & 0xF1:
        return TOLD
    step(inner, 8)
    if p[3] == 1 or p[3] == 2:
        return inside_ip(inner, 4 if p[3] == 1 else 6, NO_SURPLUS)
    if p[3] == 3:
        return inside_ethernet(inner, False)
    if p[3] == 4:
        return behind_ethertype(inner, LINK_ETHERTYPE_NSH)
    return FOLLOWED if p[3] == 5 and inside_labels(inner) == FOLLOWED else TOLD


cdef Outcome open_vxlan(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    inner.carrier = CARRIER_VXLAN
    if inner.captured < 8:
        return OTHER
    inner.network = load32(p + 4) >> 8
    if p[0] & 0x04:
        return open_gpe(inner)
    if p[7] or (p[0] != 0x08 and p[0] != 0x88):
        return OTHER
    if p[1] & 0xB7 if p[0] & 0x80 else (p[1] | p[2] | p[3]):
        return OTHER
    step(inner, 8)
    return inside_ethernet(inner, False)


cdef Outcome open_geneve(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    cdef int64_t end
    cdef int64_t at = 8
    inner.carrier = CARRIER_GENEVE
    if inner.captured < 8 or p[1] & 0x3F or p[7] or not is_told_ethertype(load16(p + 2)):
        return OTHER
    if p[0] & 0xC0 or p[1] & 0x80:
        return TOLD
    end = 8 + 4 * (p[0] & 0x3F)
    if inner.captured < end:
        return TOLD
    while at < end:
        at += 4 + 4 * (p[at + 3] & 0x1F)
    if at != end:
        return TOLD
    inner.network = load32(p + 4) >> 8
    step(inner, end)
    return inside_ethertype(inner, load16(p + 2))


cdef int64_t end_of_tags(const uint8_t* p, int64_t captured) noexcept nogil:
    """Where the tags of TZSP end; 0 where they do not."""
    cdef int64_t at = 4
    while at < captured:
        if p[at] == 1:
            return at + 1
        if p[at] == 0:
            at += 1
        elif at + 1 < captured:
            at += 2 + <int64_t>p[at + 1]
        else:
            break
    return 0


cdef Outcome open_tzsp(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    cdef int protocol
    cdef uint32_t first
    cdef int64_t header
    inner.carrier = CARRIER_TZSP
    if inner.captured < 4:
        return OTHER
    protocol = load16(p + 2)
    if (p[0] != 1 and p[0] != 2) or p[1] > 1:
        return OTHER
    if protocol != 1 and protocol != 18 and protocol != 119 and protocol != 127:
        return OTHER
    header = end_of_tags(p, inner.captured)
    if p[0] != 1 or header == 0:
        return TOLD
    step(inner, header)
    if protocol == 1:
        return inside_ethernet(inner, True)
    inner.kind = INSIDE_LINK
    inner.may_be_cut = True
    if protocol == 18:
        inner.number = LINK_IEEE802_11
        if inner.captured < 2:
            return TOLD
        if find_wireless(inner.data, inner.captured, inner.wire, load16_little(inner.data), True):
            return FOLLOWED
        return TOLD
    inner.number = LINK_PRISM if protocol == 119 else LINK_AVS
    if inner.captured < 4:
        return TOLD
    first = load32(inner.data)
    if protocol == 119 and (first == 0x44 or first == 0x44000000):
        return FOLLOWED
    # AVS, of version 1 or 2, with either protocol.
    return FOLLOWED if first == 0x80211001U or first == 0x80211002U else TOLD


cdef Outcome open_gtp(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    cdef int64_t at = 8
    inner.carrier = CARRIER_GTP_U
    if inner.captured < 8 or p[0] & 0xF8 != 0x30 or p[1] != 255 or load16(p + 2) + 8 != inner.wire:
        return OTHER
    if p[0] & 0x07:
        at = 12
    if inner.captured < at:
        return TOLD
    while p[0] & 0x04 and p[at - 1]:
        if inner.captured <= at or p[at] == 0 or inner.captured < at + 4 * p[at]:
            return TOLD
        at += 4 * p[at]
    step(inner, at)
    return inside_ip(inner, 0, NO_SURPLUS)


cdef int64_t end_of_field(const uint8_t* p, int64_t header, int64_t at) noexcept nogil:
    """Where a field of CAPWAP ends, of a length in its first octet and filled to 4 octets; 0 beyond the header."""
    if at >= header:
        return 0
    at += (1 + <int64_t>p[at] + 3) & ~3
    return at if at <= header else 0


cdef Outcome open_capwap(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    cdef int64_t header
    cdef int64_t at = 8
    cdef int64_t swapped
    inner.carrier = CARRIER_CAPWAP
    if inner.captured < 8:
        return OTHER
    if load32(p) == 0x01000000:
        return TOLD if 0x14 <= p[4] <= 0x17 and p[5] == 0xFE else OTHER
    header = 4 * (p[1] >> 3)
    # Version and kind, binding, reserved bits of both words; then a keepalive.
    if p[0] or p[2] & 0x3C or p[3] & 0x07 or p[7] & 0x07 or header < 8 or header > inner.wire or p[3] & 0x08:
        return OTHER
    if p[3] & 0x80 or inner.captured < header:
        return TOLD
    if p[3] & 0x10:
        if at < header and p[at] != 6 and p[at] != 8:
            return TOLD
        at = end_of_field(p, header, at)
    if p[3] & 0x20 and at:
        at = end_of_field(p, header, at)
    if at == 0:
        return TOLD
    step(inner, header)
    if not p[2] & 0x01:
        return inside_ethernet(inner, False)
    if inner.captured < 2:
        return TOLD
    at = find_wireless(inner.data, inner.captured, inner.wire, load16_little(inner.data), False)
    if at <= 0:
        swapped = find_wireless(inner.data, inner.captured, inner.wire, load16(inner.data), False)
        if swapped > 0 or inner.data[0] & LINK_DOT11_VERSION:
            at = swapped
    if at <= 0:
        return OTHER if at == NO_IP else TOLD
    step(inner, at)
    return inside_ip(inner, 0, FRAME_SURPLUS)


cdef Outcome inside_ppp(Inner* inner) noexcept nogil:
    """PPP of L2TP, which may be padded."""
    cdef int protocol
    cdef int64_t size
    if inner.captured >= 2 and inner.data[0] == 0xFF and inner.data[1] == 0x03:
        step(inner, 2)
    size = 1 if inner.captured and inner.data[0] & 1 else 2
    if inner.captured < size:
        return TOLD
    protocol = inner.data[0] if size == 1 else load16(inner.data)
    step(inner, size)
    if protocol == PPP_IPV4 or protocol == PPP_IPV6:
        return inside_ip(inner, 4 if protocol == PPP_IPV4 else 6, ANY_SURPLUS)
    return OTHER if protocol >= 0x8000 else TOLD


cdef inline bint is_l2f(const uint8_t* p, int64_t captured) noexcept nogil:
    """Whether it is L2F, with nothing set but perhaps K, that holds PPP or SLIP; needs 4 octets."""
    if p[0] & 0xBF or p[1] != 1:
        return False
    return p[2] == 2 or p[2] == 3 or (captured >= 8 and load16(p + 6) == 0xFF03)


cdef Outcome open_l2tp(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    cdef int64_t at = 2
    cdef int flags
    cdef bint has_length
    cdef Outcome outcome
    inner.carrier = CARRIER_L2TP
    if inner.captured < 4:
        return OTHER
    flags = load16(p)
    # Version 3 without flags.
    if load32(p) == 0x00030000 or is_l2f(p, inner.captured):
        return TOLD
    if flags & 0xB4FF != 2:
        return OTHER
    has_length = flags & 0x4000 != 0
    if has_length:
        if load16(p + 2) != inner.wire:
            return OTHER
        at = 4
    if inner.captured < at + 4 or load16(p + at + 2) == 0:
        return OTHER
    at += 8 if flags & 0x0800 else 4
    if flags & 0x0200:
        if inner.captured < at + 2:
            return OTHER
        at += 2 + <int64_t>load16(p + at)
    if inner.captured < at + 2:
        return OTHER
    # Without a length nothing but the framing of PPP proves more.
    has_length = has_length or load16(p + at) == 0xFF03
    step(inner, at)
    outcome = inside_ppp(inner)
    return OTHER if outcome == TOLD and not has_length else outcome


cdef Outcome open_teredo(Inner* inner) noexcept nogil:
    inner.carrier = CARRIER_TEREDO
    if inner.captured >= 4 and load16(inner.data) == 1:
        step(inner, 13 + <int64_t>inner.data[2] + inner.data[3])
    if inner.captured >= 2 and load16(inner.data) == 0:
        step(inner, 8)
    if inner.captured == 0 or inner.data[0] >> 4 != 6:
        return OTHER
    if inner.captured >= 40 and (load32(inner.data + 8) == 0x20010000 or load32(inner.data + 24) == 0x20010000):
        return inside_ip(inner, 6, ANY_SURPLUS)
    return FOLLOWED if inside_ip(inner, 6, NO_SURPLUS) == FOLLOWED else OTHER


cdef Outcome proven_ip(Inner* inner, int version) noexcept nogil:
    """IP where nothing in front says so: IPv4 by its checksum too."""
    if inside_ip(inner, version, NO_SURPLUS) == FOLLOWED:
        if inner.number == 6 or holds_sum(inner.data, inner.captured):
            return FOLLOWED
    return TOLD


cdef Outcome open_jmirror(Inner* inner) noexcept nogil:
    cdef int version = 0
    inner.carrier = CARRIER_JMIRROR
    step(inner, 8)
    if inner.captured >= 4 and load16(inner.data) == 0xFF03:
        version = load16(inner.data + 2)
        if version != PPP_IPV4 and version != PPP_IPV6:
            return TOLD
        version = 4 if version == PPP_IPV4 else 6
        step(inner, 4)
    return proven_ip(inner, version)


cdef Outcome open_gue(Inner* inner) noexcept nogil:
    cdef const uint8_t* p = inner.data
    inner.carrier = CARRIER_GUE
    if inner.captured and p[0] >> 6 == 1:
        return proven_ip(inner, 0)
    if inner.captured < 4 or p[0] >> 6:
        return TOLD
    if p[0] & 0x20:
        return OTHER
    step(inner, 4 + 4 * (p[0] & 0x1F))
    if p[1] == IP_PROTOCOL_IPV4 or p[1] == IP_PROTOCOL_IPV6:
        return proven_ip(inner, 4 if p[1] == IP_PROTOCOL_IPV4 else 6)
    if p[1] == IP_PROTOCOL_GRE and open_gre(inner, True) == FOLLOWED:
        return FOLLOWED
    inner.carrier = CARRIER_GUE
    return TOLD


cdef Outcome open_port(Inner* inner, int kind) noexcept nogil:
    """What is behind a UDP header of this kind of port."""
    if kind == CARRIER_VXLAN or kind == CARRIER_VXLAN_GPE:
        return open_vxlan(inner)
    if kind == CARRIER_GENEVE:
        return open_geneve(inner)
    if kind == CARRIER_TZSP:
        return open_tzsp(inner)
    if kind == CARRIER_GTP_U:
        return open_gtp(inner)
    if kind == CARRIER_CAPWAP:
        return open_capwap(inner)
    if kind == CARRIER_L2TP:
        return open_l2tp(inner)
    if kind == CARRIER_TEREDO:
        return open_teredo(inner)
    if kind == CARRIER_MPLS:
        inner.carrier = CARRIER_MPLS
        return FOLLOWED if inside_labels(inner) == FOLLOWED else OTHER
    if kind == CARRIER_GRE:
        return open_gre(inner, True)
    return open_jmirror(inner) if kind == CARRIER_JMIRROR else open_gue(inner)


cdef Outcome open_udp(Sink* sink, Inner* inner, bint is_lite) noexcept nogil:
    cdef const uint8_t* p = inner.data
    cdef int64_t length
    cdef int kind
    if inner.captured < 8:
        return OTHER
    length = inner.wire if is_lite else load16(p + 4)
    if length < 8 or length > inner.wire:
        return OTHER
    kind = sink.mirrors.kinds[load16(p + 2)]
    if kind == 0:
        kind = sink.mirrors.kinds[load16(p)]
        if not in_CARRIER_EITHER_PORT(kind):
            return OTHER
    if is_lite and kind != CARRIER_CAPWAP:
        return OTHER
    inner.captured = min(inner.captured, length)
    inner.wire = length
    step(inner, 8)
    if kind & MIRROR_ONLY_TOLD:
        kind &= ~MIRROR_ONLY_TOLD
        if open_port(inner, kind) != FOLLOWED:
            return OTHER
        inner.carrier = kind
        return TOLD
    return open_port(inner, kind)


# ---- IP


cdef Outcome open_protocol(Sink* sink, Inner* inner) noexcept nogil:
    """What is behind an IP header with protocol `inner.number`."""
    cdef int protocol = inner.number
    if in_IP_PROTOCOLS_UDP(protocol):
        return open_udp(sink, inner, protocol != IP_PROTOCOL_UDP)
    if protocol == IP_PROTOCOL_GRE:
        return open_gre(inner, False)
    if protocol == IP_PROTOCOL_ETHERIP or protocol == IP_PROTOCOL_ETHERNET:
        inner.carrier = CARRIER_ETHERIP
        if protocol == IP_PROTOCOL_ETHERIP:
            if inner.captured < 2 or (load16(inner.data) != 0x3000 and load16(inner.data) != 0x0300):
                return TOLD
            step(inner, 2)
        return inside_ethernet(inner, False)
    if protocol == IP_PROTOCOL_MPLS:
        inner.carrier = CARRIER_MPLS
        return FOLLOWED if inside_labels(inner) == FOLLOWED else TOLD
    if protocol == IP_PROTOCOL_L2TP:
        inner.carrier = CARRIER_L2TP
        return OTHER if inner.captured >= 4 and load32(inner.data) == 0 else TOLD
    inner.carrier = CARRIER_ESP if protocol == IP_PROTOCOL_ESP else CARRIER_IP_OTHER
    return TOLD


cdef bint open_mirror(Sink* sink, const Packet* packet, Inner* inner) noexcept nogil:
    """Whether the payload of an IP packet holds another one, which then is in `inner`; counts it if not."""
    cdef bint is_gre = inner.number == IP_PROTOCOL_GRE
    cdef Outcome outcome = open_protocol(sink, inner)
    if outcome == FOLLOWED:
        return True
    if outcome == TOLD:
        count_unfollowed(sink, packet, inner.carrier)
    if is_gre:
        sink.counters[COUNT_GRE_OTHER] += 1
    else:
        count(sink, COUNT_IP_OTHER)
    return False
