"""Declarations of ``frames``."""

from libc.stdint cimport int64_t, uint8_t

from ..base.packets cimport Packet
from .sink cimport Sink


cdef void malformed(
    Sink* sink, const Packet* packet, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil

cdef void walk_ip(
    Sink* sink, const Packet* packet, int version, const uint8_t* p, int64_t captured, int64_t wire, int64_t headers
) noexcept nogil

cdef void walk_protocol(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers,
) noexcept nogil
