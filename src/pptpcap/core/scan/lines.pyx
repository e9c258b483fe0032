"""Links of lines and rings: ATM, frame relay, FDDI, token ring, InfiniBand, cable (decoding section 2e).

Leaves what they lead to to the driver of the walk.  Compares each length from the wire before it is used.
"""

from libc.stdint cimport int64_t, uint8_t

from ..base.numbers cimport (
    CARRIER_LINK_HEADER, COUNT_NOT_IP, LINK_ATM_RFC1483, LINK_BRIDGED, LINK_DOCSIS, LINK_FDDI, LINK_FRELAY, LINK_IPOIB,
    LINK_NLPID_IPV4, LINK_NLPID_IPV6, LINK_NLPID_PPP, LINK_NLPID_SNAP, LINK_PPP, LINK_SUNATM, LINK_TOKEN_RING,
    in_LINK_BRIDGED_ETHERNET,
)
from ..base.octets cimport load16, load32
from ..base.packets cimport Packet
from .heads cimport is_cut, not_followed, walk_version
from .sink cimport (
    INSIDE_ETHERNET, INSIDE_ETHERTYPE, INSIDE_LINK, INSIDE_LLC, Sink, count, open_later, open_numbered,
)


cdef void walk_snap(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, int64_t pad
) noexcept nogil:
    """An organisation and an EtherType, or a frame that was bridged, behind `pad` octets."""
    cdef int kind = load16(p + 3)
    if load32(p) >> 8 == 0:
        open_numbered(sink, INSIDE_ETHERTYPE, kind, p + 5, captured - 5, wire - 5)
    elif load32(p) >> 8 != LINK_BRIDGED:
        count(sink, COUNT_NOT_IP)
    elif not in_LINK_BRIDGED_ETHERNET(kind):
        not_followed(sink, packet, CARRIER_LINK_HEADER)
    elif not is_cut(sink, packet, 5 + pad, captured):
        open_later(sink, INSIDE_ETHERNET, p + 5 + pad, captured - 5 - pad, wire - 5 - pad)


cdef void walk_nlpid(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    if is_cut(sink, packet, 1, captured):
        return
    if p[0] == LINK_NLPID_SNAP:
        if not is_cut(sink, packet, 6, captured):
            walk_snap(sink, packet, p + 1, captured - 1, wire - 1, 0)
    elif p[0] == LINK_NLPID_PPP:
        open_numbered(sink, INSIDE_LINK, LINK_PPP, p + 1, captured - 1, wire - 1)
    else:
        walk_version(
            sink, packet, 4 if p[0] == LINK_NLPID_IPV4 else 6 if p[0] == LINK_NLPID_IPV6 else 0,
            p + 1, captured - 1, wire - 1,
        )


cdef void walk_bridged_llc(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """LLC in front of IP, of an NLPID, of an EtherType or of a bridged frame."""
    cdef int llc
    if is_cut(sink, packet, 3, captured):
        return
    llc = load16(p) << 8 | p[2]
    if llc == 0x060603:
        walk_version(sink, packet, 4, p + 3, captured - 3, wire - 3)
    elif llc == 0xFEFE03:
        walk_nlpid(sink, packet, p + 3, captured - 3, wire - 3)
    elif llc != 0xAAAA03:
        count(sink, COUNT_NOT_IP)
    elif not is_cut(sink, packet, 8, captured):
        walk_snap(sink, packet, p + 3, captured - 3, wire - 3, 2)


cdef void walk_frame_relay(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t size = 2
    if is_cut(sink, packet, size, captured):
        return
    while not p[size - 1] & 1:
        if size == 4:
            count(sink, COUNT_NOT_IP)
            return
        size += 1
        if is_cut(sink, packet, size, captured):
            return
    p += size
    captured -= size
    wire -= size
    if is_cut(sink, packet, 1, captured):
        return
    if p[0] != 0x03:
        if not is_cut(sink, packet, 2, captured):
            open_numbered(sink, INSIDE_ETHERTYPE, load16(p), p + 2, captured - 2, wire - 2)
        return
    size = 2 if captured >= 2 and p[1] == 0 else 1
    walk_nlpid(sink, packet, p + size, captured - size, wire - size)


cdef void walk_token_ring(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t size = 14
    cdef int route
    if is_cut(sink, packet, size, captured):
        return
    if p[1] >> 6 != 1:
        count(sink, COUNT_NOT_IP)
        return
    if p[8] & 0x80:
        if is_cut(sink, packet, 15, captured):
            return
        route = p[14] & 0x1F
        if route & 1 or route < 2:
            count(sink, COUNT_NOT_IP)
            return
        size += route
        if is_cut(sink, packet, size, captured):
            return
    open_later(sink, INSIDE_LLC, p + size, captured - size, wire - size)


cdef void walk_docsis(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    cdef int64_t size = 6
    if is_cut(sink, packet, size, captured):
        return
    if p[0] & 0xFE:
        not_followed(sink, packet, CARRIER_LINK_HEADER)
        return
    if p[0] & 1:
        size += p[1]
    if not is_cut(sink, packet, size, captured):
        open_later(sink, INSIDE_ETHERNET, p + size, captured - size, wire - size)


cdef bint walk_line(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """A frame of one of these link types; False if it is of another one."""
    if link_type == LINK_ATM_RFC1483:
        walk_bridged_llc(sink, packet, p, captured, wire)
    elif link_type == LINK_SUNATM:
        if not is_cut(sink, packet, 4, captured):
            walk_bridged_llc(sink, packet, p + 4, captured - 4, wire - 4)
    elif link_type == LINK_FRELAY:
        walk_frame_relay(sink, packet, p, captured, wire)
    elif link_type == LINK_FDDI:
        if is_cut(sink, packet, 13, captured):
            return True
        if p[0] & 0xF0 == 0x50:
            open_later(sink, INSIDE_LLC, p + 13, captured - 13, wire - 13)
        else:
            count(sink, COUNT_NOT_IP)
    elif link_type == LINK_TOKEN_RING:
        walk_token_ring(sink, packet, p, captured, wire)
    elif link_type == LINK_IPOIB:
        if not is_cut(sink, packet, 44, captured):
            open_numbered(sink, INSIDE_ETHERTYPE, load16(p + 40), p + 44, captured - 44, wire - 44)
    elif link_type == LINK_DOCSIS:
        walk_docsis(sink, packet, p, captured, wire)
    else:
        return False
    return True
