"""Unaligned loads in either byte order, mapped addresses, and prefetch.

Must not know protocols.  The caller has checked the length.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define pptpcap_prefetch(p) __builtin_prefetch(p)
    #else
    #define pptpcap_prefetch(p) ((void)(p))
    #endif
    """
    # Prefetch the cache line at `p`; harmless for an invalid address.
    void prefetch "pptpcap_prefetch"(const void* p) noexcept nogil

cdef enum:
    CACHE_LINE = 64


cdef inline uint16_t load16(const uint8_t* p) noexcept nogil:
    return <uint16_t>((<unsigned int>p[0] << 8) | p[1])


cdef inline uint16_t load16_little(const uint8_t* p) noexcept nogil:
    return <uint16_t>((<unsigned int>p[1] << 8) | p[0])


cdef inline uint32_t load32(const uint8_t* p) noexcept nogil:
    return (<uint32_t>p[0] << 24) | (<uint32_t>p[1] << 16) | (<uint32_t>p[2] << 8) | p[3]


cdef inline uint32_t load32_little(const uint8_t* p) noexcept nogil:
    return (<uint32_t>p[3] << 24) | (<uint32_t>p[2] << 16) | (<uint32_t>p[1] << 8) | p[0]


cdef inline uint64_t load64(const uint8_t* p) noexcept nogil:
    return (<uint64_t>load32(p) << 32) | load32(p + 4)


cdef inline int compare_addresses(const uint8_t* one, const uint8_t* other) noexcept nogil:
    """Order of two addresses of 16 octets: below 0, 0 or above 0."""
    cdef uint64_t left = load64(one)
    cdef uint64_t right = load64(other)
    if left == right:
        left = load64(one + 8)
        right = load64(other + 8)
    return (left > right) - (left < right)


cdef inline void map_ipv4(uint8_t* address, const uint8_t* p) noexcept nogil:
    """The 4 octets at `p` as ``::ffff:a.b.c.d``."""
    memset(address, 0, 10)
    address[10] = 0xFF
    address[11] = 0xFF
    memcpy(address + 12, p, 4)
