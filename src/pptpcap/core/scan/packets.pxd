"""Declarations of ``packets``."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ..base.packets cimport Packet
from .links cimport walk_frame
from .sink cimport INSIDE_NOTHING, Sink


cdef void open_inner(Sink* sink, const Packet* packet) noexcept nogil

cdef void walk_datagram(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers, uint64_t layers,
) noexcept nogil


cdef inline void walk_packet(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """One frame of `captured` octets at `p`, of `wire` octets that were on the wire."""
    walk_frame(sink, packet, link_type, p, captured, wire)
    if sink.inner.kind != INSIDE_NOTHING:
        open_inner(sink, packet)
