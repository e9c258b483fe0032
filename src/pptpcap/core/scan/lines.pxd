"""Declarations of ``lines``."""

from libc.stdint cimport int64_t, uint8_t

from ..base.packets cimport Packet
from .sink cimport Sink


cdef bint walk_line(
    Sink* sink, const Packet* packet, int link_type, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil
