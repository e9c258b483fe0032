"""Declarations of ``tags``."""

from libc.stdint cimport int64_t, uint8_t

from ..base.packets cimport Packet
from .sink cimport Sink


cdef enum:
    # In the place of the EtherType behind a header.
    WHOLE_FRAME = -1


cdef struct Tag:
    # Octets of the header, and how many behind it were on the wire.
    int64_t size
    int64_t wire
    # What follows: an EtherType, or a whole frame inside a carrier, perhaps in one of its networks (-1 without).
    int ethertype
    int carrier
    int64_t network


cdef bint read_tag(
    Sink* sink, const Packet* packet, int ethertype, const uint8_t* p, int64_t captured, int64_t wire, Tag* tag
) noexcept nogil

cdef void walk_mpls(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, int64_t tags
) noexcept nogil
