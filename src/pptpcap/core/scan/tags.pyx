"""Tags between Ethernet and IP, MPLS labels, and headers with a whole frame behind them (decoding section 2d).

Knows what follows each header, and leaves frames to the driver of the walk.  Compares each length from the wire before
it is used.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ..base.numbers cimport (
    CARRIER_BATMAN, CARRIER_CISCO_METADATA, CARRIER_MACSEC, CARRIER_NONE, CARRIER_NSH, CARRIER_PBB, CARRIER_PSEUDOWIRE,
    CARRIER_TIMESTAMP, CARRIER_TRILL, COUNT_NOT_IP, IP_PROTOCOL_ICMPV6, IP_PROTOCOL_UDP, LINK_BATMAN_BROADCAST,
    LINK_BATMAN_UNICAST, LINK_BATMAN_UNICAST_4, LINK_BATMAN_VERSION, LINK_CONTROL_FLAGS, LINK_CONTROL_LENGTH,
    LINK_ETHERTYPE_BATMAN, LINK_ETHERTYPE_CISCO_METADATA, LINK_ETHERTYPE_E_TAG, LINK_ETHERTYPE_FABRICPATH,
    LINK_ETHERTYPE_HSR, LINK_ETHERTYPE_IPV4, LINK_ETHERTYPE_IPV6, LINK_ETHERTYPE_MACSEC, LINK_ETHERTYPE_MPLS,
    LINK_ETHERTYPE_NSH, LINK_ETHERTYPE_PBB, LINK_ETHERTYPE_TIMESTAMP, LINK_ETHERTYPE_VN_TAG, LINK_LABEL_CHANNEL,
    LINK_LABEL_IPV4, LINK_LABEL_IPV6, LINK_LEAST_CONTROL_LENGTH, LINK_MACSEC_CHECK_VALUE, LINK_MACSEC_HAS_CHANNEL,
    LINK_MACSEC_NOT_CLEAR, LINK_MACSEC_SHORT_LENGTH, LINK_NSH_LENGTH, LINK_NSH_OAM, LINK_NSH_VERSION, LINK_PBB_RESERVED,
    LINK_PBB_SERVICE, LINK_TRILL_OPTIONS, LINK_TRILL_VERSION, in_IP_EXTENSIONS, in_IP_FOLLOWED, in_LINK_BATMAN_OWN,
)
from ..base.octets cimport load16, load32
from ..base.packets cimport Packet
from .checks cimport FRAME_SURPLUS, holds_ethernet, holds_ip, holds_sum
from .heads cimport is_cut, is_deep, not_followed, walk_version
from .sink cimport INSIDE_ETHERNET, Sink, count, enter_carrier, open_later


cdef enum:
    # A frame of which the snap length or a mirror left less than this is walked unchecked.
    CHECKED = 64


cdef inline bint ends_tag(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t size, Tag* tag
) noexcept nogil:
    """A tag of `size` octets, whose last word is the next EtherType."""
    if is_cut(sink, packet, size, captured):
        return False
    tag.size = size
    tag.wire -= size
    tag.ethertype = load16(p + size - 2)
    return True


cdef inline bint begins_frame(
    Sink* sink, const Packet* packet, int64_t captured, int64_t size, int carrier, Tag* tag
) noexcept nogil:
    """A header of `size` octets with a frame behind it."""
    if is_cut(sink, packet, size, captured):
        return False
    tag.size = size
    tag.wire -= size
    tag.carrier = carrier
    return True


cdef bint is_refused(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, const Tag* tag
) noexcept nogil:
    """Whether what stands behind a header of a carrier cannot be a frame; then it is done."""
    captured -= tag.size
    if captured < CHECKED and (captured < tag.wire or sink.may_be_cut):
        return False
    if holds_ethernet(p + tag.size, captured, tag.wire, sink.may_be_cut):
        return False
    not_followed(sink, packet, tag.carrier)
    return True


cdef bint read_macsec(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, Tag* tag
) noexcept nogil:
    cdef int64_t size
    cdef int64_t covered
    if is_cut(sink, packet, 6, captured):
        return False
    if p[0] & LINK_MACSEC_NOT_CLEAR:
        not_followed(sink, packet, CARRIER_MACSEC)
        return False
    size = 16 if p[0] & LINK_MACSEC_HAS_CHANNEL else 8
    if not ends_tag(sink, packet, p, captured, size, tag):
        return False
    # What the EtherType begins, and the check value ends if it is there.
    covered = wire - (size - 2)
    if not sink.may_be_cut:
        covered -= LINK_MACSEC_CHECK_VALUE
    if p[1] & LINK_MACSEC_SHORT_LENGTH:
        covered = min(covered, <int64_t>(p[1] & LINK_MACSEC_SHORT_LENGTH))
    if covered < 2:
        not_followed(sink, packet, CARRIER_MACSEC)
        return False
    tag.wire = covered - 2
    return True


cdef bint read_nsh(Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, Tag* tag) noexcept nogil:
    cdef int word
    cdef int64_t words
    if is_cut(sink, packet, 8, captured):
        return False
    word = load16(p)
    words = word & LINK_NSH_LENGTH
    if word & LINK_NSH_OAM and not word & LINK_NSH_VERSION:
        count(sink, COUNT_NOT_IP)
        return False
    if word & LINK_NSH_VERSION or words < 2 or (p[2] & 15 == 1 and words != 6) or not 1 <= p[3] <= 5:
        not_followed(sink, packet, CARRIER_NSH)
        return False
    if not begins_frame(sink, packet, captured, 4 * words, CARRIER_NSH, tag):
        return False
    if p[3] == 1:
        tag.ethertype = LINK_ETHERTYPE_IPV4
    elif p[3] == 2:
        tag.ethertype = LINK_ETHERTYPE_IPV6
    elif p[3] == 4:
        tag.ethertype = LINK_ETHERTYPE_NSH
    elif p[3] == 5:
        tag.ethertype = LINK_ETHERTYPE_MPLS
    return True


cdef bint read_batman(Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, Tag* tag) noexcept nogil:
    if is_cut(sink, packet, 2, captured):
        return False
    if p[1] == LINK_BATMAN_VERSION:
        if p[0] == LINK_BATMAN_UNICAST:
            return begins_frame(sink, packet, captured, 10, CARRIER_BATMAN, tag)
        if p[0] == LINK_BATMAN_UNICAST_4:
            return begins_frame(sink, packet, captured, 18, CARRIER_BATMAN, tag)
        if p[0] == LINK_BATMAN_BROADCAST:
            return begins_frame(sink, packet, captured, 14, CARRIER_BATMAN, tag)
        if in_LINK_BATMAN_OWN(p[0]):
            count(sink, COUNT_NOT_IP)
            return False
    not_followed(sink, packet, CARRIER_BATMAN)
    return False


cdef bint read_tag(
    Sink* sink, const Packet* packet, int ethertype, const uint8_t* p, int64_t captured, int64_t wire, Tag* tag
) noexcept nogil:
    """Read the header behind one of the EtherTypes of tags; False if the frame is done."""
    cdef int64_t size
    tag.wire = wire
    tag.ethertype = WHOLE_FRAME
    tag.carrier = CARRIER_NONE
    tag.network = -1
    if ethertype == LINK_ETHERTYPE_VN_TAG or ethertype == LINK_ETHERTYPE_HSR:
        return ends_tag(sink, packet, p, captured, 6, tag)
    if ethertype == LINK_ETHERTYPE_E_TAG:
        return ends_tag(sink, packet, p, captured, 8, tag)
    if ethertype == LINK_ETHERTYPE_CISCO_METADATA:
        if not ends_tag(sink, packet, p, captured, 8, tag):
            return False
        if p[0] == 1 and p[1] == 1:
            return True
        not_followed(sink, packet, CARRIER_CISCO_METADATA)
        return False
    if ethertype == LINK_ETHERTYPE_TIMESTAMP:
        if is_cut(sink, packet, 4, captured):
            return False
        if load16(p) == 1 and (p[3] >> 4 == 1 or p[3] >> 4 == 2):
            return ends_tag(sink, packet, p, captured, 14 if p[3] >> 4 == 1 else 12, tag)
        not_followed(sink, packet, CARRIER_TIMESTAMP)
        return False
    if ethertype == LINK_ETHERTYPE_MACSEC:
        return read_macsec(sink, packet, p, captured, wire, tag)
    if ethertype == LINK_ETHERTYPE_NSH:
        return read_nsh(sink, packet, p, captured, tag)
    if ethertype == LINK_ETHERTYPE_BATMAN:
        return read_batman(sink, packet, p, captured, tag)
    if ethertype == LINK_ETHERTYPE_PBB:
        if not begins_frame(sink, packet, captured, 4, CARRIER_PBB, tag):
            return False
        tag.network = load32(p) & LINK_PBB_SERVICE
        if load32(p) & LINK_PBB_RESERVED:
            not_followed(sink, packet, CARRIER_PBB)
            return False
    elif ethertype == LINK_ETHERTYPE_FABRICPATH:
        if not begins_frame(sink, packet, captured, 2, CARRIER_TRILL, tag):
            return False
    else:
        # TRILL is the last one.
        if is_cut(sink, packet, 6, captured):
            return False
        if load16(p) & LINK_TRILL_VERSION:
            not_followed(sink, packet, CARRIER_TRILL)
            return False
        size = 6 + 4 * ((load16(p) & LINK_TRILL_OPTIONS) >> 6)
        if not begins_frame(sink, packet, captured, size, CARRIER_TRILL, tag):
            return False
    return not is_refused(sink, packet, p, captured, tag)


cdef inline bint is_control_word(const uint8_t* p, int64_t wire, bint may_be_cut) noexcept nogil:
    """Whether 4 octets can be the control word of Ethernet, of whose frame, with it, `wire` octets are left."""
    cdef int length = load16(p) & LINK_CONTROL_LENGTH
    if load16(p) & LINK_CONTROL_FLAGS:
        return False
    return length == 0 or (length >= LINK_LEAST_CONTROL_LENGTH and (length <= wire or may_be_cut))


cdef inline bint is_known(int protocol) noexcept nogil:
    """Whether an IPv6 header is likely to name this one next."""
    return (
        in_IP_FOLLOWED(protocol) or in_IP_EXTENSIONS(protocol) or protocol == IP_PROTOCOL_UDP
        or protocol == IP_PROTOCOL_ICMPV6
    )


cdef int version_behind_labels(const uint8_t* p, int64_t captured, int64_t wire, bint may_be_cut) noexcept nogil:
    """Version of the IP header behind the last label, 0 if it need not be one."""
    cdef int half = p[0] >> 4
    if half == 4 and captured < 20 or half == 6 and captured < 40:
        return half
    if holds_ip(p, captured, wire, FRAME_SURPLUS, may_be_cut) == 0:
        return 0
    if half == 4 and holds_sum(p, captured):
        return 4
    if half == 6 and is_known(p[6]) and not may_be_cut:
        return 6
    return 0 if holds_ethernet(p, captured, wire, may_be_cut) else half


cdef void walk_labelled(
    Sink* sink, const Packet* packet, uint32_t label, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """What stands behind the last label: IP, or Ethernet with or without a control word."""
    cdef bint may_be_cut = sink.may_be_cut
    cdef int version
    cdef int64_t word = 0
    if is_cut(sink, packet, 1, captured):
        return
    version = 4 if label == LINK_LABEL_IPV4 else 6 if label == LINK_LABEL_IPV6 else 0
    if version == 0 and label != LINK_LABEL_CHANNEL:
        version = version_behind_labels(p, captured, wire, may_be_cut)
    if version or label == LINK_LABEL_CHANNEL or (
        p[0] >> 4 == 1 and not holds_ethernet(p, captured, wire, may_be_cut)
    ):
        walk_version(sink, packet, version, p, captured, wire)
        return
    if is_cut(sink, packet, 14, captured):
        return
    if (
        p[0] >> 4 == 0 and is_control_word(p, wire, may_be_cut)
        and holds_ethernet(p + 4, captured - 4, wire - 4, may_be_cut)
    ):
        word = 4
    if word == 0 or load32(p) != 0:
        if holds_ethernet(p, captured, wire, may_be_cut):
            word = 0
        elif word == 0:
            if p[0] >> 4 == 4 and holds_sum(p, captured):
                walk_version(sink, packet, 4, p, captured, wire)
            else:
                not_followed(sink, packet, CARRIER_PSEUDOWIRE)
            return
    enter_carrier(sink, CARRIER_PSEUDOWIRE)
    open_later(sink, INSIDE_ETHERNET, p + word, captured - word, wire - word)


cdef void walk_mpls(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, int64_t tags
) noexcept nogil:
    """Labels down to the bottom of the stack, and what follows them."""
    cdef uint32_t word = 0
    while word & 0x100 == 0:
        if is_deep(sink, packet, tags) or is_cut(sink, packet, 4, captured):
            return
        word = load32(p)
        tags += 1
        p += 4
        captured -= 4
        wire -= 4
    walk_labelled(sink, packet, word >> 12, p, captured, wire)
