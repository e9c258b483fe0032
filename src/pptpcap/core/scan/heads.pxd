"""What every walk of headers in front of IP does: need octets, step over a version, give up."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ..base.numbers cimport (
    COUNT_FRAMES_CUT, COUNT_NOT_IP, KIND_FRAME_CUT, KIND_TOO_DEEP, LAYER_LINK, LINK_FAMILY_IPV4, in_LINK_FAMILIES_IPV6,
)
from ..base.octets cimport load32, load32_little
from ..base.packets cimport Packet, add_issue
from .frames cimport malformed, walk_ip
from .sink cimport Sink, count, count_unfollowed


cdef inline bint is_cut(Sink* sink, const Packet* packet, int64_t needed, int64_t captured) noexcept nogil:
    if captured >= needed:
        return False
    count(sink, COUNT_FRAMES_CUT)
    add_issue(&sink.issues, packet, LAYER_LINK, KIND_FRAME_CUT, needed, captured)
    return True


cdef inline bint is_deep(Sink* sink, const Packet* packet, int64_t tags) noexcept nogil:
    if tags < sink.caps.link_headers:
        return False
    malformed(sink, packet, LAYER_LINK, KIND_TOO_DEEP, tags, tags + 1)
    return True


cdef inline void not_followed(Sink* sink, const Packet* packet, int carrier) noexcept nogil:
    count_unfollowed(sink, packet, carrier)
    count(sink, COUNT_NOT_IP)


cdef inline void walk_version(
    Sink* sink, const Packet* packet, int version, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """IP of a version, which may be none of IP's."""
    if version == 4 or version == 6:
        walk_ip(sink, packet, version, p, captured, wire, sink.headers)
    else:
        count(sink, COUNT_NOT_IP)


cdef inline int version_in_family(uint32_t family) noexcept nogil:
    """IP version of an address family; 0 for neither."""
    return 4 if family == LINK_FAMILY_IPV4 else 6 if in_LINK_FAMILIES_IPV6(<int>family) else 0


cdef inline int version_of_family(const uint8_t* p) noexcept nogil:
    """IP version of the address family in 4 octets, in whichever byte order they were written; 0 for neither."""
    return version_in_family(load32(p) if load32(p) < 65536 else load32_little(p))
