"""What scan notes of a packet, so that another record of it can be recognised (decoding section 4b).

A digest stands for the link header; it depends on octets alone, so those of two scans can be compared.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ..base.keys cimport mix
from .segments cimport Sighting
from .sink cimport Sink


cdef enum:
    ETHERNET_HEADER = 14


cdef inline uint64_t word_at(const uint8_t* p) noexcept nogil:
    """8 octets in the order of this machine."""
    cdef uint64_t word
    memcpy(&word, p, 8)
    return word


cdef inline void sight(Sink* sink, Sighting* sighting, uint64_t content) noexcept nogil:
    """Note the present packet, of which `content` (16 bits) says what no other field says."""
    cdef const uint8_t* p = sink.frame
    cdef int64_t n = sink.network - p
    cdef uint64_t digest = <uint64_t>n
    sighting.facts = (<uint32_t>sink.identification << 16) | <uint16_t>content
    if n == ETHERNET_HEADER:
        # The most frequent one.
        sighting.vantage = <uint32_t>mix(
            word_at(p) ^ 0x9E3779B97F4A7C15U,
            word_at(p + n - 8) ^ 0xD6E8FEB86659FD93U ^ (<uint64_t>sink.interface << 40) ^ (<uint64_t>sink.hops << 48),
        )
        return
    if n >= 8:
        # The last word may hold octets of the one before it.
        while n > 8:
            digest = (digest ^ word_at(p)) * 0x9E3779B97F4A7C15U
            digest ^= digest >> 32
            p += 8
            n -= 8
        digest ^= word_at(p + n - 8)
    else:
        while n > 0:
            digest = digest << 8 | p[0]
            p += 1
            n -= 1
    digest *= 0xD6E8FEB86659FD93U
    sighting.vantage = <uint32_t>(digest >> 32) ^ <uint32_t>(
        (<uint64_t>sink.interface << 8 | sink.hops) * 0x9E3779B97F4A7C15U >> 32
    )
