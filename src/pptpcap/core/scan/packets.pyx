"""The walk of one packet, from the link header through every carrier in it (decoding sections 2 to 5).

A walk of links or of IP leaves what a carrier holds in the sink and returns; here it is opened.  So neither calls the
other one's callers, and one loop bounds the depth.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ..base.numbers cimport KIND_TOO_DEEP, LAYER_LINK
from ..base.packets cimport Packet
from .frames cimport malformed, walk_ip, walk_protocol
from .links cimport walk_ethernet, walk_ethertype, walk_link
from .mirrors cimport open_mirror
from .sink cimport (
    INSIDE_ETHERNET, INSIDE_ETHERTYPE, INSIDE_IP, INSIDE_NOTHING, INSIDE_PROTOCOL, Inner, Sink, add_vlan, enter_carrier,
    enter_frame, enter_network,
)


cdef inline void enter_mirror(Sink* sink, const Inner* inner) noexcept nogil:
    """From here on the packet is as its mirror saw it: what stands in front tells nothing of its place."""
    sink.frame = inner.data
    sink.network = NULL
    if inner.network < 0:
        enter_carrier(sink, inner.carrier)
    else:
        enter_network(sink, inner.carrier, <uint32_t>inner.network)


cdef void open_inner(Sink* sink, const Packet* packet) noexcept nogil:
    """Open one carrier inside the other until none is left."""
    cdef Inner inner
    cdef bint is_mirror
    while sink.inner.kind != INSIDE_NOTHING:
        inner = sink.inner
        sink.inner.kind = INSIDE_NOTHING
        inner.network = -1
        inner.vlan = 0
        is_mirror = inner.kind == INSIDE_PROTOCOL
        if is_mirror and not open_mirror(sink, packet, &inner):
            return
        if sink.carriers == sink.caps.carriers:
            malformed(sink, packet, LAYER_LINK, KIND_TOO_DEEP, sink.carriers, sink.carriers + 1)
            return
        sink.carriers += 1
        if is_mirror:
            enter_mirror(sink, &inner)
        if inner.kind == INSIDE_IP:
            walk_ip(sink, packet, inner.number, inner.data, inner.captured, inner.wire, sink.headers)
        elif inner.kind == INSIDE_ETHERTYPE:
            walk_ethertype(sink, packet, inner.number, False, inner.data, inner.captured, inner.wire)
        else:
            enter_frame(sink)
            add_vlan(sink, <uint64_t>inner.vlan)
            if inner.kind == INSIDE_ETHERNET:
                walk_ethernet(sink, packet, inner.data, inner.captured, inner.wire)
            else:
                walk_link(sink, packet, inner.number, inner.data, inner.captured, inner.wire)


cdef void walk_datagram(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers, uint64_t layers,
) noexcept nogil:
    """The payload that IP fragments of these layers gave, behind `headers` IP headers (decoding 4.4)."""
    sink.inside_datagram = True
    sink.layers = layers
    sink.carriers = 0
    walk_protocol(sink, packet, protocol, source, destination, p, captured, wire, headers)
    if sink.inner.kind != INSIDE_NOTHING:
        open_inner(sink, packet)
    sink.inside_datagram = False
