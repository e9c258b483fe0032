"""What one side of a PPP link said in its control packets (decoding section 10.4)."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef struct Option:
    uint8_t kind
    # With kind and length, of which the value has that many less; all of it is captured.
    uint8_t length
    const uint8_t* value


cdef struct Said:
    # A PPP control packet from its code on: its length as it says, and how many octets of it are captured.
    uint16_t protocol
    uint8_t code
    int64_t length
    int64_t available
    const uint8_t* octets
    const Option* options
    int option_count
    # Names are kept.
    bint identities


cdef struct Negotiation:
    uint64_t interface_identifier
    uint32_t accm
    uint32_t bits
    uint32_t authentication_error
    uint32_t echo_requests
    uint32_t echo_replies
    uint16_t mru
    uint16_t ip_compression
    uint8_t authentication
    uint8_t asked
    uint8_t seen
    uint8_t believed
    uint8_t compression
    bint has_ipv4
    uint8_t ipv4[4]
    bint terminated
    bint encrypted
    # Of TEXT_WIDTH octets, NULL while there are none.
    uint8_t* terminate_reason
    uint8_t* name


cdef void negotiation_free(Negotiation* negotiation) noexcept nogil
cdef bint negotiate(Negotiation** negotiation, const Said* said) noexcept nogil
