"""The walk of one packet, from the link header through every carrier in it (decoding sections 2 to 5).

A walk of links or of IP leaves what a carrier holds in the sink and returns; here it is opened.  So neither calls the
other one's callers, and one loop bounds the depth.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ..base.numbers cimport (
    CARRIER_LINK_HEADER, CARRIER_WIRELESS, COUNT_NOT_IP, KIND_TOO_DEEP, LAYER_LINK,
)
from ..base.octets cimport load16
from ..base.packets cimport Packet
from .frames cimport malformed, walk_ip, walk_protocol
from .heads cimport is_cut, not_followed
from .links cimport walk_ethernet, walk_ethertype, walk_link
from .mirrors cimport open_mirror
from .sink cimport (
    INSIDE_AGGREGATE, INSIDE_ETHERNET, INSIDE_ETHERTYPE, INSIDE_IP, INSIDE_LLC, INSIDE_NOTHING, INSIDE_PROTOCOL, Inner,
    Sink, add_vlan, count, enter_carrier, enter_frame, enter_network,
)


cdef enum:
    # Two addresses and a length; LLC with SNAP.
    SUBFRAME_HEADER = 14
    LEAST_SUBFRAME = 8


cdef void walk_aggregate(Sink* sink, const Packet* packet, const Inner* inner) noexcept nogil:
    """Each frame of an A-MSDU, as if it came alone."""
    cdef const uint8_t* p = inner.data
    cdef int64_t captured = inner.captured
    cdef int64_t wire = inner.wire
    cdef int64_t headers = sink.headers
    cdef int64_t carriers = sink.carriers
    cdef uint64_t layers = sink.layers
    cdef bint may_be_cut = sink.may_be_cut
    cdef int64_t length
    cdef int64_t step
    if wire < SUBFRAME_HEADER:
        count(sink, COUNT_NOT_IP)
    while wire >= SUBFRAME_HEADER:
        if is_cut(sink, packet, SUBFRAME_HEADER, captured):
            return
        length = load16(p + 12)
        if length > wire - SUBFRAME_HEADER and not may_be_cut:
            not_followed(sink, packet, CARRIER_WIRELESS)
            return
        if length < LEAST_SUBFRAME:
            count(sink, COUNT_NOT_IP)
        else:
            sink.frame = p
            sink.network = NULL
            sink.headers = headers
            sink.carriers = carriers
            sink.layers = layers
            sink.may_be_cut = False
            enter_frame(sink)
            walk_ethertype(
                sink, packet, 0, True, p + SUBFRAME_HEADER, min(captured - SUBFRAME_HEADER, length), length
            )
            open_inner(sink, packet)
        step = (SUBFRAME_HEADER + length + 3) & ~3
        p += min(step, captured)
        captured -= min(step, captured)
        wire -= step


cdef void open_one(Sink* sink, const Packet* packet, const Inner* inner) noexcept nogil:
    """Walk what a carrier holds, to IP or to the next carrier."""
    if inner.kind == INSIDE_ETHERTYPE:
        walk_ethertype(sink, packet, inner.number, False, inner.data, inner.captured, inner.wire)
        return
    if inner.kind == INSIDE_IP:
        walk_ip(sink, packet, inner.number, inner.data, inner.captured, inner.wire, sink.headers)
        return
    if inner.kind == INSIDE_LLC:
        walk_ethertype(sink, packet, 0, True, inner.data, inner.captured, inner.wire)
        return
    if inner.kind == INSIDE_AGGREGATE:
        walk_aggregate(sink, packet, inner)
        return
    enter_frame(sink)
    add_vlan(sink, <uint64_t>inner.vlan)
    if inner.kind == INSIDE_ETHERNET:
        walk_ethernet(sink, packet, inner.data, inner.captured, inner.wire)
    elif not walk_link(sink, packet, inner.number, inner.data, inner.captured, inner.wire):
        not_followed(sink, packet, CARRIER_LINK_HEADER)


cdef inline void enter_mirror(Sink* sink, const Inner* inner) noexcept nogil:
    """From here on the packet is as its mirror saw it: what stands in front tells nothing of its place."""
    sink.frame = inner.data
    sink.network = NULL
    sink.may_be_cut = inner.may_be_cut
    if inner.network < 0:
        enter_carrier(sink, inner.carrier)
    else:
        enter_network(sink, inner.carrier, <uint32_t>inner.network)


cdef void open_inner(Sink* sink, const Packet* packet) noexcept nogil:
    """Open one carrier inside the other until none is left; aggregates nest at most as deep as the cap."""
    cdef Inner inner
    cdef bint is_mirror
    while sink.inner.kind != INSIDE_NOTHING:
        inner = sink.inner
        sink.inner.kind = INSIDE_NOTHING
        inner.network = -1
        inner.vlan = 0
        inner.may_be_cut = False
        is_mirror = inner.kind == INSIDE_PROTOCOL
        if is_mirror and not open_mirror(sink, packet, &inner):
            return
        if sink.carriers == sink.caps.carriers:
            malformed(sink, packet, LAYER_LINK, KIND_TOO_DEEP, sink.carriers, sink.carriers + 1)
            return
        sink.carriers += 1
        if is_mirror:
            enter_mirror(sink, &inner)
        open_one(sink, packet, &inner)


cdef void walk_datagram(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers, uint64_t layers,
) noexcept nogil:
    """The payload that IP fragments of these layers gave, behind `headers` IP headers (decoding 4.4)."""
    sink.inside_datagram = True
    sink.layers = layers
    sink.headers = headers
    sink.carriers = 0
    sink.may_be_cut = False
    walk_protocol(sink, packet, protocol, source, destination, p, captured, wire, headers)
    if sink.inner.kind != INSIDE_NOTHING:
        open_inner(sink, packet)
    sink.inside_datagram = False
