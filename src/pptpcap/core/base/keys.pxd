"""Keys of 48 bytes that identify connections, tunnels and datagrams, and the layers that are part of them.

Must not know what the bytes mean.
"""

from libc.stdint cimport int16_t, int64_t, uint8_t, uint64_t
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
    uint64_t words[6]


# The layers of a packet (decoding 2b) in one number: from the top two VLAN ids of 12 bits, whether there is a network
# id, the carrier in 7 bits, the network id in 32.
cdef enum:
    VLAN_AT = 52
    INNER_VLAN_AT = 40
    HAS_NETWORK_AT = 39
    CARRIER_AT = 32


cdef inline void flow_key(
    Key* key, const uint8_t* source, const uint8_t* destination, uint64_t rest, uint64_t layers
) noexcept nogil:
    """A key of two addresses of 16 octets, of a number that tells their flows apart, and of layers."""
    memcpy(&key.words[0], source, 16)
    memcpy(&key.words[2], destination, 16)
    key.words[4] = rest
    key.words[5] = layers


cdef inline int16_t vlan_of(uint64_t layers) noexcept nogil:
    """The outermost VLAN, -1 without."""
    return <int16_t>(layers >> VLAN_AT) if layers >> VLAN_AT else -1


cdef inline int16_t inner_vlan_of(uint64_t layers) noexcept nogil:
    cdef int vlan = (layers >> INNER_VLAN_AT) & 0xFFF
    return <int16_t>vlan if vlan else -1


cdef inline uint8_t carrier_of(uint64_t layers) noexcept nogil:
    return (layers >> CARRIER_AT) & 0x7F


cdef inline int64_t network_of(uint64_t layers) noexcept nogil:
    """The network id, -1 without."""
    return <int64_t>(layers & 0xFFFFFFFFU) if layers >> HAS_NETWORK_AT & 1 else -1


cdef inline uint64_t pack_layers(int16_t vlan, int16_t inner_vlan, uint8_t carrier, int64_t network) noexcept nogil:
    """The layers that the columns of a row name."""
    cdef uint64_t layers = <uint64_t>carrier << CARRIER_AT
    layers |= <uint64_t>max(<int>vlan, 0) << VLAN_AT | <uint64_t>max(<int>inner_vlan, 0) << INNER_VLAN_AT
    return layers if network < 0 else layers | <uint64_t>1 << HAS_NETWORK_AT | <uint64_t>network


cdef inline bint same_key(const Key* one, const Key* other) noexcept nogil:
    return (
        (one.words[0] ^ other.words[0]) | (one.words[1] ^ other.words[1]) | (one.words[2] ^ other.words[2])
        | (one.words[3] ^ other.words[3]) | (one.words[4] ^ other.words[4]) | (one.words[5] ^ other.words[5])
    ) == 0
