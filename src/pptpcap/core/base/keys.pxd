"""Keys of 40 bytes that identify connections, tunnels and datagrams.

Must not know what the bytes mean.
"""

from libc.stdint cimport int16_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    static inline uint64_t pptpcap_mix(uint64_t a, uint64_t b) {
        __extension__ typedef unsigned __int128 wide;
        wide product = (wide)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    uint64_t mix "pptpcap_mix"(uint64_t a, uint64_t b) noexcept nogil


cdef struct Key:
    uint64_t words[5]


cdef enum:
    # Where layers stand in the number of a tunnel's key, above the call id.
    LAYERS_AT = 16


cdef inline void flow_key(Key* key, const uint8_t* source, const uint8_t* destination, uint64_t rest) noexcept nogil:
    """A key of two addresses of 16 octets, and of a number that tells their flows apart."""
    memcpy(&key.words[0], source, 16)
    memcpy(&key.words[2], destination, 16)
    key.words[4] = rest


cdef inline int16_t vlan_of(uint32_t layers) noexcept nogil:
    """The outermost VLAN, -1 without."""
    return <int16_t>(layers >> 12) if layers >> 12 else -1


cdef inline int16_t inner_vlan_of(uint32_t layers) noexcept nogil:
    return <int16_t>(layers & 0xFFF) if layers & 0xFFF else -1


cdef inline bint same_key(const Key* one, const Key* other) noexcept nogil:
    return (
        (one.words[0] ^ other.words[0]) | (one.words[1] ^ other.words[1]) | (one.words[2] ^ other.words[2])
        | (one.words[3] ^ other.words[3]) | (one.words[4] ^ other.words[4])
    ) == 0
