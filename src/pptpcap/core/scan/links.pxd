"""Declarations of ``links``."""

from libc.stdint cimport int64_t, uint8_t

from ..base.packets cimport Packet
from .sink cimport Sink


cdef void walk_ethernet(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil

cdef void walk_ethertype(
    Sink* sink, const Packet* packet, int ethertype, bint may_be_length, const uint8_t* p, int64_t captured,
    int64_t wire,
) noexcept nogil

cdef bint walk_link(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil

cdef void walk_frame(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil
