"""What other modules may call of ``frames``."""

from libc.stdint cimport int64_t, uint8_t

from .sink cimport Packet, Sink


cdef void walk_frame(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil

cdef void walk_protocol(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers,
) noexcept nogil
